// Rows from files that were chosen: CSV with the fields' names in its first line, or JSONL; read here only to look at
// them. The service reads and checks the whole file itself.

const MOST = 8_000_000; // bytes that are looked at here

/** A file of rows: its rows, the names of its fields, and whether only its beginning was read. */
export async function readRows(blob) {
  const { name } = blob;
  const cut = blob.size > MOST;
  const text = await blob.slice(0, MOST).text();
  const whole = cut ? text.slice(0, text.lastIndexOf("\n")) : text;
  const rows = /\.csv$/i.test(name) ? csvRows(whole) : jsonlRows(whole, name);
  if (!rows.length) throw new Error(`${name} holds no rows`);
  return { name, blob, rows, cut, fields: [...new Set(rows.slice(0, 1000).flatMap(Object.keys))] };
}

function jsonlRows(text, name) {
  if (!/\.jsonl$/i.test(name)) throw new Error("rows are read from .csv and .jsonl files");
  const rows = [];
  text
    .replace(/^\uFEFF/, "")
    .split("\n")
    .forEach((line, index) => {
      if (line.trim()) rows.push(jsonRow(line, index + 1));
    });
  return rows;
}

function jsonRow(line, number) {
  let row;
  try {
    row = JSON.parse(line);
  } catch {
    throw new Error(`line ${number} is no JSON`);
  }
  if (row === null || typeof row !== "object" || Array.isArray(row))
    throw new Error(`line ${number} must be an object: {"text": ...}`);
  return row;
}

/** RFC 4180: fields in quotes may hold commas, line ends and, doubled, quotes. */
export function csvRows(text) {
  const [names, ...lines] = csvLines(text.replace(/^\uFEFF/, ""));
  if (!names) return [];
  return lines.map((fields, index) => {
    if (fields.length !== names.length)
      throw new Error(`row ${index + 2} has another number of fields than the first line`);
    return Object.fromEntries(names.map((name, place) => [name, fields[place]]));
  });
}

function csvLines(text) {
  const lines = [];
  const pattern = /("(?:[^"]|"")*"|[^,\r\n]*)(,|\r\n|\r|\n|$)/gy;
  let fields = [];
  for (let place = 0; place < text.length || fields.length;) {
    pattern.lastIndex = place;
    const found = pattern.exec(text);
    if (!found) throw new Error(`row ${lines.length + 1}: a quote is not closed, or something stands behind it`);
    const field = found[1];
    fields.push(field.startsWith('"') ? field.slice(1, -1).replaceAll('""', '"') : field);
    place = pattern.lastIndex;
    if (found[2] === ",") continue;
    if (fields.length > 1 || fields[0]) lines.push(fields);
    fields = [];
  }
  return lines;
}

/** Value -> number of rows, of a field. */
export function valuesOf(rows, field) {
  const found = new Map();
  for (const row of rows) {
    const value = row[field];
    if (value !== undefined && value !== null) found.set(asText(value), (found.get(asText(value)) ?? 0) + 1);
  }
  return found;
}

/** A value as Python's `str` writes it. */
export function asText(value) {
  if (value === true) return "True";
  if (value === false) return "False";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
