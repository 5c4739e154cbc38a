// Makes the pieces of every part of the model's page.

import { share, text } from "../shared/careful.js";
import { element, listItem } from "../shared/dom.js";
import { table } from "../shared/tables.js";
import { MODEL as words } from "./strings.js";

/**
 * @typedef {object} Part
 * @property {string} id the key of its title in strings.js, and its anchor
 * @property {Node[]} body empty without figures in the card
 * @property {Node[]} [margin] notes and sources
 */

/**
 * Makes a part of the page that is always open.
 * @param {string} id
 * @param {string} title
 * @param {Node[]} body
 */
export function section(id, title, body) {
  const heading = element("h2", "part-title", title);
  heading.id = `${id}-title`;
  const node = element("section", "trust-part");
  node.id = id;
  node.tabIndex = -1;
  node.setAttribute("aria-labelledby", heading.id);
  node.append(heading, ...body);
  return node;
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
