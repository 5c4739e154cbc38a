// Draws two answers side by side: one that was pinned, and the one on screen now.

import { element, find } from "../dom.js";
import { drawMeter, newMeter } from "../meter.js";
import { cut } from "./spans.js";
import * as strings from "../strings.js";
import { describePull, strongestOf } from "./words.js";

/** @typedef {import("./words.js").Explained} Explained */

/** @param {HTMLElement} section @param {Explained} pinned @param {Explained | null} now */
export function drawComparison(section, pinned, now) {
  find(section, "#compare-sum").textContent = now ? strings.compared(pinned, now, pinned.model.id !== now.model.id) : strings.pinnedAlone(pinned);
  const columns = now ? [column(strings.pinned, pinned), column(strings.now, now)] : [];
  find(section, "#compare-columns").replaceChildren(...columns);
}

/** @param {string} label @param {Explained} answer */
function column(label, answer) {
  const side = element("article", "compare-side");
  side.dataset.sentiment = answer.sentiment;
  const meter = newMeter();
  drawMeter(meter, answer);
  const verdict = element("h3", "mini-verdict", strings.VERDICTS[answer.sentiment]);
  const text = element("blockquote", "text compare-text");
  text.dir = "auto";
  text.append(...sentences(answer));
  side.append(
    element("p", "kicker", label),
    verdict,
    element("p", "deck", strings.percentPositive(answer.probability)),
    meter,
    text,
  );
  return side;
}

/** The text by sentences alone. @param {Explained} answer */
function sentences({ text, sentences }) {
  const points = Array.from(text);
  const strongest = strongestOf(sentences, 1);
  let at = 0;
  const pieces = sentences.flatMap((sentence) => {
    const mark = element("mark", "pull", cut(points, sentence).trim());
    describePull(mark, null, sentence.contribution, strongest);
    mark.dataset.number = strings.signed(sentence.contribution);
    const before = cut(points, { start: at, end: sentence.start });
    at = sentence.end;
    return [before, " ", mark];
  });
  return [...pieces, cut(points, { start: at, end: points.length })];
}
