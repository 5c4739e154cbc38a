// Draws the two parts with a slider: what a percentage comes to, and what a threshold costs.

import { amount } from "../shared/careful.js";
import { element, listItem } from "../shared/dom.js";
import { paragraphs } from "../shared/parts.js";
import { between, curveOf, groupsOf, judged } from "./figures.js";
import { barPart, section } from "./pieces.js";
import { MODEL as words } from "./strings.js";

/** @typedef {{from: number, to: number, start: number}} Range of whole percent */

const DOTS = 100;
const START = 80;
// The address may name another percentage to start at: that of a verdict.
const STATED = "stated";
// The threshold at first keeps about this share.
const KEPT_AT_START = 0.9;

/** Draws both parts side by side, or those that the card has figures for. @param {any} card @returns {Node[]} */
export function sliders(card) {
  const parts = [...dots(card), ...threshold(card)];
  if (parts.length === 0) return [];
  const row = element("div", "sliders");
  row.append(...parts);
  return [row];
}

// --- what a percentage comes to -----------------------------------------------------------------

/** @param {any} card @returns {Node[]} empty without figures in the card */
function dots(card) {
  const { split, figures } = judged(card, "reliability") ?? { split: "", figures: null };
  const points = positives(figures);
  if (points.length < 4) return [];
  const range = within(points[0][0], points[points.length - 1][0], startOf(location.search));
  const field = element("div", "dots");
  field.setAttribute("aria-hidden", "true");
  field.append(...Array.from({ length: DOTS }, () => element("span", "dot")));
  const said = element("p", "slider-said");
  const slider = sliderOf("stated", words.stated, range, (percent) => {
    const positive = Math.round(DOTS * between(points, percent / 100));
    [...field.children].forEach((dot, place) => dot.toggleAttribute("data-positive", place < positive));
    said.textContent = words.comesTo(percent, positive);
    return said.textContent;
  });
  const shown = element("div", "dots-shown");
  shown.append(field, said, keyOfDots());
  const groups = groupsOf(figures).length;
  return [
    section("percentages", words.dotsTitle, [
      ...paragraphs("", words.dotsMean),
      slider,
      shown,
      ...paragraphs("small-print", words.dotsSource(split, amount(figures, "reviews"), groups)),
    ]),
  ];
}

/**
 * Returns the share of positive reviews by the stated probability. The card holds how often verdicts of both
 * sides are right: at 80 % sure, 80 % positive and 20 % positive count together.
 * @param {any} figures
 * @returns {[number, number][]} sorted
 */
function positives(figures) {
  const groups = groupsOf(figures);
  /** @type {[number, number][]} */
  const negative = groups.map(({ x, y }) => [1 - x, 1 - y]);
  /** @type {[number, number][]} */
  const positive = groups.map(({ x, y }) => [x, y]);
  return [...negative.reverse(), ...positive];
}

function keyOfDots() {
  const list = element("ul", "dots-key");
  for (const [state, name] of Object.entries(words.DOTS)) {
    const dot = element("span", "dot");
    dot.toggleAttribute("data-positive", state === "positive");
    dot.setAttribute("aria-hidden", "true");
    list.append(listItem(dot, element("span", "", name)));
  }
  return list;
}

// --- what a threshold costs ---------------------------------------------------------------------

/** @param {any} card @returns {Node[]} empty without figures in the card */
function threshold(card) {
  const { split, figures } = judged(card, "risk_coverage") ?? { split: "", figures: null };
  const curve = curveOf(figures)
    .flatMap(({ x, y, from }) => (from === null ? [] : [{ x, y, from }]))
    .sort((one, other) => one.from - other.from);
  const [least, most] = [curve[0], curve[curve.length - 1]];
  if (curve.length < 2 || least.from === most.from) return [];
  /** @type {[number, number][]} */
  const kept = curve.map(({ from, x }) => [from, x]);
  /** @type {[number, number][]} */
  const wrong = curve.map(({ from, y }) => [from, 1 - y]);
  const start = curve.find(({ x }) => x <= KEPT_AT_START) ?? most;
  const bars = { kept: barRow(words.kept), wrong: barRow(words.wrongOfKept) };
  const said = element("p", "slider-said");
  const worst = Math.max(...wrong.map(([, part]) => part), Number.EPSILON);
  const range = within(least.from, most.from, 100 * start.from);
  const slider = sliderOf("least", words.least, range, (percent) => {
    const [coverage, error] = [between(kept, percent / 100), between(wrong, percent / 100)];
    bars.kept.show(coverage, coverage);
    bars.wrong.show(error, error / worst);
    said.textContent = words.threshold(percent, coverage, error);
    return said.textContent;
  });
  const list = element("ul", "threshold-bars");
  list.append(bars.kept.node, bars.wrong.node);
  return [
    section("threshold", words.thresholdTitle, [
      ...paragraphs("", words.thresholdMeans),
      slider,
      said,
      list,
      ...paragraphs("small-print", words.thresholdSource(split, amount(figures, "reviews"), worst)),
    ]),
  ];
}

/** @param {string} name */
function barRow(name) {
  const bar = element("span", "bar");
  bar.setAttribute("aria-hidden", "true");
  const fill = barPart(name === words.wrongOfKept ? "wrong" : "sum", 0);
  bar.append(fill);
  const number = element("span", "meter-number");
  return {
    node: listItem(element("span", "meter-name", name), " ", number, bar),
    /** @param {number} part @param {number} length of the bar */
    show: (part, length) => {
      number.textContent = words.percentOf(part);
      fill.style.setProperty("--share", String(length));
    },
  };
}

// --- both ---------------------------------------------------------------------------------------

/** Returns the percentage that an address names, or START. @param {string} query */
function startOf(query) {
  const stated = Number(new URLSearchParams(query).get(STATED));
  return stated > 0 && stated < DOTS ? Math.round(stated) : START;
}

/** Returns the whole percentages inside of two shares. @param {number} low @param {number} high @param {number} start */
function within(low, high, start) {
  const from = Math.max(1, Math.ceil(100 * low));
  const to = Math.max(from, Math.min(99, Math.floor(100 * high)));
  return { from, to, start: Math.min(to, Math.max(from, Math.round(start))) };
}

/**
 * @param {string} id
 * @param {string} label
 * @param {Range} range
 * @param {(percent: number) => string} move shows a percentage, and returns it in words
 */
function sliderOf(id, label, { from, to, start }, move) {
  const input = /** @type {HTMLInputElement} */ (element("input", "slider"));
  Object.assign(input, { type: "range", id, min: String(from), max: String(to), step: "1", value: String(start) });
  const value = element("output", "slider-value");
  // The slider itself reads its words out.
  value.setAttribute("aria-hidden", "true");
  const show = () => {
    input.setAttribute("aria-valuetext", move(Number(input.value)));
    value.textContent = words.wholePercent(Number(input.value));
  };
  input.addEventListener("input", show);
  show();
  const name = /** @type {HTMLLabelElement} */ (element("label", "slider-label", label));
  name.htmlFor = id;
  const node = element("div", "slider-row");
  node.append(name, value, input);
  return node;
}
