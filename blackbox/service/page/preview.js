// The first rows as the model will read them.

import { element } from "./dom.js";
import { filledPieces } from "./template.js";

const ROWS = 3;

/** The first rows behind the prompt; `answer` gives the right answer of a row. `pieces` is null where there are none. */
export function preview(pieces, rows, { prompt, answer }) {
  if (!rows.length) return element("p.soft", {}, "Choose rows to see them here.");
  if (!pieces) return element("p.soft", {}, "The template cannot be used yet.");
  return rows
    .slice(0, ROWS)
    .map((row) => element("p.read", {}, element("span.prompt", {}, prompt), read(pieces, row, answer(row))));
}

function read(pieces, row, answer) {
  return filledPieces(pieces, row, answer).map((piece) => {
    if (!piece.field) return piece.text;
    if (piece.missing) return element("mark.missing", {}, `{${piece.field}} is missing`);
    return piece.field === "label" ? element("mark.answer", {}, piece.text) : element("span.filled", {}, piece.text);
  });
}
