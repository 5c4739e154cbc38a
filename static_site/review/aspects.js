// Shows what a text says of a film's aspects, each with the clauses that name it. Loaded on demand.

import * as strings from "./aspects_strings.js";
import { button, element, listItem } from "../shared/dom.js";
import { cut } from "../shared/spans.js";

/** @typedef {import("../api.js").AspectAnswer} AspectAnswer */
/** @typedef {import("../api.js").Answer["aspects"]} Aspects */
/** @typedef {import("./effects.js").Explained} Explained */

/**
 * @param {HTMLElement} box
 * @param {Explained} answer whose text the clauses stand in
 * @param {NonNullable<Aspects>} aspects
 */
export function drawAspects(box, answer, aspects) {
  const points = Array.from(answer.text);
  const items = Object.entries(aspects).flatMap(([name, aspect]) =>
    "mentions" in aspect ? [aspectItem(answer, points, name, aspect)] : [],
  );
  const list = element("ul", "note-lines");
  list.append(...items);
  box.replaceChildren(items.length > 0 ? list : element("p", "small-print", strings.nothing));
}

/** @param {Explained} answer @param {string[]} points @param {string} name @param {AspectAnswer} aspect */
function aspectItem(answer, points, name, { sentiment, mentions }) {
  const clauses = element("div");
  clauses.hidden = true;
  for (const mention of mentions) {
    const clause = element("p", "small-print", strings.clause(cut(points, mention).trim(), mention.negated));
    clause.dir = "auto";
    clauses.append(clause);
  }
  const press = button("button-plain", strings.aspect(name, sentiment));
  press.setAttribute("aria-pressed", "false");
  press.addEventListener("click", () => {
    const pressed = press.getAttribute("aria-pressed") !== "true";
    press.setAttribute("aria-pressed", String(pressed));
    clauses.hidden = !pressed;
    mark(answer, pressed ? mentions : []);
  });
  const item = listItem(press, clauses);
  item.dataset.sentiment = sentiment;
  return item;
}

/**
 * Marks in the text the sentences that hold clauses, and no other.
 * @param {Explained} answer
 * @param {import("../api.js").Span[]} clauses
 */
function mark({ sentences }, clauses) {
  const holds = sentences.map(({ start, end }) => clauses.some((clause) => clause.start < end && clause.end > start));
  for (const one of document.querySelectorAll("mark[data-sentence]")) {
    one.toggleAttribute("data-active", holds[Number(one.getAttribute("data-sentence"))]);
  }
}
