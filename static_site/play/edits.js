// Makes small edits of a review: a word left out, a word swapped for its opposite, a sentence left out.

import { articleFor, opposites, withNot, withoutNot } from "./opposites.js";
import { cut } from "../shared/spans.js";

/** @typedef {import("../api.js").Word} Word */
/** @typedef {import("../shared/spans.js").Range} Range */
/** @typedef {{text: string, sentences: import("../api.js").Sentence[], words: Word[]}} Explained */
/**
 * @typedef {Range & {text: string, pull: number, measured: boolean, not: number | null}} Unit
 *   A word as people count: "isn't" and "well-made" are one. pull: towards positive, in logits;
 *   measured: by leaving it out; not: the pull of its "n't"
 */
/**
 * @typedef {Range & {unit: number, kind: "swap" | "drop" | "not" | "sentence", put: string, from: string,
 *   to: string, expected: number}} Edit
 *   Writes put in place of the range. from, to: the words that change; expected: the rise, in logits
 */
/** @typedef {{text: string, removed: Range[], inserted: {at: number, text: string}[]}} Changed */

const IS_WORD = /[\p{L}\p{N}]/u;
// A token that belongs to the word before it: 's, n't.
const ENDING = /^(n?['\u2018\u2019`]\p{L}+)$/u;
const NOT = /^n['\u2018\u2019`]t$/i;
/** Words that turn a sentence; leaving one out may matter more than its pull tells. */
export const NEGATORS = "not no never nobody nothing none nor hardly without but".split(" ");
const STOP = /[.!?\u2026]/;
const SPACE = /\s/;
// An opposite takes the word's pull away and adds about as much on the other side.
const SWAPPED = 2;
// Sentence pulls change less than they would if each "n't" turned them around.
const TURNED = 1.2;

/** Returns the words of a text that the model read. @param {Explained} answer @returns {Unit[]} */
export function unitsOf({ text, words }) {
  const points = Array.from(text);
  /** @type {Word[][]} */
  const groups = [];
  words.forEach((word, index) => {
    const group = groups.at(-1);
    if (group && joins(points, words, index)) group.push(word);
    else groups.push([word]);
  });
  return groups.map((group) => unitOf(points, group)).filter((unit) => IS_WORD.test(unit.text));
}

/**
 * Tells whether a token goes on the word before it.
 * @param {string[]} points
 * @param {Word[]} words
 * @param {number} index
 */
function joins(points, words, index) {
  const [before, word, next] = [words[index - 1], words[index], words[index + 1]];
  if (before.end !== word.start) return false;
  const text = cut(points, word);
  if (ENDING.test(text)) return IS_WORD.test(cut(points, before));
  if (text === "-") return next?.start === word.end && isLetters(points, before) && isLetters(points, next);
  return cut(points, before) === "-" && isLetters(points, word) && words[index - 2]?.end === before.start;
}

/** @param {string[]} points @param {Range} range */
function isLetters(points, range) {
  return /^\p{L}+$/u.test(cut(points, range));
}

/** @param {string[]} points @param {Word[]} group @returns {Unit} */
function unitOf(points, group) {
  const range = { start: group[0].start, end: group[group.length - 1].end };
  const pullOf = (/** @type {Word} */ word) => word.effect ?? word.contribution;
  const not = group.find((word) => NOT.test(cut(points, word)));
  return {
    ...range,
    text: cut(points, range),
    pull: group.reduce((sum, word) => sum + pullOf(word), 0),
    measured: group.length === 1 && group[0].effect !== undefined,
    not: not ? pullOf(not) : null,
  };
}

/**
 * Returns the edit that leaves out a word, its space with it.
 * @param {string[]} points
 * @param {Unit} unit
 * @param {number} index
 * @returns {Edit}
 */
export function dropOf(points, unit, index) {
  const kind = /** @type {const} */ ("drop");
  const edit = { unit: index, kind, from: unit.text, to: "", expected: -unit.pull };
  const article = articleBefore(points, unit.start, wordAt(points, unit.end));
  if (article) return { ...edit, start: article.start, end: unit.end, put: article.put };
  return { ...edit, ...roomAround(points, unit) };
}

/**
 * Returns the edits that swap a word for its opposites, or "isn't" for "is".
 * @param {string[]} points
 * @param {Unit} unit
 * @param {number} index
 * @returns {Edit[]}
 */
export function swapsOf(points, unit, index) {
  const verb = withoutNot(unit.text);
  const turned = verb === null ? [] : [{ to: verb, expected: -SWAPPED * (unit.not ?? unit.pull) }];
  const others = opposites(unit.text).map((to) => ({ to, expected: -SWAPPED * unit.pull }));
  return [...turned, ...others].map((one) => {
    return { ...swap(points, unit, one.to), ...one, unit: index, kind: "swap" };
  });
}

/**
 * Returns the edit that adds "n't" to a sentence's first helping verb, if it has one.
 * @param {string[]} points
 * @param {Unit[]} units
 * @param {import("../api.js").Sentence} sentence
 * @returns {Edit[]} none, or one
 */
export function notOf(points, units, sentence) {
  const curly = points.includes("\u2019");
  const index = units.findIndex((unit) => lies(unit, sentence) && withNot(unit.text, curly) !== null);
  if (index < 0 || NEGATORS.includes(units[index + 1]?.text.toLowerCase())) return [];
  const to = withNot(units[index].text, curly) ?? "";
  const expected = -TURNED * sentence.contribution;
  return [{ ...swap(points, units[index], to), to, expected, unit: index, kind: "not" }];
}

/**
 * Returns the edit that leaves out a whole sentence.
 * @param {string[]} points
 * @param {Range} sentence
 * @returns {Edit}
 */
export function sentenceDropOf(points, sentence) {
  let [start, end] = [sentence.start, sentence.end];
  while (end < points.length && SPACE.test(points[end])) end += 1;
  while (end === points.length && start > 0 && SPACE.test(points[start - 1])) start -= 1;
  const from = cut(points, sentence).trim();
  return { unit: -1, kind: "sentence", start, end, put: "", from, to: "", expected: 0 };
}

/** @param {Range} inner @param {Range} outer */
export function lies(inner, outer) {
  return inner.start >= outer.start && inner.end <= outer.end;
}

/** Writes edits into a text. @param {string[]} points @param {Edit[]} edits @returns {Changed} */
export function changedBy(points, edits) {
  let [at, text] = [0, ""];
  const [removed, inserted] = [/** @type {Range[]} */ ([]), /** @type {Changed["inserted"]} */ ([])];
  for (const { start: from, end, put } of edits.toSorted((one, other) => one.start - other.start)) {
    const start = Math.max(at, from);
    text += cut(points, { start: at, end: start }) + put;
    at = Math.max(at, end);
    if (at > start) removed.push({ start, end: at });
    if (put.trim() !== "") inserted.push({ at, text: put });
  }
  return { text: text + cut(points, { start: at, end: points.length }), removed, inserted };
}

/** Tells whether a text has anything to read. @param {string} text */
export function hasWord(text) {
  return IS_WORD.test(text);
}

/**
 * Writes a word in place of another, and mends the article before it.
 * @param {string[]} points
 * @param {Unit} unit
 * @param {string} to
 */
function swap(points, unit, to) {
  const article = articleBefore(points, unit.start, to);
  const put = article ? `${article.put} ${to}` : to;
  return { start: article?.start ?? unit.start, end: unit.end, put, from: unit.text };
}

/**
 * Returns the article before a place, if the word that will follow asks for the other form.
 * @param {string[]} points
 * @param {number} at
 * @param {string} word
 */
function articleBefore(points, at, word) {
  const before = cut(points, { start: Math.max(0, at - 4), end: at });
  const match = before.match(/(?:^|[^\p{L}'\u2019-])(an?)\s$/iu);
  if (!match || word === "") return null;
  const put = articleFor(match[1], word);
  return put === match[1] ? null : { start: at - match[1].length - 1, put };
}

/** Returns the word that follows a place after one space. @param {string[]} points @param {number} at */
function wordAt(points, at) {
  return cut(points, { start: at, end: at + 30 }).match(/^\s(\p{L}+)/u)?.[1] ?? "";
}

/**
 * Returns the range to remove with a word, so that neither two spaces stay nor two words join.
 * @param {string[]} points
 * @param {Range} unit
 */
function roomAround(points, { start, end }) {
  const before = points[start - 1] ?? "\n";
  if (opens(points, start)) return { start, end: startOfRest(points, end), put: "" };
  if (before === " ") return { start: start - 1, end, put: IS_WORD.test(points[end] ?? " ") ? " " : "" };
  if (!IS_WORD.test(before)) return { start, end: points[end] === " " ? end + 1 : end, put: "" };
  return { start, end, put: IS_WORD.test(points[end] ?? " ") ? " " : "" };
}

/** Tells whether a sentence starts here. @param {string[]} points @param {number} start */
function opens(points, start) {
  const before = points[start - 1] ?? "\n";
  return before === "\n" || (before === " " && STOP.test(points[start - 2] ?? ""));
}

/** Skips the signs and the space after a sentence's first word. @param {string[]} points @param {number} end */
function startOfRest(points, end) {
  let at = end;
  while (at < points.length && /[,;:.!?\u2026]/.test(points[at])) at += 1;
  return points[at] === " " ? at + 1 : at;
}
