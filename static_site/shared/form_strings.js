// Holds the English words of a form for a review, which two pages have.

import { count, plural } from "./strings.js";

/** Fixed texts, by the names of data-string. */
export const STATIC = {
  reviewLabel: "Your review",
  placeholder: "Type or paste a film review.",
  examplesTitle: "Or try an example",
};

/** @param {number} length @param {number} limit */
export function lengthOf(length, limit) {
  if (length <= limit) return `${count(length)} of ${count(limit)} characters`;
  const over = plural(length - limit, "character", "characters");
  return `${count(length)} of ${count(limit)} characters: ${over} too many`;
}

/** @param {boolean} mac */
export const shortcut = (mac) => (mac ? "or \u2318 Enter" : "or Ctrl + Enter");

/** @param {number} length */
export const loading = (length) => `Reading ${plural(length, "character", "characters")}\u2026`;
