// Writes a file's rows, with verdicts if there are any, as CSV, TSV or JSON lines.

import { withoutFormula } from "./formulas.js";
import { freeName } from "./reading.js";

/**
 * @typedef {import("./reading.js").Cell} Cell
 * @typedef {import("./sending.js").Outcome} Outcome
 * @typedef {{form: "csv" | "tsv" | "jsonl", safe: boolean}} Wish safe: no cell can run as a formula
 * @typedef {Pick<import("../api.js").AspectAnswer, "sentiment" | "probability" | "contribution">} AspectFields
 * @typedef {Outcome & {aspects?: Record<string, AspectFields> | null}} Judged aspects: those that are mentioned
 * @typedef {Wish & {columns: string[], rows: Cell[][], outcomes: (Judged | null)[] | null, aspects: string[],
 *   first: boolean}} Parcel rows of one message
 *   outcomes: null where no verdict is wanted; aspects: names of those that were asked for; first: the
 *   names precede the rows
 */

const OURS = ["sentiment", "reason", "probability", "warnings", "error"];
/** What is written of an aspect beside its sentiment. @type {("probability" | "contribution")[]} */
const FIELDS = ["probability", "contribution"];
const NOT_MENTIONED = "not_mentioned";
// From RFC 4180.
const LINE_END = "\r\n";
// Tells Excel that a file is UTF-8.
const BYTE_ORDER_MARK = "\uFEFF";
// Rows a parcel: few enough to keep the page smooth.
const PARCEL_ROWS = 2_000;
// File systems allow 255 bytes.
const MAX_NAME_CHARACTERS = 80;

/**
 * Names our columns, three of them an aspect, without taking a name of the file's.
 * @param {string[]} columns
 * @param {string[]} [aspects]
 */
export function ourColumns(columns, aspects = []) {
  const taken = new Set(columns);
  const ofAspects = aspects.flatMap((name) => [`aspect ${name}`, ...FIELDS.map((field) => `aspect ${name} ${field}`)]);
  return [...OURS, ...ofAspects].map((name) => (taken.has(name) ? freeName(`verdict_${name}`, taken) : name));
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
 * @param {{sheet: {columns: string[], rows: Cell[][]}, outcomes: (Judged | null)[] | null, aspects?: string[]}} work
 * @param {Wish} wish
 * @returns {Iterable<Parcel>}
 */
export function* parcelsOf({ sheet: { columns, rows }, outcomes, aspects = [] }, wish) {
  for (let from = 0; from < rows.length; from += PARCEL_ROWS) {
    const to = from + PARCEL_ROWS;
    yield {
      ...wish,
      columns,
      rows: rows.slice(from, to),
      outcomes: outcomes && outcomes.slice(from, to),
      aspects,
      first: from === 0,
    };
  }
}

/** Writes a parcel as text. @param {Parcel} parcel @param {any} Papa papaparse */
export function write(parcel, Papa) {
  return parcel.form === "jsonl" ? jsonLinesOf(parcel) : csvOf(parcel, Papa);
}

/** @param {Parcel} parcel @param {any} Papa */
function csvOf({ form, columns, rows, outcomes, aspects, safe, first }, Papa) {
  const guard = safe ? withoutFormula : (/** @type {Cell} */ cell) => cell;
  const lines = rows.map((row, place) => [
    ...columns.map((_, column) => guard(row[column])),
    ...(outcomes ? ourCells(outcomes[place], aspects).map(withoutFormula) : []),
  ]);
  if (first) lines.unshift([...columns.map(guard), ...(outcomes ? ourColumns(columns, aspects).map(guard) : [])]);
  return Papa.unparse(lines, { newline: LINE_END, delimiter: form === "tsv" ? "\t" : "," }) + LINE_END;
}

/** @param {Judged | null} outcome @param {string[]} aspects @returns {Cell[]} */
function ourCells(outcome, aspects) {
  const { sentiment, reason, probability, warnings, error } = ourFields(outcome);
  const ours = [sentiment, reason, probability, warnings.join(" "), error];
  if (outcome === null || outcome.error !== undefined) return [...ours, ...aspects.flatMap(() => ["", "", ""])];
  const found = aspects.map((name) => outcome.aspects?.[name]);
  return [...ours, ...found.flatMap((one) => [one?.sentiment ?? NOT_MENTIONED, ...FIELDS.map((field) => one?.[field])])];
}

/** @param {Parcel} parcel */
function jsonLinesOf({ columns, rows, outcomes, aspects }) {
  const names = ourColumns(columns);
  const taken = new Set(columns);
  const own = taken.has("aspects") ? freeName("verdict_aspects", taken) : "aspects";
  const oursOf = (/** @type {number} */ place) => {
    if (!outcomes) return [];
    const fields = Object.values(ourFields(outcomes[place])).map((value, at) => [names[at], value]);
    return aspects.length ? [...fields, [own, aspectFields(outcomes[place], aspects)]] : fields;
  };
  return rows.map((row, place) => jsonLine(columns, row, oursOf(place))).join("");
}

/** @param {Judged | null} outcome @param {string[]} names */
function aspectFields(outcome, names) {
  if (outcome === null || outcome.error !== undefined) return null;
  const fieldsOf = (/** @type {string} */ name) => {
    const found = outcome.aspects?.[name];
    if (found === undefined) return { sentiment: NOT_MENTIONED };
    const { sentiment, probability, contribution } = found;
    return { sentiment, probability, contribution };
  };
  return Object.fromEntries(names.map((name) => [name, fieldsOf(name)]));
}

/** @param {string[]} columns @param {Cell[]} row @param {any[][]} ours names and values */
function jsonLine(columns, row, ours) {
  const theirs = columns.map((name, place) => [name, row[place]]);
  return `${JSON.stringify(Object.fromEntries([...theirs, ...ours]))}\n`;
}

/**
 * Names a download after its file.
 * @param {string} name the file that was read; empty for pasted text
 * @param {string} ending
 * @param {string} [what] what the file holds
 */
export function fileName(name, ending, what = "verdicts") {
  // Drops characters that mean more than themselves to file systems or terminals.
  const plain = name
    .replace(/\.[^.]*$/, "")
    .replace(/[^\p{L}\p{N} ._-]/gu, "_")
    .replace(/^\.+/, "");
  return `${plain.trim().slice(0, MAX_NAME_CHARACTERS) || "reviews"}-${what}.${ending}`;
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
