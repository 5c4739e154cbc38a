// Cuts a text by spans that count Unicode code points, and finds what lies between them.

/** @typedef {import("../api.js").Span} Span */
/** @typedef {{start: number, end: number}} Range */

/**
 * Offsets count code points, so the text is cut by them.
 * @param {string[]} points
 * @param {Range} range
 */
export function cut(points, { start, end }) {
  return points.slice(start, end).join("");
}

/** Those spans that lie within a range. @param {Span[]} spans @param {Range} range */
export function within(spans, { start, end }) {
  return spans.filter((span) => span.start >= start && span.end <= end);
}

/**
 * The widest stretch without a word: of a review that was cut, the part that was not read.
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
 * The text without some words, as a review to send: a space stands where a word stood, so that its
 * neighbours don't become one, and signs of markup are written as entities, so that they stay text.
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

/** The same text after markup is removed. @param {string} text */
export function escaped(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
