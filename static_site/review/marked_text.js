// Draws a text with its marks: sentences underlined, the few words that matter glowing.

import { element } from "../shared/dom.js";
import { signOf } from "../shared/meter.js";
import { cut, widestGap } from "../shared/spans.js";
import { glowing, written } from "./effects.js";

/** @typedef {import("./effects.js").Explained} Explained */
/** @typedef {import("../shared/meter.js").Sign} Sign */
/** @typedef {import("../shared/spans.js").Range} Range */
/** @typedef {Range & {sign: Sign, index: number}} Mark index: of the sentence or word in the answer */
/** @typedef {{sentences: Mark[], words: Mark[], unread: Range[]}} Marks */
/** @typedef {(mark: Mark, nodes: (string | Node)[]) => Node} Draw */

/** Returns an answer's marks, in code points of its text. @param {Explained} answer @returns {Marks} */
export function marksOf(answer) {
  const points = Array.from(answer.text);
  const mark = (/** @type {Range} */ { start, end }, /** @type {number} */ index, /** @type {number} */ pull) =>
    ({ start, end, index, sign: signOf(pull) });
  const glow = glowing(answer).sort((one, other) => one - other);
  const wasCut = answer.warnings.some(({ code }) => code === "truncated");
  return {
    sentences: answer.sentences.map((one, index) => mark(trimmed(points, one), index, one.contribution)),
    words: glow.map((index) => mark(written(points, answer.words[index]), index, answer.words[index].effect ?? 0)),
    unread: wasCut ? [widestGap(answer.words)] : [],
  };
}

/**
 * Draws a text with marks.
 * @param {(range: Range) => string} text cuts the text
 * @param {number} length of the text, in the marks' own units
 * @param {Marks} marks
 * @param {Draw} [drawWord]
 */
export function textNodes(text, length, { sentences, words, unread }, drawWord = glowNode) {
  const inSentence = new Set();
  const word = drawer(drawWord, () => []);
  const sentence = drawer(sentenceNode, (mark) => {
    const inside = words.filter((one) => one.start >= mark.start && one.end <= mark.end);
    inside.forEach((one) => inSentence.add(one));
    return inside.map(word);
  });
  const outer = [
    ...sentences.map(sentence),
    ...unread.map(drawer((_, nodes) => wrapped("unread", nodes), () => [])),
    ...words.filter((one) => !inSentence.has(one)).map(word),
  ];
  return pieces(text, { start: 0, end: length }, outer);
}

/** @typedef {Range & {node: (text: (range: Range) => string) => Node}} Piece */

/** @param {Draw} draw @param {(mark: Mark) => Piece[]} inner @returns {(mark: any) => Piece} */
function drawer(draw, inner) {
  return (mark) => {
    const within = inner(mark);
    return { start: mark.start, end: mark.end, node: (text) => draw(mark, pieces(text, mark, within)) };
  };
}

/**
 * Returns a range's text with pieces of it drawn.
 * @param {(range: Range) => string} text
 * @param {Range} range
 * @param {Piece[]} drawn
 */
function pieces(text, { start, end }, drawn) {
  /** @type {(string | Node)[]} */
  const nodes = [];
  let at = start;
  for (const piece of [...drawn].sort((one, other) => one.start - other.start)) {
    if (piece.start < at) continue;
    nodes.push(text({ start: at, end: piece.start }), piece.node(text));
    at = piece.end;
  }
  return [...nodes, text({ start: at, end })].filter((node) => node !== "");
}

/** @param {Mark} mark @param {(string | Node)[]} nodes */
function sentenceNode({ sign, index }, nodes) {
  const node = wrapped("pull", nodes, "mark");
  node.dataset.sign = sign;
  node.dataset.sentence = String(index);
  return node;
}

/** @param {Mark} mark @param {(string | Node)[]} nodes */
function glowNode({ sign, index }, nodes) {
  const node = wrapped("glow", nodes);
  node.dataset.sign = sign;
  node.dataset.word = String(index);
  return node;
}

/** @param {string} className @param {(string | Node)[]} nodes @param {string} [tag] */
function wrapped(className, nodes, tag = "span") {
  const node = element(tag, className);
  node.append(...nodes);
  return node;
}

/** Trims the space around a sentence. @param {string[]} points @param {Range} sentence */
function trimmed(points, { start, end }) {
  while (start < end && points[start].trim() === "") start += 1;
  while (end > start && points[end - 1].trim() === "") end -= 1;
  return { start, end };
}

/** Draws an answer's own text, with its sentences marked. @param {Explained} answer */
export function answerText(answer) {
  const points = Array.from(answer.text);
  return textNodes((range) => cut(points, range), points.length, marksOf(answer));
}
