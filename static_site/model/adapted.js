// Shows to which reviews a model was adapted, and whether that made it better.

import { amount, at, number, text } from "../shared/careful.js";
import { notes, paragraphs } from "../shared/parts.js";
import { table } from "../shared/tables.js";
import { orDash, orEmpty, section, shareCell } from "./pieces.js";
import { MODEL as words } from "./strings.js";

/** @param {any} card @returns {Node[]} empty without figures in the card */
export function adapted(card) {
  const found = at(card, "adaptation");
  const body = [...paragraphs("", learned(found)), ...figures(card)];
  if (body.length === 0) return [];
  const origins = notes(
    orEmpty(text(found, "base", "id"), words.adaptedFrom),
    orEmpty(text(card, "metrics", "adaptation", "judged"), words.adaptedJudged),
    orEmpty(text(found, "data", "sha256"), words.adaptedFile),
  );
  return [section("adapted", words.adapted, [...body, ...origins])];
}

/** Returns the card's sentence on the adaptation; empty without one. @param {any} card */
export function verdictOf(card) {
  return orEmpty(text(card, "adaptation", "sentence"), words.sentence);
}

/** @param {any} found */
function learned(found) {
  const [rows, reviews] = [amount(found, "data", "rows", "rows"), amount(found, "data", "learned_from", "reviews")];
  if (rows === null || reviews === null) return "";
  return words.adaptedRows(rows, reviews, text(found, "data", "labels"));
}

/** @param {any} card */
function figures(card) {
  const judged = at(card, "metrics", "adaptation");
  const lines = Object.entries(words.ADAPTED_MEASURES)
    .filter(([key]) => number(judged, "differences", key, "difference") !== null)
    .map(([key, name]) => {
      const figure = at(judged, "differences", key);
      return [name, shareCell(figure, "before", 1), shareCell(figure, "after", 1), gap(figure)];
    });
  return lines.length ? [table(words.adaptedTable, words.ADAPTED_HEAD, lines)] : [];
}

/** @param {any} figure */
function gap(figure) {
  const [low, high] = [number(figure, "interval", 0), number(figure, "interval", 1)];
  return orDash(number(figure, "difference"), (difference) => words.adaptedGap(difference, low, high));
}
