// Draws how the verdict adds up: from the bias, sentence by sentence, to the logit. Loaded on demand.

import * as strings from "./arithmetic_strings.js";
import { logitOf } from "../api.js";
import { element, find, listItem } from "../shared/dom.js";
import { signOf } from "../shared/meter.js";
import { cut } from "../shared/spans.js";
import { signed } from "../shared/verdict_strings.js";

/** @typedef {import("./effects.js").Explained} Explained */
/**
 * @typedef {{label: string, pull: number, from: number, to: number,
 *   kind: "step" | "sum"}} Step from and to: the running sum, in logits
 */

// Further, weaker sentences are drawn as one step.
const MAX_SENTENCES = 8;

/** @param {HTMLElement} box @param {Explained} answer */
export function drawArithmetic(box, answer) {
  const list = find(box, "#waterfall");
  const steps = stepsOf(answer);
  const ends = [0, ...steps.map(({ to }) => to)];
  const [low, high] = [Math.min(...ends), Math.max(...ends)];
  const place = (/** @type {number} */ value) => (value - low) / (high - low || 1);
  list.style.setProperty("--zero", String(place(0)));
  list.replaceChildren(...steps.map((step) => stepRow(step, place)));
  drawSum(find(box, "#sum"), answer);
}

/** @param {HTMLElement} sum @param {Explained} answer */
function drawSum(sum, { bias, sentences, probability }) {
  const logit = logitOf(bias, sentences);
  const parts = { bias, pull: logit - bias, logit, sentences: sentences.length, probability };
  sum.textContent = strings.sum(parts);
  sum.dataset.bias = String(bias);
  sum.dataset.logit = String(logit);
}

/** @param {Explained} answer @returns {Step[]} */
function stepsOf(answer) {
  const logit = logitOf(answer.bias, answer.sentences);
  /** @type {Step[]} */
  const steps = [];
  let at = 0;
  for (const { label, pull } of [{ label: strings.biasRow, pull: answer.bias }, ...parts(answer)]) {
    steps.push({ label, pull, from: at, to: at + pull, kind: "step" });
    at += pull;
  }
  return [...steps, { label: strings.sumRow, pull: logit, from: 0, to: logit, kind: "sum" }];
}

/** Returns the strongest sentences in text order, and the sum of the others. @param {Explained} answer */
function parts({ text, sentences }) {
  const points = Array.from(text);
  const ranked = [...sentences].sort((one, other) => size(other) - size(one));
  const shown = new Set(sentences.length > MAX_SENTENCES + 1 ? ranked.slice(0, MAX_SENTENCES) : ranked);
  const others = sentences.filter((sentence) => !shown.has(sentence));
  const named = sentences
    .filter((sentence) => shown.has(sentence))
    .map((sentence) => ({ label: cut(points, sentence).trim(), pull: sentence.contribution }));
  return others.length ? [...named, { label: strings.otherRows(others.length), pull: logitOf(0, others) }] : named;
}

/** @param {import("../api.js").Span} span */
const size = ({ contribution }) => Math.abs(contribution);

/** @param {Step} step @param {(value: number) => number} place */
function stepRow({ label, pull, from, to, kind }, place) {
  const words = element("span", "fall-label", label);
  words.dir = "auto";
  const track = element("span", "fall-track");
  track.setAttribute("aria-hidden", "true");
  track.append(element("span", "fall-bar"));
  const row = listItem(words, " ", track, " ", element("span", "row-number", signed(pull)));
  row.className = "fall";
  row.dataset.kind = kind;
  row.dataset.sign = signOf(pull);
  row.style.setProperty("--from", String(place(Math.min(from, to))));
  row.style.setProperty("--to", String(place(Math.max(from, to))));
  return row;
}
