// Draws the largest groups over time, as one small line each on a common scale.

import { clampTo, heading, make, opening, press, theirs } from "./pieces.js";
import { REPORT, netOf } from "./strings.js";

/** @typedef {import("./pieces.js").Context} Context */
/** @typedef {import("./pieces.js").Cell & {name: string, periods: (number | null)[]}} Trend */

const SPARK_NAMESPACE = "http://www.w3.org/2000/svg";
const SPARK_WIDTH = 100;
const SPARK_HEIGHT = 40;
// On average a period; with fewer, a line shows chance alone.
const LEAST_REVIEWS = 5;
// Room for the line's own width.
const SPARK_EDGE = 2;

/** Returns the small multiples, or null without any. @param {Context} context */
export function trendsOf(context) {
  const groups = /** @type {Trend[]} */ (
    context.report.groups.filter((/** @type {any} */ group) => group.periods && isLine(group))
  );
  if (groups.length === 0) return null;
  const list = make("ul", "report-trends", ...groups.map((group) => make("li", "", trendOf(context, group))));
  return make(
    "div",
    "",
    heading(context.level + 1, "report-side-title", REPORT.trendsTitle),
    make("p", "report-small", REPORT.trendsDeck),
    list,
  );
}

/** Tells whether a group's periods hold enough reviews for a line that means something. @param {Trend} group */
function isLine({ rows, periods }) {
  const nets = known(periods);
  return nets.length > 1 && rows >= LEAST_REVIEWS * nets.length;
}

/** @param {(number | null)[]} nets */
const known = (nets) => /** @type {number[]} */ (nets.filter((net) => net !== null));

/** @param {Context} context @param {Trend} group */
function trendOf(context, group) {
  return press(
    "report-trend",
    opening(context, group.name, group),
    theirs("span", "report-bar-name", group.name),
    sparkOf(group.periods),
    make("span", "report-bar-note", REPORT.trend(netOf(group.net))),
  );
}

/** Draws -100 to 100, with zero in the middle. @param {(number | null)[]} nets */
function sparkOf(nets) {
  const svg = document.createElementNS(SPARK_NAMESPACE, "svg");
  for (const [name, value] of Object.entries({
    class: "report-spark",
    viewBox: `0 0 ${SPARK_WIDTH} ${SPARK_HEIGHT}`,
    preserveAspectRatio: "none",
    "aria-hidden": "true",
  })) {
    svg.setAttribute(name, value);
  }
  const across = (/** @type {number} */ index) => ((index + 0.5) / nets.length) * SPARK_WIDTH;
  const down = (/** @type {number} */ net) =>
    SPARK_EDGE + ((100 - clampTo(net, -100, 100)) / 200) * (SPARK_HEIGHT - 2 * SPARK_EDGE);
  svg.append(sparkPath("report-spark-zero", `M0 ${SPARK_HEIGHT / 2}H${SPARK_WIDTH}`));
  let path = "";
  nets.forEach((net, index) => {
    if (net === null) return;
    const [x, y] = [across(index).toFixed(1), down(net).toFixed(1)];
    const after = index > 0 && nets[index - 1] !== null;
    // A period alone between gaps is a dot: a line of no length with round ends.
    path += after ? `L${x} ${y}` : `M${x} ${y}L${x} ${y}`;
  });
  svg.append(sparkPath("report-spark-line", path));
  return svg;
}

/** @param {string} className @param {string} path */
function sparkPath(className, path) {
  const node = document.createElementNS(SPARK_NAMESPACE, "path");
  node.setAttribute("class", className);
  node.setAttribute("d", path);
  return node;
}
