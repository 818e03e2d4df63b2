// Templates as blackbox/template.py reads them: slots for a row's fields and exactly one {label}; {{ and }} are braces.

import { asText } from "./rows.js";

const NAME = /^[\p{ID_Start}_][\p{ID_Continue}]*$/u;

/** The pieces of a template: { text } or { field }. Throws an Error that says what is wrong. */
export function piecesOf(template) {
  const pieces = [];
  let text = "";
  for (let place = 0; place < template.length; place += 1) {
    const character = template[place];
    const doubled = template[place + 1] === character;
    if (character !== "{" && character !== "}") text += character;
    else if (doubled) ((text += character), (place += 1));
    else if (character === "}") throw new Error("a } stands alone; write }} for a brace in the text");
    else {
      const end = template.indexOf("}", place);
      if (end < 0) throw new Error("a { is not closed; write {{ for a brace in the text");
      if (text) pieces.push({ text });
      text = "";
      pieces.push({ field: nameIn(template.slice(place + 1, end)) });
      place = end;
    }
  }
  if (text) pieces.push({ text });
  checkLabels(pieces);
  return pieces;
}

function nameIn(slot) {
  if (!NAME.test(slot)) throw new Error(`{${slot}} is no field name; write {name}, no more`);
  return slot;
}

function checkLabels(pieces) {
  const labels = pieces.filter((piece) => piece.field === "label").length;
  if (labels !== 1) {
    throw new Error(`the template must have exactly one {label}, where the answer goes; it has ${labels}`);
  }
}

export function fieldsOf(pieces) {
  return [...new Set(pieces.map((piece) => piece.field).filter((field) => field && field !== "label"))];
}

/** The fields behind {label}: a model that reads left to right never sees them. */
export function fieldsBehindLabel(pieces) {
  const place = pieces.findIndex((piece) => piece.field === "label");
  return fieldsOf(pieces.slice(place + 1));
}

/** The fields that some row lacks or has null in: field -> number of the first such row, from 1. */
export function missingFields(pieces, rows) {
  const missing = new Map();
  for (const field of fieldsOf(pieces)) {
    const place = rows.findIndex((row) => row[field] === undefined || row[field] === null);
    if (place >= 0) missing.set(field, place + 1);
  }
  return missing;
}

/** A row's pieces with what stands there: { text }, { field, text } or, where there is nothing, { field, missing }. */
export function filledPieces(pieces, row, answer) {
  return pieces.map((piece) => {
    if (!piece.field) return piece;
    const value = piece.field === "label" ? answer : row[piece.field];
    const isMissing = value === undefined || value === null;
    return isMissing ? { field: piece.field, missing: true } : { field: piece.field, text: asText(value) };
  });
}
