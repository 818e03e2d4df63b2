// The settings of a job, as they were handed in.

import { element } from "./dom.js";

export function settingsTable(job) {
  const files = { training_file: job.training_file, dev_file: job.dev_file, test_file: job.test_file };
  const all = { backend: job.backend, ...job.settings, ...files, ...job.metadata };
  const lines = Object.entries(all).filter(([, value]) => value !== null && value !== undefined);
  return element(
    "table.pairs",
    {},
    element(
      "tbody",
      {},
      lines.map(([name, value]) => line(name, value)),
    ),
  );
}

function line(name, value) {
  return element(
    "tr",
    {},
    element("td", {}, name),
    element("td", {}, typeof value === "string" ? value : JSON.stringify(value)),
  );
}
