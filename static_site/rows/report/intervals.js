// Rounds figures and finds their intervals, as training/report does.

/** @typedef {[number, number]} Interval */

// Places that figures are rounded to.
const SCALE = 10_000;
const [LOW, HIGH] = [0.025, 0.975];
const DOUBT = 0.05;

/** Parts of a logit that make 1. Sums of whole millionths are exact in any order. */
export const MICRO = 1_000_000;

/** Rounds a logit to whole millionths, as the API does. @param {number} value */
export function microOf(value) {
  const size = Math.floor(MICRO * Math.abs(value) + 0.5);
  return value < 0 ? -size : size;
}

/** Rounds to 4 places. @param {number} value */
export function rounded(value) {
  return Math.floor(value * SCALE + 0.5) / SCALE + 0;
}

/** @param {Interval | null} interval @returns {Interval | null} */
export function roundedInterval(interval) {
  return interval && [rounded(interval[0]), rounded(interval[1])];
}

/**
 * Returns the middle 95 % of replicates; null when there are none.
 * @param {Float64Array} replicates sorted in place
 * @returns {Interval | null}
 */
export function middleOf(replicates) {
  if (replicates.length === 0) return null;
  replicates.sort();
  return [quantile(replicates, LOW), quantile(replicates, HIGH)];
}

/** Interpolates between two values. @param {Float64Array} sorted @param {number} share */
function quantile(sorted, share) {
  const place = share * (sorted.length - 1);
  const below = Math.floor(place);
  const first = sorted[below];
  const second = sorted[Math.min(below + 1, sorted.length - 1)];
  return first + (second - first) * (place - below);
}

/**
 * Bounds a net score whose rows all have one verdict, about which replicates say nothing.
 * @param {number} units rows or groups
 * @param {number} sign of the verdict
 * @returns {Interval}
 */
export function oneSided(units, sign) {
  const doubt = 1 - DOUBT ** (1 / units);
  if (sign === 0) return [-100 * doubt, 100 * doubt];
  return sign > 0 ? [100 * (1 - 2 * doubt), 100] : [-100, -100 * (1 - 2 * doubt)];
}
