// Finds the fewest words whose removal flips a verdict, among the variants of one batch.

import { MAX_BATCH_BYTES } from "../api.js";
import { escaped } from "../shared/spans.js";
import { isUnderstood } from "../shared/verdict_strings.js";

/** @typedef {import("../api.js").Answer} Answer */
/** @typedef {import("../api.js").Word} Word */
/** @typedef {{removed: number[], answer: Answer}} Flip */

export const MAX_VARIANTS = 64;

// Part of the batch limit reserved for its JSON.
const BATCH_MARGIN_BYTES = 50_000;
// For each side: single words, then pairs of the strongest, then ever more words at once.
const SINGLES = 24;
const PAIRED = 6;
const GROWTH = 1.25;

/** Returns how many variants of a text fit into one batch. @param {string} text */
export function variantsThatFit(text) {
  const bytes = new TextEncoder().encode(JSON.stringify(escaped(text))).length;
  return Math.max(1, Math.min(MAX_VARIANTS, Math.floor((MAX_BATCH_BYTES - BATCH_MARGIN_BYTES) / bytes)));
}

/**
 * Returns the removals to try, smallest first. For an uncertain verdict, both sides share them.
 * @param {Pick<Answer, "sentiment">} answer
 * @param {Word[]} words
 * @param {{limit?: number, indexes?: number[]}} [options] the number of variants, and the words to use
 * @returns {number[][]} indexes of words
 */
export function removals({ sentiment }, words, { limit = MAX_VARIANTS, indexes = [...words.keys()] } = {}) {
  const sides = { positive: [1], negative: [-1], uncertain: [1, -1] }[sentiment];
  const share = Math.floor(Math.min(limit, MAX_VARIANTS) / sides.length);
  const tried = sides.flatMap((side) => ofOneSide(strongest(words, indexes, side), share));
  return tried.sort((one, other) => one.length - other.length);
}

/**
 * Returns the smallest removal that flips the verdict, and of equal ones the strongest. A rest that is not
 * understood is no flip.
 * @param {Answer} before
 * @param {Flip[]} tried
 * @returns {Flip | null}
 */
export function smallestFlip(before, tried) {
  const change = (/** @type {Flip} */ { answer }) => Math.abs(answer.probability - before.probability);
  const flips = tried.filter(({ answer }) => isUnderstood(answer) && answer.sentiment !== before.sentiment);
  flips.sort((one, other) => one.removed.length - other.removed.length || change(other) - change(one));
  return flips[0] ?? null;
}

/**
 * Returns the words on one side, strongest first: by effect, or by pull where none was measured.
 * @param {Word[]} words
 * @param {number[]} indexes
 * @param {number} side
 */
function strongest(words, indexes, side) {
  const pull = (/** @type {number} */ index) => (words[index].effect ?? words[index].contribution) * side;
  return indexes.filter((index) => pull(index) > 0).sort((one, other) => pull(other) - pull(one));
}

/** @param {number[]} ranked @param {number} limit @returns {number[][]} */
function ofOneSide(ranked, limit) {
  const singles = ranked.slice(0, Math.min(SINGLES, limit / 2)).map((index) => [index]);
  const pairs = pairsOf(ranked.slice(0, PAIRED)).slice(0, limit / 4);
  return [...singles, ...pairs, ...growing(ranked, limit - singles.length - pairs.length)];
}

/** @param {number[]} indexes @returns {number[][]} */
function pairsOf(indexes) {
  return indexes.flatMap((one, place) => indexes.slice(place + 1).map((other) => [one, other]));
}

/** Returns the strongest three, four, five and so on, and at last all. @param {number[]} ranked @param {number} limit */
function growing(ranked, limit) {
  const sizes = [];
  for (let size = 3; size < ranked.length && sizes.length < limit - 1; size = Math.ceil(size * GROWTH)) {
    sizes.push(size);
  }
  if (ranked.length >= 3) sizes.push(ranked.length);
  return sizes.slice(0, limit).map((size) => ranked.slice(0, size).sort((one, other) => one - other));
}
