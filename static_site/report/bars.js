// Draws bars from a common zero, with their intervals: one chart for groups, aspects, words and what moved.

import { clampTo, make, place, press, signOf, theirs } from "./pieces.js";
import { REPORT } from "./strings.js";

/** @typedef {import("./pieces.js").Child} Child */
/**
 * @typedef {object} Bar
 * @property {string} name
 * @property {string} note below the name
 * @property {number | null} value
 * @property {[number, number] | null} interval
 * @property {(() => void) | null} open
 * @property {boolean} [faint] few reviews, or perhaps chance
 * @property {"minus"} [side] where a value's sign is not drawn by its direction
 *
 * @typedef {object} Chart
 * @property {(value: number) => string} write the value in words; an empty text shows none
 * @property {(value: number) => string} [axis] the axis' marks in words, the value's by default
 * @property {[number, number]} [ends] of the axis
 * @property {number} [most] more bars are folded
 * @property {boolean} [middle] folds those in the middle, else the last
 */

const ROUND_STEPS = [1, 2, 5, 10, 20, 25, 50, 100];
const USUAL_MOST = 12;
const PARTS_OF_AN_AXIS = 4;

/** @param {Bar[]} bars @param {Chart} chart */
export function barChart(bars, chart) {
  const ends = chart.ends ?? endsOf(bars);
  const node = make("div", "report-bars");
  const rows = bars.map((bar) => barRow(bar, ends, chart.write));
  const most = chart.most ?? USUAL_MOST;
  const hidden = rows.length - most;
  // A button for one or two more would take their place.
  if (hidden <= 2) node.append(listOfBars(rows));
  else node.append(...folded(rows, chart.middle ? Math.ceil(most / 2) : most, hidden));
  if (chart.write(0) !== "") node.append(axisOf(ends, chart.axis ?? chart.write));
  return node;
}

/** @param {HTMLElement[]} rows */
const listOfBars = (rows) => make("ul", "report-bar-list", ...rows.map((row) => make("li", "", row)));

/** @param {HTMLElement[]} rows @param {number} first @param {number} hidden @returns {HTMLElement[]} */
function folded(rows, first, hidden) {
  const inner = listOfBars(rows.slice(first, first + hidden));
  const button = press("report-more", () => inner.toggleAttribute("hidden", false), REPORT.showAll(hidden));
  inner.hidden = true;
  button.addEventListener("click", () => {
    button.remove();
    /** @type {HTMLElement | null} */ (inner.querySelector("button"))?.focus();
  });
  const last = rows.slice(first + hidden);
  return [listOfBars(rows.slice(0, first)), button, inner, ...(last.length ? [listOfBars(last)] : [])];
}

/** @param {Bar} bar @param {[number, number]} ends @param {(value: number) => string} write */
function barRow(bar, [low, high], write) {
  const { name, note, value, interval, open } = bar;
  const share = (/** @type {number} */ number) => (clampTo(number, low, high) - low) / (high - low);
  const track = make("span", "report-track");
  place(track, { zero: share(0) });
  if (value !== null) {
    const [from, to] = [share(Math.min(0, value)), share(Math.max(0, value))];
    track.append(place(make("span", "report-fill"), { from, to }));
  }
  if (interval) {
    const [from, to] = interval.map(share);
    track.append(place(make("span", "report-chance"), { from, to }));
  }
  const words = make(
    "span",
    "report-bar-words",
    theirs("span", "report-bar-name", name),
    note ? theirs("span", "report-bar-note", note) : null,
  );
  const spoken = interval && write(0) !== "" ? REPORT.between(write(interval[0]), write(interval[1])) : "";
  const shown = value === null ? REPORT.none : write(value);
  const row = press(
    "report-bar",
    open,
    words,
    make("span", "report-bar-value", shown, spoken ? make("span", "report-hidden", `, ${spoken}`) : null),
    track,
  );
  row.dataset.sign = bar.side ?? signOf(value);
  if (bar.faint) row.dataset.faint = "";
  return row;
}

/** Returns round ends of an axis that holds zero, every bar and every interval. @param {Bar[]} bars @returns {[number, number]} */
function endsOf(bars) {
  const values = bars.flatMap(({ value, interval }) => [
    ...(value === null ? [] : [value]),
    ...(interval ?? []),
  ]);
  return roundEnds(Math.min(0, ...values), Math.max(0, ...values));
}

/** @param {number} low @param {number} high @returns {[number, number]} */
export function roundEnds(low, high) {
  const step = roundStep((high - low) / PARTS_OF_AN_AXIS);
  const ends = /** @type {[number, number]} */ ([
    Math.floor(low / step) * step,
    Math.ceil(high / step) * step,
  ]);
  return ends[0] === ends[1] ? [ends[0] - step, ends[1] + step] : ends;
}

/** Returns the next round step: 1, 2, 5, 10 and so on. @param {number} least */
export function roundStep(least) {
  return ROUND_STEPS.find((step) => step >= least) ?? ROUND_STEPS[ROUND_STEPS.length - 1];
}

/** @param {[number, number]} ends @param {(value: number) => string} write */
function axisOf([low, high], write) {
  const node = make("p", "report-axis");
  node.setAttribute("aria-hidden", "true");
  for (const value of new Set([low, 0, high])) {
    node.append(place(make("span", "report-axis-mark", write(value)), { at: (value - low) / (high - low) }));
  }
  return make("div", "report-axis-row", node);
}
