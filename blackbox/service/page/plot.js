// A panel of a curve, in SVG: lines, dots with intervals, and axes with few, round numbers.

import { drawn } from "./dom.js";
import { readable } from "./readout.js";

const LEFT = 52;
const RIGHT = 10;
const TOP = 8;
const BOTTOM = 24;
const MOST = 400; // points of a line; more cannot be told apart

/**
 * A panel.
 *
 * `series` is a list of { kind, points: [[x, y]], bands: [[x, y, low, high]], step }; `kind` is a class for its colour.
 * `format` writes the numbers of the y axis, `exact` those of its points; `limits` are [low, high] that the axis never
 * leaves.
 */
export function panel({ series, width, height, end, format, label, limits, exact }) {
  const values = series.flatMap(({ points, bands = [] }) => [
    ...points.map(([, y]) => y),
    ...bands.flatMap(([, , low, high]) => [low, high]),
  ]);
  const ticks = ticksOf(values, limits, Math.max(2, Math.floor(height / 45)));
  const [low, high] = [ticks[0], ticks.at(-1)];
  const place = {
    x: (value) => LEFT + ((width - LEFT - RIGHT) * value) / Math.max(1, end),
    y: (value) => TOP + ((height - TOP - BOTTOM) * (high - value)) / (high - low || 1),
    width,
    height,
  };
  const svg = drawn(
    "svg.panel",
    { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label },
    ticks.map((tick) => rule(place, tick, format(tick))),
    marksOf(end, width).map((mark) => xMark(place, mark)),
    series.map((one) => drawSeries(place, one)),
  );
  readable(svg, { series, across: place.x, format: exact ?? format, end, top: TOP, bottom: height - BOTTOM });
  return svg;
}

function rule(place, tick, text) {
  const y = place.y(tick);
  return [
    drawn("line.rule", { x1: LEFT, x2: place.width - RIGHT, y1: y, y2: y }),
    drawn("text.tick", { x: LEFT - 6, y: y + 4, "text-anchor": "end" }, text),
  ];
}

function xMark(place, mark) {
  const x = place.x(mark);
  return drawn(
    "text.tick",
    { x, y: place.height - 6, "text-anchor": mark ? "middle" : "start" },
    mark.toLocaleString("en-US"),
  );
}

function drawSeries(place, { kind, points, bands = [], step = true }) {
  const thin = thinned(points);
  return drawn(
    `g.series.${kind}`,
    {},
    thinned(bands).map(([x, , low, high]) => interval(place, x, low, high)),
    thin.length ? drawn("path.line", { d: pathOf(place, thin, step) }) : null,
    (points.length === 1 ? points : thinned(bands)).map(([x, y]) =>
      drawn("circle.dot", { cx: place.x(x), cy: place.y(y), r: 3.5 }),
    ),
  );
}

function interval(place, x, low, high) {
  return drawn("line.interval", { x1: place.x(x), x2: place.x(x), y1: place.y(low), y2: place.y(high) });
}

/** A line that holds each value until the next one. */
function pathOf(place, points, step) {
  const parts = points.map(([x, y], index) => {
    const [px, py] = [place.x(x).toFixed(1), place.y(y).toFixed(1)];
    if (!index) return `M${px} ${py}`;
    return step ? `H${px}V${py}` : `L${px} ${py}`;
  });
  return parts.join("");
}

/** Some of many points, the first and the last among them. */
function thinned(points) {
  if (points.length <= MOST) return points;
  const step = (points.length - 1) / (MOST - 1);
  return Array.from({ length: MOST }, (_, index) => points[Math.round(index * step)]);
}

/** Round numbers around the values, at about `wanted` places. */
function ticksOf(values, limits, wanted) {
  let [low, high] = values.length ? rangeOf(values) : (limits ?? [0, 1]);
  if (low === high) [low, high] = [low - Math.abs(low || 1) * 0.1, high + Math.abs(high || 1) * 0.1];
  const step = roundStep((high - low) / wanted);
  const [least, most] = limits ?? [-Infinity, Infinity];
  const first = Math.max(Math.floor(low / step + 1e-9), Math.ceil(least / step - 1e-9));
  const last = Math.min(Math.ceil(high / step - 1e-9), Math.floor(most / step + 1e-9));
  return Array.from({ length: last - first + 1 }, (_, index) => Number(((first + index) * step).toPrecision(12)));
}

function rangeOf(values) {
  return values.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity]);
}

function marksOf(end, width) {
  return ticksOf([0, Math.max(1, end)], [0, Math.max(1, end)], Math.max(2, Math.floor(width / 110))).filter(
    Number.isInteger,
  );
}

function roundStep(rough) {
  const size = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].find((factor) => factor * size >= rough * 0.999) * size;
}
