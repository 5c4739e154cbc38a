// Holds a file's rows, the reader's choices, and each row's outcome.

import { logitOf } from "../api.js";
import { faultOf } from "../rows/columns.js";
import { dateOf } from "../rows/dates.js";
import { labelOf } from "../rows/labels.js";
import { textOf } from "../rows/reading.js";
import { isWorthAnotherTry, outcomeOf } from "../rows/sending.js";

/**
 * @typedef {import("../rows/reading.js").Sheet} Sheet
 * @typedef {import("../rows/sending.js").Job} Job
 * @typedef {import("../rows/sending.js").Failed} Failed
 * @typedef {import("../rows/sending.js").Scored} Scored
 * @typedef {import("../rows/labels.js").Label} Label
 * @typedef {import("../api.js").AspectAnswer} AspectAnswer
 * @typedef {{from: "film" | "product" | "none", own?: undefined}
 *   | {from: "own", own: Record<string, string[]>}} AspectChoice
 * @typedef {import("../rows/columns.js").Columns & import("../rows/columns.js").ReportColumns
 *   & {scale: import("../rows/labels.js").Scale, order: import("../rows/dates.js").DateOrder | null,
 *   aspects: AspectChoice, once: boolean}} Choice
 *   order: of day and month; once: equal reviews are sent once
 * @typedef {Scored & {bias: number, logit: number, text: string | null, spans: Float64Array,
 *   words: Float64Array | null, aspects: Record<string, AspectAnswer> | null, names: string[] | null}} Judged
 *   text: the cleaned text that the spans point into, null when it is the review itself; spans: five
 *   numbers a sentence, see SPAN; words: four numbers a measured word, see WORD; aspects: those that are mentioned; names: all that were asked
 * @typedef {Judged | Failed} Outcome
 * @typedef {object} Work
 * @property {Sheet} sheet
 * @property {Choice} choice
 * @property {(Outcome | null)[]} outcomes by row; null for a row not sent yet
 * @property {[number, number] | null} band the probabilities of "can't tell"
 * @property {string[]} models the ids of those that answered
 */

/** Numbers a sentence in `spans`: start, end, contribution, alone, without (NaN where there is none). */
export const SPAN = 5;
/** Numbers a word in `words`: start, end, contribution, effect. */
const WORD = 4;

/** Starts a file's work. Rows that can't be sent fail at once. @param {Sheet} sheet @param {Choice} choice @returns {Work} */
export function workOf(sheet, choice) {
  const outcomes = sheet.rows.map((_, row) => {
    const error = faultOf(sheet, row, choice.review);
    return error ? { error, detail: "", status: 0 } : null;
  });
  return { sheet, choice, outcomes, band: null, models: [] };
}

/**
 * Returns the reviews to send: those of rows without an outcome.
 * @param {Work} work
 * @param {Set<number>} [byWords] rows whose words are to be measured; they come first
 * @returns {Job[]}
 */
export function jobsOf({ sheet, choice, outcomes }, byWords = new Set()) {
  /** @type {Map<string, Job>} */
  const byReview = new Map();
  /** @type {Job[]} */
  const jobs = [];
  sheet.rows.forEach((cells, row) => {
    if (outcomes[row] !== null) return;
    const review = textOf(cells[choice.review]);
    const same = choice.once ? byReview.get(review) : undefined;
    const job = same ?? { review, rows: [], words: false };
    job.rows.push(row);
    job.words ||= byWords.has(row);
    if (same) return;
    jobs.push(job);
    if (choice.once) byReview.set(review, job);
  });
  return [...jobs.filter(({ words }) => words), ...jobs.filter(({ words }) => !words)];
}

/** Resets failed rows that another try could help. Returns them. @param {Work} work @returns {number[]} */
export function forgetFailures({ outcomes }) {
  /** @type {number[]} */
  const rows = [];
  outcomes.forEach((outcome, row) => {
    if (!isWorthAnotherTry(outcome)) return;
    outcomes[row] = null;
    rows.push(row);
  });
  return rows;
}

/** @param {Work} work @returns {(Label | null)[]} empty when the file has no labels */
export function labelsOf({ sheet, choice }) {
  if (choice.label < 0) return [];
  return sheet.rows.map((cells) => labelOf(cells[choice.label], choice.scale));
}

/** @param {Work} work @returns {(string | null)[]} days, YYYY-MM-DD; empty when the file has no dates */
export function datesOf({ sheet, choice }) {
  if (choice.date < 0) return [];
  return sheet.rows.map((cells) => dateOf(cells[choice.date], choice.order));
}

/** @param {Work} work @returns {(string | null)[]} empty when the file has no groups */
export function groupsOf({ sheet, choice }) {
  if (choice.group < 0) return [];
  return sheet.rows.map((cells) => textOf(cells[choice.group]).trim() || null);
}

/**
 * Returns what is kept of an answer: all of its sentences, packed.
 * @param {import("../api.js").BatchItem} item
 * @param {string} review
 * @returns {Outcome}
 */
export function judgedBy(item, review) {
  const outcome = outcomeOf(item);
  if (outcome.error !== undefined || item.answer === undefined) return /** @type {Failed} */ (outcome);
  const { bias, text = review, sentences = [], words, aspects } = item.answer;
  return {
    ...outcome,
    bias,
    logit: logitOf(bias, sentences),
    text: text === review ? null : text,
    spans: Float64Array.from(sentences.flatMap(packed)),
    words: words ? Float64Array.from(words.flatMap(packedWord)) : null,
    aspects: aspects ? mentioned(aspects) : null,
    names: aspects ? Object.keys(aspects) : null,
  };
}

/** @param {import("../api.js").Sentence} sentence */
function packed({ start, end, contribution, alone, without }) {
  return [start, end, contribution, alone ?? NaN, without ?? NaN];
}

/** @param {import("../api.js").Word} word the few that are measured alone are kept */
function packedWord({ start, end, contribution, effect }) {
  return effect === undefined ? [] : [start, end, contribution, effect];
}

/** @param {Record<string, AspectAnswer | {sentiment: "not_mentioned"}>} aspects @returns {Record<string, AspectAnswer>} */
function mentioned(aspects) {
  const found = Object.entries(aspects).filter(([, { sentiment }]) => sentiment !== "not_mentioned");
  return Object.fromEntries(/** @type {[string, AspectAnswer][]} */ (found));
}

/** Returns an outcome's sentences. @param {Judged} outcome @returns {import("../api.js").Sentence[]} */
export function sentencesOf({ spans }) {
  const orNull = (/** @type {number} */ number) => (Number.isNaN(number) ? null : number);
  return Array.from({ length: spans.length / SPAN }, (_, place) => {
    const [start, end, contribution, alone, without] = spans.subarray(place * SPAN, (place + 1) * SPAN);
    return { start, end, contribution, alone: orNull(alone) ?? undefined, without: orNull(without) };
  });
}

/** Returns an outcome's measured words. @param {Judged} outcome @returns {import("../api.js").Word[]} */
export function wordsOf({ words }) {
  return Array.from({ length: (words?.length ?? 0) / WORD }, (_, place) => {
    const [start, end, contribution, effect] = /** @type {Float64Array} */ (words).subarray(place * WORD);
    return { start, end, contribution, effect };
  });
}

/**
 * Returns the place of the sentence that decided; -1 without one. It pulls most to the verdict's side,
 * or most to either side where the verdict is uncertain.
 * @param {Judged} outcome
 */
export function decidingSentence({ sentiment, spans }) {
  const side = sentiment === "uncertain" ? 0 : sentiment === "positive" ? 1 : -1;
  let [best, most] = [-1, -Infinity];
  for (let place = 0; place * SPAN < spans.length; place += 1) {
    const pull = spans[place * SPAN + 2];
    const strength = side === 0 ? Math.abs(pull) : side * pull;
    if (strength > most) [best, most] = [place, strength];
  }
  return best;
}

/** Returns the aspects that the answers name, since a shipped list stands in the API. @param {Work} work @returns {string[]} */
export function aspectsIn({ outcomes }) {
  const named = outcomes.find((outcome) => outcome && outcome.error === undefined && outcome.names);
  return named && named.error === undefined ? (named.names ?? []) : [];
}
