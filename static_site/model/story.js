// Lays out the model's card: what to expect of it first, then what one can try, then the methods.

import { adapted, verdictOf } from "./adapted.js";
import { amount, share, text } from "../shared/careful.js";
import { element } from "../shared/dom.js";
import { paragraphs } from "../shared/parts.js";
import { methods } from "./below.js";
import { cards } from "./cards.js";
import { judged } from "./figures.js";
import { dateOf } from "./pieces.js";
import { promised } from "./promise.js";
import { sliders } from "./sliders.js";
import { MODEL as words } from "./strings.js";

/** Draws the whole page, without parts whose figures are missing. @param {any} card */
export function storyOf(card) {
  const first = cards(card);
  const page = element("article", "parts trust");
  page.append(
    lead(card, first.length > 0),
    ...first,
    ...adapted(card),
    ...promised(card),
    ...sliders(card),
    methods(card),
  );
  return page;
}

/** @param {any} card @param {boolean} known whether it has figures */
function lead(card, known) {
  const node = element("header", "lead");
  node.append(
    element("p", "kicker", words.kicker(text(card, "id"), dateOf(card))),
    element("h2", "headline", known ? words.headline : words.unjudged),
    ...paragraphs("deck", known ? measuredOn(card) : verdictOf(card) || words.howToJudge),
  );
  return node;
}

/** @param {any} card */
function measuredOn(card) {
  const adaptation = verdictOf(card);
  if (adaptation) return adaptation;
  const found = judged(card, "accuracy");
  if (!found || share(found.figures, "accuracy") === null) return "";
  return words.lead(found.split, amount(found.figures, "reviews"));
}
