// Draws an answer's marks in the very box that one types in, on a layer beneath the text.

import { align, movedBy, placed } from "./align.js";
import { marksOf, textNodes } from "./marked_text.js";
import { byId } from "../shared/dom.js";

/** @typedef {import("./effects.js").Explained} Explained */
/** @typedef {import("./marked_text.js").Mark} Mark */
/** @typedef {import("./marked_text.js").Marks} Marks */

/** @type {Marks} */
const NONE = { sentences: [], words: [], unread: [] };

const review = /** @type {HTMLTextAreaElement} */ (byId("review"));
const layer = byId("marks");

/** The marks, in UTF-16 units of the text that they were made for. */
let marks = NONE;
let marked = "";

/** Starts to follow the text in the box. */
export function startBox() {
  review.addEventListener("input", draw);
  addEventListener("pageshow", draw);
  draw();
}

/**
 * Marks the text in the box, which was sent.
 * @param {string} sent
 * @param {Explained} answer
 * @returns {boolean} false when cleaning changed the text too much for marks in the box
 */
export function markText(sent, answer) {
  const map = align(sent, answer.text);
  const found = marksOf(answer);
  const move = (/** @type {any} */ mark) => (map ? { ...mark, ...placed(map, mark) } : mark);
  marked = sent;
  marks = map
    ? { sentences: found.sentences.map(move), words: found.words.map(move), unread: found.unread.map(move) }
    : NONE;
  draw();
  return map !== null;
}

export function clearMarks() {
  marks = NONE;
  draw();
}

/** Draws the layer: the box's text, with the marks that still stand on their own words. */
function draw() {
  const text = review.value;
  const moved = movedBy(marked, text);
  const kept = (/** @type {any[]} */ all) =>
    all.flatMap((mark) => {
      const range = moved(mark);
      return range ? [{ ...mark, ...range }] : [];
    });
  const shown = { sentences: kept(marks.sentences), words: kept(marks.words), unread: kept(marks.unread) };
  // The space gives a last empty line its height.
  layer.replaceChildren(...textNodes(({ start, end }) => text.slice(start, end), text.length, shown), " ");
}
