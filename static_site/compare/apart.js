// Shows where two answers to one text differ: in words, and sentence by sentence.

import { logitOf } from "../api.js";
import { element, listItem } from "../shared/dom.js";
import { signOf } from "../shared/meter.js";
import { cut } from "../shared/spans.js";
import { isUnderstood, signed } from "../shared/verdict_strings.js";
import { BOTH } from "./strings.js";

/** @typedef {import("../api.js").Answer} Answer */
/** @typedef {{text: string, pulls: [number | null, number | null]}} Row null: the model has no such sentence */

// Least pull of a full bar, in logits, so that weak pulls look weak.
const FULL_BAR = 1;

/** Compares both answers in sentences. @param {Answer} first @param {Answer} second */
export function inWords(first, second) {
  if (first.model.id === second.model.id) return [BOTH.sameModel(first.model.id)];
  const known = [first.model.vocabulary, second.model.vocabulary];
  const understood = isUnderstood(first) && isUnderstood(second);
  return [
    understood ? BOTH.gap(first, second) : BOTH.notUnderstood,
    understood ? mostApart(first, second) : "",
    !understood || sameSentences(first, second) ? "" : BOTH.otherSentences,
    known[0] && known[1] && known[0] !== known[1] ? BOTH.otherVocabulary : "",
  ].filter(Boolean);
}

/** @param {Answer} first @param {Answer} second */
function mostApart(first, second) {
  if (!sameSentences(first, second)) return "";
  const rows = rowsOf(first, second);
  const most = rows.reduce((best, row) => (gapOf(row) > gapOf(best) ? row : best), rows[0]);
  const [one, other] = [first.bias, second.bias];
  if (Math.abs(one - other) > (most ? gapOf(most) : 0)) return BOTH.biasApart(one, other);
  return most && gapOf(most) >= 0.005 ? BOTH.mostApart(most.text, ...pullsOf(most)) : "";
}

/** @param {Row} row @returns {[number, number]} */
function pullsOf({ pulls: [first, second] }) {
  return [first ?? 0, second ?? 0];
}

/** @param {Row} row */
function gapOf(row) {
  const [first, second] = pullsOf(row);
  return Math.abs(first - second);
}

/**
 * Pairs the pulls of each sentence. Answers with different sentences are listed separately.
 * @param {Answer} first
 * @param {Answer} second
 * @returns {Row[]}
 */
export function rowsOf(first, second) {
  const [ours, theirs] = [sentencesOf(first), sentencesOf(second)];
  if (sameSentences(first, second)) {
    return ours.map(({ text, pull }, place) => ({ text, pulls: [pull, theirs[place].pull] }));
  }
  return [
    ...ours.map(({ text, pull }) => /** @type {Row} */ ({ text, pulls: [pull, null] })),
    ...theirs.map(({ text, pull }) => /** @type {Row} */ ({ text, pulls: [null, pull] })),
  ];
}

/** @param {Answer} answer */
function sentencesOf({ text = "", sentences = [] }) {
  const points = Array.from(text);
  return sentences.map((sentence) => ({ text: cut(points, sentence).trim(), pull: sentence.contribution }));
}

/** @param {Answer} first @param {Answer} second */
function sameSentences(first, second) {
  const [ours, theirs] = [first.sentences ?? [], second.sentences ?? []];
  const same = ours.every(({ start, end }, place) => theirs[place]?.start === start && theirs[place].end === end);
  return first.text === second.text && ours.length === theirs.length && same;
}

/** Draws the list: starting points, sentences and totals. @param {Answer} first @param {Answer} second */
export function listOf(first, second) {
  const rows = rowsOf(first, second);
  const start = /** @type {Row} */ ({ text: BOTH.bias, pulls: [first.bias, second.bias] });
  const strongest = strongestOf([start, ...rows]);
  const sum = [first, second].map((answer) => logitOf(answer.bias, answer.sentences ?? []));
  return [
    item(start, "bias", strongest),
    ...rows.map((row) => item(row, "sentence", strongest)),
    item({ text: BOTH.sum, pulls: [sum[0], sum[1]] }, "sum", Math.max(strongest, ...sum.map(Math.abs))),
  ];
}

/** @param {Row[]} rows */
function strongestOf(rows) {
  return rows.reduce((most, row) => Math.max(most, ...pullsOf(row).map(Math.abs)), FULL_BAR);
}

/** @param {Row} row @param {string} kind @param {number} strongest */
function item({ text, pulls }, kind, strongest) {
  const words = element("span", "pull-text", text);
  words.dir = "auto";
  const line = listItem(words, ...pulls.map((pull, side) => pullOf(pull, side, strongest)));
  line.className = "pull-row";
  line.dataset.kind = kind;
  return line;
}

/** @param {number | null} pull @param {number} side @param {number} strongest */
function pullOf(pull, side, strongest) {
  const cell = element("span", "pull-cell");
  cell.dataset.side = String(side);
  cell.dataset.sign = signOf(pull ?? 0);
  const track = element("span", "track");
  track.setAttribute("aria-hidden", "true");
  track.append(element("span", "fill"));
  cell.style.setProperty("--share", String(Math.min(1, Math.abs(pull ?? 0) / strongest)));
  const number = element("span", "row-number", pull === null ? BOTH.none : signed(pull));
  cell.append(element("span", "pull-name", `${BOTH.pullOf(side)} `), number, " ", track);
  return cell;
}
