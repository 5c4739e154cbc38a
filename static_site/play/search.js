// Searches for the smallest change of a review that turns its verdict.
//
// The order: fewest edits first; of equal ones those that read well, then the surest. A word swapped reads well, and so
// does a "not" left out. A whole sentence left out is offered apart. Effects add up roughly within the logit, so they
// say what is worth asking.

import { NEGATORS, changedBy, dropOf, hasWord, lies, notOf, sentenceDropOf, swapsOf, unitsOf } from "./edits.js";
import { ApiError, MAX_BATCH_BYTES, MAX_BATCH_REVIEWS } from "../api.js";

/** @typedef {import("../api.js").Answer} Answer */
/** @typedef {import("./edits.js").Edit} Edit */
/** @typedef {import("./edits.js").Unit} Unit */
/** @typedef {import("../shared/spans.js").Range} Range */
/** @typedef {Required<Answer>} Explained */
/** @typedef {"positive" | "negative"} Goal */
/**
 * @typedef {object} Change what the shown text would become
 * @property {string} text
 * @property {Answer} answer
 * @property {Range[]} removed
 * @property {{at: number, text: string}[]} inserted
 */
/** @typedef {{edits: Edit[], sure: number, change: Change}} Way sure: the probability of the goal */

export const MAX_TEXTS = 150;
// Each text of a longer review takes the API longer, so fewer are asked.
const MAX_CHARACTERS = 1_500_000;
const MIN_TEXTS = 24;
// The batch's JSON needs room beside the texts.
const BATCH_BYTES = MAX_BATCH_BYTES - 100_000;

// How many texts of each kind are asked, of MAX_TEXTS.
const MOST = {
  drops: 12,
  swaps: 26,
  sentences: 3,
  rareSwaps: 8,
  nots: 5,
  negators: 5,
  unmeasured: 5,
  pairs: 26,
  growth: 12,
  refined: 16,
  steps: 24,
};
// A word left out at least, however weak: the ranking's first ones.
const LEAST_DROPS = 2;
const SWAPS_A_WORD = 2;
// Words of pairs.
const PAIRED = 12;
// Growth tries each size up to the first number, then ever larger steps.
const STEADY_SIZES = 8;
const GROWTH = 1.4;
// An expected rise may fall short by this much, in logits.
const SLACK = 0.4;
// Pairs are asked when they are expected to reach this share of what is needed.
const PAIR_SHARE = 0.6;
// A probability of 0 or 1 has no logit, so it is moved by its last decimal.
const LEAST = 1e-6;
// A sentence stays one without these.
const FREE_NEGATORS = ["not", "never", "hardly"];

/** A search through one answer's text. */
export class Search {
  /** Texts that were asked. */
  asked = 0;
  /** The surest of all that did not turn the verdict: the probability of the goal. */
  nearest = 0;
  /** A way that leaves out one sentence. @type {Way | null} */
  sentence = null;
  /** @type {Way[]} */
  #found = [];
  /** Words of the ways that were given. @type {Set<number>[]} */
  #given = [];
  /**
   * By how many logits an edit brings the goal nearer, where known.
   * @type {Map<string, {edit: Edit, gain: number}>}
   */
  #gains = new Map();
  /** @type {Set<string>} */
  #seen = new Set();
  #wave = 0;
  /** The words changed that came nearest without turning the verdict. @type {{edits: Edit[], gain: number}} */
  #closest = { edits: [], gain: 0 };

  /**
   * @param {Explained} answer
   * @param {Goal} goal
   * @param {(texts: string[]) => Promise<Answer[]>} ask takes at most 100 texts
   * @param {(text: string) => string} [safe] makes a changed text safe to send
   */
  constructor(answer, goal, ask, safe = (text) => text) {
    this.answer = answer;
    this.goal = goal;
    this.ask = ask;
    this.safe = safe;
    this.points = Array.from(answer.text);
    this.units = unitsOf(answer);
    this.side = goal === "positive" ? 1 : -1;
    const [low, high] = answer.model.uncertain ?? [0.5, 0.5];
    this.needed = this.side * (logit(goal === "positive" ? high : low) - logit(answer.probability));
    const affordable = Math.floor(MAX_CHARACTERS / (this.points.length + 1));
    this.limit = Math.max(MIN_TEXTS, Math.min(MAX_TEXTS, affordable));
  }

  /** Returns the next way to turn the verdict; null when none is left. @returns {Promise<Way | null>} */
  async next() {
    const waves = [this.#singles, this.#rareAndPairs, this.#growth, this.#steps];
    while (true) {
      const way = this.#best();
      if (way) return way;
      if (this.#wave >= waves.length || this.asked >= this.limit) return null;
      await waves[this.#wave].call(this);
      // Only now, so that a wave that failed is asked again.
      this.#wave += 1;
    }
  }

  /** Takes the best way that was found and that is no longer form of one given before. */
  #best() {
    this.#found = this.#found.filter((way) => !this.#given.some((words) => isWithin(words, wordsOf(way))));
    this.#found.sort(bySize);
    // Beyond pairs, other ways are much the same words.
    const isLarge = this.#given.some((words) => words.size > 2);
    const way = isLarge ? null : (this.#found.shift() ?? null);
    if (way) this.#given.push(wordsOf(way));
    return way;
  }

  // Waves.

  async #singles() {
    const drops = this.#ranked(this.#drops());
    const likely = drops.filter(({ unit, expected }, place) =>
      place < LEAST_DROPS || (this.units[unit].measured && this.side * expected >= this.needed - SLACK));
    const swaps = this.#ranked(this.#swaps(0, SWAPS_A_WORD));
    const singles = [...this.#share(likely, MOST.drops), ...this.#share(swaps, MOST.swaps)];
    const sentences = this.#share(this.#sentences(), MOST.sentences);
    await this.#try([...singles, ...sentences].map((edit) => [edit]));
  }

  async #rareAndPairs() {
    const [drops, swaps] = [this.#drops(), this.#ranked(this.#swaps(0, Infinity))];
    const unmeasured = drops.filter(({ unit }) => !this.units[unit].measured);
    const nots = this.answer.sentences.flatMap((sentence) => notOf(this.points, this.units, sentence));
    const singles = [
      ...this.#share(swaps.filter((edit) => !this.#seen.has(keyOf([edit]))), MOST.rareSwaps),
      ...this.#share(this.#ranked(nots), MOST.nots),
      ...this.#share(unmeasured.filter(({ from }) => NEGATORS.includes(from.toLowerCase())), MOST.negators),
      ...this.#share(this.#ranked(unmeasured), MOST.unmeasured),
    ];
    const pairs = [this.#ranked(drops).slice(0, 2), ...this.#pairs()].filter(({ length }) => length === 2);
    await this.#try([...singles.map((edit) => [edit]), ...this.#share(pairs, MOST.pairs)]);
  }

  /** Takes ever more of the best edits, and of the strongest words, until the verdict turns. */
  async #growth() {
    if (this.#given.length > 0) return;
    const rankings = [this.#bestEdits(), this.#ranked(this.#drops())];
    const grown = rankings.flatMap((edits) => {
      const sizes = this.#share(sizesOf(edits.length), MOST.growth);
      return sizes.map((size) => edits.slice(0, size));
    });
    await this.#try(grown);
    const found = this.#found.toSorted(bySize)[0];
    if (found) await this.#try(this.#share(this.#smaller(found.edits, rankings), MOST.refined));
  }

  /** Adds any one word to the nearest change, again and again, since words may count together alone. */
  async #steps() {
    if (this.#given.length > 0) return;
    while (this.#found.length === 0 && this.#closest.edits.length > 0) {
      const { edits } = this.#closest;
      const changed = wordsOf({ edits });
      const others = [...this.#swaps(0, 1), ...this.#drops()].filter(({ unit }) => !changed.has(unit));
      others.sort((one, other) => this.#gainOf(other) - this.#gainOf(one));
      await this.#try(this.#share(others, MOST.steps).map((edit) => [...edits, edit]));
      if (this.#closest.edits === edits) break;
    }
    const found = this.#found.toSorted(bySize)[0];
    if (found) await this.#try(this.#share(oneFewer(found.edits), MOST.refined));
  }

  // What to try.

  #drops() {
    return this.units.map((unit, index) => dropOf(this.points, unit, index));
  }

  /** @param {number} from @param {number} to which of a word's opposites */
  #swaps(from, to) {
    return this.units.flatMap((unit, index) => swapsOf(this.points, unit, index).slice(from, to));
  }

  /** Returns the sentences whose rest is expected to turn, the shortest first. */
  #sentences() {
    const { sentences } = this.answer;
    if (sentences.length < 2) return [];
    const rest = (/** @type {typeof sentences[0]} */ { without, contribution }) =>
      typeof without === "number" ? logit(without) - logit(this.answer.probability) : -contribution;
    return sentences
      .filter((sentence) => this.side * rest(sentence) >= this.needed - SLACK)
      .sort((one, other) => one.end - one.start - (other.end - other.start))
      .map((sentence) => sentenceDropOf(this.points, sentence));
  }

  /** Returns the edits that are expected to help, the strongest first. @param {Edit[]} edits */
  #ranked(edits) {
    const helping = edits.filter(({ expected }) => this.side * expected > 0);
    return helping.sort((one, other) => this.side * (other.expected - one.expected));
  }

  /** Returns each word's best edit: as measured, or as expected of leaving it out. */
  #bestEdits() {
    /** @type {Map<number, {edit: Edit, gain: number}>} */
    const best = new Map();
    const expected = this.#drops()
      .filter((edit) => !this.#gains.has(keyOf([edit])))
      .map((edit) => ({ edit, gain: this.side * edit.expected }));
    for (const one of [...this.#gains.values(), ...expected]) {
      const { unit, kind } = one.edit;
      if (kind !== "sentence" && one.gain > (best.get(unit)?.gain ?? 0)) best.set(unit, one);
    }
    return [...best.values()].sort((one, other) => other.gain - one.gain).map(({ edit }) => edit);
  }

  /** Returns by how many logits an edit brings the goal nearer: as measured, or as expected. @param {Edit} edit */
  #gainOf(edit) {
    return this.#gains.get(keyOf([edit]))?.gain ?? this.side * edit.expected;
  }

  #pairs() {
    const fresh = this.#bestEdits().filter(({ unit }) => !this.#given.some((words) => words.has(unit)));
    const edits = fresh.slice(0, PAIRED);
    const pairs = edits.flatMap((one, place) => edits.slice(place + 1).map((other) => [one, other]));
    const rated = pairs.map((pair) => ({ pair, sum: this.#gainOf(pair[0]) + this.#gainOf(pair[1]) }));
    const likely = rated.filter(({ sum }, place) => place === 0 || sum >= this.needed * PAIR_SHARE);
    return likely.sort((one, other) => other.sum - one.sum).map(({ pair }) => pair);
  }

  /**
   * Returns what may be smaller than a way: sizes that growth left out, then one edit fewer.
   * @param {Edit[]} edits
   * @param {Edit[][]} rankings
   */
  #smaller(edits, rankings) {
    const sizes = sizesOf(edits.length);
    const least = sizes.length > 1 ? sizes[sizes.length - 2] : 2;
    const between = Array.from({ length: Math.max(0, edits.length - least - 1) }, (_, more) => least + 1 + more);
    const skipped = between.flatMap((size) => rankings.map((ranked) => ranked.slice(0, size)));
    return [...skipped, ...oneFewer(edits).reverse()];
  }

  // Asking.

  /** Judges changes, and keeps those that turn the verdict. @param {Edit[][]} tries */
  async #try(tries) {
    /** @type {Map<string, Edit[]>} */
    const fresh = new Map();
    for (const edits of tries) if (!this.#seen.has(keyOf(edits))) fresh.set(keyOf(edits), edits);
    const changes = [...fresh.values()].map((edits) => this.#changed(edits)).filter(({ text }) => hasWord(text));
    for (const batch of batchesOf(changes.slice(0, this.limit - this.asked))) {
      const answers = await this.ask(batch.map(({ text }) => text));
      this.asked += batch.length;
      batch.forEach(({ edits, ...changed }, place) => {
        this.#seen.add(keyOf(edits));
        this.#keep(edits, { ...changed, answer: this.#ofThisModel(answers[place]) });
      });
    }
  }

  /** @param {Edit[]} edits */
  #changed(edits) {
    const changed = changedBy(this.points, edits);
    return { edits, ...changed, text: this.safe(changed.text) };
  }

  /** @param {Edit[]} edits @param {Change} change */
  #keep(edits, change) {
    const { probability, sentiment } = change.answer;
    const sure = this.goal === "positive" ? probability : 1 - probability;
    const gain = this.side * (logit(probability) - logit(this.answer.probability));
    if (edits.length === 1) this.#gains.set(keyOf(edits), { edit: edits[0], gain });
    // A text beyond the band can be uncertain for another reason, and is not near by its number.
    const ofWords = edits[0].kind !== "sentence";
    if (sentiment !== this.goal) {
      this.nearest = Math.max(this.nearest, gain < this.needed ? sure : 0);
      if (ofWords && gain > this.#closest.gain) this.#closest = { edits, gain };
    } else if (ofWords) this.#found.push({ edits, sure, change });
    // The first one is the shortest.
    else this.sentence ??= { edits, sure, change };
  }

  /** Checks that the same model answered. @param {Answer} answer @throws {ApiError} */
  #ofThisModel(answer) {
    if (answer.model.id !== this.answer.model.id) throw new ApiError({ code: "other_model" });
    return answer;
  }

  /**
   * Returns the first of a list, fewer of a long review.
   * @template Item
   * @param {Item[]} items
   * @param {number} most
   * @returns {Item[]}
   */
  #share(items, most) {
    return items.slice(0, Math.max(1, Math.round((most * this.limit) / MAX_TEXTS)));
  }
}

/** Returns the sizes that growth tries, of so many edits. @param {number} most */
function sizesOf(most) {
  const sizes = [];
  const after = (/** @type {number} */ size) => (size < STEADY_SIZES ? size + 1 : Math.ceil(size * GROWTH));
  for (let size = 3; size < most; size = after(size)) sizes.push(size);
  return most >= 3 ? [...sizes, most] : [];
}

/** Returns the ways to take one edit out. @param {Edit[]} edits */
function oneFewer(edits) {
  return edits.map((edit) => edits.filter((other) => other !== edit));
}

/** Splits changes into batches that the API takes. @template {{text: string}} Item @param {Item[]} changes */
function batchesOf(changes) {
  const bytes = (/** @type {string} */ text) => new TextEncoder().encode(JSON.stringify(text)).length;
  /** @type {Item[][]} */
  const batches = [];
  let room = 0;
  for (const change of changes) {
    const needed = bytes(change.text);
    const last = batches.at(-1);
    if (last && last.length < MAX_BATCH_REVIEWS && needed <= room) last.push(change);
    else batches.push([change]);
    room = (batches.at(-1) === last ? room : BATCH_BYTES) - needed;
  }
  return batches;
}

/** @param {Edit[]} edits */
function keyOf(edits) {
  return edits.map(({ kind, start, end, put }) => `${kind} ${start} ${end} ${put}`).sort().join("|");
}

/** @param {Way} one @param {Way} other */
function bySize(one, other) {
  const reading = (/** @type {Way} */ { edits }) => edits.filter(readsWell).length;
  return one.edits.length - other.edits.length || reading(other) - reading(one) || other.sure - one.sure;
}

/** @param {Edit} edit */
function readsWell({ kind, from }) {
  return kind === "swap" || (kind === "drop" && FREE_NEGATORS.includes(from.toLowerCase()));
}

/** @param {{edits: Edit[]}} way */
function wordsOf({ edits }) {
  return new Set(edits.map(({ unit }) => unit));
}

/** @param {Set<number>} few @param {Set<number>} many */
function isWithin(few, many) {
  return [...few].every((one) => many.has(one));
}

/** @param {number} probability */
function logit(probability) {
  const inside = Math.min(1 - LEAST, Math.max(LEAST, probability));
  return Math.log(inside / (1 - inside));
}
