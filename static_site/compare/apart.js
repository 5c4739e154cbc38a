// Shows where two answers to one text differ: in words, and by what each sentence does to either.

import { logitOf, sigmoid } from "../api.js";
import { element, listItem } from "../shared/dom.js";
import { cut } from "../shared/spans.js";
import { isCalibrated, isUnderstood } from "../shared/verdict_strings.js";
import { BOTH, points } from "./strings.js";

/** @typedef {import("../api.js").Answer} Answer */
/**
 * @typedef {object} Row
 * @property {string} text
 * @property {[number | null, number | null]} effects how far P(positive) falls without the sentence; null: the model has
 *   no such sentence
 */

// Least effect of a full bar, so that weak effects look weak.
const FULL_BAR = 0.2;

/** Compares both answers in sentences. @param {Answer} first @param {Answer} second */
export function inWords(first, second) {
  if (first.model.id === second.model.id) return [BOTH.sameModel(first.model.id)];
  const known = [first.model.vocabulary, second.model.vocabulary];
  const calibrated = isCalibrated(first) && isCalibrated(second);
  return [
    calibrated ? BOTH.gap(first, second) : noGap(first, second),
    calibrated ? mostApart(first, second) : "",
    !calibrated || sameSentences(first, second) ? "" : BOTH.otherSentences,
    known[0] && known[1] && known[0] !== known[1] ? BOTH.otherVocabulary : "",
  ].filter(Boolean);
}

/** Says why no numbers are compared. @param {Answer} first @param {Answer} second */
function noGap(first, second) {
  return isUnderstood(first) && isUnderstood(second) ? BOTH.short : BOTH.notUnderstood;
}

/** @param {Answer} first @param {Answer} second */
function mostApart(first, second) {
  if (!sameSentences(first, second)) return "";
  const rows = rowsOf(first, second);
  if (rows.length < 2) return "";
  const most = rows.reduce((best, row) => (gapOf(row) > gapOf(best) ? row : best));
  const [one, other] = effectsOf(most);
  return points(one) === points(other) ? "" : BOTH.mostApart(most.text, one, other);
}

/** @param {Row} row @returns {[number, number]} */
function effectsOf({ effects: [first, second] }) {
  return [first ?? 0, second ?? 0];
}

/** @param {Row} row */
function gapOf(row) {
  const [first, second] = effectsOf(row);
  return Math.abs(first - second);
}

/**
 * Pairs the effects of each sentence. Answers with different sentences are listed separately.
 * @param {Answer} first
 * @param {Answer} second
 * @returns {Row[]}
 */
export function rowsOf(first, second) {
  const [ours, theirs] = [sentencesOf(first), sentencesOf(second)];
  if (sameSentences(first, second)) {
    return ours.map(({ text, effect }, place) => ({ text, effects: [effect, theirs[place].effect] }));
  }
  return [
    ...ours.map(({ text, effect }) => /** @type {Row} */ ({ text, effects: [effect, null] })),
    ...theirs.map(({ text, effect }) => /** @type {Row} */ ({ text, effects: [null, effect] })),
  ];
}

/** @param {Answer} answer */
function sentencesOf({ text = "", sentences = [], bias, probability }) {
  const characters = Array.from(text);
  const logit = logitOf(bias, sentences);
  return sentences.map((sentence) => {
    // An older API doesn't measure it; there, the sentence's share of the sum tells.
    const without = sentence.without ?? sigmoid(logit - sentence.contribution);
    return { text: cut(characters, sentence).trim(), effect: probability - without };
  });
}

/** @param {Answer} first @param {Answer} second */
function sameSentences(first, second) {
  const [ours, theirs] = [first.sentences ?? [], second.sentences ?? []];
  const same = ours.every(({ start, end }, place) => theirs[place]?.start === start && theirs[place].end === end);
  return first.text === second.text && ours.length === theirs.length && same;
}

/** Tells whether there is a list to show: a single sentence is the whole text. @param {Answer} first @param {Answer} second */
export function hasList(first, second) {
  const long = (/** @type {Answer} */ { sentences = [] }) => sentences.length > 1;
  return isCalibrated(first) && isCalibrated(second) && (long(first) || long(second));
}

/** Draws the list of sentences. @param {Answer} first @param {Answer} second */
export function listOf(first, second) {
  const rows = rowsOf(first, second);
  const strongest = rows.reduce((most, row) => Math.max(most, ...effectsOf(row).map(Math.abs)), FULL_BAR);
  return rows.map((row) => item(row, strongest));
}

/** @param {Row} row @param {number} strongest */
function item({ text, effects }, strongest) {
  const words = element("span", "effect-text", text);
  words.dir = "auto";
  const line = listItem(words, ...effects.map((effect, side) => cellOf(effect, side, strongest)));
  line.className = "effect-row";
  return line;
}

/** @param {number | null} effect @param {number} side @param {number} strongest */
function cellOf(effect, side, strongest) {
  const cell = element("span", "effect-cell");
  cell.dataset.side = String(side);
  cell.dataset.sign = signOf(effect ?? 0);
  const track = element("span", "track");
  track.setAttribute("aria-hidden", "true");
  track.append(element("span", "fill"));
  cell.style.setProperty("--share", String(Math.min(1, Math.abs(effect ?? 0) / strongest)));
  const number = element("span", "row-number", effect === null ? BOTH.none : points(effect));
  cell.append(element("span", "effect-name", `${BOTH.effectOn(side)} `), number, " ", track);
  return cell;
}

/** Returns the sign of an effect; none for one that is shown as 0.0. @param {number} effect */
function signOf(effect) {
  if (points(effect) === points(0)) return "zero";
  return effect > 0 ? "plus" : "minus";
}
