// Works out what each part of a text does to the verdict, in percentage points.

import { logitOf, sigmoid } from "../api.js";
import { cut } from "../shared/spans.js";
import { isCalibrated } from "../shared/verdict_strings.js";

/** @typedef {Required<import("../api.js").Answer>} Explained an answer that was explained by words */
/** @typedef {import("../shared/spans.js").Range} Range */
/**
 * @typedef {object} Effect
 * @property {number} index of the sentence or word
 * @property {number} effect how far P(positive) falls without it
 */
/**
 * @typedef {object} Reasons texts to quote
 * @property {string} cause what decides it; "" when nothing stands out
 * @property {string} against what speaks for the other side; "" when nothing does
 * @property {boolean} [agreed] whether there are sentences, and each speaks for the verdict
 */

// A word glows from this fall of the logit on: about six points where the verdict is open.
const LEAST_GLOW = 0.25;
const MOST_GLOWING = 5;
// A sentence takes a side from this pull on, in logits.
const LEAST_PULL = 0.1;
// Smaller effects explain nothing.
const LEAST_CAUSE = 0.04;
const LEAST_AGAINST = 0.02;
const QUOTED_WORDS = 8;
// The API writes probabilities with 6 decimals, so 0 and 1 mean at most this far from them.
const LEAST_SHARE = 1e-6;
// A word has a letter or a digit; other tokens are punctuation.
const IS_WORD = /[\p{L}\p{N}]/u;
// The model reads words in context, so these often carry what their neighbours mean. They tell a reader nothing.
const SMALL_WORDS = new Set(
  ("a an the and or of to in on at by for from with as that this these those it its i me my we you your he him his " +
    "she her they them their is are was were be been am do does did has have had will would there").split(" "),
);

/**
 * Returns the indexes of the few words that matter most, strongest first. A word's share of the sum and its effect
 * agree: where a sentence makes no sense without a word, the effect tells of the broken sentence.
 * @param {Explained} answer
 */
export function glowing({ text, words }) {
  const points = Array.from(text);
  const agrees = (/** @type {number} */ index) => (words[index].effect ?? 0) * words[index].contribution > 0;
  const size = (/** @type {number} */ index) => Math.abs(words[index].effect ?? 0);
  const says = (/** @type {string} */ word) => IS_WORD.test(word) && !SMALL_WORDS.has(word.toLowerCase());
  return [...words.keys()]
    .filter((index) => size(index) >= LEAST_GLOW && agrees(index) && says(cut(points, words[index])))
    .sort((one, other) => size(other) - size(one))
    .slice(0, MOST_GLOWING);
}

/** Returns P(positive) without a word; null where it was not measured. @param {Explained} answer @param {number} index */
export function withoutWord({ bias, words }, index) {
  const { effect } = words[index];
  return effect === undefined ? null : sigmoid(logitOf(bias, words) - effect);
}

/**
 * Returns P(positive) without a sentence; its share of the sum tells where the API doesn't.
 * @param {Explained} answer
 * @param {number} index
 */
export function withoutSentence({ bias, sentences }, index) {
  const { without, contribution } = sentences[index];
  return typeof without === "number" ? without : sigmoid(logitOf(bias, sentences) - contribution);
}

/** Returns the sentences' effects, the most harmful one first. @param {Explained} answer @returns {Effect[]} */
export function sentenceEffects(answer) {
  return answer.sentences
    .map(({ contribution }, index) => {
      const effect = answer.probability - withoutSentence(answer, index);
      return { index, effect: effect * contribution > 0 ? effect : 0 };
    })
    .sort((one, other) => one.effect - other.effect);
}

/**
 * Returns how far the logit falls without each sentence. It is 0 where that is against the sentence's own side, as
 * when the others gain more weight.
 * @param {Explained} answer
 * @returns {number[]}
 */
export function worths({ bias, sentences }) {
  const logit = logitOf(bias, sentences);
  return sentences.map(({ contribution, without }) => {
    if (typeof without !== "number") return contribution;
    const open = Math.min(1 - LEAST_SHARE, Math.max(LEAST_SHARE, without));
    const fall = logit - Math.log(open / (1 - open));
    return fall * contribution > 0 ? fall : 0;
  });
}

/** Returns the sentences' indexes, the one first that harms most. @param {Explained} answer */
export function ranked(answer) {
  const [all, { sentences }] = [worths(answer), answer];
  return [...sentences.keys()].sort(
    (one, other) => all[one] - all[other] || sentences[one].contribution - sentences[other].contribution,
  );
}

/** Returns the measured words' effects, likewise. @param {Explained} answer @returns {Effect[]} */
function wordEffects(answer) {
  return glowing(answer)
    .map((index) => ({ index, effect: answer.probability - (withoutWord(answer, index) ?? answer.probability) }))
    .sort((one, other) => one.effect - other.effect);
}

/** Returns what a sentence of why can quote. @param {Explained} answer @returns {Reasons} */
export function reasonsOf(answer) {
  const none = { cause: "", against: "" };
  // A short text's number says little, but its words say why.
  const warnings = answer.warnings.filter(({ code }) => code !== "too_short");
  if (!isCalibrated({ ...answer, warnings }) || answer.reason === "no_opinion") return none;
  const side = answer.sentiment === "negative" ? -1 : 1;
  const points = Array.from(answer.text);
  const sentences = sentenceEffects(answer);
  const quote = (/** @type {Range | undefined} */ range) => (range ? quoted(cut(points, range)) : "");

  const helper = strongest(sentences, side, LEAST_CAUSE);
  const harmer = strongest(sentences, -side, LEAST_AGAINST);
  if (answer.sentiment === "uncertain") {
    if (!helper || !harmer) return none;
    return { cause: quote(answer.sentences[helper.index]), against: quote(answer.sentences[harmer.index]) };
  }
  const inHelper = wordEffects(answer).filter(({ index }) => helpsWith(answer, sentences, index, side));
  const word = strongest(inHelper, side, LEAST_CAUSE);
  const speaks = (/** @type {{contribution: number}} */ one) => one.contribution * side >= LEAST_PULL;
  const agreed = sentences.length > 1 && answer.sentences.every(speaks);
  if (!word && !helper && agreed) return { ...none, agreed };
  const byWord = word && (!helper || word.effect * side >= helper.effect * side);
  const cause = byWord ? written(points, answer.words[word.index]) : helper && answer.sentences[helper.index];
  return { cause: quote(cause), against: cause && harmer ? quote(answer.sentences[harmer.index]) : "" };
}

/**
 * Widens a token to the word as it is written: "n't" to "wouldn't". A sign stays as it is.
 * @param {string[]} points
 * @param {Range} range
 * @returns {Range}
 */
export function written(points, { start, end }) {
  const letter = (/** @type {number} */ at) => /[\p{L}\p{N}]/u.test(points[at] ?? "");
  const joins = (/** @type {number} */ at) =>
    letter(at) || (/['\u2019]/.test(points[at] ?? "") && letter(at - 1) && letter(at + 1));
  if (!letter(start) && !letter(end - 1)) return { start, end };
  while (joins(start - 1)) start -= 1;
  while (joins(end)) end += 1;
  return { start, end };
}

/**
 * Returns the strongest effect on one side, if it is large enough.
 * @param {Effect[]} effects in order
 * @param {number} side
 * @param {number} least
 */
function strongest(effects, side, least) {
  const found = effects.at(side > 0 ? -1 : 0);
  return found && found.effect * side >= least ? found : undefined;
}

/**
 * Tells whether a word stands in a sentence on the same side.
 * @param {Explained} answer
 * @param {Effect[]} effects
 * @param {number} word
 * @param {number} side
 */
function helpsWith({ sentences, words }, effects, word, side) {
  const { start, end } = words[word];
  const home = effects.find(({ index }) => sentences[index].start <= start && end <= sentences[index].end);
  return sentences.length === 1 || (home !== undefined && home.effect * side > 0);
}

/** Returns a part's first words, without the stop at its end. @param {string} text */
export function quoted(text) {
  const words = text.trim().split(/\s+/);
  const all = words.slice(0, QUOTED_WORDS).join(" ");
  return words.length > QUOTED_WORDS ? `${all.replace(/[,;:.]+$/, "")}\u2026` : all.replace(/[.,;:]+$/, "");
}
