// Reads a file's own labels as positive or negative: words, 1 and 0, or stars.

import { textOf } from "./reading.js";

/**
 * @typedef {import("./reading.js").Cell} Cell
 * @typedef {"positive" | "negative"} Label
 * @typedef {"words" | "zero_one" | "one_two" | "minus_plus" | "five" | "ten"} Scale
 */

const POSITIVE_WORDS = ["positive", "pos", "p", "good", "true", "yes", "+", "fresh"];
const NEGATIVE_WORDS = ["negative", "neg", "n", "bad", "false", "no", "-", "\u2212", "rotten"];
// As many labels as say which scale they are on.
const SAMPLE = 5_000;

/**
 * What a number means on each scale: negative up to one, positive from the other.
 * @type {Record<string, {negative: number, positive: number}>}
 */
const NUMBERS = {
  zero_one: { negative: 0, positive: 1 },
  one_two: { negative: 1, positive: 2 },
  minus_plus: { negative: -Number.MIN_VALUE, positive: Number.MIN_VALUE },
  // Stars in the middle are neither; the ten are split as IMDb's own data set splits them.
  five: { negative: 2, positive: 4 },
  ten: { negative: 4, positive: 7 },
};

/** @type {Scale[]} */
export const SCALES = ["words", "zero_one", "one_two", "minus_plus", "five", "ten"];

/**
 * What a cell says on a scale; null for neither.
 * @param {Cell} cell
 * @param {Scale} scale
 * @returns {Label | null}
 */
export function labelOf(cell, scale) {
  const text = textOf(cell).trim().toLowerCase();
  if (text === "") return null;
  if (scale === "words") return wordLabel(text);
  const number = Number(text);
  const { negative, positive } = NUMBERS[scale];
  if (number <= negative) return "negative";
  return number >= positive ? "positive" : null;
}

/** @param {string} text @returns {Label | null} */
function wordLabel(text) {
  if (POSITIVE_WORDS.includes(text)) return "positive";
  return NEGATIVE_WORDS.includes(text) ? "negative" : null;
}

/** The scale that a column's cells are on, as far as they tell. @param {Cell[]} cells @returns {Scale} */
export function guessScale(cells) {
  const texts = cells
    .slice(0, SAMPLE)
    .map((cell) => textOf(cell).trim())
    .filter(Boolean);
  const numbers = texts.map(Number).filter((number) => !Number.isNaN(number));
  // A slip among numbers doesn't make them words.
  if (numbers.length * 2 < texts.length || numbers.length === 0) return "words";
  return scaleBetween(Math.min(...numbers), Math.max(...numbers));
}

/** @param {number} least @param {number} most @returns {Scale} */
function scaleBetween(least, most) {
  if (least < 0) return "minus_plus";
  if (least === 1 && most === 2) return "one_two";
  if (most <= 1) return "zero_one";
  return most <= 5 ? "five" : "ten";
}
