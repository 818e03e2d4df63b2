// One line of the list of jobs. It stays the same element while its job changes: the focus stays where it is.

import { element, show } from "./dom.js";
import { badge, cost, progressBar } from "./status.js";
import { ago, atTime, brief, loss, nameOf, whole } from "./words.js";

export class JobRow {
  constructor(job, isChosen, choose) {
    const box = element("input", {
      type: "checkbox",
      checked: isChosen,
      "aria-label": `Choose ${nameOf(job)} to compare`,
      onchange: () => choose(box.checked),
    });
    const link = element("a.name", { href: `#/jobs/${encodeURIComponent(job.id)}` }, nameOf(job));
    this.cells = Object.fromEntries(
      ["Status", "Progress", "Lowest loss", "Dev rows", "Cost", "Age"].map((label) => [label, cell(label)]),
    );
    this.node = element(
      "tr",
      { role: "row" },
      element("td.choose", { role: "cell" }, box),
      element(
        "td.job",
        { role: "cell" },
        link,
        element("small", {}, [job.backend, job.settings?.space].filter(Boolean).join(" · ")),
      ),
      Object.values(this.cells),
    );
    this.update(job);
  }

  update(job) {
    this.job = job;
    show(this.cells.Status, badge(job.status));
    show(this.cells.Progress, progressBar(job));
    show(this.cells["Lowest loss"], loss(job.progress.train_loss));
    show(this.cells["Dev rows"], element("span", { title: whole(job.progress.dev) }, brief(job.progress.dev)));
    show(this.cells.Cost, cost(job.progress));
    show(this.cells.Age, element("time", { title: atTime(job.created_at) }, ago(job.created_at)));
  }
}

function cell(label) {
  return element("td", { role: "cell", "data-label": label });
}
