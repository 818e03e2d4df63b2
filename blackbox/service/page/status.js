// What the list and the job's page show of a job in the same way.

import { element } from "./dom.js";
import { ENDED, STATUSES, count, counted, inTime, inUsd, nameOf } from "./words.js";

export function badge(status) {
  return element(`span.badge.${status}`, {}, status);
}

/** A bar of the evaluations spent, with the same in words. */
export function progressBar(job) {
  const [spent, most] = [job.progress.evaluations, job.budget.evaluations];
  const told = `${count(spent)} of ${counted(most, "evaluation")}`;
  const bar = element("progress", { max: most, value: Math.min(spent, most), "aria-label": told });
  return element("span.progress", { "data-state": job.status }, bar, element("small", {}, told));
}

/** Money where there is any, else time: what a model on this machine costs. */
export function cost(progress) {
  return progress.usd > 0 ? inUsd(progress.usd) : inTime(progress.seconds);
}

/** "Job reviews is paused." */
export function toldStatus(job) {
  return `Job ${nameOf(job)} ${STATUSES[job.status]}.`;
}

/** What may be done with a job in a status. */
export function mayBe(action, status) {
  const ended = ENDED.has(status);
  const allowed = {
    pause: ["queued", "validating", "running"].includes(status),
    resume: status === "paused",
    cancel: !ended && status !== "cancelling",
    delete: ended,
  };
  return allowed[action];
}
