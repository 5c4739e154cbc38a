// Filters and sorts the rows of a file.

import { isUnderstood } from "../shared/verdict_strings.js";

/**
 * @typedef {import("../rows/sending.js").Outcome} Outcome
 * @typedef {import("../rows/labels.js").Label} Label
 * @typedef {"all" | "positive" | "negative" | "uncertain" | "failed" | "warned" | "disagrees"
 *   | "waiting"} Show
 * @typedef {"row" | "verdict" | "probability" | "label" | "review" | "note"} Key
 * @typedef {{show: Show, search: string, by: Key, down: boolean}} Wish
 * @typedef {{count: number, name: (row: number) => string, review: (row: number) => string,
 *   outcome: (row: number) => Outcome | null, label: (row: number) => Label | null,
 *   note: (row: number) => string}} Rows
 */

// Texts are sorted by this many characters.
const SORTED_CHARACTERS = 60;
const VERDICTS = ["negative", "uncertain", "positive"];

/** @param {Rows} rows @param {Wish} wish @returns {number[]} rows, the first one first */
export function orderOf(rows, { show, search, by, down }) {
  const wanted = search.trim().toLowerCase();
  const order = [];
  for (let row = 0; row < rows.count; row += 1) {
    if (isShown(rows, row, show) && holds(rows, row, wanted)) order.push(row);
  }
  return by === "row" ? (down ? order.reverse() : order) : sorted(order, keysOf(rows, by), down);
}

/** @param {Rows} rows @param {number} row @param {Show} show */
function isShown(rows, row, show) {
  if (show === "all") return true;
  const outcome = rows.outcome(row);
  if (outcome === null) return show === "waiting";
  if (outcome.error !== undefined) return show === "failed";
  if (show === "warned") return outcome.warnings.length > 0;
  if (show === "disagrees") return disagrees(outcome, rows.label(row));
  return outcome.sentiment === show;
}

/** Tells whether a positive or negative verdict differs from the label. @param {Outcome | null} outcome @param {Label | null} label */
export function disagrees(outcome, label) {
  if (!outcome || outcome.error !== undefined || label === null) return false;
  return outcome.sentiment !== "uncertain" && outcome.sentiment !== label;
}

/** @param {Rows} rows @param {number} row @param {string} wanted in lower case */
function holds(rows, row, wanted) {
  if (wanted === "") return true;
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
  if (by === "note") return (row) => rows.note(row) || undefined;
  return (row) => {
    const outcome = rows.outcome(row);
    if (!outcome || outcome.error !== undefined) return undefined;
    if (by === "verdict") return VERDICTS.indexOf(outcome.sentiment);
    return isUnderstood(outcome) ? outcome.probability : undefined;
  };
}

/**
 * Sorts stably. Rows without a key come last in both directions.
 * @param {number[]} order
 * @param {(row: number) => string | number | undefined} keyOf
 * @param {boolean} down
 */
function sorted(order, keyOf, down) {
  const keys = new Map(order.map((row) => [row, keyOf(row)]));
  const turn = down ? -1 : 1;
  return order.sort((left, right) => {
    const [one, other] = [keys.get(left), keys.get(right)];
    if (one === other) return left - right;
    if (one === undefined || other === undefined) return one === undefined ? 1 : -1;
    return one < other ? -turn : turn;
  });
}
