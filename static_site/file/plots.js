// Draws a file's plots as SVG: the histogram of probabilities, and calibration.

import { count, percent } from "../shared/strings.js";
import { FILE } from "./strings.js";

/**
 * @typedef {import("../rows/figures.js").Bin} Bin
 * @typedef {import("../rows/figures.js").CalibrationBin} CalibrationBin
 * @typedef {{left: number, right: number, top: number, bottom: number}} Frame px
 */

const NAMESPACE = "http://www.w3.org/2000/svg";
// A group with fewer rows is drawn hollow.
const FEW_ROWS = 20;
// Sizes at a font size of 16 px; they grow with the reader's.
const USUAL_FONT_PX = 16;
const HISTOGRAM_HEIGHT = 320;
const MARGINS = { left: 52, right: 12, top: 34, bottom: 46 };
const TICKS = [0, 0.25, 0.5, 0.75, 1];
// On a narrower axis five labels would touch.
const NARROW_PX = 300;
const FEW_TICKS = [0, 0.5, 1];
/** Parts of a bar, from bottom to top. @type {("negative" | "uncertain" | "positive")[]} */
const LAYERS = ["negative", "uncertain", "positive"];

let patterns = 0;

/**
 * @param {number} width px
 * @param {Bin[]} bins
 * @param {[number, number] | null} band
 * @param {(bin: Bin) => void} onPress a bar was pressed; the table beside the plot opens bars by keyboard
 */
export function histogram(width, bins, band, onPress) {
  const frame = frameOf(width, HISTOGRAM_HEIGHT * unit());
  const most = Math.max(1, ...bins.map(rowsIn));
  const top = niceTop(most);
  const svg = drawing(width, HISTOGRAM_HEIGHT * unit(), histogramLabel(bins));
  const fills = fillsOf(svg);
  if (band) drawBand(svg, frame, band);
  drawLevels(svg, frame, [0, top / 2, top].filter(Number.isInteger), top);
  for (const bin of bins) {
    drawBar(svg, frame, bin, top, fills);
    if (rowsIn(bin) > 0) coverBar(svg, frame, bin).addEventListener("click", () => onPress(bin));
  }
  drawTitles(svg, frame, FILE.axisRows);
  return svg;
}

/** @param {number} width px @param {CalibrationBin[]} bins */
export function calibration(width, bins) {
  const frame = frameOf(width, width);
  const rows = bins.reduce((sum, bin) => sum + bin.rows, 0);
  const svg = drawing(width, width, FILE.calibrationLabel(bins.length, rows));
  drawLevels(svg, frame, TICKS, 1);
  line(svg, "plot-ideal", frame.left, frame.bottom, frame.right, frame.top);
  for (const bin of bins) drawPoint(svg, frame, bin);
  drawTitles(svg, frame, FILE.axisObserved);
  return svg;
}

function unit() {
  return parseFloat(getComputedStyle(document.documentElement).fontSize) / USUAL_FONT_PX;
}

/** @param {number} width @param {number} height @returns {Frame} */
function frameOf(width, height) {
  const { left, right, top, bottom } = MARGINS;
  return {
    left: left * unit(),
    right: width - right * unit(),
    top: top * unit(),
    bottom: height - bottom * unit(),
  };
}

/** @param {Bin} bin */
function rowsIn(bin) {
  return bin.negative + bin.uncertain + bin.positive;
}

/** @param {Bin[]} bins */
function histogramLabel(bins) {
  const below = bins.slice(0, bins.length / 2).reduce((sum, bin) => sum + rowsIn(bin), 0);
  const all = bins.reduce((sum, bin) => sum + rowsIn(bin), 0);
  return FILE.histogramLabel(all, below, all - below);
}

/** Rounds up to 1, 2, 4, 10, 20, 40 and so on. @param {number} most */
export function niceTop(most) {
  const power = 10 ** Math.floor(Math.log10(most));
  return [1, 2, 4, 10].map((step) => step * power).find((top) => top >= most) ?? most;
}

/** @param {Frame} frame @param {number} share 0..1 */
const across = ({ left, right }, share) => left + share * (right - left);

/** @param {Frame} frame @param {number} share 0..1 */
const up = ({ top, bottom }, share) => bottom - share * (bottom - top);

/** @param {SVGElement} svg @param {Frame} frame @param {[number, number]} band */
function drawBand(svg, frame, [low, high]) {
  const [from, to] = [across(frame, low), across(frame, high)];
  add(svg, "rect", "plot-band", {
    x: from,
    y: frame.top,
    width: to - from,
    height: frame.bottom - frame.top,
  });
  for (const place of [from, to]) line(svg, "plot-band-edge", place, frame.top, place, frame.bottom);
}

/** @param {SVGElement} svg @param {Frame} frame @param {number[]} levels @param {number} top */
function drawLevels(svg, frame, levels, top) {
  for (const level of levels) {
    const height = up(frame, level / top);
    line(svg, "plot-level", frame.left, height, frame.right, height);
    const words = top === 1 && levels.length > 3 ? `${level * 100}\u00a0%` : count(level);
    text(svg, "plot-tick plot-tick-end", frame.left - 8 * unit(), height + 4 * unit(), words);
  }
}

/** @param {SVGElement} svg @param {Frame} frame @param {string} upwards what the height stands for */
function drawTitles(svg, frame, upwards) {
  text(svg, "plot-title", 0, 10 * unit(), upwards);
  drawAxis(svg, frame, FILE.axisProbability);
}

/** @param {SVGElement} svg @param {Frame} frame @param {string} title */
function drawAxis(svg, frame, title) {
  line(svg, "plot-axis", frame.left, frame.bottom, frame.right, frame.bottom);
  const narrow = frame.right - frame.left < NARROW_PX * unit();
  for (const tick of narrow ? FEW_TICKS : TICKS) {
    const place = across(frame, tick);
    line(svg, "plot-axis", place, frame.bottom, place, frame.bottom + 5 * unit());
    const side = tick === 0 ? "" : tick === 1 ? "plot-tick-end" : "plot-tick-middle";
    text(svg, `plot-tick ${side}`, place, frame.bottom + 20 * unit(), `${tick * 100}\u00a0%`);
  }
  text(svg, "plot-title plot-tick-middle", across(frame, 0.5), frame.bottom + 38 * unit(), title);
}

/**
 * @param {SVGElement} svg
 * @param {Frame} frame
 * @param {Bin} bin
 * @param {number} top
 * @param {Record<string, string>} fills
 */
function drawBar(svg, frame, bin, top, fills) {
  const gap = unit();
  const [x, width] = [
    across(frame, bin.from) + gap,
    across(frame, bin.to) - across(frame, bin.from) - 2 * gap,
  ];
  let below = 0;
  for (const layer of LAYERS) {
    if (bin[layer] === 0) continue;
    const [low, high] = [up(frame, below / top), up(frame, (below + bin[layer]) / top)];
    const attributes = {
      x,
      y: high,
      width: Math.max(width, 1),
      height: Math.max(low - high, 1),
      fill: fills[layer],
    };
    add(svg, "rect", `plot-bar plot-${layer}`, attributes);
    below += bin[layer];
  }
}

/** Covers a bar from bottom to top, so that a short one can be pressed too. @param {SVGElement} svg @param {Frame} frame @param {Bin} bin */
function coverBar(svg, frame, bin) {
  const [x, end] = [across(frame, bin.from), across(frame, bin.to)];
  const cover = add(svg, "rect", "plot-cover", {
    x,
    y: frame.top,
    width: end - x,
    height: frame.bottom - frame.top,
  });
  add(cover, "title", "", {}).textContent = `${FILE.binName(bin.from, bin.to)}: ${FILE.rows(rowsIn(bin))}`;
  return cover;
}

/**
 * Draws a point, and its interval as a bar with caps.
 * @param {SVGElement} svg
 * @param {Frame} frame
 * @param {CalibrationBin} bin
 */
function drawPoint(svg, frame, { predicted, observed, low, high, rows }) {
  const [x, cap] = [across(frame, predicted), 4 * unit()];
  line(svg, "plot-interval", x, up(frame, low), x, up(frame, high));
  for (const end of [low, high]) line(svg, "plot-interval", x - cap, up(frame, end), x + cap, up(frame, end));
  const kind = rows < FEW_ROWS ? "plot-point plot-point-few" : "plot-point";
  const point = add(svg, "circle", kind, { cx: x, cy: up(frame, observed), r: 5 * unit() });
  add(point, "title", "", {}).textContent = `${percent(predicted)}, ${percent(observed)}, ${FILE.rows(rows)}`;
}

/**
 * Draws patterns, so that colour isn't needed: solid for plus, hatched for minus, dotted for neither.
 * @param {SVGElement} svg
 * @returns {Record<string, string>}
 */
function fillsOf(svg) {
  patterns += 1;
  const size = 5 * unit();
  const definitions = add(svg, "defs", "", {});
  const hatch = patternOf(definitions, `minus-${patterns}`, size);
  add(hatch, "path", "plot-hatch", {
    d: `M0 ${size}L${size} 0M${-size} ${size}L${size} ${-size}M0 ${2 * size}L${2 * size} 0`,
  });
  const dots = patternOf(definitions, `neither-${patterns}`, size);
  add(dots, "circle", "plot-dot", { cx: size / 2, cy: size / 2, r: unit() });
  return {
    negative: `url(#minus-${patterns})`,
    uncertain: `url(#neither-${patterns})`,
    positive: "currentColor",
  };
}

/** @param {SVGElement} parent @param {string} id @param {number} size */
function patternOf(parent, id, size) {
  return add(parent, "pattern", "", { id, width: size, height: size, patternUnits: "userSpaceOnUse" });
}

/** @param {number} width @param {number} height @param {string} label */
function drawing(width, height, label) {
  const svg = /** @type {SVGElement} */ (document.createElementNS(NAMESPACE, "svg"));
  svg.setAttribute("class", "plot");
  for (const [name, value] of Object.entries({ width, height, viewBox: `0 0 ${width} ${height}` })) {
    svg.setAttribute(name, String(value));
  }
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", label);
  return svg;
}

/**
 * @param {Element} parent
 * @param {string} tag
 * @param {string} className
 * @param {Record<string, string | number>} attributes
 */
function add(parent, tag, className, attributes) {
  const node = /** @type {SVGElement} */ (document.createElementNS(NAMESPACE, tag));
  if (className) node.setAttribute("class", className);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  parent.append(node);
  return node;
}

/**
 * @param {SVGElement} svg
 * @param {string} className
 * @param {number} x1
 * @param {number} y1
 * @param {number} x2
 * @param {number} y2
 */
function line(svg, className, x1, y1, x2, y2) {
  add(svg, "line", className, { x1, y1, x2, y2 });
}

/**
 * @param {SVGElement} svg
 * @param {string} className
 * @param {number} x
 * @param {number} y
 * @param {string} words
 */
function text(svg, className, x, y, words) {
  add(svg, "text", className, { x, y }).textContent = words;
}
