// Filters and sorts the rows of a file.

import { isUnderstood } from "../shared/verdict_strings.js";

/**
 * @typedef {import("./work.js").Judged} Judged
 * @typedef {import("./work.js").Outcome} Outcome
 * @typedef {import("../rows/labels.js").Label} Label
 * @typedef {import("../api.js").Sentiment} Sentiment
 * @typedef {"all" | "worst" | "best" | "unsure" | "mixed" | "against" | "failed" | "waiting"} Show
 * @typedef {"row" | "verdict" | "probability" | "label" | "date" | "group" | "review"} Key
 * @typedef {{kind: "rows", rows: number[]} | {kind: "bin", from: number, to: number}
 *   | {kind: "cell", label: Label, verdict: Sentiment} | {kind: "verdict", verdict: Sentiment}
 *   | {kind: "group", name: string}
 *   | {kind: "period", first: string, last: string} | {kind: "aspect", name: string}} Part
 *   rows: places, from 0; from, to: probabilities; first, last: days
 * @typedef {{show: Show, search: string, by: Key, down: boolean, parts: Part[]}} Wish
 *   parts: of the file; a row must be in each
 * @typedef {object} Rows
 * @property {number} count
 * @property {(row: number) => string} name
 * @property {(row: number) => string} review
 * @property {(row: number) => Outcome | null} outcome
 * @property {(row: number) => Label | null} label
 * @property {(row: number) => string | null} date
 * @property {(row: number) => string | null} group
 * @typedef {Record<Show, number>} Counts
 */

// Rows of "worst" and of "best".
const MOST_EXTREME = 10;
// Texts are sorted by this many characters.
const SORTED_CHARACTERS = 60;
const VERDICTS = ["negative", "uncertain", "positive"];

/**
 * Returns the rows to show, the first one first, and how many each view would show.
 * @param {Rows} rows
 * @param {Wish} wish
 * @returns {{order: Uint32Array, counts: Counts}}
 */
export function orderOf(rows, { show, search, by, down, parts }) {
  const found = partOf(rows, parts);
  const views = viewsOf(rows, found);
  const wanted = search.trim().toLowerCase();
  const shown = wanted === "" ? views[show] : views[show].filter((row) => holds(rows, row, wanted));
  const order = by === "row" ? shown.sort() : sorted(shown, keysOf(rows, by), down);
  if (by === "row" && down) order.reverse();
  const counts = Object.fromEntries(Object.entries(views).map(([name, view]) => [name, view.length]));
  return { order, counts: /** @type {Counts} */ (counts) };
}

/** @param {Rows} rows @param {Part[]} parts */
function partOf(rows, parts) {
  const tests = parts.map((part) => testOf(rows, part));
  const found = Uint32Array.from({ length: rows.count }, (_, row) => row);
  return tests.length ? found.filter((row) => tests.every((test) => test(row))) : found;
}

/** @param {Rows} rows @param {Part} part @returns {(row: number) => boolean} */
function testOf(rows, part) {
  if (part.kind === "rows") {
    const set = new Set(part.rows);
    return (row) => set.has(row);
  }
  if (part.kind === "group") return (row) => rows.group(row) === part.name;
  if (part.kind === "period") return (row) => isWithin(rows.date(row), part);
  return (row) => {
    const outcome = judged(rows, row);
    if (outcome === null) return false;
    if (part.kind === "bin") return isUnderstood(outcome) && isIn(outcome.probability, part);
    if (part.kind === "verdict") return outcome.sentiment === part.verdict;
    if (part.kind === "cell") return rows.label(row) === part.label && outcome.sentiment === part.verdict;
    return outcome.aspects?.[part.name] !== undefined;
  };
}

/** @param {string | null} date @param {{first: string, last: string}} period */
function isWithin(date, { first, last }) {
  return date !== null && first <= date && date <= last;
}

/** Tells whether a bin holds a probability; the last one holds 1 too. @param {number} probability @param {{from: number, to: number}} bin */
function isIn(probability, { from, to }) {
  return from <= probability && (probability < to || to >= 1);
}

/** @param {Rows} rows @param {number} row @returns {Judged | null} */
function judged(rows, row) {
  const outcome = rows.outcome(row);
  return outcome && outcome.error === undefined ? outcome : null;
}

/** @param {Rows} rows @param {Uint32Array} found @returns {Record<Show, Uint32Array>} */
function viewsOf(rows, found) {
  const sure = found.filter((row) => logitKey(rows, row) !== undefined);
  sure.sort((one, other) => Number(logitKey(rows, one)) - Number(logitKey(rows, other)) || one - other);
  const ofJudged = (/** @type {(outcome: Judged, row: number) => boolean} */ test) =>
    found.filter((row) => {
      const outcome = judged(rows, row);
      return outcome !== null && test(outcome, row);
    });
  return {
    worst: sure.slice(0, MOST_EXTREME),
    best: sure.slice(-MOST_EXTREME),
    unsure: ofJudged(({ sentiment }) => sentiment === "uncertain"),
    mixed: ofJudged(isMixed),
    against: ofJudged((outcome, row) => disagrees(outcome, rows.label(row))),
    failed: found.filter((row) => rows.outcome(row)?.error !== undefined),
    waiting: found.filter((row) => rows.outcome(row) === null),
    all: found,
  };
}

/** @param {Rows} rows @param {number} row */
function logitKey(rows, row) {
  const outcome = judged(rows, row);
  return outcome && isUnderstood(outcome) ? outcome.logit : undefined;
}

/** @param {Judged} outcome */
function isMixed({ reason, warnings }) {
  return reason === "mixed" || warnings.includes("mixed");
}

/** Tells whether a positive or negative verdict differs from the label. @param {import("../rows/sending.js").Outcome | null} outcome @param {Label | null} label */
export function disagrees(outcome, label) {
  if (!outcome || outcome.error !== undefined || label === null) return false;
  return outcome.sentiment !== "uncertain" && outcome.sentiment !== label;
}

/** @param {Rows} rows @param {number} row @param {string} wanted in lower case */
function holds(rows, row, wanted) {
  return rows.review(row).toLowerCase().includes(wanted) || rows.name(row).toLowerCase() === wanted;
}

/**
 * Returns the sort key of a row; undefined for a row without one.
 * @param {Rows} rows
 * @param {Key} by
 * @returns {(row: number) => string | number | undefined}
 */
function keysOf(rows, by) {
  if (by === "review") return (row) => rows.review(row).slice(0, SORTED_CHARACTERS).trim().toLowerCase();
  if (by === "label") return (row) => rows.label(row) ?? undefined;
  if (by === "date") return (row) => rows.date(row) ?? undefined;
  if (by === "group") return (row) => rows.group(row)?.toLowerCase();
  if (by === "probability") return (row) => logitKey(rows, row);
  return (row) => {
    const outcome = judged(rows, row);
    return outcome ? VERDICTS.indexOf(outcome.sentiment) : undefined;
  };
}

/**
 * Sorts stably. Rows without a key come last in both directions.
 * @param {Uint32Array} order
 * @param {(row: number) => string | number | undefined} keyOf
 * @param {boolean} down
 */
function sorted(order, keyOf, down) {
  const keys = new Map(Array.from(order, (row) => [row, keyOf(row)]));
  const turn = down ? -1 : 1;
  return order.slice().sort((left, right) => {
    const [one, other] = [keys.get(left), keys.get(right)];
    if (one === other) return left - right;
    if (one === undefined || other === undefined) return one === undefined ? 1 : -1;
    return one < other ? -turn : turn;
  });
}
