// Draws a plot as SVG in the reader's font size, and redraws it when its width changes.

/**
 * @typedef {{label: string, ends: [number, number], step: number}} Axis
 * @typedef {{x: number, y: number, low?: number, high?: number}} Point shares, 0..1; low and high bound the chance
 * @typedef {object} Plot
 * @property {string} label for screen readers
 * @property {Axis} xAxis
 * @property {Axis} yAxis
 * @property {Point[]} points
 * @property {string} [diagonal] the label of the line x = y; no line without it
 * @property {{to: number, label: string} | null} [band] hatched, from the axis' start
 */

const SVG = "http://www.w3.org/2000/svg";
// As in page.css.
const HEIGHT_OF_WIDTH = 18 / 25;
const PRINTED_WIDTH = 600;
let drawn = 0;

/** Makes a block that holds the plot. @param {Plot} plot @returns {HTMLElement} */
export function plotted(plot) {
  const place = document.createElement("div");
  place.className = "plot";
  // For a fold that printing opens, before its width is known.
  place.append(drawing(plot, PRINTED_WIDTH));
  let width = 0;
  new ResizeObserver(([entry]) => {
    const now = Math.round(entry.contentRect.width);
    if (now === width || now === 0) return;
    width = now;
    place.replaceChildren(drawing(plot, width));
  }).observe(place);
  return place;
}

/** @typedef {{left: number, right: number, top: number, bottom: number, rem: number}} Frame in CSS pixels */
/** @typedef {{across: (x: number) => number, up: (y: number) => number}} Scales from shares to CSS pixels */

/** @param {Plot} plot @param {number} width in CSS pixels */
function drawing(plot, width) {
  const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
  const height = Math.round(width * HEIGHT_OF_WIDTH);
  const frame = {
    left: 3.2 * rem,
    right: width - 0.8 * rem,
    top: 0.6 * rem,
    bottom: height - 3.2 * rem,
    rem,
  };
  const scales = {
    across: scale(plot.xAxis.ends, frame.left, frame.right),
    up: scale(plot.yAxis.ends, frame.bottom, frame.top),
  };
  const svg = shape("svg", { role: "img", viewBox: `0 0 ${width} ${height}`, width, height });
  svg.setAttribute("aria-label", plot.label);
  svg.append(
    ...band(plot, scales, frame),
    ...xMarks(plot.xAxis, scales, frame),
    ...yMarks(plot.yAxis, scales, frame),
    ...diagonal(plot, scales, frame),
    ...curve(plot, scales),
  );
  return svg;
}

/** @param {[number, number]} ends @param {number} from @param {number} to */
function scale([least, most], from, to) {
  return (/** @type {number} */ value) => from + ((value - least) / (most - least)) * (to - from);
}

/** @param {Plot} plot @param {Scales} scales @param {Frame} frame */
function band({ band }, { across }, { left, top, bottom, rem }) {
  if (!band) return [];
  const id = `hatch-${(drawn += 1)}`;
  const hatch = { id, width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" };
  const pattern = shape("pattern", hatch);
  pattern.append(shape("line", { class: "plot-hatch", x1: 0, y1: 0, x2: 0, y2: 6 }));
  const right = across(band.to);
  return [
    pattern,
    shape("rect", { x: left, y: top, width: right - left, height: bottom - top, fill: `url(#${id})` }),
    shape("line", { class: "plot-edge", x1: right, x2: right, y1: top, y2: bottom }),
    words(band.label, (left + right) / 2, top + 1.2 * rem, "plot-note"),
  ];
}

/** @param {Axis} axis @param {Scales} scales @param {Frame} frame */
function xMarks(axis, { across }, { left, right, top, bottom, rem }) {
  const marks = steps(axis).flatMap((value) => {
    const x = across(value);
    const line = shape("line", { class: "plot-grid", x1: x, x2: x, y1: top, y2: bottom });
    return [line, words(inHundred(value), x, bottom + 1.2 * rem, "plot-mark")];
  });
  return [...marks, words(axis.label, (left + right) / 2, bottom + 2.7 * rem, "plot-axis")];
}

/** @param {Axis} axis @param {Scales} scales @param {Frame} frame */
function yMarks(axis, { up }, { left, right, top, bottom, rem }) {
  const marks = steps(axis).flatMap((value) => {
    const y = up(value);
    const line = shape("line", { class: "plot-grid", x1: left, x2: right, y1: y, y2: y });
    return [line, words(inHundred(value), left - 0.4 * rem, y + 0.3 * rem, "plot-mark plot-end")];
  });
  const [x, y] = [0.9 * rem, (top + bottom) / 2];
  const label = words(axis.label, x, y, "plot-axis");
  label.setAttribute("transform", `rotate(-90 ${x} ${y})`);
  return [...marks, label];
}

/** @param {Plot} plot @param {Scales} scales @param {Frame} frame */
function diagonal({ diagonal, xAxis, yAxis }, { across, up }, { rem }) {
  if (!diagonal) return [];
  const from = Math.max(xAxis.ends[0], yAxis.ends[0]);
  const to = Math.min(xAxis.ends[1], yAxis.ends[1]);
  const ends = { x1: across(from), y1: up(from), x2: across(to), y2: up(to) };
  // Begins just below the line, which climbs away from it.
  const middle = from + 0.42 * (to - from);
  const note = words(diagonal, across(middle) + 0.8 * rem, up(middle) + 1.6 * rem, "plot-note plot-start");
  return [shape("line", { class: "plot-perfect", ...ends }), note];
}

/** @param {Plot} plot @param {Scales} scales */
function curve({ points }, { across, up }) {
  const line = points.map(({ x, y }) => `${across(x).toFixed(1)},${up(y).toFixed(1)}`).join(" ");
  const chances = points.flatMap(({ x, low, high }) =>
    low === undefined || high === undefined
      ? []
      : [shape("line", { class: "plot-chance", x1: across(x), x2: across(x), y1: up(low), y2: up(high) })],
  );
  const dots = points.map(({ x, y }) =>
    shape("circle", { class: "plot-dot", cx: across(x), cy: up(y), r: 4 }),
  );
  return [...chances, shape("polyline", { class: "plot-line", points: line }), ...dots];
}

/** Returns round values between an axis' ends. @param {Axis} axis */
function steps({ ends: [least, most], step }) {
  // Sums of tenths miss whole numbers by rounding.
  const first = Math.ceil(least / step - 1e-9);
  const last = Math.floor(most / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, place) => (first + place) * step);
}

/** @param {number} share */
const inHundred = (share) => String(Math.round(share * 1000) / 10);

/** @param {string} text @param {number} x @param {number} y @param {string} className */
function words(text, x, y, className) {
  const node = shape("text", { class: className, x, y });
  node.textContent = text;
  return node;
}

/** @param {string} name @param {Record<string, string | number>} attributes */
function shape(name, attributes) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) {
    node.setAttribute(key, typeof value === "number" ? String(Math.round(value * 10) / 10) : value);
  }
  return node;
}
