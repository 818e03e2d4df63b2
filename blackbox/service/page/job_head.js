// The head of a job's page: its name, how far it is, what it found, and what can be done with it.

import { ask, download, jobPath } from "./api.js";
import { announce, confirmed, element, show } from "./dom.js";
import { badge, mayBe, progressBar } from "./status.js";
import {
  ENDED,
  STATUSES,
  ago,
  atTime,
  brief,
  count,
  inTime,
  inUsd,
  loss,
  nameOf,
  reasonInWords,
  whole,
} from "./words.js";

export class JobHead {
  constructor(job, { changed, signal }) {
    this.changed = changed;
    this.signal = signal;
    this.badge = element("span", {});
    this.told = element("p.status", {});
    this.bar = element("div.bar", {});
    this.figures = element("dl.costs", {});
    this.error = element("p.error", { role: "alert" });
    this.outcome = element("div", {});
    this.buttons = {
      pause: this.button("Pause", () => this.act("pause")),
      resume: this.button("Resume", () => this.act("resume")),
      cancel: this.button("Cancel", () => this.cancel()),
      delete: this.button("Delete", () => this.delete()),
    };
    this.buttons.delete.classList.add("danger");
    const compare = element(
      "a.button",
      { href: `#/compare?jobs=${encodeURIComponent(job.id)}` },
      "Compare with others",
    );
    this.download = this.button("Download the prompt", () => this.fetchPrompt());
    this.node = element(
      "div",
      {},
      element("p.over", {}, element("a", { href: "#/" }, "Jobs"), ` · ${job.id} `, this.badge),
      element("h1", {}, nameOf(job)),
      this.told,
      element(
        "section",
        {},
        this.bar,
        this.figures,
        this.outcome,
        this.error,
        element("div.actions", {}, Object.values(this.buttons), this.download, compare),
      ),
    );
  }

  button(text, onclick) {
    return element("button", { type: "button", onclick }, text);
  }

  update(job) {
    this.job = job;
    show(this.badge, badge(job.status));
    for (const [action, button] of Object.entries(this.buttons)) button.hidden = !mayBe(action, job.status);
    show(this.outcome, outcome(job));
    if (job.error) show(this.error, job.error);
    this.tick();
  }

  /** A generation has come: its figures, without asking. */
  generation(data) {
    if (ENDED.has(this.job.status) || data.evaluations < this.job.progress.evaluations) return;
    this.job = { ...this.job, progress: { ...this.job.progress, ...data } };
    this.redraws ??= setTimeout(() => ((this.redraws = null), this.tick()), 200);
  }

  /** What changes with the clock and with each generation. */
  tick() {
    const { job } = this;
    const since = ENDED.has(job.status) ? `ended ${ago(job.ended_at)}` : `handed in ${ago(job.created_at)}`;
    const why = job.stop_reason ? `: ${reasonInWords(job.stop_reason)}` : "";
    show(
      this.told,
      element("span", {}, `The job ${STATUSES[job.status]}${why}; `),
      element("time", { title: atTime(job.created_at) }, `${since}.`),
    );
    show(this.bar, progressBar(job));
    show(this.figures, figures(job));
  }

  async act(action) {
    this.say("");
    try {
      this.changed(await ask(jobPath(this.job.id, action), { method: "POST", signal: this.signal }));
    } catch (error) {
      this.say(error.message);
    }
  }

  async cancel() {
    const text = "The search ends behind its present generation. The best prompt so far is kept.";
    if (await confirmed(`Cancel ${nameOf(this.job)}?`, text, "Cancel the job")) await this.act("cancel");
  }

  async delete() {
    const text = "The job is removed with its prompt, its evaluations and its events. This cannot be undone.";
    if (!(await confirmed(`Delete ${nameOf(this.job)}?`, text, "Delete it"))) return;
    try {
      await ask(jobPath(this.job.id), { method: "DELETE" });
      announce(`Job ${nameOf(this.job)} is deleted.`);
      location.hash = "#/";
    } catch (error) {
      this.say(error.message);
    }
  }

  async fetchPrompt() {
    this.say("");
    try {
      await download(`${jobPath(this.job.id, "result")}?format=zip`, `${this.job.id}.zip`);
      announce("The prompt is downloaded.");
    } catch (error) {
      this.say(error.message);
    }
  }

  say(text) {
    show(this.error, text || this.job.error || "");
  }
}

function figures({ progress }) {
  return [
    ["lowest loss", loss(progress.train_loss), "on the training rows"],
    [
      "dev rows",
      brief(progress.dev),
      progress.dev ? `${progress.dev.metric}: ${whole(progress.dev)}` : "none looked at yet",
    ],
    [
      "price",
      inUsd(progress.usd),
      `${count(progress.requests)} requests, ${count(progress.prompt_tokens)} tokens read`,
    ],
    ["time", inTime(progress.seconds), `${count(progress.generation)} generations`],
  ].map(([name, figure, words]) =>
    element(
      "div",
      {},
      element("dt", {}, name),
      element("dd", {}, element("span.figure", {}, figure), element("br"), element("small", {}, words)),
    ),
  );
}

/** What was gained on the test rows, in the reports' way. */
function outcome({ summary }) {
  if (!summary?.test_before || !summary.test_after) return [];
  const { test_before: before, test_after: after } = summary;
  return element(
    "p.figures",
    { "aria-label": `On the test rows from ${whole(before)} to ${whole(after)}` },
    element("span.from", {}, brief(before)),
    element("span.arrow", {}, "→"),
    element("span", {}, brief(after)),
    element("small", {}, `${after.metric} on the test rows, from the starting prompt to the best one`),
  );
}
