// Figures in words, as the reports write them (blackbox/report/words.py), and the words for statuses and reasons.

/** A time in the two largest units that it fills: "0.4 s", "12 s", "3 min 05 s", "2 h 07 min", "3 d 04 h". */
export function inTime(seconds) {
  if (Math.round(seconds * 10) / 10 < 10) return `${Math.max(0, seconds).toFixed(1)} s`;
  const whole = Math.round(seconds);
  const [minutes, rest] = [Math.floor(whole / 60), whole % 60];
  const [hours, days] = [Math.floor(minutes / 60), Math.floor(minutes / 1440)];
  const two = (number) => String(number).padStart(2, "0");
  if (days) return `${days} d ${two(hours % 24)} h`;
  if (hours) return `${hours} h ${two(minutes % 60)} min`;
  return minutes ? `${minutes} min ${two(rest)} s` : `${rest} s`;
}

/** How long ago a moment was, s since 1970. */
export function ago(moment) {
  const seconds = Math.floor(Date.now() / 1000 - moment);
  if (seconds < 5) return "just now";
  return seconds < 10 ? `${seconds} s ago` : `${inTime(seconds)} ago`;
}

/** A moment as the reader's own clock and calendar write it. */
export function atTime(moment) {
  return new Date(moment * 1000).toLocaleString();
}

export function count(number) {
  return number.toLocaleString("en-US");
}

/** "1 row", "8,000 rows". */
export function counted(number, noun) {
  return `${count(number)} ${noun}${number === 1 ? "" : "s"}`;
}

/** Money: two digits behind the point, four below one dollar, where calls are cheap. */
export function inUsd(usd) {
  const digits = usd > 0 && usd < 1 ? 4 : 2;
  return `${usd.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits })} USD`;
}

export function inBytes(bytes) {
  if (bytes < 1000) return counted(bytes, "byte");
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

export function loss(value) {
  return value === null || value === undefined ? "–" : value.toFixed(4);
}

export function percent(share) {
  return `${(100 * share).toFixed(1)}%`;
}

/** Whether a figure is a share of one with an interval; a mean loss is none, nor is a metric of numbers. */
export function isShare(figure) {
  return figure.low !== undefined && figure.low !== null && !["mae", "pearson", "spearman"].includes(figure.metric);
}

/** The value of a figure of the dev or test rows. */
export function brief(figure) {
  if (!figure) return "–";
  return isShare(figure) ? percent(figure.value) : loss(figure.value);
}

/** A figure with its interval. */
export function whole(figure) {
  if (!figure || !isShare(figure)) return brief(figure);
  return `${percent(figure.value)} (${percent(figure.low)} to ${percent(figure.high)})`;
}

const REASONS = {
  evaluations: "the budget of evaluations is spent",
  seconds: "the time limit is reached",
  target: "the target is reached",
  patience: "the training loss did not fall any more within the patience given",
  usd: "the budget in USD is spent",
  cancelled: "it was cancelled",
  invalid: "its settings or its data cannot be used",
  error: "something failed on the way",
  worker_lost: "its workers ended again and again without getting further",
};

export function reasonInWords(reason) {
  if (reason.startsWith("optimizer (")) return `the optimizer stopped ${reason.slice("optimizer ".length)}`;
  return REASONS[reason] ?? reason;
}

export const STATUSES = {
  queued: "waits for a worker",
  validating: "a worker checks settings and data",
  running: "is searching",
  pausing: "will pause behind this generation",
  paused: "is paused",
  cancelling: "will end behind this generation",
  cancelled: "was cancelled",
  succeeded: "has ended",
  failed: "has failed",
};

export const ENDED = new Set(["cancelled", "succeeded", "failed"]);

/** What people call a job. */
export function nameOf(job) {
  return job.name || job.id;
}
