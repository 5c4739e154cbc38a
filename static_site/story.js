// Tells the model's card as a newspaper would: what matters first, then the evidence, part by part.

import { amount, judged, share, text } from "./card.js";
import { element, listItem } from "./dom.js";
import { accuracy, errors, reliability, riskCoverage } from "./evidence.js";
import { data, identity, limits, speed, training } from "./making.js";
import { dateOf, paragraphs } from "./pieces.js";
import { MODEL as words } from "./strings.js";
import { ablation, behaviour, capabilities, faithfulness, languages, peers, seeds } from "./trials.js";

/** @typedef {import("./pieces.js").Part} Part */

const WEAKEST = 3;

/** Every part, in the order of the page. @type {((card: any) => Part)[]} */
const TOLD = [
  limits, accuracy, reliability, riskCoverage, errors, behaviour, languages, faithfulness, peers, seeds, ablation,
  training, data, speed, identity,
];

/** The whole story; a part whose figures the card lacks is left out. @param {any} card */
export function storyOf(card) {
  const parts = TOLD.map((tell) => tell(card)).filter(({ body }) => body.length > 0);
  const story = element("article", "parts");
  story.append(lead(card, parts), ...parts.map(partNode));
  return story;
}

/** @param {any} card @param {Part[]} parts */
function lead(card, parts) {
  const right = share(judged(card, "accuracy")?.figures, "accuracy");
  const body = element("div", "part-body");
  body.append(
    element("p", "kicker", words.kicker(text(card, "id"), dateOf(card))),
    element("h2", "headline", right === null ? words.unjudged : words.headline(right)),
    ...paragraphs("deck", rightAndOpen(card), wrong(card)),
  );
  const node = element("header", "part lead");
  node.append(body, marginOf([contents(parts)]));
  return node;
}

/** @param {any} card */
function rightAndOpen(card) {
  const found = judged(card, "accuracy");
  const right = share(found?.figures, "accuracy");
  if (!found || right === null) return words.howToJudge;
  const said = words.leadAccuracy(found.split, amount(found.figures, "reviews"), right);
  const [coverage, outright] = [share(found.figures, "coverage"), share(found.figures, "accuracy_outright")];
  return coverage === null || outright === null ? said : `${said} ${words.leadOutright(coverage, outright)}`;
}

/** @param {any} card */
function wrong(card) {
  const weakest = capabilities(card)
    .sort((one, other) => one.held - other.held)
    .slice(0, WEAKEST);
  if (weakest.length < WEAKEST) return "";
  const all = share(card, "metrics", "behaviour", "overall", "held");
  return words.leadWrong(weakest, all, share(card, "metrics", "behaviour", "single sentences", "held"));
}

/** @param {Part[]} parts */
function contents(parts) {
  const title = element("h2", "section-title", words.contents);
  title.id = "contents-title";
  const list = element("ul");
  list.append(...parts.map(({ id }) => listItem(linkTo(id))));
  const nav = element("nav", "contents");
  nav.setAttribute("aria-labelledby", title.id);
  nav.append(title, list);
  return nav;
}

/** @param {string} id */
function linkTo(id) {
  const link = /** @type {HTMLAnchorElement} */ (element("a", "", words.PARTS[id]));
  link.href = `#${id}`;
  return link;
}

/** @param {Part} part */
function partNode({ id, body, margin = [] }) {
  const title = element("h2", "part-title", words.PARTS[id]);
  title.id = `${id}-title`;
  const main = element("div", "part-body");
  main.append(title, ...body);
  const node = element("section", "part");
  node.id = id;
  node.tabIndex = -1;
  node.setAttribute("aria-labelledby", title.id);
  node.append(main, marginOf(margin));
  return node;
}

/** @param {Node[]} notes */
function marginOf(notes) {
  const margin = element("div", "part-margin margin");
  margin.append(...notes);
  return margin;
}
