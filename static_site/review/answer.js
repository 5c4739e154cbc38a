// Draws an answer: the verdict, the marked text, and the evidence in the margin.

import * as strings from "./answer_strings.js";
import { logitOf } from "../api.js";
import { button, element, find, listItem } from "../shared/dom.js";
import { drawMeter, newMeter, signOf } from "../shared/meter.js";
import { cut } from "../shared/spans.js";
import { percent } from "../shared/strings.js";
import {
  OTHER_WARNING,
  VERDICTS,
  WARNINGS,
  band,
  isUnderstood,
  probabilityLabel,
  signed,
  sureness,
} from "../shared/verdict_strings.js";
import { drawWaterfall } from "./waterfall.js";
import { describePull, probabilityWithout, strongestOf, textPieces, tintWords, weightsOf } from "./words.js";

/** @typedef {import("./words.js").Explained} Explained */
/** @typedef {import("./words.js").Weights} Weights */

// With this warning, a share of whole reviews says little.
const TOO_SHORT = "too_short";
// The parts of an answer that a text has only when it was understood.
const PROBABILITY_PARTS = "#meter, #scale, #band-line";
const EXPLAINING_PARTS = "#sum-part, #all-words, #evidence";
// Least pull of a full bar, in logits, so that weak pulls look weak.
const FULL_BAR = 1;
// Strongest words listed a side.
const NAMED_WORDS = 5;
// A word has a letter or a digit; other tokens are punctuation.
const IS_WORD = /[\p{L}\p{N}]/u;

/**
 * Fills a copy of the answer's template.
 * @param {DocumentFragment} view
 * @param {Explained} answer
 */
export function drawAnswer(view, answer) {
  drawVerdict(view, answer);
  drawWarnings(view, answer);
  if (answer.sentences.length === 0) dropParts(view);
  find(view, "#text").append(...textPieces(answer, strongestOf(answer.sentences, FULL_BAR)));
  drawBars(view, answer);
  drawWeights(view, answer, weightsOf(answer));
  drawSum(view, answer);
  fillWhenOpened(find(view, "#all-words"), (list) => drawAllWords(list, answer));
  find(view, "#small-print").textContent = strings.smallPrint(answer.model, answer.request_id);
  linkTextAndBars(find(view, "#answer"));
}

/** Returns the indexes of words that are not punctuation. @param {Explained} answer */
export function realWords({ text, words }) {
  const points = Array.from(text);
  return [...words.keys()].filter((index) => IS_WORD.test(cut(points, words[index])));
}

/** @param {DocumentFragment} view @param {Explained} answer */
function drawVerdict(view, answer) {
  const { sentiment, probability, warnings, model } = answer;
  const understood = isUnderstood(answer);
  find(view, "#answer").dataset.sentiment = sentiment;
  find(view, "#verdict").textContent = VERDICTS[sentiment];
  find(view, "#sureness").textContent = sureness(answer);
  const meant = understood && !warnings.some(({ code }) => code === TOO_SHORT);
  find(view, "#meaning").textContent = meant ? strings.meaning(sentiment, probability) : "";
  find(view, "#probability-label").textContent = `${probabilityLabel}:`;
  const number = find(view, "#probability");
  number.setAttribute("value", String(probability));
  number.textContent = percent(probability);
  const meter = newMeter();
  drawMeter(meter, answer);
  find(view, "#meter").replaceWith(meter);
  meter.id = "meter";
  find(view, "#band").textContent = model.uncertain ? band(model.uncertain) : "";
  for (const part of view.querySelectorAll(PROBABILITY_PARTS)) hide(part, !understood);
}

/** Hides what explains a verdict by its parts. @param {DocumentFragment} view */
function dropParts(view) {
  for (const part of view.querySelectorAll(EXPLAINING_PARTS)) hide(part, true);
  find(view, "#text-note").textContent = "";
}

/** @param {Element} part @param {boolean} hidden */
function hide(part, hidden) {
  /** @type {HTMLElement} */ (part).hidden = hidden;
}

/** @param {DocumentFragment} view @param {Explained} answer */
function drawWarnings(view, { warnings }) {
  find(view, "#warnings").hidden = warnings.length === 0;
  find(view, "#warning-list").replaceChildren(...warnings.map(warningItem));
}

/** @param {import("../api.js").Warning} warning */
function warningItem({ code, detail }) {
  const item = element("div", "warning");
  item.dataset.code = code;
  item.append(
    element("dt", "", WARNINGS[code] ?? OTHER_WARNING),
    element("dd", "", detail),
  );
  return item;
}

// The margin.

/** @param {DocumentFragment} view @param {Explained} answer */
function drawBars(view, { text, sentences, bias }) {
  const points = Array.from(text);
  const strongest = strongestOf([...sentences, { start: 0, end: 0, contribution: bias }], FULL_BAR);
  const rows = sentences.map((sentence, index) => {
    const row = button("row", "");
    fillRow(row, cut(points, sentence).trim(), sentence.contribution);
    row.append(element("span", "row-apart", strings.sentenceApart(sentence)));
    describePull(row, index, sentence.contribution, strongest);
    return listItem(row);
  });
  find(view, "#sentences").append(biasRow(bias, strongest), ...rows);
}

/** @param {number} bias @param {number} strongest */
function biasRow(bias, strongest) {
  const row = element("div", "row row-bias");
  row.id = "bias";
  fillRow(row, strings.biasRow, bias);
  describePull(row, null, bias, strongest);
  return listItem(row);
}

/** @param {HTMLElement} row @param {string} label @param {number} contribution */
function fillRow(row, label, contribution) {
  const words = element("span", "row-text", label);
  words.dir = "auto";
  const track = element("span", "track");
  track.setAttribute("aria-hidden", "true");
  track.append(element("span", "fill"));
  row.append(words, " ", element("span", "row-number", signed(contribution)), track);
}

/**
 * Tints the words, and names the strongest ones for and against.
 * @param {ParentNode} view
 * @param {Explained} answer
 * @param {Weights} weights
 */
export function drawWeights(view, answer, weights) {
  tintWords(view, weights);
  const points = Array.from(answer.text);
  const sizes = weights.values.map((value) => value ?? 0);
  for (const [selector, side] of Object.entries({ "#words-for": 1, "#words-against": -1 })) {
    const ranked = realWords(answer).filter((index) => sizes[index] * side > 0);
    ranked.sort((one, other) => (sizes[other] - sizes[one]) * side);
    const rows = ranked
      .slice(0, NAMED_WORDS)
      .map((index) => wordRow(cut(points, answer.words[index]), index, sizes[index], probabilityWithout(weights, index)));
    find(view, selector).replaceChildren(...(rows.length ? rows : [listItem(strings.noWords)]));
  }
  find(view, "#words-note").textContent = weights.measured ? strings.measuredNote : strings.pullsNote;
  const weigh = find(view, "#weigh");
  weigh.textContent = weights.measured ? strings.weighRest : strings.weigh;
  weigh.hidden = unmeasured(answer, weights).length === 0;
}

/** Returns the indexes of words, without punctuation, that are not measured. @param {Explained} answer @param {Weights} weights */
export function unmeasured(answer, { measured, values }) {
  return realWords(answer).filter((index) => !measured || values[index] === null);
}

/** @param {string} word @param {number} index @param {number} value @param {number | null} without P(positive) */
function wordRow(word, index, value, without) {
  const row = button("word-row", "");
  row.append(element("span", "word-name", word), " ", element("span", "row-number", signed(value)));
  if (without !== null) row.append(" ", element("span", "row-apart", strings.withoutWord(without)));
  describePull(row, null, value, FULL_BAR);
  row.dataset.goto = String(index);
  return listItem(row);
}

/** @param {HTMLElement} list @param {Explained} answer */
function drawAllWords(list, { text, words }) {
  const points = Array.from(text);
  list.append(
    ...words.map((word) => {
      const item = listItem(`${cut(points, word)} `, element("span", "row-number", signed(word.contribution)));
      item.dataset.sign = signOf(word.contribution);
      return item;
    }),
  );
}

/** Fills a list when it is opened. @param {HTMLElement} details @param {(list: HTMLElement) => void} fill */
function fillWhenOpened(details, fill) {
  details.addEventListener("toggle", () => fill(find(details, "ol")), { once: true });
}

/** @param {DocumentFragment} view @param {Explained} answer */
function drawSum(view, answer) {
  const { bias, sentences, probability } = answer;
  const logit = logitOf(bias, sentences);
  const parts = { bias, pull: logit - bias, logit, sentences: sentences.length, probability };
  const sum = find(view, "#sum");
  sum.textContent = strings.sum(parts);
  sum.dataset.bias = String(bias);
  sum.dataset.logit = String(logit);
  drawWaterfall(find(view, "#waterfall"), answer);
}

// Text and margin point at each other.

/**
 * Marks a sentence in text and list when a pointer or the focus reaches it.
 * @param {HTMLElement} answer
 */
function linkTextAndBars(answer) {
  const on = (/** @type {Event} */ event) => activate(answer, sentenceAt(event));
  const off = () => activate(answer, focusedSentence(answer));
  answer.addEventListener("pointerover", on);
  answer.addEventListener("pointerleave", off);
  answer.addEventListener("focusin", on);
  answer.addEventListener("focusout", () => activate(answer, null));
  answer.addEventListener("click", (event) => follow(answer, event));
}

/** @param {HTMLElement} answer @param {string | null} index */
function activate(answer, index) {
  for (const node of answer.querySelectorAll("[data-sentence]")) {
    const same = index !== null && node.getAttribute("data-sentence") === index;
    node.toggleAttribute("data-active", same);
    if (same && node.matches(".row")) scrollList(/** @type {HTMLElement} */ (node));
  }
}

/**
 * Scrolls the list, never the page.
 * @param {HTMLElement} row
 */
function scrollList(row) {
  const list = /** @type {HTMLElement} */ (row.closest("ol"));
  const above = row.getBoundingClientRect().top - list.getBoundingClientRect().top;
  const below = above + row.offsetHeight - list.clientHeight;
  if (above < 0) list.scrollTop += above;
  else if (below > 0) list.scrollTop += below;
}

/** Scrolls from a row in the margin to its place in the text. @param {HTMLElement} answer @param {Event} event */
function follow(answer, event) {
  if (!(event.target instanceof Element)) return;
  const row = event.target.closest("button.row, button.word-row");
  if (!(row instanceof HTMLElement)) return;
  const { sentence, goto } = row.dataset;
  const selector = goto === undefined ? `mark[data-sentence="${sentence}"]` : `[data-word="${goto}"]`;
  const target = find(answer, selector);
  target.scrollIntoView({ block: "nearest" });
  if (goto !== undefined) target.focus({ preventScroll: true });
}

/** @param {Event} event */
function sentenceAt(event) {
  if (!(event.target instanceof Element)) return null;
  return event.target.closest("[data-sentence]")?.getAttribute("data-sentence") ?? null;
}

/** @param {HTMLElement} answer */
function focusedSentence(answer) {
  return answer.querySelector(".row:focus-visible")?.getAttribute("data-sentence") ?? null;
}
