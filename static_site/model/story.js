// Lays out the model's card: the summary first, then the evidence, part by part.

import { adapted, verdictOf } from "./adapted.js";
import { amount, at, share, text } from "../shared/careful.js";
import { element } from "../shared/dom.js";
import { accuracy, errors, reliability, riskCoverage } from "./evidence.js";
import { data, identity, limits, speed, training } from "./making.js";
import { laidOut, paragraphs } from "../shared/parts.js";
import { dateOf, judged } from "./pieces.js";
import { MODEL as words } from "./strings.js";
import { ablation, behaviour, capabilities, faithfulness, languages, opinion, peers, planted, seeds } from "./trials.js";

const WEAKEST = 3;

/** Every part, in the order of the page. @type {((card: any) => import("./pieces.js").Part)[]} */
const TOLD = [
  limits,
  adapted,
  accuracy,
  reliability,
  riskCoverage,
  errors,
  behaviour,
  opinion,
  languages,
  planted,
  faithfulness,
  peers,
  seeds,
  ablation,
  training,
  data,
  speed,
  identity,
];

/** Draws the whole page, without parts whose figures are missing. @param {any} card */
export function storyOf(card) {
  const parts = TOLD.map((tell) => tell(card)).filter(({ body }) => body.length > 0);
  return laidOut(
    lead(card),
    words.contents,
    parts.map((part) => ({ ...part, title: words.PARTS[part.id] })),
  );
}

/** @param {any} card */
function lead(card) {
  const figures = judged(card, "accuracy")?.figures ?? at(card, "metrics", "adaptation", "after");
  const right = share(figures, "accuracy");
  return [
    element("p", "kicker", words.kicker(text(card, "id"), dateOf(card))),
    element("h2", "headline", right === null ? words.unjudged : words.headline(right)),
    ...paragraphs("deck", rightAndOpen(card), wrong(card)),
  ];
}

/** @param {any} card */
function rightAndOpen(card) {
  const found = judged(card, "accuracy");
  const right = share(found?.figures, "accuracy");
  if (!found || right === null) return verdictOf(card) || words.howToJudge;
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
