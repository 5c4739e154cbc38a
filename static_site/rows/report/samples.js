// Takes a sample of sentences and words, and finds the most typical sentences and the strongest words.

import { sampleKey } from "./hashing.js";
import { MICRO, microOf, rounded } from "./intervals.js";
import { STOP_WORDS } from "./stop_words.js";

/**
 * @typedef {{row: number, start: number, text: string, alone: number, contribution: number,
 *   content: string[]}} Candidate a sentence; content: its different words, without stop words
 * @typedef {{text: string, row: number, alone: number, contribution: number, similar: number}} Typical
 *   similar: how many other candidates it stands for; row counts from 1
 * @typedef {{best: Typical[], worst: Typical[]}} Sides
 * @typedef {{word: string, effect: number, rows: number, examples: number[]}} Strong examples: numbers of rows
 * @typedef {{word: string, effect: number, rows: Map<number, [number, number]>}} Effect
 *   rows: the lowest and the highest effect in each, in millionths
 */

const SENTENCE_ROWS = 5_000;
const WORD_ROWS = 500;
const CANDIDATES_A_SIDE = 2_000;
const TYPICAL = 5;
const STRONG = 15;
const MOST_EXAMPLES = 20;
// Sentences compared between two pauses.
const SLICE_SENTENCES = 100;
const [FEWEST_WORDS, MOST_WORDS] = [4, 30];
const FEWEST_CONTENT_WORDS = 2;
// P(positive) of a sentence alone.
const [BEST, WORST] = [0.8, 0.2];
// A Jaccard index in millionths.
const SAME = 600_000;
// Rows that a word needs; fewer in a small file.
const FEWEST_ROWS = 5;
const FEWEST_ROWS_SMALL = 2;
const SMALL_FILE = 100;

const WORD = /[\p{L}\p{N}]+(?:['\u2019][\p{L}\p{N}]+)*/gu;
const LETTER = /\p{L}/u;
const SURROGATE = /[\ud800-\udfff]/;

/** Lists the words of a text in lower case. @param {string} text @returns {string[]} */
function wordsOf(text) {
  return (text.toLowerCase().match(WORD) ?? []).map((word) => word.replaceAll("\u2019", "'"));
}

/** Drops a plural's s. @param {string} word */
function formOf(word) {
  return word.length > 3 && word.endsWith("s") && !/(?:ss|us|is)$/.test(word) ? word.slice(0, -1) : word;
}

/** Holds the sampled sentences and words of a file. */
export class Samples {
  /** @type {Map<number, {best: Candidate[], worst: Candidate[]}>} by row */ #sentences = new Map();
  /** @type {Map<number, {form: string, surface: string, effect: number}[]>} by row */ #words = new Map();
  /** @type {Sides | null} */ #typical = null;

  /** @param {number} rows of the file */
  constructor(rows) {
    const keys = Uint32Array.from({ length: rows }, (_, row) => sampleKey(row + 1));
    const order = Array.from(keys.keys()).sort((left, right) => keys[left] - keys[right]);
    this.sentenceRows = order.slice(0, SENTENCE_ROWS);
    this.wordRows = order.slice(0, WORD_ROWS);
    this.sampled = new Uint8Array(rows);
    for (const row of this.sentenceRows) this.sampled[row] = 1;
    this.measured = new Set(this.wordRows);
  }

  /**
   * @param {number} row
   * @param {string} text
   * @param {import("../../api.js").Sentence[]} sentences with offsets in UTF-16 units
   */
  takeSentences(row, text, sentences) {
    if (!this.sampled[row]) return;
    const candidates = sentences.flatMap((sentence) => candidateOf(row, text, sentence));
    this.#sentences.set(row, {
      best: candidates.filter(({ alone }) => alone >= BEST),
      worst: candidates.filter(({ alone }) => alone <= WORST),
    });
    this.#typical = null;
  }

  /**
   * @param {number} row
   * @param {string} text
   * @param {import("../../api.js").Word[]} words with offsets in UTF-16 units
   */
  takeWords(row, text, words) {
    if (!this.measured.has(row)) return;
    const measured = words.flatMap(({ start, end, effect }) => {
      const surface = text.slice(start, end).toLowerCase().replaceAll("\u2019", "'");
      const isWord = LETTER.test(surface) && wordsOf(surface)[0] === surface && !STOP_WORDS.has(surface);
      return effect === undefined || !isWord ? [] : [{ form: formOf(surface), surface, effect: microOf(effect) }];
    });
    this.#words.set(row, measured);
  }

  /** Finds the most typical sentences of either side. @returns {Generator<number, Sides>} */
  *typicalSentences() {
    if (this.#typical) return this.#typical;
    const best = yield* typicalOf(this.#candidates("best"));
    this.#typical = { best, worst: yield* typicalOf(this.#candidates("worst")) };
    return this.#typical;
  }

  /** @param {"best" | "worst"} side */
  #candidates(side) {
    return this.sentenceRows
      .flatMap((row) => this.#sentences.get(row)?.[side] ?? [])
      .slice(0, CANDIDATES_A_SIDE);
  }

  /** Returns the words with the strongest effects. @param {number} judged rows */
  strongestWords(judged) {
    const least = judged < SMALL_FILE ? FEWEST_ROWS_SMALL : FEWEST_ROWS;
    const effects = this.#effects().filter(({ rows }) => rows.size >= least);
    return {
      rows: [...this.#words.values()].filter((measured) => measured.length > 0).length,
      up: strongestOf(effects, 1),
      down: strongestOf(effects, -1),
    };
  }

  /** @returns {Effect[]} */
  #effects() {
    /** @type {Map<string, {micro: number, uses: number, rows: Effect["rows"], surfaces: Map<string, number>}>} */
    const byForm = new Map();
    for (const [row, measured] of this.#words) {
      for (const { form, surface, effect } of measured) {
        const known = byForm.get(form) ?? { micro: 0, uses: 0, rows: new Map(), surfaces: new Map() };
        byForm.set(form, known);
        known.micro += effect;
        known.uses += 1;
        const [low, high] = known.rows.get(row) ?? [effect, effect];
        known.rows.set(row, [Math.min(low, effect), Math.max(high, effect)]);
        known.surfaces.set(surface, (known.surfaces.get(surface) ?? 0) + 1);
      }
    }
    return [...byForm.values()].map(({ micro, uses, rows, surfaces }) => ({
      word: mostFrequent(surfaces),
      effect: micro / uses / MICRO,
      rows,
    }));
  }
}

/**
 * @param {number} row
 * @param {string} text
 * @param {import("../../api.js").Sentence} sentence
 * @returns {Candidate[]} none for a sentence that is no candidate
 */
function candidateOf(row, text, { start, end, alone, contribution }) {
  if (alone === undefined || (alone < BEST && alone > WORST)) return [];
  const sentence = text.slice(start, end).trim().replace(/\s+/g, " ");
  const words = wordsOf(sentence);
  if (words.length < FEWEST_WORDS || words.length > MOST_WORDS) return [];
  const content = [...new Set(words.filter((word) => !STOP_WORDS.has(word)).map(formOf))];
  if (content.length < FEWEST_CONTENT_WORDS) return [];
  return [{ row, start, text: sentence, alone, contribution, content }];
}

/**
 * Chooses the most typical sentences, none like a chosen one. Pauses now and then.
 * @param {Candidate[]} candidates
 * @returns {Generator<number, Typical[]>}
 */
function* typicalOf(candidates) {
  const likeness = new Likeness(candidates);
  const typicality = new Float64Array(candidates.length);
  for (const place of candidates.keys()) {
    typicality[place] = likeness.sumOf(place);
    if (place % SLICE_SENTENCES === 0) yield 1;
  }
  const order = [...candidates.keys()].sort(
    (one, other) => typicality[other] - typicality[one] || one - other,
  );
  /** @type {{place: number, like: Set<number>}[]} */
  const chosen = [];
  for (const place of order) {
    if (chosen.length === TYPICAL) break;
    if (chosen.some(({ like }) => like.has(place))) continue;
    chosen.push({ place, like: likeness.similarTo(place) });
  }
  return chosen.map(({ place, like }) => {
    const { text, row, alone, contribution } = candidates[place];
    return { text, row: row + 1, alone: shown(alone), contribution: shown(contribution), similar: like.size };
  });
}

/** @param {number} value */
function shown(value) {
  return rounded(microOf(value) / MICRO);
}

/** Compares sentences by their content words. */
class Likeness {
  /** @type {Map<string, number[]>} the sentences with a word */ #places = new Map();

  /** @param {Candidate[]} candidates */
  constructor(candidates) {
    this.candidates = candidates;
    this.sizes = Int32Array.from(candidates, ({ content }) => content.length);
    /** Words in common with the sentence that is compared. */
    this.shared = new Int32Array(candidates.length);
    for (const [place, { content }] of candidates.entries()) {
      for (const word of content) {
        const places = this.#places.get(word);
        if (places) places.push(place);
        else this.#places.set(word, [place]);
      }
    }
  }

  /** Adds up a sentence's likeness to all others, in millionths. @param {number} place */
  sumOf(place) {
    this.#share(place);
    let sum = 0;
    for (let other = 0; other < this.shared.length; other += 1) sum += this.#like(place, other);
    return sum;
  }

  /** Returns the places of the others that say the same. @param {number} place */
  similarTo(place) {
    this.#share(place);
    const others = [...this.candidates.keys()].filter((other) => this.#like(place, other) >= SAME);
    return new Set(others);
  }

  /** Counts the words that a sentence has in common with each other one. @param {number} place */
  #share(place) {
    this.shared.fill(0);
    for (const word of this.candidates[place].content) {
      for (const other of this.#places.get(word) ?? []) this.shared[other] += 1;
    }
    this.shared[place] = 0;
  }

  /** Returns a Jaccard index in millionths. @param {number} place of which words are shared @param {number} other */
  #like(place, other) {
    const common = this.shared[other];
    if (common === 0) return 0;
    const union = this.sizes[place] + this.sizes[other] - common;
    return Math.floor((MICRO * common) / union + 0.5);
  }
}

/**
 * Returns the words that move verdicts most to one side.
 * @param {Effect[]} effects
 * @param {1 | -1} side
 * @returns {Strong[]}
 */
function strongestOf(effects, side) {
  const words = effects.filter(({ effect }) => side * effect > 0);
  words.sort((one, other) => side * (other.effect - one.effect) || byCodePoints(one.word, other.word));
  return words.slice(0, STRONG).map(({ word, effect, rows }) => ({
    word,
    effect: rounded(effect),
    rows: rows.size,
    examples: examplesOf(rows, side),
  }));
}

/**
 * Returns the numbers of the rows that a word moves most to one side.
 * @param {Effect["rows"]} rows
 * @param {1 | -1} side
 */
function examplesOf(rows, side) {
  const strengths = Array.from(rows, ([row, [low, high]]) => ({ row, strength: side > 0 ? high : -low }));
  strengths.sort((one, other) => other.strength - one.strength || one.row - other.row);
  return strengths.slice(0, MOST_EXAMPLES).map(({ row }) => row + 1);
}

/** @param {Map<string, number>} counts */
function mostFrequent(counts) {
  const entries = [...counts].sort(
    ([one, count], [other, more]) => more - count || byCodePoints(one, other),
  );
  return entries[0][0];
}

/** Orders texts by code points, as Python does. @param {string} one @param {string} other */
export function byCodePoints(one, other) {
  if (one === other) return 0;
  // Without characters of two units, the order of units is that of code points.
  if (!SURROGATE.test(one) && !SURROGATE.test(other)) return one < other ? -1 : 1;
  const [left, right] = [one, other].map((text) => Array.from(text, (character) => character.codePointAt(0) ?? 0));
  const place = left.findIndex((point, at) => point !== right[at]);
  if (place < 0) return -1;
  return left[place] < (right[place] ?? -1) ? -1 : 1;
}
