// Reads the doubts that `verdict adapt --doubts` writes into a file: labels that look wrong, and why.

import { textOf } from "../rows/reading.js";

/**
 * @typedef {import("../rows/reading.js").Sheet} Sheet
 * @typedef {import("../rows/sending.js").Outcome} Outcome
 */

// training/adapt/doubts.py writes these columns.
const SUGGESTED = ["suggested_label", "verdict_suggested_label"];
const DOUBT = ["doubt", "verdict_doubt"];

/**
 * Returns the suggested labels as a model's outcomes, by row; none for a file without both columns.
 * @param {Sheet} sheet
 * @returns {Map<number, Outcome>}
 */
export function doubtsOf({ columns, rows }) {
  const [suggested, doubt] = [placeOf(columns, SUGGESTED), placeOf(columns, DOUBT)];
  /** @type {Map<number, Outcome>} */
  const outcomes = new Map();
  if (suggested < 0 || doubt < 0) return outcomes;
  rows.forEach((cells, row) => {
    const sentiment = textOf(cells[suggested]);
    const share = Number(textOf(cells[doubt]) || Number.NaN);
    if ((sentiment !== "positive" && sentiment !== "negative") || !(share >= 0 && share <= 1)) return;
    const probability = sentiment === "positive" ? share : 1 - share;
    outcomes.set(row, { sentiment, reason: null, probability, warnings: [] });
  });
  return outcomes;
}

/**
 * Returns the place of the last of some names, since the file may have had the first before; -1 for none.
 * @param {string[]} columns
 * @param {string[]} names
 */
function placeOf(columns, names) {
  return Math.max(...names.map((name) => columns.indexOf(name)));
}
