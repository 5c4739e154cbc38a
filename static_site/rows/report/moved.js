// Splits the difference of two sides into aspects, the mix of groups, and the rest, as training/report does.
//
// E. M. Kitagawa, "Components of a difference between two rates", 1955.

import { partsOf, slotOf } from "./draws.js";
import { Extremes } from "./extremes.js";
import { DRAWS } from "./hashing.js";
import { MICRO, middleOf, rounded, roundedInterval } from "./intervals.js";
import { sideOf } from "./plan.js";
import { byCodePoints } from "./samples.js";
import { MENTIONED } from "./table.js";

/**
 * @typedef {import("./table.js").Table} Table
 * @typedef {import("./plan.js").Plan} Plan
 * @typedef {import("./plan.js").Sides} Sides
 * @typedef {import("./draws.js").MoveDraws} MoveDraws
 * @typedef {import("./intervals.js").Interval} Interval
 * @typedef {{name: string, effect: number, share?: [number, number]}} GroupEffect
 *   share: of either side's rows, where it is the mix of groups that moves
 * @typedef {object} Cause
 * @property {string} name
 * @property {"aspect" | "mix" | "group" | "rest"} kind
 * @property {boolean} clear whether chance alone hardly makes the largest of so many effects
 * @property {number} effect on the mean logit
 * @property {Interval | null} interval
 * @property {number} net_effect
 * @property {Interval | null} net_interval
 * @property {number} [often] the part of an aspect's effect by how often it is mentioned
 * @property {number} [tone] the part by its tone
 * @property {[number, number]} [mentioned] share of either side's rows that mention an aspect
 * @property {GroupEffect[]} groups
 * @property {number[]} rows numbers
 * @typedef {{label: string, rows: number, net: number, mean_logit: number}} Side
 * @typedef {{difference: number, interval: Interval | null}} Difference
 * @typedef {object} Comparison
 * @property {"dates" | "groups"} kind
 * @property {Side} before
 * @property {Side} after
 * @property {Difference} logit
 * @property {Difference} net
 * @property {boolean} simpson every group moved against the whole
 */

const FEWEST_ROWS = 20;
const MOST_ROWS = 20;
const MOST_GROUPS = 10;
const [BEFORE, AFTER] = [0, 1];
/** The share of files in which chance alone may call some cause clear. */
const CHANCE = 0.05;
const MIX = "mix of groups";
const REST = "everything else";
const OTHERS = "other groups";

/** Counts both sides' rows for one report. */
export class MoveCounts {
  /** @param {Table} table @param {Plan} plan @param {Sides} sides */
  constructor(table, plan, sides) {
    this.table = table;
    this.plan = plan;
    this.sides = sides;
    this.aspects = table.aspects.names.length;
    this.groups = plan.groups.slice(0, sides.slots - 1).map((group) => table.groupNames[group]);
    const parts = this.aspects + 1;
    this.rows = [0, 0];
    /** By side, slot and aspect. */
    this.mentions = new Uint32Array(2 * sides.slots * this.aspects);
    /** By side and part. */
    this.strongest = Array.from({ length: 2 * parts }, () => new Extremes(MOST_ROWS));
    /** By side and slot. */
    this.ofGroups = Array.from({ length: 2 * sides.slots }, () => new Extremes(MOST_ROWS));
    this.parts = new Float64Array(parts);
  }

  /** Adds a row. Rows come in order. @param {number} row from 0, judged */
  add(row) {
    const { table, sides, aspects, parts } = this;
    const side = sideOf(table, sides, row);
    if (side < 0) return;
    const cell = side * sides.slots + slotOf(table, this.plan, sides, row);
    this.rows[side] += 1;
    partsOf(table, row, parts);
    this.ofGroups[cell].add(row, table.logits[row]);
    for (let aspect = 0; aspect < aspects; aspect += 1) {
      if (!(table.aspectFlags[row * aspects + aspect] & MENTIONED)) continue;
      this.mentions[cell * aspects + aspect] += 1;
      this.strongest[side * (aspects + 1) + aspect].add(row, parts[aspect]);
    }
    this.strongest[side * (aspects + 1) + aspects].add(row, parts[aspects]);
  }

  /** Tells whether both sides have enough rows. */
  get isEnough() {
    return this.rows.every((rows) => rows >= FEWEST_ROWS);
  }
}

/**
 * @typedef {object} Split a difference in parts; the first draw is the file itself
 * @property {Float64Array} difference by draw
 * @property {number[]} means of either side
 * @property {Float64Array[]} within by part, then draw
 * @property {Float64Array[]} withinGroups by part, then slot, of the file itself
 * @property {Float64Array[]} restOfGroups the last part by slot, then draw
 * @property {Float64Array} mix by draw
 * @property {Float64Array} mixOfGroups by slot, of the file itself
 */

/**
 * Returns the comparison of both sides, and what moved the number.
 * @param {MoveCounts} counts
 * @param {MoveDraws} draws
 * @param {[string, string]} labels
 * @returns {{comparison: Comparison, moved: Cause[]}}
 */
export function movedBy(counts, draws, labels) {
  const logit = split(draws, draws.logits, 1);
  const net = split(draws, draws.shares, 100);
  const sides = labels.map((label, side) => ({
    label,
    rows: counts.rows[side],
    net: rounded(net.means[side]),
    mean_logit: rounded(logit.means[side]),
  }));
  const comparison = {
    kind: counts.sides.kind,
    before: sides[BEFORE],
    after: sides[AFTER],
    logit: differenceOf(logit),
    net: differenceOf(net),
    simpson: isParadox(counts, draws, net.difference[0]),
  };
  return { comparison, moved: new Causes(counts, draws, logit, net).all() };
}

/** @param {Split} split @returns {Difference} */
function differenceOf({ difference }) {
  return { difference: rounded(difference[0]), interval: roundedInterval(intervalOf(difference)) };
}

/** Returns the middle of the replicates that are numbers. @param {Float64Array} draws */
function intervalOf(draws) {
  return middleOf(draws.subarray(1).filter(Number.isFinite));
}

/**
 * Splits the difference of both sides' means.
 * @param {MoveDraws} draws
 * @param {Float64Array} sums in millionths
 * @param {number} scale
 * @returns {Split}
 */
function split(draws, sums, scale) {
  const { difference, means, within, withinGroups, restOfGroups, mix, mixOfGroups } = splitMillionths(draws, sums);
  const unit = (/** @type {number} */ sum) => (sum / MICRO) * scale;
  return {
    difference: difference.map(unit),
    means: means.map(unit),
    within: within.map((part) => part.map(unit)),
    withinGroups: withinGroups.map((part) => part.map(unit)),
    restOfGroups: restOfGroups.map((slot) => slot.map(unit)),
    mix: mix.map(unit),
    mixOfGroups: mixOfGroups.map(unit),
  };
}

/**
 * @param {MoveDraws} draws
 * @param {Float64Array} sums in millionths, whole numbers whose sums are exact
 * @returns {Split}
 */
function splitMillionths({ rows, sides: { slots }, components }, sums) {
  const totals = [BEFORE, AFTER].map((side) => totalOf(rows, side * slots, slots));
  const wholes = [BEFORE, AFTER].map((side) => wholesOf(sums, side * slots, slots, components));
  const means = wholes.map((ofSlots, side) => meansOf(ofSlots, totals[side]));
  const centre = totals[BEFORE].map((total, draw) => {
    const [before, after] = wholes.map((ofSlots) => ofSlots.reduce((sum, whole) => sum + whole[draw], 0));
    return (before + after) / (total + totals[AFTER][draw]);
  });
  const found = {
    difference: means[AFTER].map((mean, draw) => mean - means[BEFORE][draw]),
    means: [means[BEFORE][0], means[AFTER][0]],
    within: Array.from({ length: components }, () => new Float64Array(DRAWS)),
    withinGroups: Array.from({ length: components }, () => new Float64Array(slots)),
    restOfGroups: Array.from({ length: slots }, () => new Float64Array(DRAWS)),
    mix: new Float64Array(DRAWS),
    mixOfGroups: new Float64Array(slots),
  };
  for (let slot = 0; slot < slots; slot += 1) addSlot(slot);
  return found;

  /** @param {number} slot */
  function addSlot(slot) {
    const [from, to] = [slot * DRAWS, (slots + slot) * DRAWS];
    for (let draw = 0; draw < DRAWS; draw += 1) {
      const [before, after] = [rows[from + draw], rows[to + draw]];
      if (before === 0 && after === 0) continue;
      const [shareBefore, shareAfter] = [before / totals[BEFORE][draw], after / totals[AFTER][draw]];
      const wholeBefore = wholes[BEFORE][slot][draw] / (before || 1) - centre[draw];
      const wholeAfter = wholes[AFTER][slot][draw] / (after || 1) - centre[draw];
      const both = before > 0 && after > 0;
      const mix = both
        ? ((shareAfter - shareBefore) * (wholeBefore + wholeAfter)) / 2
        : (after > 0 ? shareAfter * wholeAfter : 0) - (before > 0 ? shareBefore * wholeBefore : 0);
      found.mix[draw] += mix;
      if (draw === 0) found.mixOfGroups[slot] = mix;
      if (both) addWithin(slot, draw, (shareBefore + shareAfter) / 2, before, after);
    }
  }

  /**
   * @param {number} slot
   * @param {number} draw
   * @param {number} share
   * @param {number} before rows
   * @param {number} after rows
   */
  function addWithin(slot, draw, share, before, after) {
    for (let part = 0; part < components; part += 1) {
      const from = sums[(slot * components + part) * DRAWS + draw];
      const to = sums[((slots + slot) * components + part) * DRAWS + draw];
      const within = share * (to / after - from / before);
      found.within[part][draw] += within;
      if (draw === 0) found.withinGroups[part][slot] = within;
      if (part === components - 1) found.restOfGroups[slot][draw] = within;
    }
  }
}

/** Adds up so many cells. @param {Int32Array} rows @param {number} first cell @param {number} cells */
function totalOf(rows, first, cells) {
  const total = new Float64Array(DRAWS);
  for (let cell = first; cell < first + cells; cell += 1) {
    for (let draw = 0; draw < DRAWS; draw += 1) total[draw] += rows[cell * DRAWS + draw];
  }
  return total;
}

/**
 * Adds up the parts of so many cells.
 * @param {Float64Array} sums
 * @param {number} first cell
 * @param {number} cells
 * @param {number} components
 */
function wholesOf(sums, first, cells, components) {
  return Array.from({ length: cells }, (_, slot) => {
    const whole = new Float64Array(DRAWS);
    for (let part = 0; part < components; part += 1) {
      const from = ((first + slot) * components + part) * DRAWS;
      for (let draw = 0; draw < DRAWS; draw += 1) whole[draw] += sums[from + draw];
    }
    return whole;
  });
}

/** @param {Float64Array[]} wholes by slot @param {Float64Array} totals */
function meansOf(wholes, totals) {
  return totals.map((total, draw) => wholes.reduce((sum, whole) => sum + whole[draw], 0) / total);
}

/**
 * Tells whether every group of enough rows moved against the whole.
 * @param {MoveCounts} counts
 * @param {MoveDraws} draws
 * @param {number} difference
 */
function isParadox({ groups, sides: { slots } }, draws, difference) {
  const rowsOf = (/** @type {number} */ side, /** @type {number} */ slot) =>
    draws.rows[(side * slots + slot) * DRAWS];
  const enough = [...groups.keys()].filter((slot) =>
    [BEFORE, AFTER].every((side) => rowsOf(side, slot) >= FEWEST_ROWS),
  );
  if (rounded(difference) === 0 || enough.length < 2) return false;
  const netOf = (/** @type {number} */ side, /** @type {number} */ slot) => {
    let net = 0;
    for (let part = 0; part < draws.components; part += 1) {
      net += draws.shares[((side * slots + slot) * draws.components + part) * DRAWS];
    }
    return net / rowsOf(side, slot);
  };
  return enough.every((slot) => Math.sign(netOf(AFTER, slot) - netOf(BEFORE, slot)) === -Math.sign(difference));
}

/**
 * Tells whether chance alone hardly makes the largest of so many effects.
 * @param {Float64Array} effect by draw, of which the first is the file itself
 * @param {number} tests
 */
function isClear(effect, tests) {
  const draws = effect.subarray(1).filter(Number.isFinite);
  if (draws.length === 0) return false;
  const mean = draws.reduce((sum, draw) => sum + draw, 0) / draws.length;
  const variance = draws.reduce((sum, draw) => sum + (draw - mean) ** 2, 0) / draws.length;
  const bound = Math.sqrt(2 * Math.log((2 * tests) / CHANCE)) * Math.sqrt(variance);
  return Math.abs(rounded(effect[0])) > bound;
}

/** Describes what moved the number. */
class Causes {
  /** @param {MoveCounts} counts @param {MoveDraws} draws @param {Split} logit @param {Split} net */
  constructor(counts, draws, logit, net) {
    this.counts = counts;
    this.draws = draws;
    this.logit = logit;
    this.net = net;
    const { aspects, groups } = counts;
    this.mentioned = [...Array(aspects).keys()].filter((aspect) => this.#isMentioned(aspect));
    this.tests = this.mentioned.length + (groups.length > 0 ? groups.length + 1 : 0);
  }

  /** Returns the causes, the largest first. The rest is the last: it is no cause. @returns {Cause[]} */
  all() {
    const causes = this.mentioned.map((aspect) => this.#aspect(aspect));
    if (this.counts.groups.length > 0) causes.push(this.#mix());
    const changed = this.#changedGroups();
    causes.push(...changed.map((group) => this.#group(group)));
    causes.sort((one, other) => Math.abs(other.effect) - Math.abs(one.effect));
    return [...causes, this.#rest(changed)];
  }

  /** Returns the groups whose reviews changed clearly, beyond all aspects, the largest effect first. */
  #changedGroups() {
    const { groups } = this.counts;
    const { restOfGroups } = this.logit;
    const size = (/** @type {number} */ group) => Math.abs(rounded(restOfGroups[group][0]));
    const changed = [...groups.keys()].filter((group) => isClear(restOfGroups[group], this.tests));
    changed.sort((one, other) => size(other) - size(one) || byCodePoints(groups[one], groups[other]));
    return changed.slice(0, MOST_GROUPS);
  }

  /** Returns what changed in a group's reviews beyond all aspects. @param {number} group @returns {Cause} */
  #group(group) {
    const { counts, logit, net, tests } = this;
    const [effect, ofNet] = [logit.restOfGroups[group], net.restOfGroups[group]];
    const { high, low } = counts.ofGroups[AFTER * counts.sides.slots + group];
    const cause = this.#effects(counts.groups[group], "group", effect, ofNet, tests);
    const found = effect[0] > 0 ? high : low;
    return {
      ...cause,
      groups: [{ name: cause.name, effect: cause.effect }],
      rows: found.rows.map((row) => row + 1),
    };
  }

  /** Returns what no aspect and none of these groups names. @param {number[]} named @returns {Cause} */
  #rest(named) {
    const { counts, logit, net } = this;
    const left = [...logit.restOfGroups.keys()].filter((slot) => !named.includes(slot));
    const total = (/** @type {Float64Array[]} */ slots) => {
      const sum = new Float64Array(DRAWS);
      for (const slot of left) for (let draw = 0; draw < DRAWS; draw += 1) sum[draw] += slots[slot][draw];
      return sum;
    };
    const effect = total(logit.restOfGroups);
    const effects = new Float64Array(logit.restOfGroups.length);
    for (const slot of left) effects[slot] = logit.restOfGroups[slot][0];
    return {
      ...this.#effects(REST, "rest", effect, total(net.restOfGroups), 1),
      groups: this.#byGroup(effects).filter((group) => group.effect !== 0),
      rows: this.#rowsOf(counts.aspects, effect[0]),
    };
  }

  /** @param {number} aspect */
  #isMentioned(aspect) {
    const { mentions, aspects } = this.counts;
    return mentions.some((count, place) => place % aspects === aspect && count > 0);
  }

  /** @param {number} aspect @returns {Cause} */
  #aspect(aspect) {
    const { counts, logit, net, tests } = this;
    const name = counts.table.aspects.names[aspect];
    return {
      ...this.#effects(name, "aspect", logit.within[aspect], net.within[aspect], tests),
      ...this.#oftenAndTone(aspect),
      mentioned: this.#mentioned(aspect),
      groups: this.#byGroup(logit.withinGroups[aspect]),
      rows: this.#rowsOf(aspect, logit.within[aspect][0]),
    };
  }

  /**
   * Returns the share of either side's rows that mention an aspect.
   * @param {number} aspect
   * @returns {[number, number]}
   */
  #mentioned(aspect) {
    const { mentions, aspects, rows, sides: { slots } } = this.counts;
    const shareOf = (/** @type {number} */ side) => {
      let sum = 0;
      for (let slot = 0; slot < slots; slot += 1) sum += mentions[(side * slots + slot) * aspects + aspect];
      return rounded(sum / rows[side]);
    };
    return [shareOf(BEFORE), shareOf(AFTER)];
  }

  /** @returns {Cause} */
  #mix() {
    const { counts, draws, logit, net, tests } = this;
    const effects = logit.mixOfGroups;
    const { slots } = counts.sides;
    const group = effects.reduce((best, effect, slot) => (Math.abs(effect) > Math.abs(effects[best]) ? slot : best), 0);
    const shareOf = (/** @type {number} */ slot, /** @type {number} */ side) =>
      draws.rows[(side * slots + slot) * DRAWS] / counts.rows[side];
    const side = shareOf(group, AFTER) >= shareOf(group, BEFORE) ? AFTER : BEFORE;
    const { high, low } = counts.ofGroups[side * slots + group];
    const found = effects[group] > 0 === (side === AFTER) ? high : low;
    return {
      ...this.#effects(MIX, "mix", logit.mix, net.mix, tests),
      groups: this.#byGroup(effects, (slot) => [
        rounded(shareOf(slot, BEFORE)),
        rounded(shareOf(slot, AFTER)),
      ]),
      rows: found.rows.map((row) => row + 1),
    };
  }

  /**
   * @param {string} name
   * @param {Cause["kind"]} kind
   * @param {Float64Array} effect by draw
   * @param {Float64Array} net by draw
   * @param {number} tests
   */
  #effects(name, kind, effect, net, tests) {
    return {
      name,
      kind,
      clear: isClear(effect, tests),
      effect: rounded(effect[0]),
      interval: roundedInterval(intervalOf(effect)),
      net_effect: rounded(net[0]),
      net_interval: roundedInterval(intervalOf(net)),
    };
  }

  /**
   * @param {Float64Array} effects by slot
   * @param {(slot: number) => [number, number]} [shareOf]
   * @returns {GroupEffect[]}
   */
  #byGroup(effects, shareOf) {
    const { groups, sides: { slots } } = this.counts;
    if (groups.length === 0) return [];
    const { rows } = this.draws;
    const named = [...groups, OTHERS].flatMap((name, slot) => {
      const present = rows[slot * DRAWS] + rows[(slots + slot) * DRAWS] > 0;
      const effect = { name, effect: rounded(effects[slot]) };
      return present ? [shareOf ? { ...effect, share: shareOf(slot) } : effect] : [];
    });
    named.sort(
      (one, other) => Math.abs(other.effect) - Math.abs(one.effect) || byCodePoints(one.name, other.name),
    );
    return named.slice(0, MOST_GROUPS);
  }

  /** Splits an aspect's effect: how often it is mentioned, and its tone. @param {number} aspect */
  #oftenAndTone(aspect) {
    const { counts, draws } = this;
    const { slots } = counts.sides;
    let [often, tone] = [0, 0];
    for (let slot = 0; slot < slots; slot += 1) {
      const [before, after] = [BEFORE, AFTER].map((side) => {
        const cell = side * slots + slot;
        const rows = draws.rows[cell * DRAWS];
        const mentions = counts.mentions[cell * counts.aspects + aspect];
        const pull = draws.logits[(cell * draws.components + aspect) * DRAWS] / MICRO;
        return { rows, mentions, often: mentions / rows, tone: pull / mentions, share: rows / counts.rows[side] };
      });
      if (before.rows === 0 || after.rows === 0 || before.mentions + after.mentions === 0) continue;
      if (before.mentions === 0) before.tone = after.tone;
      if (after.mentions === 0) after.tone = before.tone;
      const share = (before.share + after.share) / 2;
      often += (share * (after.often - before.often) * (before.tone + after.tone)) / 2;
      tone += (share * (after.tone - before.tone) * (before.often + after.often)) / 2;
    }
    return { often: rounded(often), tone: rounded(tone) };
  }

  /** Returns the rows that show a part's effect best. @param {number} part @param {number} effect */
  #rowsOf(part, effect) {
    const { counts, draws } = this;
    const isRest = part === counts.aspects;
    const [before, after] = [BEFORE, AFTER].map((side) => sumOf(draws, part, side) / counts.rows[side]);
    /** @type {[number, boolean][]} side, upwards */
    const choices = [
      [AFTER, effect > 0],
      [BEFORE, effect <= 0],
    ];
    const isAfter = Math.abs(after) >= Math.abs(before) && after > 0 === effect > 0;
    if (!isRest && !isAfter) choices.reverse();
    for (const [side, upwards] of choices) {
      const { rows, values } = counts.strongest[side * (counts.aspects + 1) + part][upwards ? "high" : "low"];
      const kept = rows.filter((_, place) => isRest || (upwards ? values[place] > 0 : values[place] < 0));
      if (kept.length > 0) return kept.map((row) => row + 1);
    }
    return [];
  }
}

/** Adds up a part of one side, in millionths. @param {MoveDraws} draws @param {number} part @param {number} side */
function sumOf({ logits, sides: { slots }, components }, part, side) {
  let sum = 0;
  for (let slot = 0; slot < slots; slot += 1) sum += logits[((side * slots + slot) * components + part) * DRAWS];
  return sum;
}
