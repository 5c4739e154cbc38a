// Draws an answer: the verdict as a headline, the text with its marks, the sentences as bars.

import { logitOf } from "./api.js";
import { element, find, listItem } from "./dom.js";
import * as strings from "./strings.js";

/** @typedef {import("./api.js").Answer} Answer */
/** @typedef {import("./api.js").Span} Span */
/** @typedef {"plus" | "minus" | "zero"} Sign */

// Calibration was measured on whole reviews of known words; of others the score can't promise as much.
const UNCALIBRATED = ["too_short", "no_known_words"];
// The pull, in logits, that a full bar stands for at least; or the strongest of weak ones would look strong.
const FULL_BAR = 1;

/**
 * Fills a copy of the answer's template.
 * @param {DocumentFragment} view
 * @param {Answer} answer
 */
export function drawAnswer(view, answer) {
  drawVerdict(view, answer);
  drawWarnings(view, answer);
  drawText(view, answer);
  drawBars(view, answer);
  drawSum(view, answer);
  find(view, "#small-print").textContent = strings.smallPrint(answer.model, answer.request_id);
  linkTextAndBars(find(view, "#answer"));
}

/** @param {DocumentFragment} view @param {Answer} answer */
function drawVerdict(view, { sentiment, probability, warnings }) {
  find(view, "#answer").dataset.sentiment = sentiment;
  find(view, "#verdict").textContent = strings.VERDICTS[sentiment];
  find(view, "#sureness").textContent = strings.sureness(sentiment, probability);
  const meant = !warnings.some(({ code }) => UNCALIBRATED.includes(code));
  find(view, "#meaning").textContent = meant ? strings.meaning(sentiment, probability) : "";
  find(view, "#probability-label").textContent = `${strings.probabilityLabel}:`;
  const number = find(view, "#probability");
  number.setAttribute("value", String(probability));
  number.textContent = strings.percent(probability);
  drawMeter(find(view, "#meter"), probability);
}

/** @param {HTMLElement} meter @param {number} probability */
function drawMeter(meter, probability) {
  meter.setAttribute("aria-label", strings.probabilityLabel);
  meter.setAttribute("aria-valuenow", String(probability));
  meter.setAttribute("aria-valuetext", strings.percent(probability));
  meter.dataset.sign = signOf(probability - 0.5);
  meter.style.setProperty("--share", String(Math.abs(probability - 0.5) * 2));
}

/** @param {DocumentFragment} view @param {Answer} answer */
function drawWarnings(view, { warnings }) {
  find(view, "#warnings").hidden = warnings.length === 0;
  find(view, "#warning-list").replaceChildren(...warnings.map(warningItem));
}

/** @param {import("./api.js").Warning} warning */
function warningItem({ code, detail }) {
  const item = element("div", "warning");
  item.dataset.code = code;
  item.append(
    element("dt", "", strings.WARNINGS[code] ?? strings.OTHER_WARNING),
    element("dd", "", detail),
  );
  return item;
}

/** @param {DocumentFragment} view @param {Answer} answer */
function drawText(view, { text, sentences }) {
  const strongest = strongestOf(sentences);
  const points = Array.from(text);
  /** @type {(string | HTMLElement)[]} */
  const pieces = [];
  let from = 0;
  sentences.forEach(({ start, end, contribution }, index) => {
    const [before, words, after] = splitSpace(slice(points, start, end));
    const mark = element("mark", "pull", words);
    describePull(mark, index, contribution, strongest);
    // Shown by the style sheet, so that the text's own characters stay the text's.
    mark.dataset.number = strings.signed(contribution);
    pieces.push(slice(points, from, start) + before, mark, after);
    from = end;
  });
  find(view, "#text").append(...pieces, slice(points, from, points.length));
}

/** Space around a sentence isn't underlined. @param {string} sentence */
function splitSpace(sentence) {
  const words = sentence.trim();
  const start = sentence.indexOf(words);
  return [sentence.slice(0, start), words, sentence.slice(start + words.length)];
}

/** @param {DocumentFragment} view @param {Answer} answer */
function drawBars(view, { text, sentences, bias }) {
  const points = Array.from(text);
  const strongest = Math.max(strongestOf(sentences), Math.abs(bias));
  const rows = sentences.map(({ start, end, contribution }, index) => {
    const button = element("button", "row");
    button.setAttribute("type", "button");
    fillRow(button, slice(points, start, end).trim(), contribution);
    describePull(button, index, contribution, strongest);
    return listItem(button);
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
  row.append(words, " ", element("span", "row-number", strings.signed(contribution)), track);
}

/**
 * @param {HTMLElement} node
 * @param {number | null} index
 * @param {number} contribution
 * @param {number} strongest
 */
function describePull(node, index, contribution, strongest) {
  if (index !== null) node.dataset.sentence = String(index);
  node.dataset.contribution = String(contribution);
  node.dataset.sign = signOf(contribution);
  node.style.setProperty("--share", String(Math.abs(contribution) / strongest));
}

/** @param {DocumentFragment} view @param {Answer} answer */
function drawSum(view, answer) {
  const { bias, sentences, probability } = answer;
  const logit = logitOf(bias, sentences);
  const parts = { bias, pull: logit - bias, logit, sentences: sentences.length, probability };
  const sum = find(view, "#sum");
  sum.textContent = strings.sum(parts);
  sum.dataset.bias = String(bias);
  sum.dataset.logit = String(logit);
}

/**
 * Pointing at a sentence, or reaching it by keyboard, marks it in the text and in the list alike.
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
 * Scrolls the list alone, so that pointing at the text never moves the page.
 * @param {HTMLElement} row
 */
function scrollList(row) {
  const list = /** @type {HTMLElement} */ (row.closest("ol"));
  const above = row.getBoundingClientRect().top - list.getBoundingClientRect().top;
  const below = above + row.offsetHeight - list.clientHeight;
  if (above < 0) list.scrollTop += above;
  else if (below > 0) list.scrollTop += below;
}

/**
 * From a bar to its sentence in the text, and back.
 * @param {HTMLElement} answer
 * @param {Event} event
 */
function follow(answer, event) {
  const index = sentenceAt(event);
  if (index === null) return;
  const inList = event.target instanceof Element && event.target.closest("button.row") !== null;
  const other = answer.querySelector(`${inList ? "mark" : "button"}[data-sentence="${index}"]`);
  if (!(other instanceof HTMLElement)) return;
  if (!inList) other.focus({ preventScroll: true });
  other.scrollIntoView({ block: "nearest" });
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

/**
 * Offsets count code points, so the text is sliced by them.
 * @param {string[]} points
 * @param {number} start
 * @param {number} end
 */
function slice(points, start, end) {
  return points.slice(start, end).join("");
}

/** @param {number} contribution @returns {Sign} */
function signOf(contribution) {
  if (strings.signed(contribution) === strings.signed(0)) return "zero";
  return contribution > 0 ? "plus" : "minus";
}

/** The pull that a full bar stands for. @param {Span[]} sentences */
function strongestOf(sentences) {
  return sentences.reduce((most, { contribution }) => Math.max(most, Math.abs(contribution)), FULL_BAR);
}
