// Shows how often the model is right, how well it is calibrated, and what it gets wrong.

import { amount, at, rows, share, text } from "../shared/careful.js";
import { element, listItem } from "../shared/dom.js";
import { notes, paragraphs } from "../shared/parts.js";
import { count } from "../shared/strings.js";
import { table } from "../shared/tables.js";
import { bandOf, curveOf, groupsOf, judged } from "./figures.js";
import { METHODS as words } from "./method_strings.js";
import { barCell, barPart, folded, orDash, orEmpty, shareCell, source } from "./pieces.js";
import { plotted } from "./plots.js";

/** @typedef {import("../shared/careful.js").Row} Row */
/** @typedef {import("./pieces.js").Part} Part */
/** @typedef {import("./figures.js").Group} Group */

const SPLITS = ["test", "development"];
// Standard errors of a 95 % interval.
const CHANCE_WIDTH = 1.96;
// The example for "0.8" may be this far from it.
const EXAMPLE_WITHIN = 0.1;

/** @param {any} card @returns {Part} */
export function accuracy(card) {
  const splits = SPLITS.filter((split) => share(card, "metrics", split, "accuracy") !== null);
  if (splits.length === 0) return { id: "accuracy", body: [] };
  const lines = Object.entries(words.MEASURES)
    .map(([key, name]) => [name, ...splits.map((split) => measured(key, at(card, "metrics", split)))])
    .filter(([, ...cells]) => cells.some((cell) => cell !== words.dash));
  const head = ["", ...splits.map((split) => words.SPLITS[split])];
  return {
    id: "accuracy",
    body: [...paragraphs("", words.accuracyMeans, mistaken(card)), table(words.accuracyTable, head, lines)],
    margin: [
      ...notes(...splits.map((split) => words.SPLIT_NOTES[split])),
      ...splits.flatMap((split) => source(at(card, "metrics", split))),
    ],
  };
}

/** @param {string} key @param {any} figures */
function measured(key, figures) {
  return key === "reviews" ? orDash(amount(figures, key), count) : shareCell(figures, key, 2);
}

/** @param {any} card */
function mistaken(card) {
  const found = judged(card, "confusion");
  const positive = amount(found?.figures, "confusion", "false_positive");
  const negative = amount(found?.figures, "confusion", "false_negative");
  return found && positive !== null && negative !== null
    ? words.mistaken(found.split, positive, negative)
    : "";
}

// --- calibration --------------------------------------------------------------------------------

/** @param {any} card @returns {Part} */
export function reliability(card) {
  const { split, figures } = judged(card, "reliability") ?? { split: "", figures: null };
  const groups = groupsOf(figures);
  if (groups.length < 2) return { id: "reliability", body: [] };
  const band = bandOf(card);
  return {
    id: "reliability",
    body: [
      ...paragraphs("", words.calibrated),
      plotted(reliabilityPlot(split, figures, groups, band)),
      ...paragraphs(
        "",
        words.reliabilityRead(split, groups.length),
        [example(groups), orEmpty(band, words.bandMeans)].join(" ").trim(),
        words.wholeReviews,
      ),
      reliabilityTable(split, groups),
    ],
    margin: [...notes(...errorOfCalibration(figures), temperatures(card)), ...source(figures)],
  };
}

/** @param {string} split @param {any} figures @param {Group[]} groups @param {[number, number] | null} band */
function reliabilityPlot(split, figures, groups, band) {
  const least = Math.min(0.5, ...groups.map(({ y }) => Math.floor(y * 10) / 10));
  const reviews = amount(figures, "reviews");
  return /** @type {import("./plots.js").Plot} */ ({
    label: words.reliabilityLabel(split, groups.length),
    xAxis: { label: words.saysSure, ends: [0.5, 1], step: 0.1 },
    yAxis: { label: words.isRight, ends: [least, 1], step: 0.1 },
    points: groups.map((group) => ({ ...group, ...chanceOf(group, reviews) })),
    diagonal: words.keepsPromise,
    // Below this it can't tell, on either side.
    band: band && { to: Math.min(1 - band[0], band[1]), label: words.cantTell },
  });
}

/** Returns the 95 % interval of a calibrated group. @param {Group} group @param {number | null} reviews */
function chanceOf({ x, share: part }, reviews) {
  if (!reviews || !part) return {};
  const width = CHANCE_WIDTH * Math.sqrt((x * (1 - x)) / (part * reviews));
  return { low: x - width, high: Math.min(1, x + width) };
}

/** Describes the group that was about 0.8 sure. @param {Group[]} groups */
function example(groups) {
  const distance = (/** @type {Group} */ { x }) => Math.abs(x - 0.8);
  const nearest = groups.reduce((best, group) => (distance(group) < distance(best) ? group : best));
  return distance(nearest) <= EXAMPLE_WITHIN ? words.nearest(nearest.x, nearest.y) : "";
}

/** @param {string} split @param {Group[]} groups */
function reliabilityTable(split, groups) {
  const head = [words.saysSure, words.isRight, words.ofReviews];
  const lines = groups.map((group) => [
    words.percentOf(group.x),
    words.percentOf(group.y),
    shareCell(group, "share"),
  ]);
  return folded(words.numbers, words.reliabilityTable(split), head, lines);
}

/** @param {any} figures */
function errorOfCalibration(figures) {
  const error = share(figures, "ece");
  if (error === null) return [];
  return [
    words.calibrationError(error, share(figures, "ece_by_chance")),
    orEmpty(share(figures, "ece_positive"), words.leans),
  ];
}

/** @param {any} card */
function temperatures(card) {
  const [long, short] = [amount(card, "temperature"), amount(card, "short_temperature")];
  return long === null || short === null ? "" : words.temperatures(long, short);
}

// --- risk and coverage --------------------------------------------------------------------------

/** @param {any} card @returns {Part} */
export function riskCoverage(card) {
  const { split, figures } = judged(card, "risk_coverage") ?? { split: "", figures: null };
  const curve = curveOf(figures);
  const surest = curve[0];
  if (curve.length < 2 || surest.x === curve[curve.length - 1].x) return { id: "risk-coverage", body: [] };
  return {
    id: "risk-coverage",
    body: [
      ...paragraphs("", words.passes(surest.x, surest.y)),
      plotted(riskPlot(split, curve)),
      folded(
        words.numbers,
        words.riskTable(split),
        [words.surestOf, words.isRight],
        curve.map(({ x, y }) => [words.percentOf(x, 0), words.percentOf(y, 2)]),
      ),
    ],
    margin: source(figures),
  };
}

/** @param {string} split @param {{x: number, y: number}[]} curve */
function riskPlot(split, curve) {
  const least = Math.min(...curve.map(({ y }) => y));
  const step = least > 0.9 ? 0.02 : least > 0.7 ? 0.05 : 0.1;
  return /** @type {import("./plots.js").Plot} */ ({
    label: words.riskLabel(split),
    xAxis: { label: words.surestOf, ends: [Math.min(0.9, Math.floor(curve[0].x * 10) / 10), 1], step: 0.1 },
    yAxis: { label: words.isRight, ends: [Math.min(1 - 2 * step, Math.floor(least / step) * step), 1], step },
    points: curve,
  });
}

// --- errors -------------------------------------------------------------------------------------

/** @param {any} card @returns {Part} */
export function errors(card) {
  const groups = [
    ...groupTable(card, "by_length", words.byLength, lengthName),
    ...groupTable(card, "by_negation", words.byNegation, negationName),
  ];
  if (groups.length === 0) return { id: "errors", body: [] };
  return {
    id: "errors",
    body: [...paragraphs("", words.errorsMean), errorKey(), ...groups],
    margin: [...notes(words.negators), ...source(judged(card, "by_length")?.figures)],
  };
}

/**
 * @param {any} card
 * @param {string} key
 * @param {(split: string) => string} caption
 * @param {(row: Row) => string | null} nameOf
 */
function groupTable(card, key, caption, nameOf) {
  const { split, figures } = judged(card, key) ?? { split: "", figures: null };
  const groups = rows(figures, key).filter((row) => nameOf(row) !== null && share(row, "accuracy") !== null);
  if (groups.length === 0) return [];
  const worst = Math.max(...groups.map(wrongOf), Number.EPSILON);
  const lines = groups.map((row) => [
    nameOf(row) ?? "",
    orDash(amount(row, "reviews"), count),
    errorCell(row, worst),
  ]);
  return [table(caption(split), ["", words.reviews, words.wrong], lines)];
}

/** @param {Row} row */
const wrongOf = (row) => 1 - (share(row, "accuracy") ?? 1);

/**
 * Shows the share of wrong verdicts, by side where the card has it.
 * @param {Row} row
 * @param {number} worst the share of a full bar
 */
function errorCell(row, worst) {
  const wrong = wrongOf(row);
  const [reviews, called] = [amount(row, "reviews"), amount(row, "confusion", "false_positive")];
  const positive = reviews && called !== null ? called / reviews : NaN;
  if (!(positive <= wrong + 1e-9)) return barCell(words.percentOf(wrong), { sum: wrong / worst });
  const negative = Math.max(0, wrong - positive);
  const cell = barCell(words.percentOf(wrong), { plus: positive / worst, minus: negative / worst });
  cell.append(element("span", "visually-hidden", words.sides(positive, negative)));
  return cell;
}

function errorKey() {
  const list = element("ul", "key");
  for (const [sign, said] of Object.entries(words.ERROR_KEY)) {
    const line = barPart(sign);
    line.setAttribute("aria-hidden", "true");
    list.append(listItem(line, element("span", "", said)));
  }
  return list;
}

/** @param {Row} row */
function lengthName(row) {
  const [from, to] = [amount(row, "tokens_from"), amount(row, "tokens_to")];
  return from === null || to === null ? null : words.tokens(from, to);
}

/** @param {Row} row */
function negationName(row) {
  const name = text(row, "negators");
  if (name === null || name === "none") return name && words.noNegator;
  const [from, to] = [amount(row, "per_100_tokens_from"), amount(row, "per_100_tokens_to")];
  return from === null || to === null ? words.capital(name) : words.negatorRange(name, from, to);
}
