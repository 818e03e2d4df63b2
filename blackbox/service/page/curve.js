// The learning curve of a job, drawn anew as its generations come: what it found, and what it cost.

import { element, show } from "./dom.js";
import { panel } from "./plot.js";
import { soon } from "./polling.js";
import { tabs } from "./tabs.js";
import { brief, counted, inTime, inUsd, isShare, loss, percent } from "./words.js";

export class Curve {
  constructor(signal) {
    this.points = []; // of generations: { evaluations, train_loss, dev, usd, seconds }
    this.quality = element("div.plots", {});
    this.price = element("div.plots", {});
    this.node = element(
      "div",
      {},
      tabs(
        "Learning curve",
        [
          ["What it found", this.quality],
          ["What it cost", this.price],
        ],
        () => this.draw(),
      ),
    );
    this.redraw = soon(() => this.draw(), { after: 200 });
    const observer = new ResizeObserver(this.redraw);
    observer.observe(this.node);
    signal.addEventListener("abort", () => observer.disconnect(), { once: true });
  }

  /** A generation has come. */
  add(data) {
    this.points.push(data);
    this.redraw();
  }

  draw() {
    const width = this.node.clientWidth;
    if (!width) return;
    if (!this.points.length) {
      for (const place of [this.quality, this.price])
        show(place, element("p.soft", {}, "The curve begins with the first generation."));
      return;
    }
    const held = [...this.node.querySelectorAll("svg")].indexOf(document.activeElement);
    const end = this.points.at(-1).evaluations;
    show(this.quality, this.lossPanel(width, end), this.devPanel(width, end), under(end));
    show(this.price, this.costPanel(width, end), under(end));
    if (held >= 0) this.node.querySelectorAll("svg")[held]?.focus({ preventScroll: true });
  }

  lossPanel(width, end) {
    const points = pick(this.points, "train_loss");
    if (!points.length) return element("p.soft", {}, "No prompt had an answer yet.");
    const [first, last] = [points[0][1].toFixed(4), points.at(-1)[1].toFixed(4)];
    const label = `Lowest training loss: ${first} at the start, ${last} after ${counted(end, "evaluation")}.`;
    const series = [{ kind: "loss", points }];
    return figure(panel({ series, width, end, height: 220, format: short, exact: loss, label }), [
      "loss",
      "lowest training loss (lower is better)",
    ]);
  }

  devPanel(width, end) {
    const seen = this.points.filter(({ dev }) => dev);
    if (!seen.length) return null;
    const latest = seen.at(-1).dev;
    const share = isShare(latest);
    const points = seen.map(({ evaluations, dev }) => [evaluations, dev.value]);
    const changes = seen.filter(({ dev }, index) => !index || dev.value !== seen[index - 1].dev.value);
    const bands = share ? changes.map(({ evaluations, dev }) => [evaluations, dev.value, dev.low, dev.high]) : [];
    const label = `${latest.metric} on the dev rows: ${brief(seen[0].dev)} at the start, ${brief(latest)} after ${counted(end, "evaluation")}.`;
    const told = `${latest.metric} of the best prompt on the dev rows${share ? ", with its 95% interval" : ["loss", "mae"].includes(latest.metric) ? " (lower is better)" : ""}`;
    const format = share ? (value) => `${Math.round(100 * value)}%` : short;
    const series = [{ kind: "dev", points, bands }];
    return figure(
      panel({
        series,
        width,
        end,
        height: 180,
        format,
        exact: share ? percent : loss,
        label,
        limits: share ? [0, 1] : undefined,
      }),
      ["dev", told],
    );
  }

  costPanel(width, end) {
    const last = this.points.at(-1);
    const paid = last.usd > 0;
    const points = pick(this.points, paid ? "usd" : "seconds");
    const total = paid ? inUsd(last.usd) : inTime(last.seconds);
    const label = `${paid ? "Price" : "Time"} so far: ${total} after ${counted(end, "evaluation")}.`;
    const format = paid ? (usd) => usd.toPrecision(2) : inTime;
    const exact = paid ? inUsd : inTime;
    const series = [{ kind: "cost", points, step: false }];
    return figure(panel({ series, width, end, height: 220, format, exact, label, limits: [0, Infinity] }), [
      "cost",
      paid ? `USD: ${total}` : `time: ${total}; this model costs nothing`,
    ]);
  }
}

/** Points of a curve that have a value. */
export function pick(points, name) {
  return points.filter((point) => Number.isFinite(point[name])).map((point) => [point.evaluations, point[name]]);
}

/** A panel with the colours and words of what it shows. */
export function figure(svg, ...keys) {
  const legend = keys.map(([kind, words]) => element("span.key", {}, element(`i.swatch.${kind}`, {}), words));
  return element("figure", {}, element("figcaption", {}, legend), svg);
}

export function under(end) {
  return element("p.axis", {}, `evaluations spent (${counted(end, "evaluation")} so far)`);
}

export function short(value) {
  return Number(value.toPrecision(3)).toString();
}
