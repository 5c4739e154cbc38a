// Shows two answers side by side: the pinned one, and the one on screen. Loaded on demand.

import * as strings from "./answer_strings.js";
import { byId, element, fillStrings, onClick, setText } from "../shared/dom.js";
import { drawMeter, newMeter } from "../shared/meter.js";
import { answerText } from "./marked_text.js";
import { headlineOf, isCalibrated } from "../shared/verdict_strings.js";

/** @typedef {import("./effects.js").Explained} Explained */
/** @typedef {import("./outcome.js").Answered} Answered */

/** @type {Answered | null} */
let pinned = null;

export function startComparison() {
  fillStrings(byId("compare"));
  onClick(document, "#unpin", unpin);
}

/** @param {Answered} answered */
export function pin(answered) {
  pinned = answered;
  showComparison(answered);
  byId("compare").scrollIntoView({ block: "nearest" });
}

function unpin() {
  pinned = null;
  showComparison(null);
  byId("send").focus();
}

/** Draws the comparison, if an answer is pinned. @param {Answered | null} shown the answer on screen */
export function showComparison(shown) {
  byId("compare").hidden = pinned === null;
  if (pinned === null) return;
  const other = shown !== null && shown.review !== pinned.review ? shown.answer : null;
  drawComparison(pinned.answer, other);
}

/** @param {Explained} first @param {Explained | null} now */
function drawComparison(first, now) {
  const sum = now ? strings.compared(first, now, first.model.id !== now.model.id) : strings.pinnedAlone(first);
  setText(document, "#compare-sum", sum);
  const columns = now ? [column(strings.pinned, first), column(strings.now, now)] : [];
  byId("compare-columns").replaceChildren(...columns);
}

/** @param {string} label @param {Explained} answer */
function column(label, answer) {
  const side = element("article", "compare-side");
  side.dataset.sentiment = answer.sentiment;
  const meter = newMeter();
  drawMeter(meter, answer);
  const verdict = element("h3", "mini-verdict", headlineOf(answer));
  const text = element("blockquote", "text compare-text");
  text.dir = "auto";
  text.append(...answerText(answer));
  const calibrated = isCalibrated(answer);
  const decided = calibrated && answer.sentiment !== "uncertain";
  const line = decided ? strings.positiveAlone(answer.probability) : strings.sure(answer);
  const bar = calibrated ? [meter] : [];
  side.append(element("p", "kicker", label), verdict, element("p", "deck", line), ...bar, text);
  return side;
}
