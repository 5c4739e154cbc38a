// Holds the English words of the review page before there is an answer.

import { count } from "../shared/strings.js";

/** Fixed texts, by the names of data-string. */
export const STATIC = {
  send: "Get the verdict",
  restore: "Restore my text",
  emptyTitle: "Your verdict will appear here",
  emptyBody:
    "It shows how sure the model is, and how each sentence pulls:",
  keyPlus: "Solid line, plus sign: this sentence pulls towards positive.",
  keyMinus: "Dashed line, minus sign: this one pulls towards negative.",
  keySum: "The model\u2019s starting point plus all pulls is the verdict. Nothing else counts.",
  stop: "Stop waiting",
  errorKicker: "No verdict",
  edit: "Edit the text",
};

/**
 * Says where a long review will be cut, by the page's own count.
 * @param {number} tokens
 * @param {{head: number, tail: number}} limits
 */
export const cutNote = (tokens, { head, tail }) =>
  `About ${count(tokens)} words and signs. The model will read the first ${count(head)} and the last ${count(tail)}, ` +
  "and the answer will name the part left out.";

/**
 * @param {string} url
 * @param {{live: boolean, history: boolean}} settings
 */
export const privacy = (url, { live, history }) =>
  `Sends only the text in this box to ${url}, ${live ? "whenever you pause" : "and only when you ask"}. ` +
  (history ? "As you chose, this browser keeps it; the API does not." : "Nothing is stored, here or there.");

export const stopped = "Stopped. No verdict.";
