// A prompt's decision while it is typed, then answers side by side. All that comes is shown as text.

const form = document.getElementById("try");
const prompt = document.getElementById("prompt");
const decision = document.getElementById("decision");
const answers = document.getElementById("answers");
const send = document.getElementById("send");
const stop = document.getElementById("stop");
const reasons = JSON.parse(document.getElementById("words").dataset.reasons);
const PAUSE_MS = 200;

/** An element with a class, and children that are texts or elements. */
function element(name, kind, ...inside) {
  const made = document.createElement(name);
  if (kind) made.className = kind;
  made.append(...inside.filter((one) => one !== null && one !== undefined));
  return made;
}

function seconds(value) {
  if (value < 0.001) return `${Math.round(value * 1e6)} µs`;
  if (value < 1) return `${Math.round(value * 1000)} ms`;
  return `${value.toFixed(value < 10 ? 1 : 0)} s`;
}

function usd(value) {
  if (value === 0) return "$0";
  return value >= 1 ? `$${value.toFixed(2)}` : `$${Number(value.toPrecision(2))}`;
}

const share = (value) => `${(value * 100).toFixed(1)} %`;

function body(model, extra) {
  const privacy = document.getElementById("privacy").value;
  const wishes = privacy ? { edgewise: { privacy } } : {};
  return { model, messages: [{ role: "user", content: prompt.value }], ...wishes, ...extra };
}

async function post(path, said, signal) {
  const headers = { "content-type": "application/json" };
  return fetch(path, { method: "POST", headers, body: JSON.stringify(said), signal });
}

async function complaint(response) {
  try {
    return (await response.json()).error.message;
  } catch {
    return `The gateway answered with ${response.status}.`;
  }
}

// As one types

function estimate(number, unit) {
  if (!number) return element("td", "number", "–");
  const note = element("span", "note", ` ${unit(number.low)} to ${unit(number.high)}`);
  return element("td", "number", unit(number.mean), note);
}

const MEASURES = [["quality", "quality", (v) => v.toFixed(2)], ["latency", "latency_s", seconds], ["cost", "cost_usd", usd]];

function bar(value) {
  const meter = document.createElement("meter");
  meter.min = 0;
  meter.max = 1;
  meter.value = value;
  meter.setAttribute("aria-hidden", "true");
  return meter;
}

function decided(found) {
  const known = MEASURES.filter(([, field]) => Object.values(found.forecasts).some((one) => one[field]));
  const held = new Map();
  for (const one of found.objections) {
    held.set(one.candidate, [...(held.get(one.candidate) ?? []), `${one.sentence} (${one.rule})`]);
  }
  const names = [...new Set([...found.shortlist, ...held.keys()])];
  const heads = ["candidate", "odds", ...known.map(([name]) => name), "what stands against it"];
  const head = element("tr", "", ...heads.map((text, n) => {
    const cell = element("th", n && n < heads.length - 1 ? "number" : "", text);
    cell.scope = "col";
    return cell;
  }));
  const rows = names.map((name) => {
    const first = element("th", "", name, name === found.chosen ? element("span", "note", " would answer") : null);
    first.scope = "row";
    const odds = found.odds[name];
    const cell = odds === undefined
      ? element("td", "number", "not eligible")
      : element("td", "number", bar(odds), ` ${share(odds)}`);
    const measures = known.map(([, field, unit]) => estimate(found.forecasts[name]?.[field], unit));
    const against = element("td", "", (held.get(name) ?? ["nothing"]).join(" "));
    const kind = name === found.chosen ? "chosen" : odds === undefined ? "out" : "";
    return element("tr", kind, first, cell, ...measures, against);
  });
  const table = element("table", "", element("thead", "", head), element("tbody", "", ...rows));
  const scroll = element("div", "scroll", table);
  scroll.tabIndex = 0;
  scroll.setAttribute("role", "region");
  scroll.setAttribute("aria-label", "Candidates");
  const badge = element("span", `badge ${found.location}`, found.chosen);
  const lead = element("p", "lead", badge, ` would answer, because ${reasons[found.reason] ?? found.reason}.`);
  const numbers = Object.entries(found.evidence).map(([name, value]) => `${name} ${Number(value.toPrecision(3))}`);
  const note = `Policy ${found.policy}, decided in ${seconds(found.micros / 1e6)}.` +
    (numbers.length ? ` What counted: ${numbers.join(", ")}.` : "");
  decision.replaceChildren(lead, scroll, element("p", "note", note));
}

let asking = null;
let timer = 0;

async function decide() {
  asking?.abort();
  if (!prompt.value.trim()) {
    decision.replaceChildren(element("p", "quiet-text", "Type a prompt: the decision appears here as you go."));
    return;
  }
  const mine = new AbortController();
  asking = mine;
  try {
    const response = await post("/v1/route?record=false", body(document.getElementById("model").value), mine.signal);
    if (response.ok) decided(await response.json());
    else decision.replaceChildren(element("p", "notice warn", await complaint(response)));
  } catch (error) {
    if (error.name !== "AbortError") decision.replaceChildren(element("p", "notice bad", "The gateway is not there."));
  }
}

function soon() {
  clearTimeout(timer);
  timer = setTimeout(decide, PAUSE_MS);
}

// Side by side

/** The events of a stream, as they come. */
async function* events(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let held = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    held += value;
    const parts = held.split("\n\n");
    held = parts.pop();
    for (const part of parts) {
      const data = part.split("\n").filter((line) => line.startsWith("data:")).map((line) => line.slice(5).trim()).join("");
      if (data && data !== "[DONE]") yield JSON.parse(data);
    }
  }
}

function panel(model) {
  const title = element("h3", "", model === "auto" ? "Whoever is chosen" : model);
  const state = element("p", "note", "waiting …");
  state.setAttribute("role", "status");
  const text = element("div", "said");
  text.dir = "auto";
  text.tabIndex = 0;
  text.setAttribute("role", "group");
  text.setAttribute("aria-label", `Answer of ${title.textContent}`);
  const card = element("article", "card", title, state, text);
  answers.append(card);
  return { card, title, state, text };
}

async function answer(model, signal) {
  const shown = panel(model);
  const began = performance.now();
  const passed = () => seconds((performance.now() - began) / 1000);
  try {
    const said = body(model, { stream: true, stream_options: { include_usage: true } });
    const response = await post("/v1/chat/completions", said, signal);
    if (!response.ok) {
      shown.state.textContent = `failed after ${passed()}`;
      shown.text.replaceWith(element("p", "notice bad", await complaint(response)));
      return;
    }
    const who = response.headers.get("x-edgewise-candidate");
    const where = response.headers.get("x-edgewise-location");
    const id = response.headers.get("x-request-id");
    shown.title.replaceChildren(element("span", `badge ${where}`, who));
    let first = "";
    let usage = null;
    for await (const event of events(response)) {
      if (event.error) throw new Error(event.error.message);
      const piece = event.choices?.[0]?.delta?.content ?? "";
      if (piece && !first) first = passed();
      if (piece) shown.text.append(piece);
      if (event.usage) usage = event.usage;
      shown.state.textContent = `${first ? `first token after ${first} · ` : ""}${passed()}`;
    }
    const link = element("a", "", "the whole story");
    link.href = `/decisions/${encodeURIComponent(id)}`;
    const tokens = usage ? ` · ${usage.prompt_tokens} → ${usage.completion_tokens} tokens` : "";
    shown.state.replaceChildren(`first token after ${first || "–"} · done after ${passed()}${tokens} · `, link);
  } catch (error) {
    const stopped = error.name === "AbortError";
    shown.state.textContent = stopped ? `stopped after ${passed()}` : `broke off after ${passed()}: ${error.message}`;
  }
}

let sending = null;

async function ask() {
  const asked = [...form.querySelectorAll("input[name=ask]:checked")].map((box) => box.value);
  if (!prompt.value.trim() || !asked.length || sending) return;
  sending = new AbortController();
  send.disabled = true;
  stop.hidden = false;
  answers.replaceChildren();
  const policy = document.getElementById("model").value;
  try {
    await Promise.all(asked.map((one) => answer(one === "auto" ? policy : one, sending.signal)));
  } finally {
    sending = null;
    send.disabled = false;
    stop.hidden = true;
  }
}

prompt.addEventListener("input", soon);
for (const name of ["model", "privacy"]) document.getElementById(name).addEventListener("change", soon);
prompt.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    ask();
  }
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  ask();
});
stop.addEventListener("click", () => sending?.abort());
for (const example of form.querySelectorAll(".example")) {
  example.addEventListener("click", () => {
    prompt.value = example.textContent;
    prompt.focus();
    soon();
  });
}
