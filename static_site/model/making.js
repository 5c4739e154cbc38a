// Shows the model's uses, its training, its data and its cost.

import { amount, at, entries, number, rows, share, text, texts } from "../shared/careful.js";
import { element } from "../shared/dom.js";
import { notes, paragraphs } from "../shared/parts.js";
import { count } from "../shared/strings.js";
import { table } from "../shared/tables.js";
import { bandOf } from "./figures.js";
import { METHODS as words } from "./method_strings.js";
import { bullets, dateOf, orDash, orEmpty, shareCell, source } from "./pieces.js";

/** @typedef {import("./pieces.js").Part} Part */

/** @param {any} card @returns {Part} */
export function limits(card) {
  const limited = bullets(words.limits, texts(card, "limits"));
  const body = [
    ...paragraphs("deck", orEmpty(text(card, "intended_use"), words.sentence)),
    ...bullets(words.notFor, texts(card, "out_of_scope")),
  ];
  return body.length ? { id: "limits", body, margin: limited } : { id: "limits", body: limited };
}

/** @param {any} card @returns {Part} */
export function training(card) {
  const found = at(card, "training");
  return {
    id: "training",
    body: [
      ...paragraphs("", orEmpty(text(card, "architecture"), words.architecture), cost(found)),
      ...stages(found),
      ...teachers(found),
    ],
    margin: [...notes(orEmpty(text(found, "estimate", "how"), words.how)), ...source(found, words.madeBy)],
  };
}

/** @param {any} found */
function cost(found) {
  const minutes = amount(found, "estimate", "minutes_total");
  if (minutes === null) return "";
  return words.cost(minutes, text(found, "estimate", "machine"), amount(found, "estimate", "kwh"));
}

/** @param {any} found */
function stages(found) {
  const lines = entries(found, "estimate", "minutes")
    .filter(([, minutes]) => amount(minutes) !== null)
    .map(([key, minutes]) => [words.stage(key), words.minutes(minutes)]);
  return lines.length ? [table(words.stagesTable, words.STAGES_HEAD, lines)] : [];
}

/** @param {any} found */
function teachers(found) {
  const lines = rows(found, "teachers")
    .filter((row) => text(row, "name") !== null)
    .map((row) => [
      text(row, "name") ?? "",
      orDash(amount(row, "weight"), (weight) => words.decimal(weight, 2)),
      shareCell(row, "development_accuracy", 2),
    ]);
  if (lines.length === 0) return [];
  return [...paragraphs("", words.teachersMean), table(words.teachersTable, words.TEACHERS_HEAD, lines)];
}

/** @param {any} card @returns {Part} */
export function data(card) {
  const found = at(card, "data");
  const used = [
    orEmpty(text(found, "name"), words.dataName),
    counted(found, "reviews", words.dataUsed),
    orEmpty(text(found, "development_split"), words.developmentSplit),
    counted(found, "left_out_since_in_test", words.leftOut),
  ];
  const licences = [
    orEmpty(text(found, "license"), words.dataLicence),
    orEmpty(text(card, "license"), words.modelLicence),
  ];
  return {
    id: "data",
    body: paragraphs("", sentences(used), sentences(licences)),
    margin: notes(orEmpty(text(found, "archive_sha256"), words.archive)),
  };
}

/** @param {string[]} said */
const sentences = (said) => said.filter((sentence) => sentence !== "").join(" ");

/** @param {any} found @param {string} key @param {(parts: string[]) => string} say */
function counted(found, key, say) {
  const parts = entries(found, key)
    .filter(([, reviews]) => amount(reviews) !== null)
    .map(([split, reviews]) => `${count(reviews)} ${at(words.DATA_SPLITS, split) ?? text(split) ?? ""}`);
  return parts.length ? say(parts) : "";
}

/** @param {any} card @returns {Part} */
export function speed(card) {
  const [alone, app] = [at(card, "metrics", "speed"), at(card, "metrics", "app")];
  return {
    id: "speed",
    body: paragraphs("", orEmpty(amount(card, "onnx_bytes"), words.size), inProcess(alone), overHttp(app)),
    margin: [alone, app].flatMap((measured) => [
      ...notes(orEmpty(text(measured, "machine"), words.measuredOn)),
      ...source(measured),
    ]),
  };
}

/** @param {any} found */
function inProcess(found) {
  const [tokens, p95, network] = ["tokens", "ms_p95", "ms_median_network"].map((key) => amount(found, key));
  return orEmpty(amount(found, "ms_median"), (median) => words.inProcess(median, { tokens, p95, network }));
}

/** @param {any} found */
function overHttp(found) {
  const [reviews, p95] = ["reviews", "p95_ms"].map((key) => amount(found, key));
  return orEmpty(amount(found, "p50_ms"), (median) => words.overHttp(median, { reviews, p95 }));
}

/** @param {any} card @returns {Part} */
export function identity(card) {
  const facts = element("dl", "facts");
  for (const [key, value] of Object.entries(papers(card))) {
    if (value) facts.append(element("dt", "", words.FACTS[key]), element("dd", "", value));
  }
  return { id: "identity", body: facts.childElementCount ? [facts] : [], margin: notes(words.raw) };
}

/** @param {any} card */
function papers(card) {
  return {
    id: text(card, "id"),
    created: dateOf(card),
    onnx_sha256: text(card, "onnx_sha256"),
    vocabulary: text(card, "vocabulary"),
    vocabulary_size: orEmpty(amount(card, "vocabulary_size"), count),
    max_tokens: orEmpty(amount(card, "max_tokens"), count),
    temperature: orEmpty(amount(card, "temperature"), String),
    short_temperature: orEmpty(amount(card, "short_temperature"), String),
    shift: orEmpty(number(card, "shift"), words.signed),
    uncertain: orEmpty(bandOf(card), words.between),
  };
}
