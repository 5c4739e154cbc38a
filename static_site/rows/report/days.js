// Counts days since 1970-01-01, and parts a span of days into periods.

/** @typedef {"day" | "week" | "month"} Unit */
/** @typedef {{unit: Unit, starts: number[], placeOf: (day: number) => number}} Periods starts: first days */

/** Stands for a row without a readable date. */
export const NO_DATE = -0x80000000;

const MS_A_DAY = 86_400_000;
// Longest spans, in days, that are shown by day and by week.
const MOST_BY_DAY = 45;
const MOST_BY_WEEK = 400;
// 1970-01-01 was a Thursday.
const DAYS_AFTER_MONDAY = 3;

/** Writes a day: 2026-05-03. @param {number} day */
export function isoOf(day) {
  const date = new Date(day * MS_A_DAY);
  const year = String(date.getUTCFullYear()).padStart(4, "0");
  return `${year}-${twoDigits(date.getUTCMonth() + 1)}-${twoDigits(date.getUTCDate())}`;
}

/** @param {number} number */
function twoDigits(number) {
  return String(number).padStart(2, "0");
}

/** Reads a day written as 2026-05-03; NO_DATE when it is none. @param {string} text */
export function dayOf(text) {
  const ms = Date.parse(`${text}T00:00:00Z`);
  return Number.isNaN(ms) || isoOf(ms / MS_A_DAY) !== text ? NO_DATE : ms / MS_A_DAY;
}

/** Lists all periods from the first to the last day. @param {number} first @param {number} last @returns {Periods} */
export function periodsOf(first, last) {
  const days = last - first + 1;
  if (days <= MOST_BY_DAY) return periodsOfDays("day", first, last, 1);
  if (days <= MOST_BY_WEEK) return periodsOfDays("week", mondayOf(first), last, 7);
  const from = monthOf(first);
  const months = Array.from({ length: monthOf(last) - from + 1 }, (_, place) => from + place);
  return { unit: "month", starts: months.map(startOfMonth), placeOf: (day) => monthOf(day) - from };
}

/** @param {Unit} unit @param {number} first @param {number} last @param {number} length days */
function periodsOfDays(unit, first, last, length) {
  const placeOf = (/** @type {number} */ day) => Math.floor((day - first) / length);
  return { unit, starts: Array.from({ length: placeOf(last) + 1 }, (_, place) => first + place * length), placeOf };
}

/** @param {number} day */
function mondayOf(day) {
  return day - ((((day + DAYS_AFTER_MONDAY) % 7) + 7) % 7);
}

/** Counts months since the year 0. @param {number} day */
function monthOf(day) {
  const date = new Date(day * MS_A_DAY);
  return date.getUTCFullYear() * 12 + date.getUTCMonth();
}

/** @param {number} month */
function startOfMonth(month) {
  const date = new Date(0);
  date.setUTCFullYear(Math.floor(month / 12), month % 12, 1);
  return date.getTime() / MS_A_DAY;
}
