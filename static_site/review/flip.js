// Finds the fewest words whose removal changes a verdict, among few variants that one batch answers.

import { MAX_BATCH_BYTES } from "../api.js";
import { escaped } from "../shared/spans.js";

/** @typedef {import("../api.js").Answer} Answer */
/** @typedef {import("../api.js").Span} Span */
/** @typedef {{removed: number[], answer: Answer}} Flip */

export const MAX_VARIANTS = 64;

// Of the batch's limit this much is left for its JSON.
const BATCH_MARGIN_BYTES = 50_000;
// Of one side: so many single words, then pairs of the strongest few, then ever more words at once.
const SINGLES = 24;
const PAIRED = 6;
const GROWTH = 1.25;

/** How many variants of a text one batch holds: fewer of a long one. @param {string} text */
export function variantsThatFit(text) {
  const bytes = new TextEncoder().encode(JSON.stringify(escaped(text))).length;
  return Math.max(1, Math.min(MAX_VARIANTS, Math.floor((MAX_BATCH_BYTES - BATCH_MARGIN_BYTES) / bytes)));
}

/**
 * What to try, smallest removals first; of an uncertain verdict both sides share the variants.
 * @param {Pick<Answer, "sentiment">} answer
 * @param {Span[]} words
 * @param {{limit?: number, indexes?: number[]}} [options] how many variants, and of which words
 * @returns {number[][]} indexes of words
 */
export function removals({ sentiment }, words, { limit = MAX_VARIANTS, indexes = [...words.keys()] } = {}) {
  const sides = { positive: [1], negative: [-1], uncertain: [1, -1] }[sentiment];
  const share = Math.floor(Math.min(limit, MAX_VARIANTS) / sides.length);
  const tried = sides.flatMap((side) => ofOneSide(strongest(words, indexes, side), share));
  return tried.sort((one, other) => one.length - other.length);
}

/**
 * The smallest removal that changed the verdict, and of equal ones that which changed the most.
 * @param {Answer} before
 * @param {Flip[]} tried
 * @returns {Flip | null}
 */
export function smallestFlip(before, tried) {
  const change = (/** @type {Flip} */ { answer }) => Math.abs(answer.probability - before.probability);
  const flips = tried.filter(({ answer }) => answer.sentiment !== before.sentiment);
  flips.sort((one, other) => one.removed.length - other.removed.length || change(other) - change(one));
  return flips[0] ?? null;
}

/**
 * The words that pull to one side, the strongest first.
 * @param {Span[]} words
 * @param {number[]} indexes
 * @param {number} side
 */
function strongest(words, indexes, side) {
  const pull = (/** @type {number} */ index) => words[index].contribution * side;
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

/** The strongest three, four, five, ... and at last all. @param {number[]} ranked @param {number} limit */
function growing(ranked, limit) {
  const sizes = [];
  for (let size = 3; size < ranked.length && sizes.length < limit - 1; size = Math.ceil(size * GROWTH)) {
    sizes.push(size);
  }
  if (ranked.length >= 3) sizes.push(ranked.length);
  return sizes.slice(0, limit).map((size) => ranked.slice(0, size).sort((one, other) => one - other));
}
