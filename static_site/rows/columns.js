// Guesses which columns of a file hold the reviews, labels and ids, and finds what can't be sent.

import { MAX_REVIEW_CHARACTERS, countCharacters } from "../api.js";
import { areDates } from "./dates.js";
import { REVIEW_NAMES, textOf } from "./reading.js";

/** @typedef {import("./reading.js").Sheet} Sheet */
/** @typedef {{review: number, label: number, id: number}} Columns places of columns; -1 for none */
/** @typedef {{date: number, group: number}} ReportColumns places of columns; -1 for none */

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
/** Names of columns of dates and of groups, folded, the likeliest first, as in training/report/columns.py. */
const DATE_NAMES = (
  "date time timestamp datetime createdat created posted postedat published publishedat day reviewdate reviewedat " +
  "reviewtime submitted submittedat submissiontime unixreviewtime when"
).split(" ");
const GROUP_NAMES = (
  "film movie title product item source store brand category group filmtitle movietitle producttitle productname " +
  "itemname filmid movieid productid itemid asin sku app shop channel branch location hotel restaurant region " +
  "country city market department version model"
).split(" ");
// Words by which reviews of films and of products are told apart.
const FILM = /\b(?:films?|movies?|acting|actors?|actress|plot|director|scenes?|cinema)\b/i;
const PRODUCT = /\b(?:products?|delivery|shipping|refund|price|quality|bought|purchase[ds]?|battery|arrived|package)\b/i;
// Rows by which aspects are guessed.
const GUESS_ROWS = 1_000;
// Rows by which a column's text length is judged.
const SAMPLE_ROWS = 200;

/** @param {Sheet} sheet @returns {Columns} */
export function guessColumns(sheet) {
  const review = guessReview(sheet);
  const others = sheet.columns.map((name, place) => (place === review ? "" : name));
  return { review, label: placeOf(LABEL_NAMES, others), id: placeOf(ID_NAMES, others) };
}

/**
 * Guesses the columns of dates and groups.
 * @param {Sheet} sheet
 * @param {Columns} others columns that are taken
 * @returns {ReportColumns}
 */
export function guessReportColumns({ columns, rows }, others) {
  const taken = Object.values(others);
  const folded = columns.map((name, place) => (taken.includes(place) ? "" : fold(name)));
  const named = (/** @type {string[]} */ names) => names.map((name) => folded.indexOf(name)).filter((place) => place >= 0);
  const cellsOf = (/** @type {number} */ place) => rows.map((row) => row[place]);
  const date = named(DATE_NAMES).find((place) => areDates(cellsOf(place))) ?? -1;
  const groups = named(GROUP_NAMES).filter((place) => place !== date);
  const counts = groups.map((place) => countGroups(cellsOf(place)));
  const usual = counts.findIndex(({ different, filled }) => different >= 2 && different <= filled / 2);
  // A single group is taken too, so that the report can say so.
  const single = counts.findIndex(({ different }) => different === 1);
  return { date, group: groups[usual >= 0 ? usual : single] ?? -1 };
}

/** @param {string} name */
function fold(name) {
  return name.toLowerCase().replace(/[^a-z0-9]/g, "");
}

/** @param {import("./reading.js").Cell[]} cells */
function countGroups(cells) {
  const filled = cells.map((cell) => textOf(cell).trim()).filter(Boolean);
  return { filled: filled.length, different: new Set(filled).size };
}

/** Returns the shipped list of aspects that the reviews speak of more. @param {Sheet} sheet @param {number} review @returns {"film" | "product"} */
export function guessAspects({ rows }, review) {
  const texts = rows.slice(0, GUESS_ROWS).map((row) => textOf(row[review]));
  const count = (/** @type {RegExp} */ words) => texts.filter((text) => words.test(text)).length;
  return count(PRODUCT) > count(FILM) ? "product" : "film";
}

/** Returns the column with a known name, or else the one with the longest texts. @param {Sheet} sheet */
function guessReview({ columns, rows, unread }) {
  const named = placeOf(REVIEW_NAMES, columns);
  if (named >= 0) return named;
  const sample = rows.slice(0, SAMPLE_ROWS);
  // A column whose name says something else holds no reviews, however long its cells are.
  const others = [...LABEL_NAMES, ...ID_NAMES, ...DATE_NAMES, ...GROUP_NAMES];
  const lengths = columns.map((name, place) =>
    place === unread || others.includes(fold(name)) ? -1 : sample.reduce((sum, row) => sum + textOf(row[place]).length, 0),
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
