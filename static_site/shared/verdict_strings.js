// Holds the English words for verdicts, warnings, pulls and probabilities.

import { LANGUAGE, MINUS, percent } from "./strings.js";

const twoPlaces = new Intl.NumberFormat(LANGUAGE, {
  minimumFractionDigits: 2,
  maximumFractionDigits: 2,
});

/** Writes a signed pull: +1.24, −0.87, 0.00. @param {number} contribution */
export function signed(contribution) {
  const size = twoPlaces.format(Math.abs(contribution));
  if (size === twoPlaces.format(0)) return size;
  return (contribution > 0 ? "+" : MINUS) + size;
}

/** @type {Record<string, string>} */
export const VERDICTS = {
  positive: "Positive",
  negative: "Negative",
  uncertain: "Can\u2019t tell",
};

/** @type {Record<string, string>} */
export const WARNINGS = {
  truncated: "Only part of the text was read",
  too_short: "Very short",
  no_known_words: "No known word",
  not_english: "May not be English",
};
export const OTHER_WARNING = "Note";

/** Says how sure the model is. @param {string} sentiment @param {number} probability */
export function sureness(sentiment, probability) {
  if (sentiment === "uncertain") return "Not sure enough to say.";
  const share = percent(sentiment === "negative" ? 1 - probability : probability);
  return `${share.charAt(0).toUpperCase()}${share.slice(1)} sure.`;
}

export const knowsNone = "It knows none of these words, so it gives no verdict.";

export const probabilityLabel = "Probability that it is positive";

/** @param {[number, number]} band */
export const band = ([low, high]) =>
  `Between ${Math.round(low * 100)} and ${Math.round(high * 100)}\u00a0% (hatched) the verdict is \u201cCan\u2019t tell\u201d.`;

/** Names the ends of a scale, by the keys of data-string. */
export const AXIS = { axisMinus: "\u2212 negative", axisPlus: "positive +" };
