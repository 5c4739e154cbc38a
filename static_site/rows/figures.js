// Counts a file's results: shares, histogram, and, with labels, accuracy and calibration.

import { isUnderstood } from "../shared/verdict_strings.js";

/**
 * @typedef {import("./sending.js").Outcome} Outcome
 * @typedef {import("./labels.js").Label} Label
 * @typedef {{positive: number, negative: number, uncertain: number}} Verdicts counts
 * @typedef {Verdicts & {failed: number, waiting: number, warned: number}} Shares
 * @typedef {{from: number, to: number} & Verdicts} Bin probabilities from, to; counts
 * @typedef {{rows: number, right: number, low: number, high: number}} Accuracy
 *   low, high: of the share, at 95 %
 * @typedef {{positive: Verdicts, negative: Verdicts, rows: number, without: number,
 *   all: Accuracy, outright: Accuracy}} Comparison without: rows with a verdict and no label
 * @typedef {{from: number, to: number, rows: number, predicted: number, observed: number,
 *   low: number, high: number}} CalibrationBin
 *   predicted: mean probability; observed: share of positive labels
 */

export const HISTOGRAM_BINS = 20;
export const CALIBRATION_BINS = 10;
// The standard normal quantile of a 95 % interval.
const Z = 1.96;

/** @param {(Outcome | null)[]} outcomes @returns {Shares} */
export function sharesOf(outcomes) {
  const shares = { positive: 0, negative: 0, uncertain: 0, failed: 0, waiting: 0, warned: 0 };
  for (const outcome of outcomes) {
    if (outcome === null) shares.waiting += 1;
    else if (outcome.error !== undefined) shares.failed += 1;
    else {
      shares[outcome.sentiment] += 1;
      if (outcome.warnings.length > 0) shares.warned += 1;
    }
  }
  return shares;
}

/** Counts by probability. A text that was not understood has none. @param {(Outcome | null)[]} outcomes @returns {Bin[]} */
export function histogramOf(outcomes) {
  const bins = Array.from({ length: HISTOGRAM_BINS }, (_, place) => ({
    from: place / HISTOGRAM_BINS,
    to: (place + 1) / HISTOGRAM_BINS,
    positive: 0,
    negative: 0,
    uncertain: 0,
  }));
  for (const outcome of outcomes) {
    if (outcome && outcome.error === undefined && isUnderstood(outcome))
      bins[binOf(outcome.probability, bins.length)][outcome.sentiment] += 1;
  }
  return bins;
}

/** @param {number} probability @param {number} bins */
function binOf(probability, bins) {
  return Math.min(Math.floor(probability * bins), bins - 1);
}

/** @param {(Outcome | null)[]} outcomes @param {(Label | null)[]} labels @returns {Comparison} */
export function compare(outcomes, labels) {
  const none = () => ({ positive: 0, negative: 0, uncertain: 0 });
  const table = { positive: none(), negative: none() };
  let without = 0;
  let right = 0;
  for (const [label, scored] of scoredRows(outcomes, labels)) {
    if (label === null) without += 1;
    else {
      table[label][scored.sentiment] += 1;
      right += scored.probability >= 0.5 === (label === "positive") ? 1 : 0;
    }
  }
  return {
    ...table,
    without,
    rows: rowsIn(table),
    all: accuracy(right, rowsIn(table)),
    outright: outrightOf(table),
  };
}

/**
 * @param {(Outcome | null)[]} outcomes
 * @param {(Label | null)[]} labels
 * @returns {[Label | null, import("./sending.js").Scored][]}
 */
function scoredRows(outcomes, labels) {
  /** @type {[Label | null, import("./sending.js").Scored][]} */
  const rows = [];
  outcomes.forEach((outcome, row) => {
    if (outcome && outcome.error === undefined) rows.push([labels[row], outcome]);
  });
  return rows;
}

/** @param {Record<Label, Verdicts>} table */
function rowsIn({ positive, negative }) {
  return [positive, negative].reduce((sum, row) => sum + row.positive + row.negative + row.uncertain, 0);
}

/** @param {Record<Label, Verdicts>} table */
function outrightOf({ positive, negative }) {
  const right = positive.positive + negative.negative;
  return accuracy(right, right + positive.negative + negative.positive);
}

/** @param {number} right @param {number} rows @returns {Accuracy} */
function accuracy(right, rows) {
  const [low, high] = interval(right, rows);
  return { rows, right, low, high };
}

/**
 * Returns Wilson's 95 % interval of a share (E. B. Wilson, 1927), which holds for few rows too.
 * @param {number} count
 * @param {number} rows
 * @returns {[number, number]}
 */
export function interval(count, rows) {
  if (rows === 0) return [0, 1];
  const share = count / rows;
  const middle = share + Z ** 2 / (2 * rows);
  const reach = Z * Math.sqrt((share * (1 - share)) / rows + Z ** 2 / (4 * rows ** 2));
  const scale = 1 + Z ** 2 / rows;
  return [Math.max(0, (middle - reach) / scale), Math.min(1, (middle + reach) / scale)];
}

/**
 * Bins without a row are left out, and so are texts that were not understood.
 * @param {(Outcome | null)[]} outcomes
 * @param {(Label | null)[]} labels
 * @returns {CalibrationBin[]}
 */
export function calibrationOf(outcomes, labels) {
  const sums = Array.from({ length: CALIBRATION_BINS }, () => ({ rows: 0, predicted: 0, positive: 0 }));
  for (const [label, scored] of scoredRows(outcomes, labels)) {
    if (label === null || !isUnderstood(scored)) continue;
    const { probability } = scored;
    const bin = sums[binOf(probability, CALIBRATION_BINS)];
    bin.rows += 1;
    bin.predicted += probability;
    bin.positive += label === "positive" ? 1 : 0;
  }
  return sums.map(calibrationBin).filter(({ rows }) => rows > 0);
}

/**
 * @param {{rows: number, predicted: number, positive: number}} sums
 * @param {number} place
 * @returns {CalibrationBin}
 */
function calibrationBin({ rows, predicted, positive }, place) {
  const [low, high] = interval(positive, rows);
  const [from, to] = [place / CALIBRATION_BINS, (place + 1) / CALIBRATION_BINS];
  return { from, to, rows, predicted: predicted / rows, observed: positive / rows, low, high };
}
