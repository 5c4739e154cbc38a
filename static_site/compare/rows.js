// Chooses the rows that both models judge, and counts results, as training/adapt/compare.py does.

import { faultOf } from "../rows/columns.js";
import { interval } from "../rows/figures.js";
import { labelOf, plain } from "../rows/labels.js";
import { textOf } from "../rows/reading.js";
import { isUnderstood } from "../shared/verdict_strings.js";

/**
 * @typedef {import("../rows/reading.js").Sheet} Sheet
 * @typedef {import("../rows/labels.js").Label} Label
 * @typedef {import("../rows/sending.js").Outcome} Outcome
 * @typedef {import("../rows/sending.js").Scored} Scored
 * @typedef {{review: number, label: number, scale: import("../rows/labels.js").Scale}} Choice columns; -1 for none
 * @typedef {{number: number, review: string, label: Label | null}} Row number counts from 1
 * @typedef {[Outcome, Outcome]} Pair what the first and the second said of a row
 * @typedef {{row: Row, first: Scored, second: Scored}} Both a row that both could read
 * @typedef {"sides" | "verdicts" | "all"} Show
 * @typedef {"row" | "first" | "second" | "apart" | "label" | "review"} Key
 */

// White space of Python's str.split(), so that both find the same repeats.
const SPACE = /[\s\x1c-\x1f\x85]+/u;
const SORTED_CHARACTERS = 60;

/**
 * Returns the rows to judge, each text once, and counts the rows left out, by reason.
 * @param {Sheet} sheet
 * @param {Choice} choice
 * @returns {{rows: Row[], counts: Record<string, number>}}
 */
export function rowsOf(sheet, choice) {
  /** @type {Record<string, number>} */
  const counts = {};
  const readable = sheet.rows.flatMap((cells, place) => {
    const label = choice.label < 0 ? null : labelOf(cells[choice.label], choice.scale);
    const reason = faultOf(sheet, place, choice.review) || unlabelled(cells, choice, label);
    if (reason) counts[reason] = (counts[reason] ?? 0) + 1;
    return reason ? [] : [{ number: place + 1, review: textOf(cells[choice.review]), label }];
  });
  return { rows: eachOnce(readable, counts), counts };
}

/** @param {import("../rows/reading.js").Cell[]} cells @param {Choice} choice @param {Label | null} label */
function unlabelled(cells, choice, label) {
  if (choice.label < 0 || label !== null) return "";
  return plain(cells[choice.label]) === "" ? "unlabelled" : "between";
}

/** Keeps the first row of each text, and no row of a text with both labels. @param {Row[]} rows @param {Record<string, number>} counts */
function eachOnce(rows, counts) {
  /** @type {Map<string, Row[]>} */
  const byText = new Map();
  for (const row of rows) {
    const text = row.review.toLowerCase().split(SPACE).filter(Boolean).join(" ");
    const same = byText.get(text);
    if (same) same.push(row);
    else byText.set(text, [row]);
  }
  return [...byText.values()].flatMap((same) => {
    const conflicting = new Set(same.map(({ label }) => label)).size > 1;
    const reason = conflicting ? "conflicting" : "duplicates";
    const out = conflicting ? same.length : same.length - 1;
    if (out > 0) counts[reason] = (counts[reason] ?? 0) + out;
    return conflicting ? [] : [same[0]];
  });
}

/** Returns the rows that both models judged. @param {Row[]} rows @param {(Pair | null)[]} pairs @returns {Both[]} */
export function readByBoth(rows, pairs) {
  return pairs.flatMap((pair, place) => {
    if (!pair || pair[0].error !== undefined || pair[1].error !== undefined) return [];
    return [{ row: rows[place], first: pair[0], second: pair[1] }];
  });
}

/** Tells whether both understood the text. If not, there are no two probabilities to compare. @param {Both} both */
export function understood({ first, second }) {
  return isUnderstood(first) && isUnderstood(second);
}

/** Tells whether the probabilities lie on different sides of one half. @param {Both} both */
export function differ(both) {
  const { first, second } = both;
  return understood(both) && first.probability >= 0.5 !== second.probability >= 0.5;
}

/** @param {Both} both */
export function apart({ first, second }) {
  return Math.abs(first.probability - second.probability);
}

/**
 * Counts how often each is right, and applies McNemar's exact test.
 * @param {Both[]} found all with a label
 */
export function judge(found) {
  const right = found.map(({ row, first, second }) =>
    [first, second].map(({ probability }) => probability >= 0.5 === (row.label === "positive")),
  );
  const count = (/** @type {(one: boolean[]) => boolean} */ test) => right.filter(test).length;
  const lost = count(([one, other]) => one && !other);
  const won = count(([one, other]) => !one && other);
  const accuracies = [count(([one]) => one), count(([, other]) => other)].map((number) => ({
    right: number,
    rows: found.length,
    interval: interval(number, found.length),
  }));
  return { accuracies, lost, won, p: mcnemar(lost, won) };
}

/**
 * Returns the two-sided p of McNemar's exact test. Only the quotient is rounded.
 * @param {number} lost
 * @param {number} won
 */
export function mcnemar(lost, won) {
  const all = BigInt(lost + won);
  let ways = 1n;
  let tail = 1n;
  for (let count = 0n; count < BigInt(Math.min(lost, won)); count += 1n) {
    ways = (ways * (all - count)) / (count + 1n);
    tail += ways;
  }
  return Math.min(1, quotient(2n * tail, all));
}

/** Divides a whole number by a power of two, either of them larger than any number. @param {bigint} over @param {bigint} power */
function quotient(over, power) {
  const spare = BigInt(Math.max(0, over.toString(16).length * 4 - 64));
  return Number(over >> spare) * 2 ** Number(spare - power);
}

/**
 * Returns the rows shown, in order.
 * @param {Both[]} found
 * @param {{show: Show, by: Key, down: boolean}} wish
 */
export function ordered(found, { show, by, down }) {
  const shown = found.filter(
    (both) => show === "all" || (show === "sides" ? differ(both) : both.first.sentiment !== both.second.sentiment),
  );
  const turn = down ? -1 : 1;
  return shown.sort((one, other) => {
    const [left, right] = [keyOf(one, by), keyOf(other, by)];
    if (left === right) return one.row.number - other.row.number;
    return left < right ? -turn : turn;
  });
}

/** @param {Both} both @param {Key} by @returns {string | number} */
function keyOf(both, by) {
  if (by === "row") return both.row.number;
  if (by === "apart") return understood(both) ? apart(both) : 0;
  if (by === "label") return both.row.label ?? "";
  if (by === "review") return both.row.review.slice(0, SORTED_CHARACTERS).trim().toLowerCase();
  return both[by].probability;
}
