// Makes the pieces of every part of the model's page.

import { at, share, text } from "../shared/careful.js";
import { element, listItem } from "../shared/dom.js";
import { MODEL as words } from "./strings.js";
import { table } from "../shared/tables.js";

/**
 * @typedef {object} Part
 * @property {string} id the key of its title in strings.js, and its anchor
 * @property {Node[]} body empty without figures in the card
 * @property {Node[]} [margin] notes and sources
 */

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

/** @param {string} title @param {string[]} sentences */
export function bullets(title, sentences) {
  if (sentences.length === 0) return [];
  const list = element("ul", "bullets");
  list.append(...sentences.map((sentence) => listItem(words.sentence(sentence))));
  return [element("h3", "section-title", title), list];
}

/** Names the command that prints a figure, if the card has one. @param {any} figures @param {string} [before] */
export function source(figures, before = words.printedBy) {
  const command = text(figures, "command");
  if (command === null) return [];
  const line = element("p", "small-print", `${before} `);
  line.append(element("code", "", command));
  return [line];
}

/**
 * Makes a table that opens on demand.
 * @param {string} summary
 * @param {string} caption
 * @param {string[]} head
 * @param {import("../shared/tables.js").Cell[][]} lines
 */
export function folded(summary, caption, head, lines) {
  const more = element("details", "numbers");
  more.append(element("summary", "", summary), table(caption, head, lines));
  return more;
}

/**
 * Draws a share as a number and a bar, or as two bars, one a side.
 * @param {string} number
 * @param {Record<string, number>} parts of the bar, by sign
 */
export function barCell(number, parts) {
  const bar = element("span", "bar");
  bar.setAttribute("aria-hidden", "true");
  bar.append(...Object.entries(parts).map(([sign, part]) => barPart(sign, part)));
  const cell = element("span", "bar-cell");
  cell.append(element("span", "", number), bar);
  return cell;
}

/** @param {string} sign plus, minus or sum @param {number} [part] of the whole bar */
export function barPart(sign, part) {
  const node = element("span", "bar-part");
  node.dataset.sign = sign;
  if (part !== undefined) node.style.setProperty("--share", String(part));
  return node;
}

/** Returns the probabilities of "can't tell". @param {any} card @returns {[number, number] | null} */
export function bandOf(card) {
  const [low, high] = [share(card, "uncertain", 0), share(card, "uncertain", 1)];
  return low !== null && high !== null && low <= 0.5 && high >= 0.5 && low < high ? [low, high] : null;
}

/** @param {any} card */
export function dateOf(card) {
  const created = text(card, "created") ?? "";
  return /^\d{4}-\d\d-\d\d$/.test(created) && Date.parse(created) > 0 ? words.date(created) : null;
}

/** @template T @param {T | null} value @param {(value: T) => string} say */
export function orDash(value, say) {
  return value === null ? words.dash : say(value);
}

/** @template T @param {T | null} value @param {(value: T) => string} say */
export function orEmpty(value, say) {
  return value === null ? "" : say(value);
}

/** Makes a cell for a share that may be missing. @param {any} row @param {string} key @param {number} [places] */
export function shareCell(row, key, places = 1) {
  return orDash(share(row, key), (found) => words.percentOf(found, places));
}
