// Adds up rows with the weights of every replicate, each row once, as rows are judged.

import { NO_DATE } from "./days.js";
import { DRAWS, drawWeights, keyOfGroup, keyOfRow } from "./hashing.js";
import { MICRO } from "./intervals.js";
import { sideOf } from "./plan.js";
import { MENTIONED, NO_GROUP } from "./table.js";

/**
 * @typedef {import("./table.js").Table} Table
 * @typedef {import("./plan.js").Plan} Plan
 * @typedef {import("./plan.js").Sides} Sides
 * @typedef {{overall: number, periods: number, groups: number, aspects: number, count: number}} Places
 *   of the first cell of each kind
 */

/** @param {Plan} plan @param {Table} table @returns {Places} */
export function placesOf({ periods, groups }, { aspects }) {
  const groupsFrom = 1 + (periods?.starts.length ?? 0);
  const aspectsFrom = groupsFrom + groups.length;
  return {
    overall: 0,
    periods: 1,
    groups: groupsFrom,
    aspects: aspectsFrom,
    count: aspectsFrom + aspects.names.length,
  };
}

/** Holds the keys by which the rows of a table are resampled. */
class Keys {
  /** @param {Table} table */
  constructor(table) {
    this.table = table;
    this.groups = table.groupNames.map(keyOfGroup);
  }

  /** @param {number} row */
  ofRow(row) {
    return keyOfRow(row + 1);
  }

  /** Returns the key of a row's group, or its own without one. @param {number} row */
  ofGroup(row) {
    const group = this.table.groups[row];
    return group === NO_GROUP ? this.ofRow(row) : this.groups[group];
  }
}

/** Adds up rows and verdicts by cell: all rows, periods, groups, aspects. */
export class CellDraws {
  #weights = new Uint8Array(DRAWS);
  #ownWeights = new Uint8Array(DRAWS);

  /** @param {Table} table @param {Plan} plan */
  constructor(table, plan) {
    this.table = table;
    this.plan = plan;
    this.keys = new Keys(table);
    this.places = placesOf(plan, table);
    /** Weights by cell and draw. */
    this.rows = new Int32Array(this.places.count * DRAWS);
    /** Positive less negative, by cell and draw. */
    this.nets = new Int32Array(this.places.count * DRAWS);
  }

  /** @param {number} row from 0, judged */
  add(row) {
    const { table, plan, places, keys } = this;
    const byGroups = plan.resampled === "groups";
    drawWeights(keys.ofRow(row), this.#ownWeights);
    if (byGroups) drawWeights(keys.ofGroup(row), this.#weights);
    const weights = byGroups ? this.#weights : this.#ownWeights;
    const sign = table.signs[row];
    this.#addTo(places.overall, sign, weights);
    const date = table.dates[row];
    if (plan.periods && date !== NO_DATE) {
      this.#addTo(places.periods + plan.periods.placeOf(date), sign, weights);
    }
    const slot = plan.slots[table.groups[row]] ?? -1;
    if (slot >= 0) this.#addTo(places.groups + slot, sign, this.#ownWeights);
    const aspects = table.aspects.names.length;
    for (let aspect = 0; aspect < aspects; aspect += 1) {
      const cell = row * aspects + aspect;
      if (table.aspectFlags[cell] & MENTIONED)
        this.#addTo(places.aspects + aspect, table.aspectSigns[cell], weights);
    }
  }

  /** @param {number} cell @param {number} sign @param {Uint8Array} weights */
  #addTo(cell, sign, weights) {
    const { rows, nets } = this;
    const from = cell * DRAWS;
    for (let draw = 0; draw < DRAWS; draw += 1) rows[from + draw] += weights[draw];
    if (sign === 0) return;
    for (let draw = 0; draw < DRAWS; draw += 1) nets[from + draw] += sign * weights[draw];
  }
}

/** Adds up what the logits and verdicts of both sides consist of, by group. */
export class MoveDraws {
  #weights = new Uint8Array(DRAWS);

  /** @param {Table} table @param {Plan} plan @param {Sides} sides */
  constructor(table, plan, sides) {
    this.table = table;
    this.plan = plan;
    this.sides = sides;
    this.keys = new Keys(table);
    /** Aspects, and the rest. */
    this.components = table.aspects.names.length + 1;
    const cells = 2 * sides.slots;
    /** Weights by side, slot and draw. */
    this.rows = new Int32Array(cells * DRAWS);
    /** Millionths by side, slot, component and draw. */
    this.logits = new Float64Array(cells * this.components * DRAWS);
    this.shares = new Float64Array(cells * this.components * DRAWS);
    this.byGroups = sides.kind === "dates" && plan.resampled === "groups";
    this.parts = new Float64Array(this.components);
    this.partShares = new Float64Array(this.components);
  }

  /** @param {number} row from 0, judged */
  add(row) {
    const { table, sides, keys, components, parts, partShares } = this;
    const side = sideOf(table, sides, row);
    if (side < 0) return;
    drawWeights(this.byGroups ? keys.ofGroup(row) : keys.ofRow(row), this.#weights);
    partsOf(table, row, parts);
    sharesOf(table.signs[row], parts, partShares);
    const cell = side * sides.slots + slotOf(table, this.plan, sides, row);
    for (let draw = 0; draw < DRAWS; draw += 1) this.rows[cell * DRAWS + draw] += this.#weights[draw];
    for (let component = 0; component < components; component += 1) {
      const from = (cell * components + component) * DRAWS;
      addTo(this.logits, from, parts[component], this.#weights);
      addTo(this.shares, from, partShares[component], this.#weights);
    }
  }
}

/**
 * Returns a row's slot among the groups told apart.
 * @param {Table} table
 * @param {Plan} plan
 * @param {Sides} sides
 * @param {number} row
 */
export function slotOf({ groups }, plan, { kind, slots }, row) {
  if (kind === "groups") return 0;
  const slot = plan.slots[groups[row]] ?? -1;
  return slot < 0 ? slots - 1 : Math.min(slot, slots - 1);
}

/** @param {Float64Array} sums @param {number} from @param {number} value @param {Uint8Array} weights */
function addTo(sums, from, value, weights) {
  if (value === 0) return;
  for (let draw = 0; draw < DRAWS; draw += 1) sums[from + draw] += value * weights[draw];
}

/**
 * Writes the parts of a row's logit, in millionths: each aspect's pull, and the rest.
 * @param {Table} table
 * @param {number} row
 * @param {Float64Array} parts
 */
export function partsOf({ aspects, pulls, logits }, row, parts) {
  const count = aspects.names.length;
  let rest = logits[row];
  for (let aspect = 0; aspect < count; aspect += 1) {
    parts[aspect] = pulls[row * count + aspect];
    rest -= parts[aspect];
  }
  parts[count] = rest;
}

/**
 * Writes the parts of a row's verdict, in millionths: what each part of the logit adds on the verdict's side.
 * @param {number} sign
 * @param {Float64Array} parts
 * @param {Float64Array} shares their sum is sign * 1,000,000
 */
export function sharesOf(sign, parts, shares) {
  shares.fill(0);
  if (sign === 0) return;
  const rest = parts.length - 1;
  let all = 0;
  for (const part of parts) all += Math.max(0, sign * part);
  let left = MICRO;
  for (let aspect = 0; aspect < rest && all > 0; aspect += 1) {
    const share = Math.floor(MICRO * (Math.max(0, sign * parts[aspect]) / all) + 0.5);
    shares[aspect] = sign * share;
    left -= share;
  }
  shares[rest] = sign * left;
}
