// What is drawn of jobs that are compared: their curves in one plot, and their figures in one table.

import { element } from "./dom.js";
import { figure, pick, short, under } from "./curve.js";
import { panel } from "./plot.js";
import { badge, cost } from "./status.js";
import { brief, count, isShare, loss, nameOf, percent, whole } from "./words.js";

const HEADINGS = ["Job", "Status", "Lowest loss", "Dev rows", "Test rows before and after", "Evaluations", "Cost"];

/** The curves of jobs: { job, points, kind } each, `kind` a class for the colour. */
export function curves(found, width) {
  const end = Math.max(1, ...found.map(({ points }) => points.at(-1)?.evaluations ?? 0));
  const keys = found.map(({ job, kind }) => [kind, nameOf(job)]);
  const losses = found.map(({ points, kind }) => ({ kind, points: pick(points, "train_loss") }));
  const devs = found.map(({ points, kind }) => ({
    kind,
    points: points.filter(({ dev }) => dev).map(({ evaluations, dev }) => [evaluations, dev.value]),
  }));
  const share = found.every(({ points }) => points.every(({ dev }) => !dev || isShare(dev)));
  const names = found.map(({ job }) => nameOf(job)).join(", ");
  const shown = [
    element("h3", {}, "Lowest training loss"),
    figure(
      panel({
        series: losses,
        width,
        end,
        height: 260,
        format: short,
        exact: loss,
        label: `Lowest training loss of ${names}`,
      }),
      ...keys,
    ),
  ];
  if (devs.some(({ points }) => points.length)) {
    const format = share ? (value) => `${Math.round(100 * value)}%` : short;
    const limits = share ? [0, 1] : undefined;
    shown.push(
      element("h3", {}, "Dev rows"),
      figure(
        panel({
          series: devs,
          width,
          end,
          height: 220,
          format,
          exact: share ? percent : loss,
          limits,
          label: `Dev rows of ${names}`,
        }),
      ),
    );
  }
  return [...shown, under(end)];
}

/** The figures of the same. */
export function tableOf(found) {
  const head = element(
    "tr",
    {},
    HEADINGS.map((text) => element("th", { scope: "col" }, text)),
  );
  return element("table.compared", {}, element("thead", {}, head), element("tbody", {}, found.map(line)));
}

function line({ job, kind }) {
  const { progress, summary } = job;
  const test = summary?.test_after ? `${brief(summary.test_before)} → ${whole(summary.test_after)}` : "–";
  const link = element("a", { href: `#/jobs/${encodeURIComponent(job.id)}` }, nameOf(job));
  const cells = [
    loss(progress.train_loss),
    whole(progress.dev),
    test,
    `${count(progress.evaluations)} of ${count(job.budget.evaluations)}`,
    cost(progress),
  ];
  return element(
    "tr",
    {},
    element("th", { scope: "row" }, element(`i.swatch.${kind}`, {}), link),
    element("td", {}, badge(job.status)),
    cells.map((text) => element("td", {}, text)),
  );
}
