// The table of a job's evaluations, a page at a time.

import { ask, jobPath } from "./api.js";
import { element, show } from "./dom.js";
import { count, counted, inTime, loss, percent } from "./words.js";

const PAGE = 20;
const SHOWN = 120; // characters of a prompt
const HEADINGS = ["Number", "Rows", "Generation", "Loss", "Metric", "Answered", "Tokens read", "At", "Prompt"];

/** A table with its pager; `refresh` reads its page again, `grown` says that there is more. */
export function evaluationsTable(job, signal) {
  let [page, more] = [0, false];
  const body = element("tbody", {});
  const note = element("p.soft", {});
  const turn = (step) => ((page += step), refresh());
  const earlier = element("button", { type: "button", onclick: () => turn(-1) }, "Earlier");
  const later = element("button", { type: "button", onclick: () => turn(1) }, "Later");

  async function refresh() {
    const asked = page;
    try {
      const found = await ask(`${jobPath(job, "evaluations")}?after=${PAGE * page - 1}&limit=${PAGE}`, { signal });
      if (asked !== page) return;
      more = found.has_more;
      earlier.disabled = page === 0;
      later.disabled = !more;
      show(body, found.data.map(line));
      const first = found.data[0]?.number;
      show(
        note,
        found.data.length
          ? `Evaluations ${count(first)} to ${count(found.data.at(-1).number)}.`
          : "Nothing was scored yet.",
      );
    } catch (error) {
      if (!signal.aborted) show(note, error.message);
    }
  }

  let timer = null;
  const grown = () => {
    if (more) return; // this page will not change any more
    timer ??= setTimeout(() => ((timer = null), signal.aborted || refresh()), 1000);
  };
  const head = element(
    "tr",
    {},
    HEADINGS.map((text) => element("th", { scope: "col" }, text)),
  );
  const table = element(
    "table",
    {},
    element("caption.unseen", {}, "Prompts scored, in order"),
    element("thead", {}, head),
    body,
  );
  const pager = element("div.pager", {}, note, element("span.push", {}), earlier, later);
  return {
    node: element(
      "div",
      {},
      element("div.scroll", { tabindex: "0", role: "group", "aria-label": "Evaluations" }, table),
      pager,
    ),
    refresh,
    grown,
  };
}

function line(one) {
  const answered = one.rows - one.failed_rows;
  const cells = [
    count(one.number),
    one.split,
    one.generation || "start",
    one.loss === null ? "no answer" : loss(one.loss),
    one.measured ? percent(one.measured.value) : "–",
    answered === one.rows ? counted(one.rows, "row") : `${count(answered)} of ${counted(one.rows, "row")}`,
    count(one.usage.prompt_tokens),
    inTime(one.elapsed),
  ];
  const prompt = one.prompt
    ? element("td.text", { title: one.prompt.text }, beginning(one.prompt.text))
    : element("td.text", {}, one.candidate);
  return element(
    "tr",
    {},
    cells.map((text) => element("td", {}, String(text))),
    prompt,
  );
}

function beginning(whole) {
  const text = whole.trim();
  return text.length > SHOWN ? `${text.slice(0, SHOWN).trimEnd()} …` : text || "(no text)";
}
