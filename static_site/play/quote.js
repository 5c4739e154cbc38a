// Chooses what of a review stands on its card: the marked words, and as many whole sentences as fit.

import { lies } from "./edits.js";
import { glowing } from "../review/effects.js";
import { cut } from "../shared/spans.js";

/** @typedef {import("../shared/spans.js").Range} Range */
/** @typedef {"plain" | "plus" | "minus" | "removed" | "inserted"} Kind */
/** @typedef {{text: string, kind: Kind}} Piece */
/** @typedef {Range & {kind: Kind, text?: string}} Mark text: what is inserted after the range */

// Characters of a word that no card holds.
const LONG_WORD = 40;

/** Returns the words that glow on the page. @param {import("./search.js").Explained} answer @returns {Mark[]} */
export function glowingMarks(answer) {
  return glowing(answer).map((index) => {
    const { start, end, effect } = answer.words[index];
    return { start, end, kind: (effect ?? 0) > 0 ? "plus" : "minus" };
  });
}

/** Returns the marks of a change. @param {import("./search.js").Change} change @returns {Mark[]} */
export function changes({ removed, inserted }) {
  return [
    ...removed.map((range) => ({ ...range, kind: /** @type {Kind} */ ("removed") })),
    ...inserted.map(({ at, text }) => ({ start: at, end: at, kind: /** @type {Kind} */ ("inserted"), text })),
  ];
}

/**
 * Returns the quote: all sentences, or as many of the first and last ones as fit. Changed sentences are kept.
 * @param {import("./search.js").Explained} answer
 * @param {Mark[]} marks
 * @param {(pieces: Piece[]) => boolean} fits
 * @returns {Piece[]}
 */
export function quoteOf({ text, sentences }, marks, fits) {
  const points = Array.from(text);
  const parts = partsOf(points, sentences).map((range) => ({
    pieces: piecesOf(points, range, marks),
    kept: marks.some((mark) => isChange(mark) && lies(mark, range)),
  }));
  /** @type {(typeof parts[0] | null)[]} null where sentences are left out */
  let shown = parts;
  while (!fits(joined(shown))) {
    const next = withoutOne(shown);
    if (next === null) return clipped(joined(shown), fits);
    shown = next;
  }
  return joined(shown);
}

/**
 * Divides a text at the starts of its sentences, so that nothing is lost.
 * @param {string[]} points
 * @param {Range[]} sentences
 * @returns {Range[]}
 */
function partsOf(points, sentences) {
  const starts = [0, ...sentences.slice(1).map(({ start }) => start)];
  return starts.map((start, index) => ({ start, end: starts[index + 1] ?? points.length }));
}

/** @param {string[]} points @param {Range} range @param {Mark[]} marks @returns {Piece[]} */
function piecesOf(points, range, marks) {
  let at = range.start;
  /** @type {Piece[]} */
  const pieces = [];
  const add = (/** @type {string} */ text, /** @type {Kind} */ kind) => {
    if (text !== "") pieces.push({ text, kind });
  };
  for (const mark of marks.filter((one) => lies(one, range)).sort(byPlace)) {
    add(cut(points, { start: at, end: mark.start }), "plain");
    add(mark.text ?? cut(points, mark), mark.kind);
    at = Math.max(at, mark.end);
  }
  add(cut(points, { start: at, end: range.end }), "plain");
  return pieces;
}

/** Puts an inserted word after the one that it replaces. @param {Mark} one @param {Mark} other */
function byPlace(one, other) {
  return one.start - other.start || one.end - other.end;
}

/** @param {Mark} mark */
function isChange({ kind }) {
  return kind === "removed" || kind === "inserted";
}

/**
 * Leaves out one more sentence, from the middle; null when none can go.
 * @template {{kept: boolean}} Part
 * @param {(Part | null)[]} shown
 */
function withoutOne(shown) {
  const places = [...shown.keys()].filter((place) => shown[place] !== null && !shown[place].kept);
  const present = shown.filter((part) => part !== null);
  if (places.length === 0 || present.length < 2) return null;
  const middle = (shown.length - 1) / 2;
  const far = (/** @type {number} */ place) => Math.abs(place - middle);
  const gone = places.reduce((best, place) => (far(place) < far(best) ? place : best));
  return shown.map((part, place) => (place === gone ? null : part));
}

/** @param {({pieces: Piece[]} | null)[]} shown @returns {Piece[]} */
function joined(shown) {
  return shown.flatMap((part, place) => {
    if (part !== null) return part.pieces;
    return place > 0 && shown[place - 1] === null ? [] : [gap(" ")];
  });
}

/**
 * Cuts a text that is too long by itself, after a word.
 * @param {Piece[]} pieces
 * @param {(pieces: Piece[]) => boolean} fits
 * @returns {Piece[]}
 */
function clipped(pieces, fits) {
  const words = pieces.flatMap(({ text, kind }) => (text.match(/\s*\S+/g) ?? []).map((word) => ({ text: word, kind })));
  let [few, many] = [0, words.length];
  while (few < many) {
    const half = Math.ceil((few + many) / 2);
    if (fits([...words.slice(0, half), gap()])) few = half;
    else many = half - 1;
  }
  if (few > 0) return [...words.slice(0, few), gap()];
  const start = Array.from(words[0]?.text ?? "").slice(0, LONG_WORD);
  return [{ text: start.join(""), kind: "plain" }, gap()];
}

/** Marks what is left out. @param {string} [after] @returns {Piece} */
function gap(after = "") {
  return { text: `\u2026${after}`, kind: "plain" };
}
