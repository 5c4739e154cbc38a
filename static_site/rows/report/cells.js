// Counts the rows of each cell: all rows, a period, a group, an aspect.

import { NO_DATE } from "./days.js";
import { placesOf } from "./draws.js";
import { Extremes } from "./extremes.js";
import { DRAWS, REPLICATES } from "./hashing.js";
import { MICRO, middleOf, oneSided, rounded, roundedInterval } from "./intervals.js";
import { MENTIONED, MIXED, NO_GROUP, NO_OPINION } from "./table.js";

/**
 * @typedef {import("./table.js").Table} Table
 * @typedef {import("./plan.js").Plan} Plan
 * @typedef {import("./draws.js").CellDraws} CellDraws
 * @typedef {object} Cell a cell of the report, see docs/report.md
 * @property {number} rows
 * @property {number | null} net 100 * (positive - negative) / rows
 * @property {import("./intervals.js").Interval | null} interval
 * @property {number} positive
 * @property {number} negative
 * @property {number} uncertain
 * @property {number} mixed
 * @property {number} no_opinion
 * @property {number | null} mean_logit
 * @property {number[]} examples numbers of rows
 */

const EXAMPLES_A_SIDE = 10;

/** Counts the rows of one cell. */
class Count {
  rows = 0;
  positive = 0;
  negative = 0;
  mixed = 0;
  noOpinion = 0;
  /** Sums, in millionths. */
  logit = 0;
  pull = 0;
  extremes = new Extremes(EXAMPLES_A_SIDE);

  /**
   * @param {number} row
   * @param {number} sign
   * @param {number} flags
   * @param {number} logit
   * @param {number} rank by which examples are chosen
   */
  add(row, sign, flags, logit, rank) {
    this.rows += 1;
    if (sign > 0) this.positive += 1;
    if (sign < 0) this.negative += 1;
    if (flags & MIXED) this.mixed += 1;
    if (flags & NO_OPINION) this.noOpinion += 1;
    this.logit += logit;
    this.extremes.add(row, rank);
  }

  get net() {
    return this.positive - this.negative;
  }

  /** Returns the sign of the only verdict; null for several, or for no row. */
  get onlySign() {
    if (this.rows === 0) return null;
    if (this.positive === this.rows) return 1;
    if (this.negative === this.rows) return -1;
    return this.positive + this.negative === 0 ? 0 : null;
  }
}

/** Counts judged rows by cell, for one report. */
export class Counts {
  /** @type {Map<number, number> | null} by cells with one verdict */ #unitsOfCells = null;

  /** @param {Table} table @param {Plan} plan @param {Int32Array} rows judged, from 0 */
  constructor(table, plan, rows) {
    this.table = table;
    this.plan = plan;
    this.rows = rows;
    this.places = placesOf(plan, table);
    this.cells = Array.from({ length: this.places.count }, () => new Count());
    const periods = plan.periods?.starts.length ?? 0;
    this.groupNets = new Int32Array(plan.groups.length * periods);
    this.groupRows = new Int32Array(plan.groups.length * periods);
  }

  /** Adds one of the rows. They come in order. @param {number} row from 0, judged */
  add(row) {
    const { table, plan, places, cells } = this;
    const [sign, flags, logit] = [table.signs[row], table.flags[row], table.logits[row]];
    cells[places.overall].add(row, sign, flags, logit, logit);
    const date = table.dates[row];
    const period = plan.periods && date !== NO_DATE ? plan.periods.placeOf(date) : -1;
    if (period >= 0) cells[places.periods + period].add(row, sign, flags, logit, logit);
    const slot = plan.slots[table.groups[row]] ?? -1;
    if (slot >= 0) cells[places.groups + slot].add(row, sign, flags, logit, logit);
    if (slot >= 0 && period >= 0) this.#addToSmall(slot, period, sign);
    this.#addToAspects(row, logit);
  }

  /** @param {number} slot @param {number} period @param {number} sign */
  #addToSmall(slot, period, sign) {
    const place = slot * (this.plan.periods?.starts.length ?? 0) + period;
    this.groupRows[place] += 1;
    this.groupNets[place] += sign;
  }

  /** @param {number} row @param {number} logit */
  #addToAspects(row, logit) {
    const { table, places, cells } = this;
    const aspects = table.aspects.names.length;
    for (let aspect = 0; aspect < aspects; aspect += 1) {
      const cell = row * aspects + aspect;
      const flags = table.aspectFlags[cell];
      if (!(flags & MENTIONED)) continue;
      const count = cells[places.aspects + aspect];
      count.add(row, table.aspectSigns[cell], flags, logit, table.pulls[cell]);
      count.pull += table.pulls[cell];
    }
  }

  /** Returns the net score of a group in each period; null without rows. @param {number} slot */
  smallMultiple(slot) {
    const periods = this.plan.periods?.starts.length ?? 0;
    return Array.from({ length: periods }, (_, period) => {
      const place = slot * periods + period;
      const rows = this.groupRows[place];
      return rows === 0 ? null : rounded((100 * this.groupNets[place]) / rows);
    });
  }

  /**
   * Returns the cell of the report.
   * @param {number} place
   * @param {CellDraws} draws
   * @returns {Cell}
   */
  cell(place, draws) {
    const count = this.cells[place];
    const { rows, positive, negative, mixed, noOpinion } = count;
    return {
      rows,
      net: rows === 0 ? null : rounded((100 * count.net) / rows),
      interval: roundedInterval(this.#interval(place, draws)),
      positive,
      negative,
      uncertain: rows - positive - negative,
      mixed,
      no_opinion: noOpinion,
      mean_logit: rows === 0 ? null : rounded(count.logit / rows / MICRO),
      examples: count.extremes.both().map((row) => row + 1),
    };
  }

  /** @param {number} place @param {CellDraws} draws */
  #interval(place, draws) {
    const count = this.cells[place];
    if (count.rows === 0) return null;
    if (count.onlySign !== null) return oneSided(this.#units(place), count.onlySign);
    const values = new Float64Array(REPLICATES);
    let found = 0;
    for (let at = place * DRAWS + 1; at < (place + 1) * DRAWS; at += 1) {
      if (draws.rows[at] === 0) continue;
      values[found] = (100 * draws.nets[at]) / draws.rows[at];
      found += 1;
    }
    return middleOf(values.subarray(0, found));
  }

  /** Returns how many units a cell has that are resampled: rows or groups. @param {number} place */
  #units(place) {
    const { groups, aspects } = this.places;
    const isGroup = place >= groups && place < aspects;
    if (this.plan.resampled === "rows" || isGroup) return this.cells[place].rows;
    this.#unitsOfCells ??= this.#countUnits();
    return this.#unitsOfCells.get(place) ?? 0;
  }

  /** Counts the groups of cells with one verdict. A row without a group counts by itself. */
  #countUnits() {
    const { table, plan, places, cells } = this;
    /** @type {Map<number, Set<number>>} */
    const found = new Map();
    const note = (/** @type {number} */ place, /** @type {number} */ row) => {
      if (cells[place].onlySign === null) return;
      const group = table.groups[row];
      if (!found.has(place)) found.set(place, new Set());
      found.get(place)?.add(group === NO_GROUP ? -row - 1 : group);
    };
    const aspects = table.aspects.names.length;
    for (const row of this.rows) {
      note(places.overall, row);
      const date = table.dates[row];
      if (plan.periods && date !== NO_DATE) note(places.periods + plan.periods.placeOf(date), row);
      for (let aspect = 0; aspect < aspects; aspect += 1) {
        if (table.aspectFlags[row * aspects + aspect] & MENTIONED) note(places.aspects + aspect, row);
      }
    }
    return new Map([...found].map(([place, units]) => [place, units.size]));
  }
}
