// Holds the English words of the review page before there is an answer.

import { count } from "../shared/strings.js";

/** Fixed texts, by the names of data-string. */
export const STATIC = {
  what: "Verdict reads a film review and tells you three things: positive or negative, how sure it is, and why.",
  send: "Get the verdict",
  live: "Read while I type",
  leaveOut: "Leave words out",
  own: "Write your own",
  restore: "Restore my text",
  examplesTitle: "Try another example",
  emptyTitle: "No review yet",
  stop: "Stop waiting",
  errorKicker: "No verdict",
  edit: "Edit the text",
};

export const oursNote = "This example is ours. Type over it.";
export const emptyBody = "Type or paste one. The verdict appears here.";
export const readyTitle = "Ready";
export const readyBody = "Press \u201cGet the verdict\u201d to send the text.";

/**
 * Says where a long review will be cut, by the page's own count.
 * @param {number} tokens
 * @param {{head: number, tail: number}} limits
 */
export const cutNote = (tokens, { head, tail }) =>
  `About ${count(tokens)} words and signs. The model will read the first ${count(head)} and the last ${count(tail)}. ` +
  "The part left out is struck through.";

/**
 * @param {string} url
 * @param {{live: boolean, history: boolean}} settings
 */
export const privacy = (url, { live, history }) =>
  `Sends only the text in this box to ${url}, ${live ? "whenever you pause" : "and only when you ask"}. ` +
  (history ? "As you chose, this browser keeps it; the API does not." : "Nothing is stored, here or there.");

export const stopped = "Stopped. No verdict.";
