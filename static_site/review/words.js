// Draws the text: sentences underlined by their pulls, and words tinted by their effects.

import * as strings from "./answer_strings.js";
import { logitOf, sigmoid } from "../api.js";
import { element } from "../shared/dom.js";
import { signOf } from "../shared/meter.js";
import { cut, widestGap, within } from "../shared/spans.js";
import { signed } from "../shared/verdict_strings.js";

/** @typedef {import("../api.js").Span} Span */
/** @typedef {import("../api.js").Word} Word */
/** @typedef {import("../shared/spans.js").Range} Range */
/** @typedef {Required<import("../api.js").Answer>} Explained an answer that was explained by words */
/**
 * @typedef {object} Weights what each word counts for
 * @property {boolean} measured by leaving the word out; else its pull
 * @property {(number | null)[]} values in logits, by word; null where not measured
 * @property {number} logit of the whole text
 */

// Least pull of a full tint, in logits, so that weak words look weak.
const FULL_TINT = 0.3;
// Words with a full tint.
const FULL_WORDS = 5;
// Weaker tints are left out, so that strong words stand out.
const FAINT = 0.12;

/** Returns the words' effects, or their pulls where the answer has no effect. @param {Explained} answer @returns {Weights} */
export function weightsOf({ bias, words }) {
  const measured = words.some(({ effect }) => effect !== undefined);
  const values = words.map(({ effect, contribution }) => (measured ? (effect ?? null) : contribution));
  return { measured, values, logit: logitOf(bias, words) };
}

/** @param {Explained} answer @param {number} strongest the pull of a sentence that counts as full */
export function textPieces(answer, strongest) {
  const points = Array.from(answer.text);
  const wasCut = answer.warnings.some(({ code }) => code === "truncated");
  const unread = wasCut ? widestGap(answer.words) : { start: 0, end: 0 };
  const plain = (/** @type {Range} */ range) => plainPieces(points, range, unread);
  const places = new Map(answer.words.map((word, index) => [word, index]));

  const wordPieces = between(plain, (/** @type {Word} */ word) => wordMark(cut(points, word), places.get(word) ?? 0));
  const sentencePieces = between(plain, (/** @type {Span} */ sentence, index) => {
    const mark = element("mark", "pull");
    describePull(mark, index, sentence.contribution, strongest);
    // The style sheet shows it, so that it is not part of the text.
    mark.dataset.number = signed(sentence.contribution);
    mark.append(...wordPieces(within(answer.words, sentence), sentence));
    return mark;
  });
  return sentencePieces(answer.sentences.map((sentence) => trimmed(points, sentence)), {
    start: 0,
    end: points.length,
  });
}

/**
 * Draws spans and the text between them, within a range.
 * @param {(range: Range) => (string | Node)[]} plain
 * @param {(span: any, index: number) => Node} draw
 * @returns {(spans: Span[], range: Range) => (string | Node)[]}
 */
function between(plain, draw) {
  return (spans, { start, end }) => {
    let at = start;
    const pieces = spans.flatMap((span, index) => {
      const before = plain({ start: at, end: span.start });
      at = span.end;
      return [...before, draw(span, index)];
    });
    return [...pieces, ...plain({ start: at, end })];
  };
}

/** Trims the space around a sentence. @param {string[]} points @param {Span} sentence */
function trimmed(points, sentence) {
  let { start, end } = sentence;
  while (start < end && points[start].trim() === "") start += 1;
  while (end > start && points[end - 1].trim() === "") end -= 1;
  return { ...sentence, start, end };
}

/** @param {string[]} points @param {Range} range @param {Range} unread */
function plainPieces(points, range, unread) {
  const text = cut(points, range);
  if (text === "") return [];
  const shared = Math.min(range.end, unread.end) - Math.max(range.start, unread.start);
  return shared > (unread.end - unread.start) / 2 ? [element("span", "unread", text)] : [text];
}

/** Draws a word as a toggle that removes it. @param {string} text @param {number} index */
function wordMark(text, index) {
  const mark = element("span", "word", text);
  mark.setAttribute("role", "button");
  mark.setAttribute("aria-pressed", "false");
  mark.tabIndex = -1;
  mark.dataset.word = String(index);
  return mark;
}

/** Tints all words. @param {ParentNode} view @param {Weights} weights */
export function tintWords(view, weights) {
  const sizes = weights.values.map((value) => Math.abs(value ?? 0)).sort((one, other) => other - one);
  // Otherwise one dominant word would hide all others.
  const strongest = Math.max(FULL_TINT, sizes[FULL_WORDS - 1] ?? 0);
  for (const mark of view.querySelectorAll(".word")) tint(/** @type {HTMLElement} */ (mark), weights, strongest);
}

/** @param {HTMLElement} mark @param {Weights} weights @param {number} strongest the effect of a full tint */
function tint(mark, weights, strongest) {
  const index = Number(mark.dataset.word);
  const value = weights.values[index];
  const share = Math.min(1, Math.abs(value ?? 0) / strongest);
  const words = value === null ? strings.notMeasured : strings.effect(signed(value), probabilityWithout(weights, index));
  mark.setAttribute("aria-label", `${mark.textContent} ${words}`);
  mark.dataset.sign = signOf(value ?? 0);
  mark.dataset.number = value === null ? "" : signed(value);
  mark.dataset.tip = words;
  mark.toggleAttribute("data-faint", share < FAINT);
  mark.style.setProperty("--share", String(share));
}

/** Returns P(positive) of the text without a word; null where not measured. @param {Weights} weights @param {number} index */
export function probabilityWithout({ measured, values, logit }, index) {
  const value = values[index];
  return measured && value !== null ? sigmoid(logit - value) : null;
}

/**
 * @param {HTMLElement} node
 * @param {number | null} index
 * @param {number} contribution
 * @param {number} strongest
 */
export function describePull(node, index, contribution, strongest) {
  if (index !== null) node.dataset.sentence = String(index);
  node.dataset.contribution = String(contribution);
  node.dataset.sign = signOf(contribution);
  node.style.setProperty("--share", String(Math.min(1, Math.abs(contribution) / strongest)));
}

/** Returns the pull of a full bar or tint. @param {Span[]} spans @param {number} least */
export function strongestOf(spans, least) {
  return spans.reduce((most, { contribution }) => Math.max(most, Math.abs(contribution)), least);
}
