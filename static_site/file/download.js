// Writes a file's rows with what came of them, as CSV or as JSON lines.

import { freeName } from "./reading.js";

/**
 * @typedef {import("./reading.js").Cell} Cell
 * @typedef {import("./reading.js").Sheet} Sheet
 * @typedef {import("./sending.js").Outcome} Outcome
 * @typedef {{own: number, safe: boolean}} Rules
 *   own: how many of a row's last cells are ours; safe: the user's cells can't run as formulas either
 */

const OURS = ["sentiment", "probability", "warnings", "error"];
// What a spreadsheet takes for the start of a formula (OWASP: CSV injection).
const FORMULA = /^[=+\-@\t\r]/;
// Tells Excel that a file is UTF-8.
const BYTE_ORDER_MARK = "\uFEFF";
// Rows written at once: the page stays smooth between two parcels.
const PARCEL_ROWS = 2_000;
// Longer than any sensible name; file systems take 255 bytes.
const MAX_NAME_CHARACTERS = 80;

/** The names of our columns: a file that has such a one keeps it. @param {string[]} columns */
export function ourColumns(columns) {
  const taken = new Set(columns);
  return OURS.map((name) => (taken.has(name) ? freeName(`verdict_${name}`, taken) : name));
}

/** @param {Outcome | null} outcome @returns {{sentiment: string | null, probability: number | null, warnings: string[], error: string | null}} */
export function ourFields(outcome) {
  const nothing = { sentiment: null, probability: null, warnings: [], error: null };
  if (outcome === null) return { ...nothing, error: "not_asked" };
  if (outcome.error !== undefined) return { ...nothing, error: outcome.error };
  const { sentiment, probability, warnings } = outcome;
  return { sentiment, probability, warnings, error: null };
}

/** The rows of a CSV file in parcels, the names first. @param {Sheet} sheet @param {(Outcome | null)[]} outcomes @returns {Iterable<Cell[][]>} */
export function* csvParcels({ columns, rows }, outcomes) {
  yield [[...columns, ...ourColumns(columns)]];
  for (let from = 0; from < rows.length; from += PARCEL_ROWS) {
    yield rows.slice(from, from + PARCEL_ROWS).map((row, place) => [
      ...columns.map((_, column) => row[column]),
      ...ourCells(outcomes[from + place]),
    ]);
  }
}

/** @param {Outcome | null} outcome @returns {Cell[]} */
function ourCells(outcome) {
  const { sentiment, probability, warnings, error } = ourFields(outcome);
  return [sentiment, probability, warnings.join(" "), error];
}

/** Rules out formulas in our own cells, and in the user's where wished. @param {Cell[][]} rows @param {Rules} rules @param {any} Papa papaparse */
export function csvOf(rows, { own, safe }, Papa) {
  const prefixed = rows.map((row) =>
    row.map((cell, place) => (safe || place >= row.length - own ? withoutFormula(cell) : cell)),
  );
  return Papa.unparse(prefixed, { newline: "\r\n" }) + "\r\n";
}

/** @param {Cell} cell */
function withoutFormula(cell) {
  return typeof cell === "string" && FORMULA.test(cell) ? `'${cell}` : cell;
}

/** JSON lines in parcels. @param {Sheet} sheet @param {(Outcome | null)[]} outcomes @returns {Iterable<string>} */
export function* jsonParcels({ columns, rows }, outcomes) {
  const names = ourColumns(columns);
  for (let from = 0; from < rows.length; from += PARCEL_ROWS) {
    const parcel = rows.slice(from, from + PARCEL_ROWS);
    yield parcel.map((row, place) => jsonLine(columns, row, names, outcomes[from + place])).join("");
  }
}

/** @param {string[]} columns @param {Cell[]} row @param {string[]} names @param {Outcome | null} outcome */
function jsonLine(columns, row, names, outcome) {
  const theirs = columns.map((name, place) => [name, row[place]]);
  const ours = Object.values(ourFields(outcome)).map((value, place) => [names[place], value]);
  return `${JSON.stringify(Object.fromEntries([...theirs, ...ours]))}\n`;
}

/** @param {string} name the file that was read; empty for pasted text @param {string} ending */
export function fileName(name, ending) {
  // Not what a file system, or a terminal, may take for more than a name.
  const plain = name.replace(/\.[^.]*$/, "").replace(/[^\p{L}\p{N} ._-]/gu, "_").replace(/^\.+/, "");
  return `${plain.trim().slice(0, MAX_NAME_CHARACTERS) || "reviews"}-verdicts.${ending}`;
}

/** Hands a file to the browser's downloads. @param {string} name @param {string[]} parts @param {{type: string, mark?: boolean}} form */
export function save(name, parts, { type, mark = false }) {
  const url = URL.createObjectURL(new Blob(mark ? [BYTE_ORDER_MARK, ...parts] : parts, { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The download has begun by then; a freed address before would stop it.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
