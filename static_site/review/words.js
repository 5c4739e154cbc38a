// Draws the text that was read: each sentence underlined by its pull, each word tinted by its own.

import { wordLabel } from "./answer_strings.js";
import { element } from "../shared/dom.js";
import { signOf } from "../shared/meter.js";
import { cut, widestGap, within } from "../shared/spans.js";
import { signed } from "../shared/verdict_strings.js";

/** @typedef {import("../api.js").Span} Span */
/** @typedef {import("../shared/spans.js").Range} Range */
/** @typedef {Required<import("../api.js").Answer>} Explained an answer that was explained by words */

// The pull of a word, in logits, that a full tint stands for at least; weak words must not look strong.
const FULL_TINT = 0.3;
// Of measured pulls so many have a full tint.
const FULL_WORDS = 5;
// Below this part of a full tint a word is left as it is, so that the strong ones can be seen.
const FAINT = 0.12;

/** @param {Explained} answer @param {number} strongest the pull of a sentence that counts as full */
export function textPieces(answer, strongest) {
  const points = Array.from(answer.text);
  const wasCut = answer.warnings.some(({ code }) => code === "truncated");
  const unread = wasCut ? widestGap(answer.words) : { start: 0, end: 0 };
  const plain = (/** @type {Range} */ range) => plainPieces(points, range, unread);
  const scale = strongestOf(answer.words, FULL_TINT);
  const places = new Map(answer.words.map((word, index) => [word, index]));

  const wordPieces = between(plain, (/** @type {Span} */ word) =>
    wordMark(cut(points, word), places.get(word) ?? 0, word.contribution, scale),
  );
  const sentencePieces = between(plain, (/** @type {Span} */ sentence, index) => {
    const mark = element("mark", "pull");
    describePull(mark, index, sentence.contribution, strongest);
    // Shown by the style sheet, so that the text's own characters stay the text's.
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
 * Draws spans, and what stands between them, within a range.
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

/** Space around a sentence isn't underlined. @param {string[]} points @param {Span} sentence */
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

/**
 * A word as a toggle: pressed, it is left out.
 * @param {string} text
 * @param {number} index
 * @param {number} pull
 * @param {number} strongest
 */
function wordMark(text, index, pull, strongest) {
  const mark = element("span", "word", text);
  mark.setAttribute("role", "button");
  mark.setAttribute("aria-pressed", "false");
  mark.tabIndex = -1;
  mark.dataset.word = String(index);
  tint(mark, pull, strongest);
  return mark;
}

/** Gives a word its pull. @param {HTMLElement} mark @param {number} pull @param {number} strongest */
function tint(mark, pull, strongest) {
  const share = Math.min(1, Math.abs(pull) / strongest);
  mark.setAttribute("aria-label", wordLabel(mark.textContent ?? "", pull));
  mark.dataset.sign = signOf(pull);
  mark.dataset.number = signed(pull);
  mark.toggleAttribute("data-faint", share < FAINT);
  mark.style.setProperty("--share", String(share));
}

/** Tints all words anew. @param {ParentNode} view @param {number[]} pulls of each word, in logits */
export function tintWords(view, pulls) {
  const sizes = pulls.map(Math.abs).sort((one, other) => other - one);
  // Beside a single word that decides it all, the others would look like nothing.
  const strongest = Math.max(FULL_TINT, sizes[FULL_WORDS - 1] ?? 0);
  for (const mark of view.querySelectorAll(".word")) {
    const word = /** @type {HTMLElement} */ (mark);
    tint(word, pulls[Number(word.dataset.word)], strongest);
  }
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

/** The pull that counts as full. @param {Span[]} spans @param {number} least */
export function strongestOf(spans, least) {
  return spans.reduce((most, { contribution }) => Math.max(most, Math.abs(contribution)), least);
}
