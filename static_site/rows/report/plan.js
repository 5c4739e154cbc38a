// Decides what a report of a table consists of: its periods, groups, sides, and what is resampled.

import { NO_DATE, dayOf, periodsOf } from "./days.js";
import { byCodePoints } from "./samples.js";
import { FAILED, NO_GROUP } from "./table.js";

/**
 * @typedef {import("./table.js").Table} Table
 * @typedef {{since?: string, between?: [string, string]}} Options since: a day as 2026-05-03
 * @typedef {object} Sides
 * @property {"dates" | "groups"} kind
 * @property {number} cut the first day of the later side
 * @property {number[]} between places of two groups, the earlier side first; empty for dates
 * @property {number} slots groups told apart, with one more for all others
 * @typedef {object} Plan
 * @property {import("./days.js").Periods | null} periods
 * @property {number} first day
 * @property {number} last day
 * @property {number[]} groups places of the groups told apart, those with most rows first; none without two
 * @property {number} allGroups groups with a row
 * @property {Int32Array} slots by a group's place: its place in `groups`; -1 for none
 * @property {"rows" | "groups"} resampled
 * @property {Sides | null} sides
 */

/** Groups told apart; the others are counted. */
export const MOST_GROUPS = 200;
// Groups that make it worth resampling them instead of rows.
const FEWEST_GROUPS = 20;
// A group with fewer rows is not told apart where two sides are compared.
const FEWEST_ROWS = 20;
const [BEFORE_PARTS, ALL_PARTS] = [2, 3];

/**
 * Plans a report of a table's rows, waiting ones included, so that the plan holds when they are judged.
 * @param {Table} table
 * @param {Options} options
 * @returns {Plan}
 */
export function planOf(table, options) {
  const { first, last } = spanOf(table);
  const rowsByGroup = countGroups(table);
  const groups = largestGroups(table, rowsByGroup);
  const slots = new Int32Array(table.groupNames.length).fill(-1);
  for (const [slot, group] of groups.entries()) slots[group] = slot;
  const allGroups = rowsByGroup.filter((rows) => rows > 0).length;
  const repeats = rowsByGroup.some((rows) => rows > 1);
  return {
    periods: first > last ? null : periodsOf(first, last),
    first,
    last,
    groups,
    allGroups,
    slots,
    resampled: allGroups >= FEWEST_GROUPS && repeats ? "groups" : "rows",
    // A small group is often on one side alone, and would count as a change of the mix.
    sides: sidesOf(table, options, first, last, groups.filter((group) => rowsByGroup[group] >= FEWEST_ROWS).length),
  };
}

/** @param {Table} table */
function spanOf({ dates, states, filled }) {
  let [first, last] = [Infinity, -Infinity];
  for (let row = 0; row < filled; row += 1) {
    if (states[row] === FAILED || dates[row] === NO_DATE) continue;
    if (dates[row] < first) first = dates[row];
    if (dates[row] > last) last = dates[row];
  }
  return { first, last };
}

/** @param {Table} table */
function countGroups({ groups, groupNames, states, filled }) {
  const counts = new Uint32Array(groupNames.length);
  for (let row = 0; row < filled; row += 1) {
    if (states[row] !== FAILED && groups[row] !== NO_GROUP) counts[groups[row]] += 1;
  }
  return counts;
}

/** @param {Table} table @param {Uint32Array} rows by group */
function largestGroups({ groupNames }, rows) {
  const places = Array.from(rows.keys()).filter((place) => rows[place] > 0);
  places.sort(
    (one, other) => rows[other] - rows[one] || byCodePoints(groupNames[one], groupNames[other]),
  );
  return places.length > 1 ? places.slice(0, MOST_GROUPS) : [];
}

/**
 * @param {Table} table
 * @param {Options} options
 * @param {number} first
 * @param {number} last
 * @param {number} groups
 * @returns {Sides | null}
 */
function sidesOf({ groupNames }, { since, between }, first, last, groups) {
  if (between) {
    const places = between.map((name) => groupNames.indexOf(name));
    return places.includes(-1) ? null : { kind: "groups", cut: 0, between: places, slots: 1 };
  }
  if (first > last) return null;
  const cut = since === undefined ? first + Math.floor((BEFORE_PARTS * (last - first + 1)) / ALL_PARTS) : dayOf(since);
  return { kind: "dates", cut, between: [], slots: groups + 1 };
}

/** Tells a row's side: 0 before, 1 after, -1 for none. @param {Table} table @param {Sides} sides @param {number} row */
export function sideOf({ dates, groups }, { kind, cut, between }, row) {
  if (kind === "groups") return between.indexOf(groups[row]);
  return dates[row] === NO_DATE ? -1 : Number(dates[row] >= cut);
}
