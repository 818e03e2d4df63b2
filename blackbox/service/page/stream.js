// Server-sent events by fetch: an EventSource could not send the token. Comes back with Last-Event-ID when it breaks.

import { ApiError, send } from "./api.js";

const PAUSES = [1000, 2000, 5000, 10_000]; // ms before the next try

/**
 * Follow the events of a path until they end or `signal` says so. Each is given to `each`, in order and once.
 * `state` is told "live", "waiting" (it broke, and is tried again) or "ended".
 *
 * Browsers have six connections to a service for all tabs together: a tab that nobody sees gives its own back.
 */
export async function follow(path, { each, state, signal }) {
  let last = 0;
  for (let failures = 0; !signal.aborted; failures += 1) {
    await seen(signal);
    const headers = { accept: "text/event-stream", "last-event-id": String(last) };
    try {
      const answer = await send(path, { headers, signal: untilHidden(signal) });
      state("live");
      for await (const { kind, data } of eventsOf(answer.body)) {
        failures = 0;
        if (kind === "end") return state("ended");
        const event = JSON.parse(data);
        if (event.id <= last) continue;
        last = event.id;
        each(event);
      }
    } catch (error) {
      if (signal.aborted || (error instanceof ApiError && error.status === 404)) return;
    }
    if (document.hidden) continue;
    state("waiting");
    await pause(PAUSES[Math.min(failures, PAUSES.length - 1)], signal);
  }
}

async function* eventsOf(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const blocks = (rest + value).split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      const event = parsed(block);
      if (event) yield event;
    }
  }
}

function parsed(block) {
  let kind = "message";
  const data = [];
  for (const line of block.split("\n")) {
    if (line.startsWith("event:")) kind = line.slice(6).trim();
    else if (line.startsWith("data:")) data.push(line.slice(5).replace(/^ /, ""));
  }
  return data.length ? { kind, data: data.join("\n") } : null;
}

/** Wait until somebody sees the page. */
function seen(signal) {
  if (!document.hidden) return null;
  return new Promise((resolve) => {
    const look = () => document.hidden || resolve();
    document.addEventListener("visibilitychange", look, { signal });
    signal.addEventListener("abort", resolve, { once: true });
  });
}

/** A signal that also ends what goes on when nobody sees the page any more. */
function untilHidden(signal) {
  const hidden = new AbortController();
  document.addEventListener("visibilitychange", () => document.hidden && hidden.abort(), { signal });
  return AbortSignal.any([signal, hidden.signal]);
}

function pause(milliseconds, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
}
