// Holds the English words of "The arithmetic", the only place with logits.

import { count, percent } from "../shared/strings.js";
import { signed } from "../shared/verdict_strings.js";

/**
 * Explains the sum in words.
 * @param {{bias: number, pull: number, logit: number, sentences: number,
 *   probability: number}} parts
 */
export const sum = ({ bias, pull, logit, sentences, probability }) =>
  `The model starts at ${signed(bias)} (its bias). ` +
  `${sentences === 1 ? "The only sentence adds" : `The ${count(sentences)} sentences add`} ` +
  `${signed(pull)}. The total is ${signed(logit)} (the logit). ` +
  `The logistic function turns that into ${percent(probability)} positive. ` +
  "A total of zero would be 50\u00a0%. All figures here are rounded.";

export const biasRow = "Starting point (bias)";
export const sumRow = "Total (logit)";
/** @param {number} others */
export const otherRows = (others) => `The ${count(others)} weaker sentences`;
