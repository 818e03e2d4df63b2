// Reading a curve: the values under the pointer, or, by the arrow keys, those of one point after the other.

import { announce, drawn } from "./dom.js";
import { counted } from "./words.js";

/** Let a panel be read. `across` gives the place of a number of evaluations, `format` writes a value. */
export function readable(svg, { series, across, format, end, top, bottom }) {
  const places = [...new Set(series.flatMap(({ points }) => points.map(([x]) => x)))].sort((one, other) => one - other);
  if (!places.length) return;
  const line = drawn("line", { y1: top, y2: bottom });
  const text = drawn("text", { y: top + 12 });
  const group = drawn("g.readout", { visibility: "hidden" }, line, text);
  let at = places.length - 1;
  const tell = (place) => {
    at = Math.max(0, Math.min(places.length - 1, place));
    const [x, right] = [across(places[at]), places[at] > end / 2];
    const values = series
      .map(({ points }) => valueAt(points, places[at]))
      .map((value) => (value === null ? "–" : format(value)));
    text.textContent = `${places[at].toLocaleString("en-US")}: ${values.join(", ")}`;
    setAll(line, { x1: x, x2: x });
    setAll(text, { x: right ? x - 6 : x + 6, "text-anchor": right ? "end" : "start" });
    group.setAttribute("visibility", "visible");
    return `After ${counted(places[at], "evaluation")}: ${values.join(", ")}`;
  };
  const hide = () => group.setAttribute("visibility", "hidden");
  svg.append(group);
  setAll(svg, { tabindex: 0 });
  svg.addEventListener("pointermove", ({ offsetX }) => tell(nearest(places, offsetX, across)));
  svg.addEventListener("pointerleave", hide);
  svg.addEventListener("blur", hide);
  svg.addEventListener("keydown", (event) => {
    const next = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: places.length - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    announce(tell(next));
  });
}

function setAll(node, attributes) {
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
}

/** A curve holds each value until the next one. */
function valueAt(points, x) {
  let [low, high] = [0, points.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (points[middle][0] <= x) low = middle + 1;
    else high = middle;
  }
  return low ? points[low - 1][1] : null;
}

function nearest(places, pixels, across) {
  let best = 0;
  places.forEach((place, index) => {
    if (Math.abs(across(place) - pixels) < Math.abs(across(places[best]) - pixels)) best = index;
  });
  return best;
}
