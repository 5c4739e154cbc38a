// Returns what the page shows of a row: a line of the table, or all of its answer.

import { cut } from "../shared/spans.js";
import { decidingSentence, sentencesOf } from "./work.js";

/**
 * @typedef {import("./order.js").Rows} Rows
 * @typedef {import("./work.js").Judged} Judged
 * @typedef {import("./work.js").Outcome} Outcome
 * @typedef {import("../rows/labels.js").Label} Label
 * @typedef {import("../rows/sending.js").Failed} Failed
 * @typedef {import("../rows/sending.js").Scored} Scored
 * @typedef {{before: string, deciding: string, after: string}} Line
 * @typedef {{name: string, outcome: Scored | Failed | null, label: Label | null, date: string | null,
 *   group: string | null, line: Line}} Seen
 * @typedef {{text: string, pull: number, alone: number | null, without: number | null, decides: boolean}} Sentence
 *   alone, without: P(positive) of the sentence by itself, and of the review without it
 * @typedef {{name: string, sentiment: import("../api.js").Sentiment | null}} Aspect null: not mentioned
 * @typedef {Omit<Seen, "line"> & {review: string, hidden: number, between: string[], sentences: Sentence[],
 *   aspects: Aspect[]}} Whole
 *   between: what stands before each sentence, and behind the last; hidden: characters left out
 */

// Fits two lines of the widest screen.
const LINE_CHARACTERS = 320;
// Characters before the deciding sentence, where it stands further back.
const LEAD_CHARACTERS = 40;
// Fills two lines of a narrow column.
const FEWEST_CHARACTERS = 72;
const NAME_CHARACTERS = 300;
// A longer text is cut; its own page shows it whole.
const SHOWN_CHARACTERS = 8_000;

/** Returns a row as a line of the table. @param {Rows} rows @param {number} row @returns {Seen} */
export function seenRow(rows, row) {
  const outcome = rows.outcome(row);
  return { ...headOf(rows, row), line: lineOf(rows.review(row), outcome) };
}

/** Returns a row with its sentences and aspects. @param {Rows} rows @param {number} row @returns {Whole} */
export function wholeRow(rows, row) {
  const outcome = rows.outcome(row);
  const text = outcome && outcome.error === undefined ? (outcome.text ?? rows.review(row)) : rows.review(row);
  const judged = outcome && outcome.error === undefined ? outcome : null;
  return {
    ...headOf(rows, row),
    review: rows.review(row),
    hidden: Math.max(0, text.length - SHOWN_CHARACTERS),
    ...partsOf(text, judged),
    aspects: judged ? aspectsOf(judged) : [],
  };
}

/** @param {Rows} rows @param {number} row */
function headOf(rows, row) {
  return {
    name: rows.name(row).slice(0, NAME_CHARACTERS),
    outcome: shortOutcome(rows.outcome(row)),
    label: rows.label(row),
    date: rows.date(row),
    group: rows.group(row)?.slice(0, NAME_CHARACTERS) ?? null,
  };
}

/** @param {Outcome | null} outcome @returns {Scored | Failed | null} */
function shortOutcome(outcome) {
  if (outcome === null || outcome.error !== undefined) return outcome;
  const { sentiment, reason, probability, warnings } = outcome;
  return { sentiment, reason, probability, warnings };
}

/**
 * Cuts two lines from a text, around its deciding sentence.
 * @param {string} review
 * @param {Outcome | null} outcome
 * @returns {Line}
 */
export function lineOf(review, outcome) {
  if (outcome === null || outcome.error !== undefined) return plainLine(review);
  const place = decidingSentence(outcome);
  const points = Array.from(outcome.text ?? review);
  const { start, end } = sentencesOf(outcome)[place] ?? { start: 0, end: 0 };
  // A single sentence decides alone, so a mark would say nothing.
  if (place < 0 || outcome.spans.length === SENTENCE_OF_ONE) return plainLine(points.join(""));
  const latest = Math.max(0, points.length - FEWEST_CHARACTERS);
  const near = Math.min(start - LEAD_CHARACTERS / 2, latest);
  // A few words more are better than a cut.
  const from = start > LEAD_CHARACTERS && near > LEAD_CHARACTERS / 2 ? wordBefore(points, near) : 0;
  const to = from + LINE_CHARACTERS;
  return {
    before: (from > 0 ? "\u2026 " : "") + cut(points, { start: from, end: start }),
    deciding: cut(points, { start, end: Math.min(end, to) }),
    after: cut(points, { start: Math.min(end, to), end: to }),
  };
}

const SENTENCE_OF_ONE = 5;

/** @param {string} text @returns {Line} */
function plainLine(text) {
  return { before: text.slice(0, LINE_CHARACTERS), deciding: "", after: "" };
}

/** Returns the start of the word at a place. @param {string[]} points @param {number} place */
function wordBefore(points, place) {
  const space = points.lastIndexOf(" ", place);
  return space < 0 || place - space > LEAD_CHARACTERS / 2 ? place : space + 1;
}

/** @param {string} text @param {Judged | null} judged @returns {{between: string[], sentences: Sentence[]}} */
function partsOf(text, judged) {
  if (judged === null) return { between: [text.slice(0, SHOWN_CHARACTERS)], sentences: [] };
  const points = Array.from(text.slice(0, SHOWN_CHARACTERS));
  const deciding = decidingSentence(judged);
  /** @type {string[]} */
  const between = [];
  /** @type {Sentence[]} */
  const sentences = [];
  let at = 0;
  for (const [place, span] of sentencesOf(judged).entries()) {
    if (span.start >= points.length) break;
    between.push(cut(points, { start: at, end: span.start }));
    sentences.push({
      text: cut(points, span),
      pull: span.contribution,
      alone: span.alone ?? null,
      without: span.without ?? null,
      decides: place === deciding,
    });
    at = span.end;
  }
  return { between: [...between, cut(points, { start: at, end: points.length })], sentences };
}

/** @param {Judged} judged @returns {Aspect[]} */
function aspectsOf({ names, aspects }) {
  return (names ?? []).map((name) => ({ name, sentiment: aspects?.[name]?.sentiment ?? null }));
}
