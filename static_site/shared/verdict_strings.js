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

/** Names the side of a text that is too short for a verdict. @type {Record<string, string>} */
export const LEANINGS = { positive: "Leans positive", negative: "Leans negative" };

/** @type {Record<string, string>} */
export const WARNINGS = {
  truncated: "Only partly read",
  too_short: "Very short",
  no_known_words: "No known word",
  not_english: "May not be English",
  mixed: "Mixed opinion",
};
export const OTHER_WARNING = "Note";

/** Says why a verdict is uncertain. @type {Record<string, string>} */
export const REASONS = {
  mixed: "It praises and complains about equally.",
  no_opinion: "It gives no opinion of the film.",
  no_known_words: "The model knows none of these words.",
  not_english: "It does not look like English.",
  unclear: "It could go either way.",
};
const OTHER_REASON = "Not sure enough to say.";
const NOT_UNDERSTOOD = ["no_known_words", "not_english"];

/** @typedef {{sentiment: string, reason: string | null, probability: number}} Judged */

/** Tells whether the text was understood. If not, its probability means nothing. @param {{reason: string | null}} answer */
export function isUnderstood({ reason }) {
  return reason === null || !NOT_UNDERSTOOD.includes(reason);
}

// With these warnings, the share of whole reviews with such a score says nothing of the text.
const UNCALIBRATED = ["too_short", ...NOT_UNDERSTOOD];

/**
 * Tells whether the probability holds for such a text. If not, no number of it is shown.
 * @param {{reason: string | null, warnings: {code: string}[]}} answer
 */
export function isCalibrated(answer) {
  return isUnderstood(answer) && !answer.warnings.some(({ code }) => UNCALIBRATED.includes(code));
}

/** Returns the verdict in words; a leaning where its probability doesn't hold. @param {Judged & {warnings: {code: string}[]}} answer */
export function headlineOf(answer) {
  return (isCalibrated(answer) ? undefined : LEANINGS[answer.sentiment]) ?? VERDICTS[answer.sentiment];
}

/** Says how sure the model is, or why it can't tell. @param {Judged} answer */
export function sureness({ sentiment, reason, probability }) {
  if (sentiment === "uncertain") return REASONS[reason ?? ""] ?? OTHER_REASON;
  const share = percent(sentiment === "negative" ? 1 - probability : probability);
  return `${share.charAt(0).toUpperCase()}${share.slice(1)} sure.`;
}

/** Says why a text has a leaning only. */
export const tooShort = "Too short to be sure.";

export const probabilityLabel = "Probability that it is positive";

/** @param {[number, number]} band */
export const band = ([low, high]) =>
  `Between ${Math.round(low * 100)} and ${Math.round(high * 100)}\u00a0% (hatched) the verdict is \u201cCan\u2019t tell\u201d.`;

/** Names the ends of a scale, by the keys of data-string. */
export const AXIS = { axisMinus: "\u2212 negative", axisPlus: "positive +" };
