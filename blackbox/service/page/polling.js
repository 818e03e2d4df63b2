// Looking again now and then, as long as somebody sees the page.

/** Call `look` at once and again after each pause, ms, but never twice at a time, until the signal says so. */
export function every(pause, look, signal) {
  let [timer, busy] = [null, false];
  const next = async () => {
    if (busy || signal.aborted) return;
    clearTimeout(timer);
    busy = true;
    if (!document.hidden) await look();
    busy = false;
    if (!signal.aborted) timer = setTimeout(next, pause);
  };
  signal.addEventListener("abort", () => clearTimeout(timer), { once: true });
  document.addEventListener("visibilitychange", () => !document.hidden && next(), { signal });
  return next();
}

/** A function that runs `work` soon, and once for all calls until then. */
export function soon(work, { after = 0 } = {}) {
  let timer = null;
  return () => {
    timer ??= setTimeout(() => {
      timer = null;
      work();
    }, after);
  };
}
