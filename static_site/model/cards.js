// Draws the first three cards: how often it is right, whether its percentages hold, and what fools it.

import { amount, at, share } from "../shared/careful.js";
import { button, element, listItem } from "../shared/dom.js";
import { paragraphs } from "../shared/parts.js";
import { bandOf, capabilities, groupsOf, judged, weakest } from "./figures.js";
import { barPart, orEmpty } from "./pieces.js";
import { MODEL as words } from "./strings.js";

/** @typedef {{name: string, part: number}} Meter a share of 1 */
/** @typedef {{id: "right" | "promises" | "fooled", title: string, said: string[], meters: Meter[]}} Card */

/** Draws the cards that the model's card has figures for. @param {any} card */
export function cards(card) {
  const made = [right(card), promises(card), fooled(card)].filter((one) => one !== null);
  if (made.length === 0) return [];
  const row = element("div", "cards");
  // The cases are of the published model, which no adapted one is.
  const opens = at(card, "adaptation") === undefined;
  row.append(...made.flatMap((one) => drawn(one, opens ? card : null)));
  return [row];
}

/** @param {any} card @returns {Card | null} */
function right(card) {
  const found = judged(card, "accuracy");
  const figures = found?.figures ?? at(card, "metrics", "adaptation", "after");
  const accuracy = share(figures, "accuracy");
  if (accuracy === null) return null;
  const meters = ["positive", "negative"].flatMap((label) => {
    const part = recall(figures, label);
    return part === null ? [] : [{ name: words.RECALL[label], part }];
  });
  return {
    id: "right",
    title: words.rightTitle(accuracy),
    said: [words.rightMeans(found?.split ?? null, amount(figures, "reviews"))],
    meters: [{ name: words.allReviews, part: accuracy }, ...meters],
  };
}

/** Returns how many of the reviews with this label are called so. @param {any} figures @param {string} label */
function recall(figures, label) {
  const [other] = ["positive", "negative"].filter((one) => one !== label);
  const hit = amount(figures, "confusion", `true_${label}`);
  const missed = amount(figures, "confusion", `false_${other}`);
  return hit === null || missed === null || hit + missed === 0 ? null : hit / (hit + missed);
}

/** @param {any} card @returns {Card | null} */
function promises(card) {
  const figures = judged(card, "reliability")?.figures;
  const error = share(figures, "ece");
  if (error === null) return null;
  const coverage = share(figures, "coverage");
  const outright = share(figures, "accuracy_outright");
  return {
    id: "promises",
    title: words.promisesTitle(error, meanGap(figures)),
    said: [words.promisesMean(error), orEmpty(bandOf(card), words.promisesBand)],
    meters: [
      ...(coverage === null ? [] : [{ name: words.takesASide, part: coverage }]),
      ...(outright === null ? [] : [{ name: words.rightThen, part: outright }]),
    ],
  };
}

/** Returns how much more it says than comes true, on average. @param {any} figures */
function meanGap(figures) {
  const groups = groupsOf(figures);
  return groups.reduce((sum, { x, y }) => sum + x - y, 0) / Math.max(1, groups.length);
}

/** @param {any} card @returns {Card | null} */
function fooled(card) {
  const weak = weakest(card);
  if (weak.length === 0) return null;
  return {
    id: "fooled",
    title: words.fooledTitle(weak[0]),
    said: [words.fooledMeans(weak.length, capabilities(card).length)],
    meters: weak.map(({ name, held }) => ({ name, part: held })),
  };
}

/** @param {Card} one @param {any} card whose cases it opens; null for none */
function drawn({ id, title, said, meters }, card) {
  const heading = element("h3", "card-title", title);
  heading.id = `${id}-title`;
  const node = element("section", "card");
  node.id = id;
  node.tabIndex = -1;
  node.setAttribute("aria-labelledby", heading.id);
  node.append(heading, ...paragraphs("", ...said));
  if (meters.length) node.append(metersOf(meters));
  return card === null ? [node] : [node, ...openable(node, id, card)];
}

/** @param {Meter[]} meters */
function metersOf(meters) {
  const list = element("ul", "meters");
  list.append(
    ...meters.map(({ name, part }) => {
      const bar = element("span", "bar");
      bar.setAttribute("aria-hidden", "true");
      bar.append(barPart("sum", part));
      return listItem(
        element("span", "meter-name", name),
        " ",
        element("span", "meter-number", words.percentOf(part)),
        bar,
      );
    }),
  );
  return list;
}

/**
 * Adds a button to a card.
 * @param {HTMLElement} node
 * @param {Card["id"]} id
 * @param {any} card
 * @returns {HTMLElement[]} the place that it opens
 */
function openable(node, id, card) {
  const place = element("div", "cases");
  place.id = `${id}-cases`;
  place.hidden = true;
  const opener = button("button-plain card-opener", words.OPENERS[id], () => {
    place.hidden = !place.hidden;
    opener.setAttribute("aria-expanded", String(!place.hidden));
    if (!place.hidden && place.dataset.state !== "shown") fill(place, id, card);
  });
  opener.setAttribute("aria-expanded", "false");
  opener.setAttribute("aria-controls", place.id);
  node.append(opener);
  return [place];
}

/** @param {HTMLElement} place @param {Card["id"]} id @param {any} card */
async function fill(place, id, card) {
  place.replaceChildren(element("p", "small-print", words.casesLoading));
  try {
    const { casesOf } = await import("./cases.js");
    place.replaceChildren(...(await casesOf(id, card)));
    place.dataset.state = "shown";
  } catch {
    const again = button("button-plain", words.again, () => fill(place, id, card));
    place.replaceChildren(...paragraphs("", words.casesUnloaded), again);
  }
}
