// Cuts a text by spans that count Unicode code points, and finds what lies between them.

/** @typedef {import("../api.js").Span} Span */
/** @typedef {{start: number, end: number}} Range */

/**
 * Cuts a text by offsets in code points.
 * @param {string[]} points
 * @param {Range} range
 */
export function cut(points, { start, end }) {
  return points.slice(start, end).join("");
}

/** Returns the spans within a range. @param {Span[]} spans @param {Range} range */
export function within(spans, { start, end }) {
  return spans.filter((span) => span.start >= start && span.end <= end);
}

/**
 * Returns the widest range without a word: the part of a cut review that was not read.
 * @param {Range[]} words in the order of the text
 * @returns {Range}
 */
export function widestGap(words) {
  let widest = { start: 0, end: 0 };
  for (let index = 1; index < words.length; index += 1) {
    const [start, end] = [words[index - 1].end, words[index].start];
    if (end - start > widest.end - widest.start) widest = { start, end };
  }
  return widest;
}

/**
 * Returns the text without some words, as a review to send. A space replaces each word, so that
 * neighbours stay apart. Markup characters become entities, so that they stay text.
 * @param {string} text
 * @param {Range[]} words what to leave out, in the order of the text
 */
export function without(text, words) {
  const points = Array.from(text);
  let at = 0;
  let kept = "";
  for (const { start, end } of words) {
    kept += `${cut(points, { start: at, end: start })} `;
    at = end;
  }
  return escaped(kept + cut(points, { start: at, end: points.length }));
}

/** Escapes a text, so that removing markup yields the same text. @param {string} text */
export function escaped(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
