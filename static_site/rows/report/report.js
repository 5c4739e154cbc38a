// Computes the report of a table, as training/report does: the same figures from the same answers.

import { Counts } from "./cells.js";
import { NO_DATE, isoOf } from "./days.js";
import { CellDraws, MoveDraws } from "./draws.js";

import { MICRO, microOf, rounded } from "./intervals.js";
import { MoveCounts, movedBy } from "./moved.js";
import { noticesOf } from "./notice_strings.js";
import { MOST_GROUPS, planOf } from "./plan.js";
import { byCodePoints } from "./samples.js";
import { FAILED, NOT_UNDERSTOOD, NO_GROUP, judgedRows } from "./table.js";

/**
 * @typedef {import("./table.js").Table} Table
 * @typedef {import("./plan.js").Plan} Plan
 * @typedef {import("./plan.js").Options} Options
 * @typedef {import("./cells.js").Cell} Cell
 * @typedef {Cell & {start: string}} Period start: a day as 2026-05-03
 * @typedef {Cell & {name: string, small: boolean, periods?: (number | null)[]}} Group
 * @typedef {Cell & {name: string, share: number, pull: number | null}} Aspect
 * @typedef {{text: string, date: string | null, group: string | null, sentiment: string, probability: number,
 *   sentence: string | null}} Row sentence: the deciding one
 * @typedef {object} Report as training/report writes it
 * @property {1} version
 * @property {{name: string, rows: number, judged: number, failed: number,
 *   columns: {review: string | null, date: string | null, group: string | null}}} file
 * @property {{id: string}} model
 * @property {"film" | "product" | "own" | "none"} aspects_from
 * @property {"rows" | "groups"} resampled
 * @property {import("./notice_strings.js").Notice[]} notices
 * @property {Cell} overall
 * @property {{unit: import("./days.js").Unit, first: string, last: string, periods: Period[]} | null} over_time
 *   first, last: the dates of rows, which may lie within a period
 * @property {Group[] | null} groups
 * @property {Aspect[]} aspects
 * @property {{best: import("./samples.js").Typical[], worst: import("./samples.js").Typical[]}} sentences
 * @property {{rows: number, up: import("./samples.js").Strong[], down: import("./samples.js").Strong[]}} words
 * @property {import("./moved.js").Comparison | null} comparison
 * @property {import("./moved.js").Cause[]} moved
 * @property {Record<string, Row>} rows by number
 */

const VERSION = 1;
const FEW_ROWS = 20;
const SMALL_MULTIPLES = 12;
const OVERLAPPING_CLAUSES = 5;
const OVERLAP = 0.5;
const TEXT_CHARACTERS = 400;
const CUT = "\u2026";
// Rows between two pauses: some milliseconds' work.
const DRAWN_ROWS = 250;
const COUNTED_ROWS = 4_000;
const SENTIMENTS = ["negative", "uncertain", "positive"];

/** Returns the report of a table; null before a row is judged. @param {Table} table @param {Options} [options] */
export function reportOf(table, options = {}) {
  const steps = new Reporter(table).report(options);
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/** Computes reports of a table that grows. What was added up for one report serves the next. */
export class Reporter {
  #key = "";
  /** @type {CellDraws | null} */ #cells = null;
  /** @type {MoveDraws | null} */ #moves = null;
  #added = new Uint8Array(0);

  /** @param {Table} table */
  constructor(table) {
    this.table = table;
  }

  /**
   * Computes a report in slices, and yields the done share of the work after each.
   * @param {Options} [options]
   * @returns {Generator<number, Report | null>}
   */
  *report(options = {}) {
    const { table } = this;
    const plan = planOf(table, options);
    // Rows that are judged meanwhile belong to the next report.
    const rows = judgedRows(table);
    if (rows.length === 0) return null;
    this.#prepare(plan);
    yield* this.#draw(rows);
    const counts = new Counts(table, plan, rows);
    const moves = plan.sides && new MoveCounts(table, plan, plan.sides);
    for (const [place, row] of rows.entries()) {
      counts.add(row);
      moves?.add(row);
      if (place % COUNTED_ROWS === 0) yield 1;
    }
    yield 1;
    return yield* this.#assemble(plan, counts, moves, options);
  }

  /** Starts anew where the plan has changed. @param {Plan} plan */
  #prepare(plan) {
    const { periods, groups, resampled, sides } = plan;
    const { table } = this;
    const spans = periods && [periods.unit, periods.starts[0], periods.starts.length];
    const key = JSON.stringify([spans, groups, resampled, sides, table.groupNames.length]);
    if (key === this.#key) return;
    this.#key = key;
    this.#cells = new CellDraws(table, plan);
    this.#moves = plan.sides && new MoveDraws(table, plan, plan.sides);
    this.#added = new Uint8Array(table.count);
  }

  /** Adds up the rows that no report had before. @param {Int32Array} rows @returns {Generator<number>} */
  *#draw(rows) {
    const fresh = rows.filter((row) => !this.#added[row]);
    for (const [place, row] of fresh.entries()) {
      this.#added[row] = 1;
      this.#cells?.add(row);
      this.#moves?.add(row);
      if (place % DRAWN_ROWS === 0) yield place / fresh.length;
    }
  }

  /**
   * @param {Plan} plan
   * @param {Counts} counts
   * @param {MoveCounts | null} moves
   * @param {Options} options
   * @returns {Generator<number, Report>}
   */
  *#assemble(plan, counts, moves, options) {
    const { table } = this;
    const cells = /** @type {CellDraws} */ (this.#cells);
    const overall = counts.cell(counts.places.overall, cells);
    const over_time = overTime(plan, counts, cells);
    yield 1;
    const groups = groupsOf(table, plan, counts, cells);
    const aspects = aspectsOf(table, counts, cells);
    yield 1;
    const sentences = yield* table.samples.typicalSentences();
    const words = table.samples.strongestWords(overall.rows);
    yield 1;
    const isCompared = moves !== null && this.#moves !== null && moves.isEnough;
    const { comparison, moved } = isCompared
      ? movedBy(moves, /** @type {MoveDraws} */ (this.#moves), labelsOf(plan, options))
      : { comparison: null, moved: [] };
    yield 1;
    const figures = { overall, over_time, groups, aspects, sentences, words, comparison, moved };
    const failed = table.states.reduce((sum, state) => sum + (state === FAILED ? 1 : 0), 0);
    return {
      version: VERSION,
      file: { name: table.file.name, rows: table.count, judged: overall.rows, failed, columns: table.file.columns },
      model: { id: table.model },
      aspects_from: table.aspects.from,
      resampled: plan.resampled,
      notices: noticesOf(factsOf(table, plan, { ...figures, rows: counts.rows, failed }, options)),
      ...figures,
      rows: namedRows(table, figures),
    };
  }
}

/** @param {Plan} plan @param {Options} options @returns {[string, string]} */
function labelsOf({ sides }, { between }) {
  if (between) return between;
  const day = isoOf(sides?.cut ?? 0);
  return [`before ${day}`, `from ${day} on`];
}

/** @param {Plan} plan @param {Counts} counts @param {CellDraws} draws */
function overTime({ periods, first, last }, counts, draws) {
  if (periods === null) return null;
  const listed = periods.starts.map((start, place) => ({
    start: isoOf(start),
    ...counts.cell(counts.places.periods + place, draws),
  }));
  return { unit: periods.unit, first: isoOf(first), last: isoOf(last), periods: listed };
}

/** @param {Table} table @param {Plan} plan @param {Counts} counts @param {CellDraws} draws @returns {Group[] | null} */
function groupsOf({ groupNames }, { groups, periods }, counts, draws) {
  if (groups.length === 0) return null;
  const listed = groups.map((group, slot) => {
    const cell = counts.cell(counts.places.groups + slot, draws);
    return {
      name: groupNames[group],
      small: cell.rows < FEW_ROWS,
      ...(periods && slot < SMALL_MULTIPLES ? { periods: counts.smallMultiple(slot) } : {}),
      ...cell,
    };
  });
  return listed.sort(
    (one, other) =>
      Number(other.net) - Number(one.net) || other.rows - one.rows || byCodePoints(one.name, other.name),
  );
}

/** @param {Table} table @param {Counts} counts @param {CellDraws} draws @returns {Aspect[]} the lowest effect first */
function aspectsOf({ aspects: { names } }, counts, draws) {
  const judged = counts.cells[counts.places.overall].rows;
  const listed = names.map((name, place) => {
    const { rows, pull } = counts.cells[counts.places.aspects + place];
    const cell = {
      name,
      share: rounded(rows / judged),
      pull: rows === 0 ? null : rounded(pull / rows / MICRO),
      ...counts.cell(counts.places.aspects + place, draws),
    };
    return { pull, cell };
  });
  listed.sort(
    (one, other) => Number(one.cell.rows === 0) - Number(other.cell.rows === 0) || one.pull - other.pull,
  );
  return listed.map(({ cell }) => cell);
}

/**
 * @param {Table} table
 * @param {Plan} plan
 * @param {Pick<Report, "overall" | "over_time" | "groups" | "aspects" | "comparison">
 *   & {rows: Int32Array, failed: number}} figures rows: the judged ones, from 0
 * @param {Options} options
 * @returns {import("./notice_strings.js").Facts}
 */
function factsOf(table, plan, figures, { between }) {
  const { rows, overall, over_time, groups, aspects, comparison, failed } = figures;
  let [notUnderstood, undated] = [0, 0];
  for (const row of rows) {
    if (table.flags[row] & NOT_UNDERSTOOD) notUnderstood += 1;
    if (table.dates[row] === NO_DATE) undated += 1;
  }
  const { date, group } = table.file.columns;
  return {
    judged: overall.rows,
    failed,
    notUnderstood,
    undated,
    date,
    group,
    allGroups: plan.allGroups,
    mostGroups: MOST_GROUPS,
    isGrouped: groups !== null,
    small: (groups ?? []).filter(({ small }) => small).length,
    fewRows: FEW_ROWS,
    only: onlyVerdict(overall),
    unmentioned: aspects.filter(({ rows }) => rows === 0).map(({ name }) => name),
    overlaps: overlapsOf(table),
    isTooFew: comparison === null && (over_time !== null || between !== undefined),
  };
}

/** @param {Cell} overall */
function onlyVerdict({ rows, positive, negative, uncertain }) {
  if (positive === rows) return "positive";
  if (negative === rows) return "negative";
  return uncertain === rows ? "uncertain" : null;
}

/** @param {Table} table @returns {[string, string, number][]} */
function overlapsOf({ aspects: { names }, clauses: { shared } }) {
  const at = (/** @type {number} */ one, /** @type {number} */ other) => shared[one * names.length + other];
  return names.flatMap((name, one) =>
    names.flatMap((other, place) => {
      if (place <= one) return [];
      const both = at(one, place);
      const fewer = Math.min(at(one, one), at(place, place));
      const overlaps = both >= OVERLAPPING_CLAUSES && both > OVERLAP * fewer;
      return overlaps ? [/** @type {[string, string, number]} */ ([name, other, both])] : [];
    }),
  );
}

/**
 * @param {Table} table
 * @param {Pick<Report, "overall" | "over_time" | "groups" | "aspects" | "sentences" | "words" | "moved">} figures
 * @returns {Record<string, Row>}
 */
function namedRows(table, { overall, over_time, groups, aspects, sentences, words, moved }) {
  const cells = [overall, ...(groups ?? []), ...aspects, ...(over_time?.periods ?? [])];
  const numbers = new Set([
    ...cells.flatMap(({ examples }) => examples),
    ...moved.flatMap(({ rows }) => rows),
    ...[...sentences.best, ...sentences.worst].map(({ row }) => row),
    ...[...words.up, ...words.down].flatMap(({ examples }) => examples),
  ]);
  const sorted = [...numbers].sort((one, other) => one - other);
  return Object.fromEntries(sorted.map((number) => [String(number), rowOf(table, number - 1)]));
}

/** Returns what a report says of a row. @param {Table} table @param {number} row from 0, judged @returns {Row} */
function rowOf(table, row) {
  const [start, end] = [table.starts[row], table.ends[row]];
  return {
    text: cut(table.texts[row], start),
    date: table.dates[row] === NO_DATE ? null : isoOf(table.dates[row]),
    group: table.groups[row] === NO_GROUP ? null : table.groupNames[table.groups[row]],
    sentiment: SENTIMENTS[table.signs[row] + 1],
    probability: rounded(microOf(table.probabilities[row]) / MICRO),
    sentence: end > start ? cut(table.texts[row].slice(start, end), 0) : null,
  };
}

/** Cuts a long text, from a place on. @param {string} text @param {number} start in UTF-16 units */
function cut(text, start) {
  if (text.length <= TEXT_CHARACTERS) return text;
  // Most texts have no character of two units.
  if (!/[\ud800-\udbff]/.test(text)) return marked(text.length, start, (from, to) => text.slice(from, to));
  const characters = Array.from(text);
  const before = Array.from(text.slice(0, start)).length;
  return marked(characters.length, before, (from, to) => characters.slice(from, to).join(""));
}

/**
 * Marks where a piece was cut off.
 * @param {number} length of the whole, in characters
 * @param {number} start
 * @param {(from: number, to: number) => string} pieceOf
 */
function marked(length, start, pieceOf) {
  const begin = Math.max(0, Math.min(start, length - TEXT_CHARACTERS));
  const end = begin + TEXT_CHARACTERS;
  return (begin > 0 ? CUT : "") + pieceOf(begin, end) + (end < length ? CUT : "");
}
