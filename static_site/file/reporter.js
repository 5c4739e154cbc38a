// Makes the report of a run: hands its rows and answers to the figures.

import { dayNumber } from "../rows/dates.js";
import { NO_DATE } from "../rows/report/days.js";
import { Reporter } from "../rows/report/report.js";
import { Samples } from "../rows/report/samples.js";
import { Table } from "../rows/report/table.js";
import { textOf } from "../rows/reading.js";
import { aspectsIn, sentencesOf, wordsOf } from "./work.js";

/**
 * @typedef {import("./work.js").Judged} Judged
 * @typedef {import("./work.js").Work} Work
 * @typedef {import("../rows/labels.js").Label} Label
 * @typedef {import("../rows/report/plan.js").Options} Sides what is compared; the last third of the time without a choice
 * @typedef {{labels: (Label | null)[], dates: (string | null)[], groups: (string | null)[]}} More by row, or empty
 */

// Rows handed over at a time.
const LOT_ROWS = 1_000;
// Between two spells of work, the worker answers the page.
const SPELL_MS = 30;
const SIGNS = { positive: 1, negative: -1 };

/** Returns the rows whose words are to be measured. @param {number} rows of the file @returns {Set<number>} */
export function rowsByWords(rows) {
  return new Set(new Samples(rows).wordRows);
}

/**
 * Returns what makes reports of the rows so far.
 * @param {Work} work
 * @param {More} more
 * @returns {Promise<(sides: Sides) => Promise<any>>} returns the report as JSON
 */
export async function reporterOf(work, more) {
  const table = new Table({
    rows: work.sheet.rows.length,
    file: { name: work.sheet.name, columns: namesOf(work) },
    aspects: { from: work.choice.aspects.from, names: aspectsIn(work) },
  });
  for (let from = 0; from < work.outcomes.length; from += LOT_ROWS) {
    addLot(table, work, more, from);
    await pause();
  }
  // What it adds up for one comparison serves the next, so one is made at a time.
  const reporter = new Reporter(table);
  /** @type {Promise<any>} */
  let last = Promise.resolve();
  return (sides) => (last = last.catch(() => {}).then(() => inSpells(reporter.report(sides))));
}

/** Runs a generator to its end. @param {Generator<number, any>} steps @returns {Promise<any>} its result */
async function inSpells(steps) {
  for (let began = performance.now(); ; ) {
    const { done, value } = steps.next();
    if (done) return value;
    if (performance.now() - began < SPELL_MS) continue;
    await pause();
    began = performance.now();
  }
}

/** Lets waiting messages be answered. */
function pause() {
  return new Promise((resolve) => setTimeout(resolve));
}

/** @param {Work} work */
function namesOf({ sheet: { columns }, choice: { review, date, group } }) {
  const name = (/** @type {number} */ place) => columns[place] ?? null;
  return { review: name(review), date: name(date), group: name(group) };
}

/** @param {Table} table @param {Work} work @param {More} more @param {number} from */
function addLot(table, work, { labels, dates, groups }, from) {
  const { sheet, choice, outcomes, models } = work;
  const to = from + LOT_ROWS;
  table.addRows({
    texts: sheet.rows.slice(from, to).map((cells) => textOf(cells[choice.review])),
    dates: dates.length ? Int32Array.from(dates.slice(from, to), (day) => (day === null ? NO_DATE : dayNumber(day))) : null,
    groups: groups.length ? groups.slice(from, to) : null,
    labels: labels.length ? Int8Array.from(labels.slice(from, to), (label) => (label === null ? 0 : SIGNS[label])) : null,
  });
  outcomes.slice(from, to).forEach((outcome, place) => {
    if (outcome === null) return;
    const row = from + place;
    if (outcome.error !== undefined) return table.take(row, { error: outcome.error });
    table.take(row, answerOf(outcome, models));
    const text = outcome.text ?? textOf(sheet.rows[row][choice.review]);
    if (outcome.words) table.takeWords(row, { ...answerOf(outcome, models), text, words: wordsOf(outcome) });
  });
}

/** Unpacks what was kept of an answer. @param {Judged} outcome @param {string[]} models */
function answerOf(outcome, models) {
  const { sentiment, reason, probability, warnings, bias, text, aspects } = outcome;
  return {
    sentiment,
    reason,
    probability,
    warnings: warnings.map((code) => ({ code, detail: "" })),
    bias,
    text: text ?? undefined,
    sentences: sentencesOf(outcome),
    aspects: aspects ?? undefined,
    model: { id: models[0] ?? "" },
    request_id: "",
  };
}
