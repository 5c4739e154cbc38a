// Makes the pieces that every part of a report is built of: elements, buttons, sections and tables.

import { REPORT } from "./strings.js";

/**
 * @typedef {string | Node | null} Child
 * @typedef {object} Cell of a report: all rows, a period, a group or an aspect
 * @property {number} rows
 * @property {number | null} net -100..100
 * @property {[number, number] | null} interval
 * @property {number} positive
 * @property {number} negative
 * @property {number} uncertain
 * @property {number} mixed
 * @property {number} no_opinion
 * @property {number[]} examples row numbers
 *
 * @typedef {object} Chosen what a reader wants to see the rows of
 * @property {string} title
 * @property {number[]} rows their numbers
 * @property {number} all how many there are
 * @property {string} [aspect] in words, when rows are those of an aspect
 *
 * @typedef {(chosen: Chosen) => void} Open
 *
 * @typedef {object} Context what the parts of a report share
 * @property {any} report
 * @property {Open} open
 * @property {number} level of the parts' headings, 2 to 5
 */

// Cells with fewer reviews are drawn hollow.
export const FEW_REVIEWS = 20;

/** Makes an element. Texts are never markup. @param {string} tag @param {string} className @param {...Child} children */
export function make(tag, className, ...children) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.append(...children.filter((child) => child !== null).filter((child) => child !== ""));
  return node;
}

/** Makes an element for words of somebody's file, which may run from right to left. @param {string} tag @param {string} className @param {string} text */
export function theirs(tag, className, text) {
  const node = make(tag, className, text);
  node.dir = "auto";
  return node;
}

/** Makes a button, or plain text where there is nothing to open. @param {string} className @param {(() => void) | null} action @param {...Child} children */
export function press(className, action, ...children) {
  if (action === null) return make("div", className, ...children);
  const node = /** @type {HTMLButtonElement} */ (make("button", className, ...children));
  node.type = "button";
  node.addEventListener("click", action);
  return node;
}

/** @param {number} level @param {string} className @param {...Child} children */
export const heading = (level, className, ...children) =>
  make(`h${Math.min(level, 6)}`, className, ...children);

/**
 * Makes a part of the report: a title, a sentence and its content.
 * @param {Context} context
 * @param {string} name
 * @param {string} title
 * @param {string} deck
 * @param {...Child} children
 */
export function partOf(context, name, title, deck, ...children) {
  const node = make("section", `report-part report-${name}`);
  const head = heading(context.level, "report-part-title", title);
  head.id = `report-${name}`;
  // Focusable for the link that leads to it.
  head.tabIndex = -1;
  node.setAttribute("aria-labelledby", head.id);
  node.append(
    head,
    ...(deck ? [make("p", "report-deck", deck)] : []),
    ...children.filter((child) => child !== null),
  );
  return node;
}

/** Returns an action that opens a cell's rows, or null without any. @param {Context} context @param {string} title @param {Cell} cell */
export function opening({ open }, title, { examples, rows }) {
  if (!examples || examples.length === 0) return null;
  return () => open({ title, rows: examples, all: rows });
}

/**
 * Makes a table within a fold. Printing opens it.
 * @param {string} summary
 * @param {string[]} head
 * @param {Child[][]} rows each begins with the row's name
 */
export function foldedTable(summary, head, rows) {
  const place = make("div", "report-wide", tableOf(head, rows));
  // Keyboards scroll it where it is too wide.
  place.tabIndex = 0;
  place.setAttribute("role", "group");
  place.setAttribute("aria-label", summary);
  return fold(summary, place);
}

/** @param {string} summary @param {...Child} children */
export function fold(summary, ...children) {
  return make("details", "report-fold", make("summary", "", summary), ...children);
}

/** @param {string[]} head @param {Child[][]} rows */
function tableOf(head, rows) {
  const heads = head.map((words) => withScope(make("th", "", words), "col"));
  const body = rows.map(([name, ...cells]) =>
    make("tr", "", withScope(make("th", "", name), "row"), ...cells.map((cell) => make("td", "", cell))),
  );
  return make(
    "table",
    "report-table",
    make("thead", "", make("tr", "", ...heads)),
    make("tbody", "", ...body),
  );
}

/** @param {HTMLElement} node @param {"col" | "row"} scope */
function withScope(node, scope) {
  node.setAttribute("scope", scope);
  return node;
}

/** Names a row of a table: a button, where there is something to open. @param {string} name @param {(() => void) | null} action */
export function opener(name, action) {
  if (action === null) return theirs("span", "", name);
  const node = press("report-opener", action, name);
  node.dir = "auto";
  return node;
}

/** @param {[number, number] | null} interval @param {(value: number) => string} write */
export const rangeWords = (interval, write) =>
  interval ? REPORT.range(write(interval[0]), write(interval[1])) : REPORT.none;

/** Sets custom properties that the style draws by. @param {HTMLElement} node @param {Record<string, number>} places shares of the whole, 0..1 */
export function place(node, places) {
  for (const [name, share] of Object.entries(places)) node.style.setProperty(`--${name}`, share.toFixed(5));
  return node;
}

/** @param {number} value @param {number} low @param {number} high */
export const clampTo = (value, low, high) => Math.min(high, Math.max(low, value));

/** @param {number | null} value @returns {"plus" | "minus" | "zero"} */
export const signOf = (value) => (value === null || value === 0 ? "zero" : value > 0 ? "plus" : "minus");
