// Draws the methods: how each figure was measured, each in a fold.

import { element } from "../shared/dom.js";
import { accuracy, errors, reliability, riskCoverage } from "./evidence.js";
import { data, identity, limits, speed, training } from "./making.js";
import { METHODS as words } from "./method_strings.js";
import { behaviour, faithfulness, languages, opinion, peers, planted } from "./trials.js";

/** @typedef {import("./pieces.js").Part} Part */

/** Every part, in the order of the page. @type {((card: any) => Part)[]} */
const TOLD = [
  limits,
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
  training,
  data,
  speed,
  identity,
];

/** Draws the parts that the card has figures for. @param {any} card */
export function methodsOf(card) {
  return TOLD.map((tell) => tell(card))
    .filter(({ body }) => body.length > 0)
    .map(foldOf);
}

/** @param {Part} part */
function foldOf({ id, body, margin = [] }) {
  const heading = element("h3", "fold-title", words.PARTS[id]);
  heading.id = `${id}-title`;
  const summary = element("summary", "fold-summary");
  summary.append(heading);
  const main = element("div", "part-body");
  main.append(...body);
  const side = element("div", "part-margin margin");
  side.append(...margin);
  const inside = element("div", "fold-inside");
  inside.append(main, side);
  const fold = element("details", "fold");
  fold.id = id;
  fold.tabIndex = -1;
  fold.setAttribute("aria-labelledby", heading.id);
  fold.append(summary, inside);
  return fold;
}
