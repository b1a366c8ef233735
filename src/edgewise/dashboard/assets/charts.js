// What the server drew can be read value by value, and saved as CSV or PNG.

function cells(table) {
  return [...table.rows].map((row) => [...row.cells].map((cell) => cell.querySelector("data")?.value ?? cell.textContent.trim()));
}

function save(name, blob) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** A table as CSV. A cell that a spreadsheet would run as a formula is made a text. */
export function csv(table) {
  const said = (cell) => {
    const safe = /^[=+@\t\r]|^-(?![\d.])/.test(cell) ? `'${cell}` : cell;
    return /[",\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  return cells(table).map((row) => row.map(said).join(",")).join("\r\n") + "\r\n";
}

const STYLES = ["fill", "stroke", "stroke-width", "stroke-dasharray", "opacity", "fill-opacity",
  "font-family", "font-size", "font-weight", "text-anchor", "vector-effect", "paint-order", "stroke-linejoin"];

/** A copy of the drawing that needs no style sheet. */
function alone(svg) {
  const copy = svg.cloneNode(true);
  const from = [svg, ...svg.querySelectorAll("*")];
  const to = [copy, ...copy.querySelectorAll("*")];
  from.forEach((element, at) => {
    const computed = getComputedStyle(element);
    for (const name of STYLES) to[at].setAttribute(name, computed.getPropertyValue(name));
  });
  const box = svg.getBoundingClientRect();
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.setAttribute("width", box.width);
  copy.setAttribute("height", box.height);
  return { text: new XMLSerializer().serializeToString(copy), width: box.width, height: box.height };
}

async function png(figure, svg) {
  const { text, width, height } = alone(svg);
  const url = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
  try {
    const picture = new Image();
    picture.src = url;
    await picture.decode();
    const canvas = document.createElement("canvas");
    const margin = 32;
    canvas.width = width * 2;
    canvas.height = (height + margin) * 2;
    const draw = canvas.getContext("2d");
    const style = getComputedStyle(figure);
    draw.scale(2, 2);
    draw.fillStyle = getComputedStyle(document.body).backgroundColor;
    draw.fillRect(0, 0, width, height + margin);
    draw.fillStyle = style.color;
    draw.font = `600 14px ${style.fontFamily}`;
    draw.fillText(figure.dataset.title, 4, 20);
    draw.drawImage(picture, 0, margin, width, height);
    return await new Promise((done) => canvas.toBlob(done, "image/png"));
  } finally {
    URL.revokeObjectURL(url);
  }
}

function readout(figure, at) {
  const rows = figure.querySelectorAll("table tbody tr");
  const heads = [...figure.querySelectorAll("table thead th")].map((cell) => cell.textContent);
  const line = figure.querySelector(".readout");
  const mark = figure.querySelector(".cursor");
  if (!rows.length || !line) return;
  const row = rows[Math.max(0, Math.min(rows.length - 1, at))];
  const said = [...row.cells].map((cell, n) => (n ? `${heads[n]} ${cell.textContent}` : cell.textContent));
  line.textContent = said.join(" · ");
  figure.dataset.at = String(Math.max(0, Math.min(rows.length - 1, at)));
  if (mark) {
    const x = `${((Number(figure.dataset.at) + 0.5) / rows.length) * 100}%`;
    mark.setAttribute("x1", x);
    mark.setAttribute("x2", x);
    mark.setAttribute("visibility", "visible");
  }
}

function leave(figure) {
  const line = figure.querySelector(".readout");
  if (line) line.textContent = line.dataset.rest ?? "";
  figure.querySelector(".cursor")?.setAttribute("visibility", "hidden");
  delete figure.dataset.at;
}

document.addEventListener("pointermove", (event) => {
  const plot = event.target.closest?.("figure.chart .plot");
  if (!plot) return;
  const figure = plot.closest("figure");
  const rows = figure.querySelectorAll("table tbody tr").length;
  const box = plot.getBoundingClientRect();
  readout(figure, Math.floor(((event.clientX - box.left) / box.width) * rows));
});
document.addEventListener("pointerout", (event) => {
  const figure = event.target.closest?.("figure.chart");
  if (figure && !figure.contains(event.relatedTarget)) leave(figure);
});
document.addEventListener("keydown", (event) => {
  const plot = event.target.closest?.("figure.chart .plot");
  if (!plot || !["ArrowLeft", "ArrowRight", "Home", "End"].includes(event.key)) return;
  const figure = plot.closest("figure");
  const last = figure.querySelectorAll("table tbody tr").length - 1;
  const here = Number(figure.dataset.at ?? last);
  const to = { ArrowLeft: here - 1, ArrowRight: here + 1, Home: 0, End: last }[event.key];
  readout(figure, to);
  event.preventDefault();
});
document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("button[data-save]");
  const figure = button?.closest("figure, [data-title]");
  if (!figure) return;
  const name = figure.dataset.name;
  if (button.dataset.save === "csv") save(`${name}.csv`, new Blob([csv(figure.querySelector("table"))], { type: "text/csv" }));
  else save(`${name}.png`, await png(figure, figure.querySelector("svg")));
});
