// Holds a file's rows, the reader's choices, and each row's outcome.

import { faultOf } from "../rows/columns.js";
import { labelOf } from "../rows/labels.js";
import { textOf } from "../rows/reading.js";
import { isWorthAnotherTry } from "../rows/sending.js";

/**
 * @typedef {import("../rows/reading.js").Sheet} Sheet
 * @typedef {import("../rows/sending.js").Job} Job
 * @typedef {import("../rows/sending.js").Outcome} Outcome
 * @typedef {import("../rows/labels.js").Label} Label
 * @typedef {import("../rows/columns.js").Columns & {scale: import("../rows/labels.js").Scale, once: boolean}} Choice
 *   once: equal reviews are sent once
 * @typedef {object} Work
 * @property {Sheet} sheet
 * @property {Choice} choice
 * @property {(Outcome | null)[]} outcomes by row; null for a row not sent yet
 * @property {[number, number] | null} band the probabilities of "can't tell"
 * @property {string[]} models the ids of those that answered
 */

/** Starts a file's work. Rows that can't be sent fail at once. @param {Sheet} sheet @param {Choice} choice @returns {Work} */
export function workOf(sheet, choice) {
  const outcomes = sheet.rows.map((_, row) => {
    const error = faultOf(sheet, row, choice.review);
    return error ? { error, detail: "", status: 0 } : null;
  });
  return { sheet, choice, outcomes, band: null, models: [] };
}

/** Returns the reviews to send: those of rows without an outcome. @param {Work} work @returns {Job[]} */
export function jobsOf({ sheet, choice, outcomes }) {
  /** @type {Map<string, Job>} */
  const byReview = new Map();
  /** @type {Job[]} */
  const jobs = [];
  sheet.rows.forEach((cells, row) => {
    if (outcomes[row] !== null) return;
    const review = textOf(cells[choice.review]);
    const same = choice.once ? byReview.get(review) : undefined;
    if (same) return void same.rows.push(row);
    const job = { review, rows: [row] };
    jobs.push(job);
    if (choice.once) byReview.set(review, job);
  });
  return jobs;
}

/** Resets failed rows that another try could help. Returns their number. @param {Work} work */
export function forgetFailures({ outcomes }) {
  let count = 0;
  outcomes.forEach((outcome, row) => {
    if (!isWorthAnotherTry(outcome)) return;
    outcomes[row] = null;
    count += 1;
  });
  return count;
}

/** @param {Work} work @returns {(Label | null)[]} empty when the file has no labels */
export function labelsOf({ sheet, choice }) {
  if (choice.label < 0) return [];
  return sheet.rows.map((cells) => labelOf(cells[choice.label], choice.scale));
}
