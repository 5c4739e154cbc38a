// Guesses which columns of a file hold the reviews, labels and ids, and finds what can't be sent.

import { MAX_REVIEW_CHARACTERS, countCharacters } from "../api.js";
import { REVIEW_NAMES, textOf } from "./reading.js";

/** @typedef {import("./reading.js").Sheet} Sheet */
/** @typedef {{review: number, label: number, id: number}} Columns places of columns; -1 for none */

/** Names under which files hold their labels, the likeliest first, as in training/files/labelled.py. */
export const LABEL_NAMES = [
  "label",
  "labels",
  "sentiment",
  "stars",
  "star_rating",
  "rating",
  "score",
  "polarity",
  "class",
  "target",
];
export const ID_NAMES = ["id", "review_id", "reviewid", "uuid", "key"];
// Rows by which a column's text length is judged.
const SAMPLE_ROWS = 200;

/** @param {Sheet} sheet @returns {Columns} */
export function guessColumns(sheet) {
  const review = guessReview(sheet);
  const others = sheet.columns.map((name, place) => (place === review ? "" : name));
  return { review, label: placeOf(LABEL_NAMES, others), id: placeOf(ID_NAMES, others) };
}

/** Returns the column with a known name, or else the one with the longest texts. @param {Sheet} sheet */
function guessReview({ columns, rows, unread }) {
  const named = placeOf(REVIEW_NAMES, columns);
  if (named >= 0) return named;
  const sample = rows.slice(0, SAMPLE_ROWS);
  const lengths = columns.map((_, place) =>
    place === unread ? -1 : sample.reduce((sum, row) => sum + textOf(row[place]).length, 0),
  );
  return lengths.indexOf(Math.max(...lengths));
}

/** @param {string[]} wanted the likeliest first @param {string[]} columns */
function placeOf(wanted, columns) {
  const names = columns.map((name) => name.trim().toLowerCase());
  const found = wanted.find((name) => names.includes(name));
  return found === undefined ? -1 : names.indexOf(found);
}

/**
 * Returns why a row can't be sent; "" when it can.
 * @param {Sheet} sheet
 * @param {number} row
 * @param {number} column
 */
export function faultOf({ rows, unread }, row, column) {
  const cells = rows[row];
  if (unread >= 0 && cells[unread] !== undefined) return "not_json";
  const review = textOf(cells[column]);
  if (review.trim() === "") return "empty";
  return isTooLong(review) ? "too_long" : "";
}

/** @param {string} review */
function isTooLong(review) {
  // A character takes one or two units, so only longer texts need counting.
  return review.length > MAX_REVIEW_CHARACTERS && countCharacters(review) > MAX_REVIEW_CHARACTERS;
}
