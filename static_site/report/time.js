// Draws the net score over time: points with intervals, or a line with a band where there are many.

import {
  opener,
  FEW_REVIEWS,
  clampTo,
  foldedTable,
  make,
  opening,
  partOf,
  place,
  press,
  rangeWords,
} from "./pieces.js";
import { roundEnds, roundStep } from "./bars.js";
import { REPORT, countOf, dateWords, netOf, portionOf } from "./strings.js";

/**
 * @typedef {import("./pieces.js").Cell & {start: string}} Period
 * @typedef {import("./pieces.js").Context} Context
 */

const SVG_NAMESPACE = "http://www.w3.org/2000/svg";
// With more periods, whiskers would touch.
const MOST_POINTS = 40;
// The drawing's own units; it is stretched to its place.
const DRAWN_WIDTH = 1000;
const DRAWN_HEIGHT = 100;
// Half of them fit on a phone.
const MOST_DATES = 6;
const WEEKS_WITHOUT_YEAR = 26;
const EDGE = 0.06;
const LEVELS = 4;

/** @param {Context} context */
export function timePart(context) {
  const { unit, periods } = context.report.over_time;
  const dense = periods.length > MOST_POINTS;
  const readout = make("p", "report-readout", REPORT.timeHint(unit));
  readout.setAttribute("aria-hidden", "true");
  return partOf(
    context,
    "time",
    REPORT.timeTitle,
    dense ? REPORT.timeBandDeck(unit) : REPORT.timeDeck(unit),
    readout,
    plotOf(context, unit, periods, dense, readout),
    make("p", "report-key", REPORT.timeKey),
    foldedTable(
      REPORT.asTable,
      [REPORT.UNIT_HEAD[unit] ?? unit, ...REPORT.TIME_HEAD],
      periods.map((/** @type {Period} */ period) => timeRow(context, unit, period)),
    ),
  );
}

/** @param {string} unit @param {Period} period */
function nameOfPeriod(unit, { start }) {
  const words = dateWords(start, unit === "month" ? "month" : "whole");
  return unit === "week" ? `${REPORT.weekOf} ${words}` : words;
}

/** @param {Context} context @param {string} unit @param {Period} period */
function timeRow(context, unit, period) {
  const name = nameOfPeriod(unit, period);
  return [opener(name, opening(context, name, period)), ...cellWords(period)];
}

/** Writes a cell as the cells of a table. @param {import("./pieces.js").Cell} cell */
export function cellWords({ rows, net, interval, positive, uncertain, negative }) {
  return [
    netOf(net),
    rangeWords(interval, netOf),
    countOf(rows),
    portionOf(positive, rows),
    portionOf(uncertain, rows),
    portionOf(negative, rows),
  ];
}

/** @param {Context} context @param {string} unit @param {Period[]} periods @param {boolean} dense @param {HTMLElement} readout */
function plotOf(context, unit, periods, dense, readout) {
  const [low, high] = netEnds(periods);
  const up = (/** @type {number} */ net) => (clampTo(net, low, high) - low) / (high - low);
  const plot = make("div", "report-plot");
  if (dense) plot.dataset.dense = "";
  const field = make("div", "report-field", ...levelsOf(low, high), linesOf(periods, up, dense));
  const cut = cutOf(context.report, periods);
  if (cut !== null) field.append(cutMark(cut));
  field.append(pointsOf(context, unit, periods, up, readout));
  plot.append(field, volumesOf(periods), datesOf(unit, periods));
  return plot;
}

/** Returns round ends for the nets and the intervals of periods with enough reviews. @param {Period[]} periods */
function netEnds(periods) {
  const enough = periods.filter(({ rows }) => rows >= FEW_REVIEWS);
  const values = [
    ...periods.flatMap(({ net }) => (net === null ? [] : [net])),
    ...(enough.length ? enough : periods).flatMap(({ interval }) => interval ?? []),
  ];
  return values.length ? roundEnds(Math.min(...values), Math.max(...values)) : roundEnds(-1, 1);
}

/** @param {number} low @param {number} high */
function levelsOf(low, high) {
  const step = roundStep((high - low) / LEVELS);
  const nodes = [];
  for (let value = Math.ceil(low / step) * step; value <= high; value += step) {
    const node = place(make("span", "report-level", make("span", "report-level-mark", netOf(value))), {
      up: (value - low) / (high - low),
    });
    if (value === 0) node.dataset.zero = "";
    node.setAttribute("aria-hidden", "true");
    nodes.push(node);
  }
  return nodes;
}

/** @param {number} index @param {number} count the middle of a period's column, 0..1 */
const acrossOf = (index, count) => (index + 0.5) / count;

/** @param {Period[]} periods @param {(net: number) => number} up @param {boolean} dense */
function linesOf(periods, up, dense) {
  const svg = document.createElementNS(SVG_NAMESPACE, "svg");
  for (const [name, value] of Object.entries({
    class: "report-lines",
    viewBox: `0 0 ${DRAWN_WIDTH} ${DRAWN_HEIGHT}`,
    preserveAspectRatio: "none",
    "aria-hidden": "true",
  })) {
    svg.setAttribute(name, value);
  }
  for (const run of runsOf(periods)) {
    const at = (/** @type {number} */ index, /** @type {number} */ net) =>
      `${(acrossOf(index, periods.length) * DRAWN_WIDTH).toFixed(1)},${((1 - up(net)) * DRAWN_HEIGHT).toFixed(2)}`;
    if (dense) {
      const upper = run.map(({ index, period }) => at(index, (period.interval ?? [0, period.net])[1]));
      const lower = run.map(({ index, period }) => at(index, (period.interval ?? [period.net])[0]));
      svg.append(shapeOf("polygon", "report-band", [...upper, ...lower.reverse()]));
    }
    svg.append(
      shapeOf(
        "polyline",
        "report-line",
        run.map(({ index, period }) => at(index, period.net)),
      ),
    );
  }
  return svg;
}

/** @param {string} tag @param {string} className @param {string[]} points */
function shapeOf(tag, className, points) {
  const node = document.createElementNS(SVG_NAMESPACE, tag);
  node.setAttribute("class", className);
  node.setAttribute("points", points.join(" "));
  return node;
}

/** Returns runs of neighbours with reviews; a gap parts them. @param {Period[]} periods */
function runsOf(periods) {
  /** @type {{index: number, period: any}[][]} */
  const runs = [[]];
  periods.forEach((period, index) => {
    if (period.net === null) runs.push([]);
    else runs[runs.length - 1].push({ index, period });
  });
  return runs.filter((run) => run.length > 0);
}

/**
 * Makes a button for each period. One Tab stop leads to them all; arrow keys move between them.
 * @param {Context} context
 * @param {string} unit
 * @param {Period[]} periods
 * @param {(net: number) => number} up
 * @param {HTMLElement} readout
 */
function pointsOf(context, unit, periods, up, readout) {
  const group = make("div", "report-points");
  group.setAttribute("role", "group");
  /** @type {HTMLElement[]} */
  const buttons = [];
  periods.forEach((period, index) => {
    const name = nameOfPeriod(unit, period);
    const action = opening(context, name, period);
    if (period.net === null || action === null) return;
    const words = [
      netOf(period.net),
      period.interval && REPORT.between(netOf(period.interval[0]), netOf(period.interval[1])),
    ];
    const said = `${name}: ${[...words, REPORT.reviews(period.rows)].filter(Boolean).join(", ")}`;
    const button = press("report-point", action);
    button.setAttribute("aria-label", said);
    button.tabIndex = buttons.length === 0 ? 0 : -1;
    if (period.rows < FEW_REVIEWS) button.dataset.faint = "";
    const [from, to] = (period.interval ?? [period.net, period.net]).map(up);
    place(button, { at: index / periods.length, wide: 1 / periods.length, up: up(period.net), from, to });
    for (const event of ["pointerenter", "focus"]) {
      button.addEventListener(event, () => {
        readout.textContent = said;
      });
    }
    buttons.push(button);
  });
  group.setAttribute("aria-label", REPORT.timeLabel(unit, buttons.length));
  group.addEventListener("pointerleave", () => {
    readout.textContent = REPORT.timeHint(unit);
  });
  moveByArrows(group, buttons);
  group.append(...buttons);
  return group;
}

/** @param {HTMLElement} group @param {HTMLElement[]} buttons */
function moveByArrows(group, buttons) {
  group.addEventListener("keydown", (event) => {
    const at = buttons.indexOf(/** @type {HTMLElement} */ (event.target));
    /** @type {Record<string, number>} */
    const places = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: buttons.length - 1 };
    const next = buttons[places[event.key] ?? -1];
    if (at < 0 || !next) return;
    event.preventDefault();
    buttons[at].tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  });
}

/** @param {Period[]} periods */
function volumesOf(periods) {
  const most = Math.max(1, ...periods.map(({ rows }) => rows));
  const node = make("div", "report-volumes");
  node.setAttribute("aria-hidden", "true");
  periods.forEach(({ rows }, index) => {
    node.append(
      place(make("span", "report-volume"), {
        at: index / periods.length,
        wide: 1 / periods.length,
        up: rows / most,
      }),
    );
  });
  return node;
}

/** @param {string} unit @param {Period[]} periods */
function datesOf(unit, periods) {
  const node = make("div", "report-dates");
  node.setAttribute("aria-hidden", "true");
  const every = Math.ceil(periods.length / MOST_DATES);
  // Over years, a day's date could be of any.
  const form = unit === "week" && periods.length > WEEKS_WITHOUT_YEAR ? "month" : unit;
  for (let index = 0; index < periods.length; index += every) {
    const mark = make("span", "report-date", dateWords(periods[index].start, form));
    const at = acrossOf(index, periods.length);
    if ((index / every) % 2 === 1) mark.dataset.minor = "";
    // At an end the words begin or end with the axis.
    if (at < EDGE || at > 1 - EDGE) mark.dataset.edge = "";
    node.append(place(mark, { at }));
  }
  return node;
}

/**
 * Returns where the comparison's cut lies on the axis, 0..1, or null without one. It is the first date of the
 * later side's label.
 * @param {any} report
 * @param {Period[]} periods
 */
function cutOf({ comparison }, periods) {
  if (comparison?.kind !== "dates") return null;
  const found = /\d{4}-\d{2}-\d{2}/.exec(comparison.after.label);
  if (!found) return null;
  const starts = periods.map(({ start }) => Date.parse(start));
  const cut = Date.parse(found[0]);
  const index = starts.findLastIndex((start) => start <= cut);
  if (index < 0) return null;
  const length = (starts[index + 1] ?? 2 * starts[index] - (starts[index - 1] ?? 0)) - starts[index];
  return (index + clampTo((cut - starts[index]) / length, 0, 1)) / periods.length;
}

/** @param {number} at */
function cutMark(at) {
  const node = make(
    "span",
    "report-cut",
    make("span", "report-cut-before", REPORT.before),
    make("span", "report-cut-after", REPORT.after),
  );
  node.setAttribute("aria-hidden", "true");
  return place(node, { at });
}
