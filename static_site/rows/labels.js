// Reads a file's own labels as positive or negative: words, 1 and 0, or stars.
// tests/golden/labels.json holds this file and training/files/labelled.py to the same rule.

import { faultOf } from "./columns.js";
import { textOf } from "./reading.js";

/**
 * @typedef {import("./reading.js").Cell} Cell
 * @typedef {import("./reading.js").Sheet} Sheet
 * @typedef {"positive" | "negative"} Label
 * @typedef {"words" | "zero_one" | "one_two" | "minus_plus" | "five" | "ten"} Scale
 * @typedef {{least: number, negative: number, positive: number, most: number}} Numbers
 *   from least to most: negative up to one, positive from the other on
 */

// Opposites have the same place in both lists.
const POSITIVE_WORDS = ["positive", "pos", "p", "good", "true", "yes", "+", "fresh"];
const NEGATIVE_WORDS = ["negative", "neg", "n", "bad", "false", "no", "-", "rotten"];
// Between the two sides: they say nothing about a column's scale.
const MIDDLE_WORDS = ["neutral", "mixed", "uncertain", "neither"];

const BINARY = { least: 0, negative: 0, positive: 1, most: 1 };
const TINY = Number.MIN_VALUE;
/** @type {Record<Scale, Numbers>} */
const NUMBERS = {
  // Among words, 1 and 0 are labels too.
  words: BINARY,
  zero_one: BINARY,
  one_two: { least: 1, negative: 1, positive: 2, most: 2 },
  minus_plus: { least: -Infinity, negative: -TINY, positive: TINY, most: Infinity },
  // Stars in the middle are neither; the ten are split as IMDb's own data set splits them.
  five: { least: 0, negative: 2, positive: 4, most: 5 },
  ten: { least: 0, negative: 4, positive: 7, most: 10 },
};

/** @type {Scale[]} */
export const SCALES = ["words", "zero_one", "one_two", "minus_plus", "five", "ten"];

// White space as Python takes it, and the mark that some editors leave at a cell's start.
const EDGES = /^[\s\x1c-\x1f\x85]+|[\s\x1c-\x1f\x85]+$/gu;
const NUMBER = /^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?$/u;

/**
 * A cell's label on a scale; null for neither.
 * @param {Cell} cell
 * @param {Scale} scale
 * @returns {Label | null}
 */
export function labelOf(cell, scale) {
  const text = plain(cell);
  const word = scale === "words" ? wordLabel(text) : null;
  return word ?? numberLabel(numberOf(text), NUMBERS[scale]);
}

// What says negative and positive on each scale of numbers.
/** @type {Record<string, [number, number]>} */
const ENDS = { zero_one: [0, 1], one_two: [1, 2], minus_plus: [-1, 1], five: [1, 5], ten: [1, 10] };

/**
 * Returns a cell that says a label, written as the other cells of its column are.
 * @param {Label} label
 * @param {Scale} scale
 * @param {Cell[]} cells the column
 * @returns {Cell}
 */
export function cellFor(label, scale, cells) {
  if (scale === "words") return usualCell(label, cells) ?? label;
  const number = ENDS[scale][label === "positive" ? 1 : 0];
  return cells.some((cell) => typeof cell === "number") ? number : String(number);
}

/**
 * Returns the commonest cell with a label, or else the opposite of the other label's.
 * @param {Label} label
 * @param {Cell[]} cells
 */
function usualCell(label, cells) {
  const same = commonest(cells.filter((cell) => labelOf(cell, "words") === label));
  return same ?? oppositeOf(commonest(cells.filter((cell) => labelOf(cell, "words") !== null)));
}

/** @param {Cell[]} cells @returns {Cell} undefined for none */
function commonest(cells) {
  /** @type {Map<Cell, number>} */
  const counts = new Map();
  for (const cell of cells) counts.set(cell, (counts.get(cell) ?? 0) + 1);
  /** @type {[Cell, number]} */
  const none = [undefined, 0];
  return [...counts].reduce((most, one) => (one[1] > most[1] ? one : most), none)[0];
}

/** @param {Cell} cell @returns {Cell} */
function oppositeOf(cell) {
  if (cell === undefined) return undefined;
  if (typeof cell === "boolean") return !cell;
  const text = plain(cell);
  const [positive, negative] = [POSITIVE_WORDS.indexOf(text), NEGATIVE_WORDS.indexOf(text)];
  if (positive >= 0) return NEGATIVE_WORDS[positive];
  if (negative >= 0) return POSITIVE_WORDS[negative];
  return typeof cell === "number" ? 1 - cell : String(1 - numberOf(text));
}

/** Without outer white space, in lower case, with an ASCII minus. @param {Cell} cell */
export function plain(cell) {
  return textOf(cell).replace(EDGES, "").toLowerCase().replaceAll("\u2212", "-");
}

/** @param {string} text @returns {Label | null} */
function wordLabel(text) {
  if (POSITIVE_WORDS.includes(text)) return "positive";
  return NEGATIVE_WORDS.includes(text) ? "negative" : null;
}

/** NaN where a text is no number. @param {string} text */
function numberOf(text) {
  return NUMBER.test(text) ? Number(text) : NaN;
}

/** @param {number} number @param {Numbers} scale @returns {Label | null} */
function numberLabel(number, { least, negative, positive, most }) {
  if (!(least <= number && number <= most)) return null;
  if (number <= negative) return "negative";
  return number >= positive ? "positive" : null;
}

/**
 * The scale of a file's labels. Rows that can't be sent count for nothing.
 * @param {Sheet} sheet
 * @param {{review: number, label: number}} columns
 */
export function guessScaleOf(sheet, { review, label }) {
  const readable = sheet.rows.filter((_, row) => faultOf(sheet, row, review) === "");
  return guessScale(readable.map((cells) => cells[label]));
}

/** The scale of a column's cells, as far as they tell. @param {Cell[]} cells @returns {Scale} */
export function guessScale(cells) {
  const texts = cells.map(plain).filter((text) => text !== "" && !MIDDLE_WORDS.includes(text));
  const numbers = texts.map(numberOf).filter((number) => !Number.isNaN(number));
  // A slip among numbers doesn't make them words.
  if (numbers.length * 2 < texts.length || numbers.length === 0) return "words";
  const different = [...new Set(numbers)];
  const binary = different.every((number) => number === 0 || number === 1);
  return binary && texts.some(wordLabel) ? "words" : scaleOf(different);
}

/** @param {number[]} numbers the different ones @returns {Scale} */
function scaleOf(numbers) {
  const least = numbers.reduce((one, other) => Math.min(one, other));
  const most = numbers.reduce((one, other) => Math.max(one, other));
  // One negative number among stars stands for a missing label, not for a side.
  if (least < 0 && most <= Math.max(1, -least)) return "minus_plus";
  if (least >= 0 && most <= 1) return "zero_one";
  if (numbers.length === 2 && least === 1 && most === 2) return "one_two";
  return numbers.some((number) => number > 5 && number <= 10) ? "ten" : "five";
}
