// Shows the model's tests: skills, mixed reviews, languages, its reasons, other programs.

import { amount, at, entries, number, rows, share, text } from "../shared/careful.js";
import { element } from "../shared/dom.js";
import { notes, paragraphs } from "../shared/parts.js";
import { count } from "../shared/strings.js";
import { table } from "../shared/tables.js";
import { SUMMARIES, capabilities, capability, nameOf } from "./figures.js";
import { METHODS as words } from "./method_strings.js";
import { barCell, folded, orDash, orEmpty, shareCell, source } from "./pieces.js";

/** @typedef {import("../shared/careful.js").Row} Row */
/** @typedef {import("./pieces.js").Part} Part */
/** @typedef {import("./figures.js").Capability} Capability */

/** @param {any} card @returns {Part} */
export function behaviour(card) {
  const found = at(card, "metrics", "behaviour");
  const each = capabilities(card).sort((one, other) => other.held - one.held);
  if (each.length === 0) return { id: "behaviour", body: [] };
  const lines = [...SUMMARIES.flatMap((key) => capability(key, at(found, key))), ...each].map(capabilityRow);
  return {
    id: "behaviour",
    body: [...paragraphs("", words.behaviourMeans), table(words.behaviourTable, words.BEHAVIOUR_HEAD, lines)],
    margin: [...notes(words.fewCases), ...source(found)],
  };
}

/** @param {Capability} row */
function capabilityRow({ name, asks, held, open }) {
  const rate = barCell(words.percentOf(held), { sum: held });
  return [named(name, asks), rate, orDash(open, words.percentOf)];
}

/** @param {any} card @returns {Part} */
export function opinion(card) {
  const found = at(card, "metrics", "opinion");
  const lines = Object.entries(words.OPINIONS)
    .filter(([key]) => share(found, "held", key, "f1") !== null)
    .map(([key, name]) => {
      const row = at(found, "held", key);
      const measures = ["precision", "recall", "f1"].map((kind) => shareCell(row, kind));
      return [name, orDash(amount(row, "cases"), count), ...measures];
    });
  if (lines.length === 0) return { id: "opinion", body: [] };
  return {
    id: "opinion",
    body: [...paragraphs("", words.opinionMeans), table(words.opinionTable, words.OPINION_HEAD, lines)],
    margin: [...notes(words.opinionNote), ...source(found)],
  };
}

/** @param {any} card @returns {Part} */
export function languages(card) {
  const found = at(card, "metrics", "warnings");
  const groups = entries(found, "by_script").map(([key, row]) => [
    key,
    row,
    words.script(key, amount(row, "languages")),
  ]);
  const lines = noticed(groups.map(([, row, name]) => [name, row]));
  if (lines.length === 0) return { id: "languages", body: [] };
  const [reviews, flagged] = [amount(found, "reviews"), share(found, "flagged", "not_english")];
  const each = noticed(entries(found, "by_language"));
  return {
    id: "languages",
    body: [
      ...paragraphs("", words.languagesMean),
      table(words.languagesTable, words.LANGUAGES_HEAD, lines),
      ...paragraphs("", reviews === null || flagged === null ? "" : words.flagged(reviews, flagged)),
      ...(each.length ? [folded(words.eachLanguage, words.eachLanguage, words.LANGUAGES_HEAD, each)] : []),
    ],
    margin: source(found),
  };
}

/** @param {[string, any][]} groups name and figures */
function noticed(groups) {
  return groups
    .filter(([, row]) => share(row, "noticed") !== null)
    .map(([name, row]) => [nameOf(name), orDash(amount(row, "sentences"), count), shareCell(row, "noticed")]);
}

/** @param {any} card @returns {Part} */
export function faithfulness(card) {
  const found = at(card, "metrics", "faithfulness");
  const lines = entries(found, "words")
    .map(([key, row]) => [
      at(words.RANKINGS, key) ?? nameOf(key),
      falls(row, "comprehensiveness"),
      falls(row, "sufficiency"),
    ])
    .filter((cells) => !cells.includes(words.dash));
  if (lines.length === 0) return { id: "faithfulness", body: [] };
  return {
    id: "faithfulness",
    body: [
      ...paragraphs("", words.faithfulnessMeans(amount(found, "reviews"))),
      table(words.faithfulnessTable, words.FAITHFULNESS_HEAD, lines),
      ...paragraphs("", withoutSentence(found)),
    ],
    margin: [...notes(words.rankings), ...source(found)],
  };
}

/** @param {any} row @param {string} key */
function falls(row, key) {
  const mean = number(row, key);
  if (mean === null || Math.abs(mean) > 1) return words.dash;
  return words.fall(mean, share(row, `${key}_standard_error`));
}

/** @param {any} found */
function withoutSentence(found) {
  const strongest = share(found, "sentences", "without_the_strongest");
  const anyOne = number(found, "sentences", "without_any_one");
  return strongest === null || anyOne === null || Math.abs(anyOne) > 1
    ? ""
    : words.withoutSentence(strongest, anyOne);
}

/** @param {any} card @returns {Part} */
export function planted(card) {
  const found = at(card, "metrics", "planted");
  const lines = Object.entries(words.PLANTED)
    .map(([path, name]) => [name, ...["held", "open"].map((half) => shareAndError(found, half, ...path.split(".")))])
    .filter(([, held]) => held !== words.dash);
  if (lines.length === 0) return { id: "planted", body: [] };
  return {
    id: "planted",
    body: [...paragraphs("", words.plantedMeans), table(words.plantedTable, words.BEHAVIOUR_HEAD, lines)],
    margin: source(found),
  };
}

/** @param {any} found @param {string[]} path */
function shareAndError(found, ...path) {
  const part = share(found, ...path, "share");
  return part === null ? words.dash : words.shareAndError(part, share(found, ...path, "standard_error"));
}

/** @param {any} card @returns {Part} */
export function peers(card) {
  const found = at(card, "metrics", "peers");
  const lines = rows(found, "rows")
    .filter((row) => text(row, "name") !== null && share(row, "accuracy") !== null)
    .map(peerRow);
  if (lines.length < 2) return { id: "peers", body: [] };
  return {
    id: "peers",
    body: [...paragraphs("", words.peersMean), table(words.peersTable, words.PEERS_HEAD, lines)],
    margin: [...notes(words.peersNote, orEmpty(text(found, "machine"), words.measuredOn)), ...source(found)],
  };
}

/** @param {Row} row */
function peerRow(row) {
  const size = (/** @type {string} */ key, /** @type {number} */ places) =>
    orDash(amount(row, key), (found) => words.decimal(found, places));
  return [
    named(text(row, "name") ?? "", text(row, "how") ?? ""),
    shareCell(row, "accuracy", 2),
    shareCell(row, "ece", 2),
    shareCell(row, "behaviour"),
    shareCell(row, "contrast"),
    shareCell(row, "sentences"),
    size("ms_median", 2),
    size("mb", 1),
  ];
}

/** Makes a row's name with a note below it. @param {string} name @param {string} note */
function named(name, note) {
  const node = element("span", "named", name);
  if (note) node.append(" ", element("span", "small-print", note));
  return node;
}
