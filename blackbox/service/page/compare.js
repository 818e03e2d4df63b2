// Several jobs in one plot and one table.

import { ask, jobPath } from "./api.js";
import { element, show } from "./dom.js";
import { curves, tableOf } from "./compared.js";
import { soon } from "./polling.js";
import { ENDED, loss, nameOf } from "./words.js";

const MOST = 6; // jobs: more lines cannot be told apart
const PAGE = 50;
const POLL = 3000; // ms

export async function compareView(place, { query, signal }) {
  const chosen = (query.get("jobs") ?? "").split(",").filter(Boolean).slice(0, MOST);
  const comparison = new Comparison(chosen, signal);
  place.append(element("h1", {}, "Compare jobs"), comparison.node);
  await comparison.start();
}

class Comparison {
  constructor(chosen, signal) {
    Object.assign(this, { chosen, signal, jobs: new Map(), points: new Map() });
    this.choices = element("div.choices", {});
    this.plots = element("div.plots", {});
    this.table = element("div.scroll", { tabindex: "0", role: "group", "aria-label": "Figures" });
    this.note = element("p.error", { role: "alert" });
    this.node = element(
      "div.sides.reversed",
      {},
      element(
        "section",
        { "aria-label": "Jobs to compare" },
        element("h2", {}, "Jobs"),
        element("p.hint", {}, `Choose up to ${MOST}.`),
        this.choices,
        this.note,
      ),
      element(
        "div",
        {},
        element("section", { "aria-label": "Curves" }, element("h2", {}, "Curves"), this.plots),
        element("section", { "aria-label": "Figures" }, element("h2", {}, "Figures"), this.table),
      ),
    );
    this.redraw = soon(() => this.draw(), { after: 50 });
    const observer = new ResizeObserver(this.redraw);
    observer.observe(this.plots);
    signal.addEventListener("abort", () => observer.disconnect(), { once: true });
  }

  async start() {
    try {
      const page = await ask(`v1/tuning/jobs?limit=${PAGE}`, { signal: this.signal });
      const older = this.chosen.filter((id) => !page.data.some((job) => job.id === id));
      const known = [
        ...page.data,
        ...(await Promise.all(older.map((id) => ask(jobPath(id), { signal: this.signal })))),
      ];
      show(this.choices, known.length ? known.map((job) => this.choice(job)) : "There are no jobs yet.");
      await this.load();
    } catch (error) {
      if (!this.signal.aborted) show(this.note, error.message);
    }
  }

  choice(job) {
    const box = element("input", {
      type: "checkbox",
      checked: this.chosen.includes(job.id),
      onchange: () => this.choose(job.id, box),
    });
    return element(
      "label.choice",
      {},
      box,
      element("span", {}, nameOf(job), element("small", {}, ` ${job.status} · ${loss(job.progress.train_loss)}`)),
    );
  }

  choose(id, box) {
    show(this.note, "");
    if (box.checked && this.chosen.length >= MOST) {
      box.checked = false;
      return show(this.note, `${MOST} jobs are as many as can be told apart.`);
    }
    this.chosen = box.checked ? [...this.chosen, id] : this.chosen.filter((other) => other !== id);
    history.replaceState(null, "", `#/compare?jobs=${this.chosen.join(",")}`);
    this.load();
  }

  /** Read what is not known yet of the jobs that are chosen, and go on while one of them is at work. */
  async load() {
    clearTimeout(this.timer);
    try {
      await Promise.all(this.chosen.map((id) => this.read(id)));
      this.draw();
    } catch (error) {
      if (!this.signal.aborted) show(this.note, error.message);
    }
    const works = this.chosen.some((id) => !ENDED.has(this.jobs.get(id)?.status));
    if (works && !this.signal.aborted) this.timer = setTimeout(() => this.load(), POLL);
  }

  async read(id) {
    if (ENDED.has(this.jobs.get(id)?.status)) return;
    const job = await ask(jobPath(id), { signal: this.signal });
    const known = this.points.get(id) ?? { last: 0, points: [] };
    for (let more = true; more;) {
      const page = await ask(`${jobPath(id, "events")}?after=${known.last}&limit=100`, { signal: this.signal });
      known.points.push(
        ...page.data
          .filter(({ type, id: number }) => type === "generation" && number > known.last)
          .map(({ data }) => data),
      );
      known.last = Math.max(known.last, Number(page.last_id ?? 0));
      more = page.has_more;
    }
    this.points.set(id, known);
    this.jobs.set(id, job);
  }

  draw() {
    const found = this.chosen
      .filter((id) => this.jobs.has(id))
      .map((id, place) => ({ job: this.jobs.get(id), points: this.points.get(id).points, kind: `s${place}` }));
    const nothing = element("p.soft", {}, "Choose jobs to see their curves in one plot.");
    show(this.plots, found.length ? curves(found, this.plots.clientWidth) : nothing);
    show(this.table, found.length ? tableOf(found) : element("p.soft", {}, "No job is chosen."));
  }
}
