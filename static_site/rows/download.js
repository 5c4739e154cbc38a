// Writes a file's rows with their verdicts, as CSV or JSON lines.

import { freeName } from "./reading.js";

/**
 * @typedef {import("./reading.js").Cell} Cell
 * @typedef {import("./sending.js").Outcome} Outcome
 * @typedef {{form: "csv" | "jsonl", safe: boolean}} Wish safe: no cell of the CSV can run as a formula
 * @typedef {Wish & {columns: string[], rows: Cell[][], outcomes: (Outcome | null)[], first: boolean}} Parcel
 *   rows of one message; first: the names precede them
 */

const OURS = ["sentiment", "reason", "probability", "warnings", "error"];
// Characters that start a formula in a spreadsheet (OWASP: CSV injection).
const FORMULA = /^[=+\-@\t\r]/;
// From RFC 4180.
const LINE_END = "\r\n";
// Tells Excel that a file is UTF-8.
const BYTE_ORDER_MARK = "\uFEFF";
// Rows a parcel: few enough to keep the page smooth.
const PARCEL_ROWS = 2_000;
// File systems allow 255 bytes.
const MAX_NAME_CHARACTERS = 80;

/** Names our columns, without taking a name of the file's. @param {string[]} columns */
export function ourColumns(columns) {
  const taken = new Set(columns);
  return OURS.map((name) => (taken.has(name) ? freeName(`verdict_${name}`, taken) : name));
}

/**
 * @param {Outcome | null} outcome
 * @returns {{sentiment: string | null, reason: string | null, probability: number | null, warnings: string[],
 *   error: string | null}}
 */
export function ourFields(outcome) {
  const nothing = { sentiment: null, reason: null, probability: null, warnings: [], error: null };
  if (outcome === null) return { ...nothing, error: "not_asked" };
  if (outcome.error !== undefined) return { ...nothing, error: outcome.error };
  const { sentiment, reason, probability, warnings } = outcome;
  return { sentiment, reason, probability, warnings, error: null };
}

/**
 * Yields a file's rows in parcels.
 * @param {{sheet: import("./reading.js").Sheet, outcomes: (Outcome | null)[]}} work
 * @param {Wish} wish
 * @returns {Iterable<Parcel>}
 */
export function* parcelsOf({ sheet: { columns, rows }, outcomes }, wish) {
  for (let from = 0; from < rows.length; from += PARCEL_ROWS) {
    const to = from + PARCEL_ROWS;
    yield {
      ...wish,
      columns,
      rows: rows.slice(from, to),
      outcomes: outcomes.slice(from, to),
      first: from === 0,
    };
  }
}

/** Writes a parcel as text. @param {Parcel} parcel @param {any} Papa papaparse */
export function write(parcel, Papa) {
  return parcel.form === "csv" ? csvOf(parcel, Papa) : jsonLinesOf(parcel);
}

/** @param {Parcel} parcel @param {any} Papa */
function csvOf({ columns, rows, outcomes, safe, first }, Papa) {
  const guard = safe ? withoutFormula : (/** @type {Cell} */ cell) => cell;
  const lines = rows.map((row, place) => [
    ...columns.map((_, column) => guard(row[column])),
    ...ourCells(outcomes[place]).map(withoutFormula),
  ]);
  if (first) lines.unshift([...columns.map(guard), ...ourColumns(columns)]);
  return Papa.unparse(lines, { newline: LINE_END }) + LINE_END;
}

/** @param {Outcome | null} outcome @returns {Cell[]} */
function ourCells(outcome) {
  const { sentiment, reason, probability, warnings, error } = ourFields(outcome);
  return [sentiment, reason, probability, warnings.join(" "), error];
}

/** Puts an apostrophe before a cell that a spreadsheet would run. @param {Cell} cell */
export function withoutFormula(cell) {
  return typeof cell === "string" && FORMULA.test(cell) ? `'${cell}` : cell;
}

/** @param {Parcel} parcel */
function jsonLinesOf({ columns, rows, outcomes }) {
  const names = ourColumns(columns);
  return rows.map((row, place) => jsonLine(columns, row, names, outcomes[place])).join("");
}

/** @param {string[]} columns @param {Cell[]} row @param {string[]} names @param {Outcome | null} outcome */
function jsonLine(columns, row, names, outcome) {
  const theirs = columns.map((name, place) => [name, row[place]]);
  const ours = Object.values(ourFields(outcome)).map((value, place) => [names[place], value]);
  return `${JSON.stringify(Object.fromEntries([...theirs, ...ours]))}\n`;
}

/** @param {string} name the file that was read; empty for pasted text @param {string} ending */
export function fileName(name, ending) {
  // Drops characters that mean more than themselves to file systems or terminals.
  const plain = name
    .replace(/\.[^.]*$/, "")
    .replace(/[^\p{L}\p{N} ._-]/gu, "_")
    .replace(/^\.+/, "");
  return `${plain.trim().slice(0, MAX_NAME_CHARACTERS) || "reviews"}-verdicts.${ending}`;
}

/**
 * Downloads a file.
 * @param {string} name
 * @param {Blob[]} parts
 * @param {{type: string, mark?: boolean}} form
 */
export function save(name, parts, { type, mark = false }) {
  const url = URL.createObjectURL(new Blob(mark ? [BYTE_ORDER_MARK, ...parts] : parts, { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // Freeing the address before the download begins would stop it.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
