// Holds the English words of what a text says of a film's aspects.

import { VERDICTS } from "../shared/verdict_strings.js";

export const nothing = "It names none of them.";

/** @param {string} name @param {import("../api.js").Sentiment} sentiment */
export const aspect = (name, sentiment) =>
  `${name.charAt(0).toUpperCase()}${name.slice(1)}: ${VERDICTS[sentiment].toLowerCase()}`;

/** @param {string} words @param {boolean} negated whether it says that there is none */
export const clause = (words, negated) =>
  negated ? `\u201c${words}\u201d (there is none)` : `\u201c${words}\u201d`;
