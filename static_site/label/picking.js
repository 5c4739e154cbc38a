// Finds and changes the columns that hold the texts and the labels.

import { byId, fillSelect, selectOf } from "../shared/dom.js";
import { ID_NAMES, LABEL_NAMES, guessColumns } from "../rows/columns.js";
import { REVIEW_NAMES, Refusal, textOf } from "../rows/reading.js";
import { LABEL as words } from "./strings.js";

/**
 * @typedef {import("../rows/reading.js").Sheet} Sheet
 * @typedef {import("./labelling.js").Places} Places
 */

// A column's name may be a megabyte long.
const NAME_CHARACTERS = 40;
const NAMED_COLUMNS = 5;

/**
 * Guesses the columns of texts and labels.
 * @param {Sheet} sheet
 * @returns {Places}
 * @throws {Refusal} when no column holds texts
 */
export function placesOf(sheet) {
  const { review: guess } = guessColumns(sheet);
  const review = [guess, ...sheet.columns.keys()].find((place) => holdsTexts(sheet, place));
  if (review === undefined) throw new Refusal("no_texts", { columns: namesOf(sheet) });
  const names = sheet.columns.map((name, place) => (place === review ? "" : name.trim().toLowerCase()));
  const label = LABEL_NAMES.find((name) => names.includes(name));
  return { review, label: label === undefined ? -1 : names.indexOf(label) };
}

/** @param {Sheet} sheet @param {number} place */
function holdsTexts({ columns, rows, unread }, place) {
  if (place < 0 || place === unread) return false;
  const name = columns[place].trim().toLowerCase();
  const named = REVIEW_NAMES.includes(name);
  if (!named && [...LABEL_NAMES, ...ID_NAMES].includes(name)) return false;
  const isText = named ? /[^\s\d.,]/u : /\p{L}/u;
  return rows.some((cells) => typeof cells[place] === "string" && isText.test(textOf(cells[place])));
}

/** Names the first columns. Without a header there are no names. @param {Sheet} sheet */
function namesOf({ columns, header, format }) {
  if (!header && format !== "jsonl") return "";
  return columns.slice(0, NAMED_COLUMNS).map(shortened).join(", ");
}

/** @param {string} name */
function shortened(name) {
  return name.length > NAME_CHARACTERS ? `${name.slice(0, NAME_CHARACTERS)}\u2026` : name;
}

/**
 * Offers a file's columns to choose from.
 * @param {Sheet} sheet
 * @param {Places} places
 */
export function showColumns(sheet, { review, label }) {
  const names = sheet.columns.map(
    (name, place) => /** @type {[string, string]} */ ([String(place), shortened(name)]),
  );
  byId("columns").hidden = sheet.columns.length < 2;
  fillSelect(selectOf(document, "#review-column"), names, String(review));
  fillSelect(selectOf(document, "#label-column"), [["-1", words.newColumn], ...names], String(label));
}

/** Returns the columns that the reader chose. @returns {Places} */
export function chosenColumns() {
  const place = (/** @type {string} */ id) => Number(selectOf(document, id).value);
  return { review: place("#review-column"), label: place("#label-column") };
}
