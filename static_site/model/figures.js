// Reads from the model's card what the first parts and the methods both show.

import { at, entries, rows, share, text } from "../shared/careful.js";
import { MODEL as words } from "./strings.js";

/** @typedef {{x: number, y: number, share: number | null}} Group shares: how sure, how often right, of all reviews */
/** @typedef {{x: number, y: number, from: number | null}} Surest shares: of all reviews, right; and the least sure of them */
/**
 * @typedef {object} Capability
 * @property {string} key its name in the card
 * @property {string} name
 * @property {string} asks
 * @property {number} held share right of the half that guided no choice
 * @property {number | null} open share right of the other half
 */

const WEAKEST = 3;
// Summaries among the card's capabilities.
export const SUMMARIES = ["overall", "single sentences"];

/**
 * Returns the figures of the test split, or else of the development split.
 * @param {any} card
 * @param {string} key which figures it needs
 */
export function judged(card, key) {
  for (const split of ["test", "development"]) {
    const figures = at(card, "metrics", split);
    if (at(figures, key) !== undefined) return { split, figures };
  }
  return null;
}

/** Returns the probabilities of "can't tell". @param {any} card @returns {[number, number] | null} */
export function bandOf(card) {
  const [low, high] = [share(card, "uncertain", 0), share(card, "uncertain", 1)];
  return low !== null && high !== null && low <= 0.5 && high >= 0.5 && low < high ? [low, high] : null;
}

/** Returns how often groups of reviews are right, least sure first. @param {any} figures @returns {Group[]} */
export function groupsOf(figures) {
  return rows(figures, "reliability")
    .flatMap((row) => {
      const [x, y] = [share(row, "confidence"), share(row, "accuracy")];
      return x !== null && x >= 0.5 && y !== null ? [{ x, y, share: share(row, "share") }] : [];
    })
    .sort((one, other) => one.x - other.x);
}

/** Returns how often the surest reviews are right, fewest first. @param {any} figures @returns {Surest[]} */
export function curveOf(figures) {
  return rows(figures, "risk_coverage")
    .flatMap((row) => {
      const [x, y] = [share(row, "share"), share(row, "accuracy")];
      return x !== null && y !== null ? [{ x, y, from: share(row, "confidence_from") }] : [];
    })
    .sort((one, other) => one.x - other.x);
}

/** Returns the card's figures of each skill, sarcasm included. @param {any} card @returns {Capability[]} */
export function capabilities(card) {
  return entries(card, "metrics", "behaviour")
    .filter(([key]) => !SUMMARIES.includes(key))
    .flatMap(([key, rates]) => capability(key, rates));
}

/** Returns the skills with the fewest cases right, weakest first. @param {any} card */
export function weakest(card) {
  return capabilities(card)
    .sort((one, other) => one.held - other.held)
    .slice(0, WEAKEST);
}

/** @param {string} key @param {any} rates @returns {Capability[]} none, or one */
export function capability(key, rates) {
  const held = share(rates, "held");
  if (held === null) return [];
  const { name, asks } = at(words.CAPABILITIES, key) ?? { name: nameOf(key), asks: "" };
  return [{ key, name, asks, held, open: share(rates, "open") }];
}

/** Turns a key of the card into words. @param {string} key */
export function nameOf(key) {
  return text(words.capital(key.replaceAll("_", " "))) ?? words.dash;
}

/**
 * Reads a value off the line between two neighbouring points. Beyond the ends it is that of the nearest point.
 * @param {[number, number][]} points sorted by their first number
 * @param {number} place
 */
export function between(points, place) {
  const next = points.findIndex(([x]) => x >= place);
  if (next === -1) return points[points.length - 1][1];
  const [x, y] = points[next];
  if (next === 0 || x === place) return y;
  const [before, from] = points[next - 1];
  return from + ((place - before) / (x - before)) * (y - from);
}
