// Holds the English words of the form for a review, and what stands below it until somebody has asked.

import { count, plural } from "../shared/strings.js";

/** Texts that stand in the page as they are: an element's data-string names its key. */
export const STATIC = {
  reviewLabel: "Your review",
  placeholder: "Paste or write a film review here.",
  send: "Read the review",
  restore: "Put my own text back",
  examplesTitle: "Or try one of these",
  emptyTitle: "The verdict will stand here",
  emptyBody:
    "With it come how sure the model is, and the pull of every sentence, marked in the text:",
  keyPlus: "A solid line and a plus: this sentence pulls towards positive.",
  keyMinus: "A dashed line and a minus: this one pulls towards negative.",
  keySum: "Added to where the model starts, the pulls make the verdict. Nothing else goes in.",
  stop: "Stop waiting",
  errorKicker: "No verdict",
  edit: "Go to the text",
};

/** @param {number} length @param {number} limit */
export function lengthOf(length, limit) {
  if (length <= limit) return `${count(length)} of ${count(limit)} characters`;
  const over = plural(length - limit, "character", "characters");
  return `${count(length)} of ${count(limit)} characters: ${over} too many`;
}

/**
 * Where a long review will be cut, as far as the page can count.
 * @param {number} tokens
 * @param {{head: number, tail: number}} limits
 */
export const cutNote = (tokens, { head, tail }) =>
  `About ${count(tokens)} words and signs: it will read the first ${count(head)} and the last ${count(tail)}, ` +
  "and say which part it left out.";

/** @param {boolean} mac */
export const shortcut = (mac) => (mac ? "or \u2318 Enter" : "or Ctrl + Enter");

/**
 * @param {string} url
 * @param {{live: boolean, history: boolean}} settings
 */
export const privacy = (url, { live, history }) =>
  `Only the text in this box is sent, to ${url}, ${live ? "whenever you pause" : "and only when you ask"}. ` +
  (history ? "It is kept in this browser, as you chose, and not there." : "Nothing is stored, here or there.");

/** @param {number} length */
export const loading = (length) => `Reading ${plural(length, "character", "characters")}\u2026`;
export const stopped = "Stopped. There is no verdict.";
