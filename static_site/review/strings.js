// Holds the English words of the form for a review, and what stands below it until somebody has asked.

import { count } from "../shared/strings.js";

/** Texts that stand in the page as they are: an element's data-string names its key. */
export const STATIC = {
  send: "Read the review",
  restore: "Put my own text back",
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

/**
 * Where a long review will be cut, as far as the page can count.
 * @param {number} tokens
 * @param {{head: number, tail: number}} limits
 */
export const cutNote = (tokens, { head, tail }) =>
  `About ${count(tokens)} words and signs: it will read the first ${count(head)} and the last ${count(tail)}, ` +
  "and say which part it left out.";

/**
 * @param {string} url
 * @param {{live: boolean, history: boolean}} settings
 */
export const privacy = (url, { live, history }) =>
  `Only the text in this box is sent, to ${url}, ${live ? "whenever you pause" : "and only when you ask"}. ` +
  (history ? "It is kept in this browser, as you chose, and not there." : "Nothing is stored, here or there.");

export const stopped = "Stopped. There is no verdict.";
