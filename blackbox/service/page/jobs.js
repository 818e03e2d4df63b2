// The list of jobs: looked at again every few seconds while somebody sees it.

import { ask } from "./api.js";
import { announce, element, show } from "./dom.js";
import { JobRow } from "./job_row.js";
import { filterForm } from "./filters.js";
import { every } from "./polling.js";
import { toldStatus } from "./status.js";

const PAGE = 20;
const POLL = 2000; // ms
const HEADINGS = ["", "Job", "Status", "Progress", "Lowest loss", "Dev rows", "Cost", "Age"];

export function jobsView(place, { signal }) {
  const list = new JobList(signal);
  place.append(
    element("div.title", {}, element("h1", {}, "Jobs"), element("a.button.main", { href: "#/new" }, "New job")),
    element(
      "section",
      {},
      filterForm((filters) => list.filter(filters)),
      list.node,
    ),
  );
  every(POLL, () => list.refresh(), signal);
}

class JobList {
  constructor(signal) {
    this.signal = signal;
    this.filters = new URLSearchParams();
    this.pages = [null]; // `after` of this page and of those before it
    this.rows = new Map();
    this.chosen = new Set();
    this.body = element("tbody", { role: "rowgroup" });
    this.table = element(
      "table.jobs",
      { role: "table", "aria-label": "Jobs, the newest first" },
      element("thead", { role: "rowgroup" }, element("tr", { role: "row" }, HEADINGS.map(heading))),
      this.body,
    );
    this.note = element("p.soft", {});
    this.compare = element(
      "button",
      { type: "button", disabled: true, onclick: () => this.compareChosen() },
      "Compare",
    );
    this.newer = element("button", { type: "button", onclick: () => this.turn(-1) }, "Newer");
    this.older = element("button", { type: "button", onclick: () => this.turn(1) }, "Older");
    this.node = element(
      "div",
      {},
      this.table,
      this.note,
      element("div.pager", {}, this.compare, element("span.push", {}), this.newer, this.older),
    );
    this.showChosen();
  }

  filter(filters) {
    this.filters = filters;
    this.pages = [null];
    return this.refresh();
  }

  turn(step) {
    if (step < 0) this.pages.pop();
    else this.pages.push(this.last);
    return this.refresh();
  }

  async refresh() {
    const asked = new URLSearchParams([...this.filters, ["limit", PAGE]]);
    const after = this.pages.at(-1);
    if (after) asked.set("after", after);
    this.asked = asked;
    try {
      const page = await ask(`v1/tuning/jobs?${asked}`, { signal: this.signal });
      if (this.asked === asked) this.showPage(page);
    } catch (error) {
      if (!this.signal.aborted) show(this.note, error.message);
    }
  }

  showPage(page) {
    const seen = page.data.map((job) => this.rowOf(job));
    const gone = [...this.rows.keys()].filter((id) => !page.data.some((job) => job.id === id));
    gone.forEach((id) => this.rows.delete(id));
    if (seen.some((row, index) => this.body.children[index] !== row) || this.body.children.length !== seen.length) {
      const held = document.activeElement;
      this.body.replaceChildren(...seen);
      if (this.body.contains(held)) held.focus(); // a new job above must not take the focus away
    }
    this.last = page.last_id;
    this.newer.disabled = this.pages.length < 2;
    this.older.disabled = !page.has_more;
    this.table.hidden = !page.data.length;
    show(this.note, page.data.length ? "" : this.nothing());
  }

  nothing() {
    if (this.filters.size) return "No job is like that.";
    return [
      "There are no jobs yet. ",
      element("a", { href: "#/new" }, "Hand in the first one"),
      "; a worked example is at hand there.",
    ];
  }

  rowOf(job) {
    const known = this.rows.get(job.id);
    if (known) {
      if (known.job.status !== job.status) announce(toldStatus(job));
      known.update(job);
      return known.node;
    }
    const row = new JobRow(job, this.chosen.has(job.id), (isChosen) => this.choose(job.id, isChosen));
    this.rows.set(job.id, row);
    return row.node;
  }

  choose(id, isChosen) {
    if (isChosen) this.chosen.add(id);
    else this.chosen.delete(id);
    this.showChosen();
  }

  showChosen() {
    this.compare.disabled = this.chosen.size < 2;
    this.compare.textContent =
      this.chosen.size < 2 ? "Compare: choose two or more" : `Compare ${this.chosen.size} jobs`;
  }

  compareChosen() {
    location.hash = `#/compare?jobs=${[...this.chosen].join(",")}`;
  }
}

function heading(text) {
  const shown = text || element("span.unseen", {}, "Choose");
  return element("th", { scope: "col", role: "columnheader" }, shown);
}
