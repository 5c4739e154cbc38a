// Draws an answer: the verdict with its reasons, and the sentences by what they do to it.

import * as strings from "./answer_strings.js";
import { ranked, reasonsOf, withoutSentence, worths } from "./effects.js";
import { button, byId, element, find, listItem } from "../shared/dom.js";
import { drawMeter, newMeter, signOf } from "../shared/meter.js";
import { cut } from "../shared/spans.js";
import { OTHER_WARNING, band, headlineOf, isCalibrated } from "../shared/verdict_strings.js";

/** @typedef {import("./effects.js").Explained} Explained */
/** @typedef {import("../api.js").Answer} Answer */

// Least share of the sum that fills a bar, so that weak ones look weak.
const FULL_BAR = 1;
// Sentences listed at each end; the others unfold.
const LISTED = 4;
// Warnings that the verdict's own line tells already.
const SAID_BY_REASON = ["no_known_words", "not_english"];

/**
 * Fills a copy of the answer's template.
 * @param {DocumentFragment} view
 * @param {Explained} answer
 */
export function drawAnswer(view, answer) {
  const meter = newMeter();
  meter.id = "meter";
  find(view, "#meter").replaceWith(meter);
  drawOwnVerdict(view, answer);
  drawSentences(view, answer);
  find(view, "#arithmetic").hidden = !isCalibrated(answer);
  find(view, "#small-print").textContent = strings.smallPrint(answer.model, answer.request_id);
}

/** Draws the text's own verdict, with its reasons. @param {ParentNode} view @param {Explained} answer */
export function drawOwnVerdict(view, answer) {
  const reasons = reasonsOf(answer);
  drawVerdict(view, answer, strings.why(answer, reasons), reasons.against !== "");
}

/**
 * Draws the verdict, or moves it to another answer.
 * @param {ParentNode} view
 * @param {Answer} answer
 * @param {string} why
 * @param {boolean} [bothSides] whether it names praise and complaint
 */
export function drawVerdict(view, answer, why, bothSides = false) {
  const { sentiment, probability, model } = answer;
  const calibrated = isCalibrated(answer);
  const article = find(view, "#answer");
  article.dataset.sentiment = sentiment;
  article.dataset.probability = calibrated ? String(probability) : "";
  article.toggleAttribute("data-grey", !calibrated);
  find(view, "#verdict").textContent = headlineOf(answer);
  find(view, "#sureness").textContent = strings.sure(answer);
  find(view, "#why").textContent = why;
  find(view, "#meaning").textContent = strings.meaning(answer);
  // The model's page opens its slider there.
  const stated = `?stated=${Math.round(100 * probability)}`;
  find(view, "#sure-link").setAttribute("href", `model.html${calibrated ? stated : ""}#percentages`);
  find(view, "#band").textContent = model.uncertain ? band(model.uncertain) : "";
  find(view, "#number-part").hidden = !calibrated;
  if (calibrated) drawMeter(find(view, "#meter"), answer);
  drawNotes(view, answer, bothSides);
  drawBar(answer);
}

/** Draws the slim bar that stays on top. @param {Answer} answer */
function drawBar(answer) {
  const bar = byId("bar");
  const calibrated = isCalibrated(answer);
  bar.dataset.sentiment = answer.sentiment;
  find(bar, "#bar-verdict").textContent = headlineOf(answer);
  find(bar, "#bar-sure").textContent = strings.sure(answer);
  const place = find(bar, "#bar-meter");
  place.hidden = !calibrated;
  if (!calibrated) return;
  if (!place.firstChild) place.append(newMeter());
  drawMeter(find(place, ".meter"), answer);
}

/** @param {ParentNode} view @param {Answer} answer @param {boolean} bothSides */
function drawNotes(view, { sentiment, warnings }, bothSides) {
  const uncertain = sentiment === "uncertain";
  const said = [...SAID_BY_REASON, uncertain ? "" : "too_short", uncertain || bothSides ? "mixed" : ""];
  const told = warnings.filter(({ code }) => !said.includes(code));
  find(view, "#warning-list").replaceChildren(...told.map(noteItem));
}

/** @param {import("../api.js").Warning} warning */
function noteItem({ code, detail }) {
  const item = listItem(strings.NOTES[code] ?? `${OTHER_WARNING}: ${detail}`);
  item.className = "note-line";
  item.dataset.code = code;
  return item;
}

// Sentences.

/** @param {DocumentFragment} view @param {Explained} answer */
function drawSentences(view, answer) {
  const part = find(view, "#sentences-part");
  // One short sentence has no row of its own: it is the text.
  const least = isCalibrated(answer) ? 1 : 2;
  part.hidden = answer.sentences.length < least;
  const all = worths(answer);
  const most = Math.max(FULL_BAR, ...all.map(Math.abs));
  const points = Array.from(answer.text);
  const items = ranked(answer).map((index) => listItem(sentenceRow(answer, points, index, Math.abs(all[index]) / most)));
  find(part, "#sentences").append(...items);
  foldMiddle(part, items);
}

/**
 * @param {Explained} answer
 * @param {string[]} points
 * @param {number} index
 * @param {number} share of a full bar
 */
function sentenceRow(answer, points, index, share) {
  const sentence = answer.sentences[index];
  const row = button("row", "");
  row.dataset.sentence = String(index);
  row.dataset.contribution = String(sentence.contribution);
  row.setAttribute("aria-pressed", "false");
  const words = element("span", "row-text", cut(points, sentence).trim());
  words.dir = "auto";
  row.append(words);
  const bar = element("span", "row-bar");
  bar.dataset.sign = signOf(sentence.contribution);
  bar.style.setProperty("--share", String(share));
  bar.setAttribute("aria-hidden", "true");
  const track = element("span", "track");
  track.append(element("span", "fill"));
  bar.append(track);
  row.append(bar, " ");
  // A short text's numbers say too little.
  if (isCalibrated(answer)) {
    const without = sentence.without === null ? null : withoutSentence(answer, index);
    const worth = strings.sentenceWorth(sentence, answer.probability, without);
    row.append(element("span", "row-apart", worth));
  }
  return row;
}

/** Folds the sentences that matter least, when there are many. @param {HTMLElement} part @param {HTMLElement[]} items */
function foldMiddle(part, items) {
  const folded = items.length > 2 * LISTED + 1 ? items.slice(LISTED, -LISTED) : [];
  const unfold = find(part, "#all-sentences");
  unfold.hidden = folded.length === 0;
  unfold.textContent = strings.showAll(folded.length);
  for (const item of folded) item.hidden = true;
  unfold.addEventListener("click", () => {
    for (const item of folded) item.hidden = false;
    unfold.hidden = true;
    find(folded[0], ".row").focus();
  });
}
