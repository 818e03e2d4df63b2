// The page of one job. Its stream of events says when there is something new; the rest is asked for then.

import { ApiError, ask, jobPath } from "./api.js";
import { announce, element } from "./dom.js";
import { Curve } from "./curve.js";
import { evaluationsTable } from "./evaluations.js";
import { JobHead } from "./job_head.js";
import { every, soon } from "./polling.js";
import { PromptCard } from "./prompt.js";
import { toldStatus } from "./status.js";
import { follow } from "./stream.js";
import { ENDED } from "./words.js";
import { Happenings } from "./happenings.js";
import { settingsTable } from "./settings.js";

const CLOCK = 1000; // ms between two looks at the clock, of a job that is at work
const COUNTS = 5000; // ms between two looks at what no event tells: tokens, and how far a long generation is
const PROMPT = 3000; // ms between two looks at a prompt that may have changed

export async function jobView(place, { parts: [id], signal }) {
  try {
    const job = await ask(jobPath(id), { signal });
    new JobPage(place, job, signal).start();
  } catch (error) {
    if (!signal.aborted) refuse(place, error);
  }
}

function refuse(place, error) {
  const title = error.status === 404 ? "There is no such job" : "This job cannot be shown";
  place.append(
    element("h1", {}, title),
    element("p", {}, `${error.message}. `, element("a", { href: "#/" }, "All jobs")),
  );
}

class JobPage {
  constructor(place, job, signal) {
    this.signal = signal;
    this.job = job;
    this.head = new JobHead(job, { changed: (changed) => this.update(changed), signal });
    this.curve = new Curve(signal);
    this.prompt = new PromptCard(job, signal);
    this.happenings = new Happenings();
    this.evaluations = evaluationsTable(job.id, signal);
    place.append(
      this.head.node,
      element("div.sides", {}, section("Learning curve", this.curve.node), this.prompt.node),
      element(
        "div.sides",
        {},
        section("Evaluations", this.evaluations.node),
        element("div", {}, section("What happened", this.happenings.node), section("Settings", settingsTable(job))),
      ),
    );
    this.refreshSoon = soon(() => this.refresh(), { after: 150 });
    this.promptSoon = soon(() => this.prompt.refresh(this.job, { begun: true }), { after: PROMPT });
  }

  start() {
    this.update(this.job);
    this.prompt.refresh(this.job);
    this.evaluations.refresh();
    const path = `${jobPath(this.job.id, "events")}?stream=true`;
    follow(path, {
      each: (event) => this.happened(event),
      state: (state) => this.streams(state),
      signal: this.signal,
    });
    every(CLOCK, () => this.head.tick(), this.signal);
    every(COUNTS, () => ENDED.has(this.job.status) || this.refresh(), this.signal);
  }

  streams(state) {
    this.happenings.state(state);
    this.refreshSoon(); // what happened while the stream was away
  }

  happened(event) {
    this.happenings.add(event);
    if (event.type !== "generation") return this.refreshSoon();
    this.curve.add(event.data);
    this.head.generation(event.data);
    this.evaluations.grown();
    if (event.data.selected) this.promptSoon();
  }

  async refresh() {
    try {
      this.update(await ask(jobPath(this.job.id), { signal: this.signal }));
    } catch (error) {
      if (!(error instanceof ApiError)) return;
      if (error.status === 404) announce("This job was deleted.", { urgent: true });
    }
  }

  update(job) {
    const before = this.job.status;
    this.job = job;
    document.title = `${job.name || job.id}: ${job.status} · blackbox`;
    this.head.update(job);
    if (job.status === before) return;
    announce(toldStatus(job));
    this.prompt.refresh(job);
    this.evaluations.grown();
  }
}

function section(title, ...children) {
  const heading = element("h2", {}, title);
  return element("section", { "aria-label": title }, heading, children);
}
