// Holds a file's rows and their answers in columns, so that 100,000 rows take little memory.

import { NO_DATE } from "./days.js";
import { microOf } from "./intervals.js";
import { Samples } from "./samples.js";

/**
 * @typedef {import("../../api.js").Answer & {aspects?: Record<string, AspectAnswer>}} Answer
 * @typedef {object} AspectAnswer
 * @property {import("../../api.js").Sentiment | "not_mentioned"} sentiment
 * @property {import("../../api.js").Reason | null} [reason]
 * @property {number} [contribution]
 * @property {{start: number, end: number}[]} [mentions] clauses of the text
 * @typedef {object} Meta
 * @property {number} rows of the file
 * @property {{name: string, columns: {review: string | null, date: string | null, group: string | null}}} file
 * @property {{from: "film" | "product" | "own" | "none", names: string[]}} aspects
 * @typedef {object} Piece rows of the file, in order
 * @property {string[]} texts
 * @property {Int32Array | null} dates days since 1970-01-01, or NO_DATE
 * @property {(string | null)[] | null} groups
 */

// States of a row; 0 while it waits for an answer.
const JUDGED = 1;
export const FAILED = 2;
/** Stands for a row without a group. */
export const NO_GROUP = -1;

// What an answer says beside its verdict, as bits.
export const MIXED = 1;
export const NO_OPINION = 2;
export const NOT_UNDERSTOOD = 4;
export const MENTIONED = 8;

const SIGNS = { positive: 1, negative: -1, uncertain: 0, not_mentioned: 0 };
const NOT_UNDERSTOOD_REASONS = ["no_known_words", "not_english"];
/** @type {AspectAnswer} */
const NOT_MENTIONED = { sentiment: "not_mentioned" };

/** Holds what the report's figures need of a file. Rows count from 0 here, and from 1 in the report. */
export class Table {
  /** @type {Map<string, number>} */ #groupPlaces = new Map();

  /** @param {Meta} meta */
  constructor({ rows, file, aspects }) {
    const cells = rows * aspects.names.length;
    this.file = file;
    this.aspects = aspects;
    this.count = rows;
    /** Rows added so far. */
    this.filled = 0;
    this.model = "";
    /** The cleaned text of each judged row; the file's own of any other. @type {string[]} */
    this.texts = [];
    this.states = new Uint8Array(rows);
    this.dates = new Int32Array(rows).fill(NO_DATE);
    this.groups = new Int32Array(rows).fill(NO_GROUP);
    /** @type {string[]} */
    this.groupNames = [];
    this.signs = new Int8Array(rows);
    this.flags = new Uint8Array(rows);
    this.probabilities = new Float64Array(rows);
    /** In millionths, as the pulls are. */
    this.logits = new Int32Array(rows);
    /** The deciding sentence of each row, in UTF-16 units of its text; 0, 0 without one. */
    this.starts = new Int32Array(rows);
    this.ends = new Int32Array(rows);
    /** By row and aspect. */
    this.pulls = new Int32Array(cells);
    this.aspectSigns = new Int8Array(cells);
    this.aspectFlags = new Uint8Array(cells);
    this.clauses = new ClauseCounts(aspects.names.length);
    this.samples = new Samples(rows);
  }

  /** Adds the next rows. @param {Piece} piece */
  addRows({ texts, dates, groups }) {
    for (const [place, text] of texts.entries()) {
      const row = this.filled + place;
      this.texts[row] = text;
      if (dates) this.dates[row] = dates[place];
      if (groups) this.groups[row] = this.#groupPlace((groups[place] ?? "").trim());
    }
    this.filled += texts.length;
  }

  /** @param {string} name */
  #groupPlace(name) {
    if (name === "") return NO_GROUP;
    const known = this.#groupPlaces.get(name);
    if (known !== undefined) return known;
    this.#groupPlaces.set(name, this.groupNames.length);
    return this.groupNames.push(name) - 1;
  }

  /** Takes a row's answer, or its error. @param {number} row @param {Answer | {error: string}} answer */
  take(row, answer) {
    if ("error" in answer) return void (this.states[row] = FAILED);
    const { sentiment, reason, probability, warnings, text, sentences = [], bias, model, aspects } = answer;
    if (text !== undefined) this.texts[row] = text;
    this.model ||= model.id;
    this.signs[row] = SIGNS[sentiment];
    this.flags[row] = flagsOf(reason, warnings);
    this.probabilities[row] = probability;
    this.logits[row] = sentences.reduce((sum, { contribution }) => sum + microOf(contribution), microOf(bias));
    const spans = inUnits(this.texts[row], sentences);
    this.#keepDeciding(row, spans);
    this.samples.takeSentences(row, this.texts[row], spans);
    if (aspects) this.#takeAspects(row, aspects);
    this.states[row] = JUDGED;
  }

  /** @param {number} row @param {import("../../api.js").Sentence[]} sentences */
  #keepDeciding(row, sentences) {
    const sign = this.signs[row];
    let best = -Infinity;
    for (const { start, end, contribution } of sentences) {
      const strength = sign === 0 ? Math.abs(microOf(contribution)) : sign * microOf(contribution);
      if (strength <= best) continue;
      best = strength;
      [this.starts[row], this.ends[row]] = [start, end];
    }
  }

  /** @param {number} row @param {Record<string, AspectAnswer>} answers */
  #takeAspects(row, answers) {
    const { names } = this.aspects;
    const found = names.map((name) => answers[name] ?? NOT_MENTIONED);
    for (const [place, { sentiment, reason = null, contribution = 0 }] of found.entries()) {
      if (sentiment === "not_mentioned") continue;
      const cell = row * names.length + place;
      this.pulls[cell] = microOf(contribution);
      this.aspectSigns[cell] = SIGNS[sentiment];
      this.aspectFlags[cell] = flagsOf(reason, []) | MENTIONED;
    }
    this.clauses.add(found.map(({ mentions = [] }) => mentions));
  }

  /** Takes the answer, with explain=words, to one of samples.wordRows. @param {number} row @param {Answer} answer */
  takeWords(row, { text = "", words = [] }) {
    this.samples.takeWords(row, text, inUnits(text, words));
  }
}

/** @param {import("../../api.js").Reason | null} reason @param {import("../../api.js").Warning[]} warnings */
function flagsOf(reason, warnings) {
  const mixed = reason === "mixed" || warnings.some(({ code }) => code === "mixed");
  return (
    (mixed ? MIXED : reason === "no_opinion" ? NO_OPINION : 0) |
    (NOT_UNDERSTOOD_REASONS.includes(reason ?? "") ? NOT_UNDERSTOOD : 0)
  );
}

/**
 * Turns offsets in code points into UTF-16 units.
 * @template {{start: number, end: number}} Span
 * @param {string} text
 * @param {Span[]} spans
 * @returns {Span[]}
 */
function inUnits(text, spans) {
  if (!/[\ud800-\udbff]/.test(text)) return spans;
  const units = [0];
  for (const character of text) units.push(units[units.length - 1] + character.length);
  return spans.map((span) => ({ ...span, start: units[span.start], end: units[span.end] }));
}

/** Lists the judged rows in order. @param {Table} table */
export function judgedRows({ states, count }) {
  const rows = new Int32Array(count);
  let judged = 0;
  for (let row = 0; row < count; row += 1) {
    if (states[row] !== JUDGED) continue;
    rows[judged] = row;
    judged += 1;
  }
  return rows.slice(0, judged);
}

/** Counts clauses of each aspect, and those that two aspects share. */
class ClauseCounts {
  /** @param {number} aspects */
  constructor(aspects) {
    this.aspects = aspects;
    /** By two aspects. An aspect shares all its clauses with itself. */
    this.shared = new Uint32Array(aspects * aspects);
  }

  /** Adds the clauses of one row, by aspect. @param {{start: number, end: number}[][]} clauses */
  add(clauses) {
    const keys = clauses.map((spans) => new Set(spans.map(({ start, end }) => `${start} ${end}`)));
    for (const [one, mine] of keys.entries()) {
      for (const [other, theirs] of keys.entries()) {
        for (const key of mine) if (theirs.has(key)) this.shared[one * this.aspects + other] += 1;
      }
    }
  }
}
