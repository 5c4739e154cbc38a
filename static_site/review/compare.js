// Shows two answers side by side: the pinned one, and the one on screen.

import * as strings from "./answer_strings.js";
import { byId, element, fillStrings, onClick, setText } from "../shared/dom.js";
import { drawMeter, newMeter } from "../shared/meter.js";
import { cut } from "../shared/spans.js";
import { VERDICTS, isUnderstood, signed, sureness } from "../shared/verdict_strings.js";
import { describePull, strongestOf } from "./words.js";

/** @typedef {import("./words.js").Explained} Explained */
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
  const verdict = element("h3", "mini-verdict", VERDICTS[answer.sentiment]);
  const text = element("blockquote", "text compare-text");
  text.dir = "auto";
  text.append(...sentences(answer));
  side.append(
    element("p", "kicker", label),
    verdict,
    ...(answer.sentiment === "uncertain" ? [element("p", "deck", sureness(answer))] : []),
    ...(isUnderstood(answer) ? [element("p", "deck", strings.positive(answer.probability)), meter] : []),
    text,
  );
  return side;
}

/** Draws the text with its sentences marked. @param {Explained} answer */
function sentences({ text, sentences }) {
  const points = Array.from(text);
  const strongest = strongestOf(sentences, 1);
  let at = 0;
  const pieces = sentences.flatMap((sentence) => {
    const mark = element("mark", "pull", cut(points, sentence).trim());
    describePull(mark, null, sentence.contribution, strongest);
    mark.dataset.number = signed(sentence.contribution);
    const before = cut(points, { start: at, end: sentence.start });
    at = sentence.end;
    return [before, " ", mark];
  });
  return [...pieces, cut(points, { start: at, end: points.length })];
}
