// What every page does: times in the reader's zone, the theme, and what changes while one looks.
const SYSTEM = "system";
const NEXT = { system: "light", light: "dark", dark: SYSTEM };

/** Show every <time> below `root` in the reader's own zone; its title keeps the whole moment. */
export function localise(root) {
  for (const time of root.querySelectorAll("time[datetime]:not([title])")) {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    const pad = (n) => String(n).padStart(2, "0");
    const clock = `${pad(at.getHours())}:${pad(at.getMinutes())}:${pad(at.getSeconds())}`;
    const day = `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())}`;
    const today = new Date().toDateString() === at.toDateString();
    time.title = `${day} ${clock} (${time.dateTime})`;
    time.textContent = "brief" in time.dataset && today ? clock : `${day} ${clock}`;
  }
  for (const text of root.querySelectorAll("text[data-at]")) text.textContent = stamp(new Date(text.dataset.at));
}

/** The time of day, and the day where that is not today. */
function stamp(at) {
  const pad = (n) => String(n).padStart(2, "0");
  const clock = `${pad(at.getHours())}:${pad(at.getMinutes())}`;
  const near = Math.abs(Date.now() - at) < 22 * 3_600_000;
  return near ? clock : `${pad(at.getMonth() + 1)}-${pad(at.getDate())} ${clock}`;
}

function theme() {
  const button = document.getElementById("theme");
  if (!button) return;
  const root = document.documentElement;
  const show = () => {
    button.textContent = `Theme: ${root.dataset.theme ?? SYSTEM}`;
  };
  button.hidden = false;
  button.addEventListener("click", () => {
    const next = NEXT[root.dataset.theme ?? SYSTEM];
    if (next === SYSTEM) delete root.dataset.theme;
    else root.dataset.theme = next;
    try {
      localStorage.setItem("edgewise-theme", next);
    } catch {
      // It holds for this page, then.
    }
    show();
  });
  show();
}

const FOCUSABLE = "a, button, input, select, textarea, summary, [tabindex]";

/** Replace what is in `element`, but keep every child that is as it was; focus and open details stay. */
export function patch(element, html) {
  const fresh = document.createElement("template");
  fresh.innerHTML = html;
  localise(fresh.content);
  const known = new Map([...element.children].filter((c) => c.id).map((c) => [c.id, c]));
  const next = [...fresh.content.childNodes].map((node) => {
    const before = node.id ? known.get(node.id) : undefined;
    return before && before.isEqualNode(node) ? before : node;
  });
  const opened = [...element.querySelectorAll("details")].map((one) => one.open);
  const held = element.contains(document.activeElement) ? document.activeElement : null;
  const at = held ? [...element.querySelectorAll(FOCUSABLE)].indexOf(held) : -1;
  const row = held?.closest("tr[id]")?.id;
  element.replaceChildren(...next);
  element.querySelectorAll("details").forEach((one, n) => {
    if (opened[n]) one.open = true;
  });
  if (held && document.activeElement !== held) {
    const inRow = row ? document.getElementById(row)?.querySelector(FOCUSABLE) : null;
    const again = held.isConnected ? held : inRow ?? element.querySelectorAll(FOCUSABLE)[at];
    again?.focus({ preventScroll: true });
  }
  element.dispatchEvent(new CustomEvent("patched", { bubbles: true }));
}

/** Load the page anew: it has got parts that it did not have, as an empty one with the first request. Once each. */
function grow(parts) {
  const asked = `${location.href} ${parts}`;
  try {
    if (sessionStorage.getItem("edgewise-grown") === asked) return;
    sessionStorage.setItem("edgewise-grown", asked);
  } catch {
    return; // What was asked for cannot be remembered: better once too few than for ever.
  }
  location.reload();
}

function live() {
  const button = document.getElementById("live");
  if (!button) return;
  const [state, said] = ["live-state", "live-said"].map((id) => document.getElementById(id));
  let source = null;
  let paused = false;
  const say = (text, how) => {
    if (state.textContent !== text) state.textContent = said.textContent = text;
    button.dataset.state = how;
  };
  const open = () => {
    if (source || paused || document.hidden) return;
    source = new EventSource(button.dataset.live);
    source.addEventListener("open", () => say("Live", "on"));
    source.addEventListener("error", () => say("Not connected", "lost"));
    source.addEventListener("change", (event) => {
      const missing = [];
      for (const [id, html] of Object.entries(JSON.parse(event.data))) {
        const element = document.getElementById(id);
        if (element) patch(element, html);
        else missing.push(id);
      }
      if (missing.length) grow(missing.join());
    });
  };
  const close = () => {
    source?.close();
    source = null;
  };
  button.hidden = false;
  button.addEventListener("click", () => {
    paused = !paused;
    if (paused) close();
    else open();
    say(paused ? "Paused" : "Live", paused ? "off" : "on");
  });
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  window.addEventListener("pagehide", close);
  open();
}

localise(document);
theme();
live();
