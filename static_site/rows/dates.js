// Reads a column's cells as days: ISO 8601 and the other usual forms. Never guesses the order of day and month.
//
// tests/golden/report/dates.json holds this file and training/report/dates.py to the same rule.

import { textOf } from "./reading.js";

/**
 * @typedef {import("./reading.js").Cell} Cell
 * @typedef {"dmy" | "mdy"} DateOrder of 3/5/2026: day or month first
 * @typedef {{order: DateOrder | null, rows: number[]}} Order
 *   order: what the column's values decide, null when they decide nothing or contradict each other;
 *   rows: two rows that contradict each other, counted from 1; without a contradiction the first
 *   row that needs the order, or none
 * @typedef {[number, number, number]} Parts year, month, day
 */

// A column is one of dates when this share of its filled cells can be read.
export const LEAST_SHARE = 0.9;
// Other years are slips of the keyboard.
const [FIRST, LAST] = ["1900-01-01", "2100-12-31"];
// A longer cell is no date, and may be a review.
const MAX_CHARACTERS = 40;
const DAY_MS = 86_400_000;

const MONTHS =
  "january february march april may june july august september october november december".split(" ");
// A time of day may follow any form; the day counts as it is written.
const TIME = "(?:[t ,]\\s*\\d{1,2}:\\d{2}\\S*(?:\\s+\\S{1,6}){0,2})?";
const YEAR_FIRST = new RegExp(`^(\\d{4})([-/.])(\\d{1,2})\\2(\\d{1,2})${TIME}$`);
const COMPACT = /^(\d{4})(\d{2})(\d{2})(?:t\d{4,6}(?:\.\d+)?(?:z|[+-][\d:]{2,5})?)?$/;
const DOTTED = new RegExp(`^(\\d{1,2})\\.\\s?(\\d{1,2})\\.\\s?(\\d{4})${TIME}$`);
const SLASHED = new RegExp(`^(\\d{1,2})([-/])(\\d{1,2})\\2(\\d{4})${TIME}$`);
const ORDINAL = "(\\d{1,2})(?:st|nd|rd|th)?";
const DAY_THEN_NAME = new RegExp(`^${ORDINAL}[\\s-]+([a-z]{3,9})\\.?,?[\\s-]+(\\d{4})${TIME}$`);
const NAME_THEN_DAY = new RegExp(`^([a-z]{3,9})\\.?\\s+${ORDINAL},?\\s+(\\d{4})${TIME}$`);
const SECONDS = /^(\d{9,10})(?:\.\d+)?$/;
const MILLISECONDS = /^(\d{12,13})(?:\.\d+)?$/;

/**
 * Returns a cell's day as YYYY-MM-DD, as it is written; null when it is none, or needs an order.
 * Unix times are days in UTC. Years of two digits are no dates.
 * @param {Cell} cell
 * @param {DateOrder | null} [order] of 3/5/2026
 * @returns {string | null}
 */
export function dateOf(cell, order = null) {
  const text = plain(cell);
  const slashed = SLASHED.exec(text);
  if (slashed) return order === null ? sameEitherWay(slashed) : isoOf(slashedParts(slashed, order));
  return isoOf(clearParts(text)) ?? unixDay(text);
}

/**
 * Finds the order of day and month in a column.
 * @param {Cell[]} cells
 * @returns {Order}
 */
export function orderOf(cells) {
  /** @type {Record<DateOrder | "open", number>} */
  const first = { dmy: 0, mdy: 0, open: 0 };
  cells.forEach((cell, row) => {
    const kind = kindOf(plain(cell));
    if (kind && first[kind] === 0) first[kind] = row + 1;
  });
  if (first.dmy && first.mdy) return { order: null, rows: [first.dmy, first.mdy] };
  if (first.dmy || first.mdy) return { order: first.dmy ? "dmy" : "mdy", rows: [] };
  return { order: null, rows: first.open ? [first.open] : [] };
}

/** Tells whether nearly all filled cells are dates, in some order. @param {Cell[]} cells */
export function areDates(cells) {
  const filled = cells.filter((cell) => plain(cell) !== "");
  const dates = filled.filter((cell) => dateOf(cell, "dmy") !== null || dateOf(cell, "mdy") !== null);
  return dates.length > 0 && dates.length >= filled.length * LEAST_SHARE;
}

/** Returns the days from 1970-01-01 to a day. @param {string} iso YYYY-MM-DD */
export function dayNumber(iso) {
  return Date.parse(`${iso}T00:00:00Z`) / DAY_MS;
}

/** Returns a day as YYYY-MM-DD. @param {number} day counted from 1970-01-01 */
export function dayOf(day) {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}

/** Returns a cell in lower case; "" for one that is too long. @param {Cell} cell */
function plain(cell) {
  const text = textOf(cell).trim();
  return text.length > MAX_CHARACTERS ? "" : text.toLowerCase();
}

/** @param {string} text @returns {Parts | null} */
function clearParts(text) {
  const year = YEAR_FIRST.exec(text);
  if (year) return [Number(year[1]), Number(year[3]), Number(year[4])];
  const compact = COMPACT.exec(text);
  if (compact) return [Number(compact[1]), Number(compact[2]), Number(compact[3])];
  const dotted = DOTTED.exec(text);
  if (dotted) return [Number(dotted[3]), Number(dotted[2]), Number(dotted[1])];
  const day = DAY_THEN_NAME.exec(text);
  if (day) return [Number(day[3]), monthOf(day[2]), Number(day[1])];
  const name = NAME_THEN_DAY.exec(text);
  return name && [Number(name[3]), monthOf(name[1]), Number(name[2])];
}

/** Returns a month's number, by its name or three letters of it; 0 for none. @param {string} name */
function monthOf(name) {
  if (name === "sept") return 9;
  return MONTHS.findIndex((month) => month === name || (name.length === 3 && month.startsWith(name))) + 1;
}

/** @param {string} text */
function unixDay(text) {
  const seconds = SECONDS.exec(text)?.[1];
  const milliseconds = MILLISECONDS.exec(text)?.[1];
  if (seconds === undefined && milliseconds === undefined) return null;
  const date = new Date(seconds === undefined ? Number(milliseconds) : Number(seconds) * 1000);
  return within(date.toISOString().slice(0, 10));
}

/** @param {RegExpExecArray} found @param {DateOrder} order @returns {Parts} */
function slashedParts([, one, , other, year], order) {
  const [day, month] = order === "dmy" ? [one, other] : [other, one];
  return [Number(year), Number(month), Number(day)];
}

/** @param {RegExpExecArray} found */
function sameEitherWay(found) {
  return found[1].padStart(2, "0") === found[3].padStart(2, "0") ? isoOf(slashedParts(found, "dmy")) : null;
}

/**
 * Returns the order that a cell decides, or "open" when it could be either.
 * @param {string} text
 * @returns {DateOrder | "open" | null}
 */
function kindOf(text) {
  const found = SLASHED.exec(text);
  if (!found || sameEitherWay(found)) return null;
  const [dmy, mdy] = [isoOf(slashedParts(found, "dmy")), isoOf(slashedParts(found, "mdy"))];
  if (dmy && mdy) return "open";
  if (dmy) return "dmy";
  return mdy ? "mdy" : null;
}

/** @param {Parts | null} parts @returns {string | null} null where the calendar has no such day */
function isoOf(parts) {
  if (parts === null) return null;
  const [year, month, day] = parts;
  // Date.UTC would take a year below 100 for one of the 20th century.
  if (year < 1000) return null;
  const date = new Date(Date.UTC(year, month - 1, day));
  const same = date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  return same ? within(date.toISOString().slice(0, 10)) : null;
}

/** @param {string} iso */
function within(iso) {
  return FIRST <= iso && iso <= LAST ? iso : null;
}
