// Draws the selected row: its text, its verdict and its notes.

import { MAX_REVIEW_CHARACTERS } from "../api.js";
import { element, find, setText } from "../shared/dom.js";
import { linkTo } from "../shared/share.js";
import { OTHER_WARNING, VERDICTS, WARNINGS, sureness } from "../shared/verdict_strings.js";
import { FILE } from "./strings.js";
import { disagrees } from "./order.js";

/** @typedef {import("./order.js").Rows} Rows */
/** @typedef {import("../rows/sending.js").Outcome} Outcome */

// A longer text is cut; its own page shows it whole.
const SHOWN_CHARACTERS = 2_000;
const NAME_CHARACTERS = 60;

/** @param {ParentNode} view @param {Rows} rows @param {number | null} row null when none is chosen */
export function drawDetail(view, rows, row) {
  const body = find(view, "#detail-body");
  if (row === null) {
    setText(view, "#detail-title", FILE.detailEmpty);
    body.replaceChildren(element("p", "small-print", FILE.detailHint));
    return;
  }
  setText(view, "#detail-title", FILE.detail(rows.name(row).slice(0, NAME_CHARACTERS)));
  body.replaceChildren(...verdictOf(rows, row), textBlock(rows.review(row)), ...linkFor(rows.review(row)));
}

/** Tells whether the review page accepts a review. @param {string} review */
export function isOpenable(review) {
  return review.trim() !== "" && review.length <= MAX_REVIEW_CHARACTERS;
}

/** @param {Rows} rows @param {number} row */
function verdictOf(rows, row) {
  const outcome = rows.outcome(row);
  if (outcome === null) return [element("p", "detail-verdict", FILE.notAsked)];
  if (outcome.error !== undefined) {
    return [
      element("p", "detail-verdict", FILE.failed),
      element("p", "detail-reason", FILE.error(outcome.error, outcome.detail)),
    ];
  }
  const { sentiment, reason, warnings } = outcome;
  const verdict = element("p", "detail-verdict", VERDICTS[sentiment]);
  verdict.dataset.verdict = sentiment;
  const remarks = [
    ...againstLabel(outcome, rows.label(row)),
    ...warnings.filter((code) => code !== reason).map((code) => WARNINGS[code] ?? OTHER_WARNING),
  ];
  return [verdict, element("p", "detail-reason", sureness(outcome)), ...listOf(remarks)];
}

/** @param {Outcome} outcome @param {import("../rows/labels.js").Label | null} label */
function againstLabel(outcome, label) {
  if (label === null) return [];
  return [FILE.yourLabel(VERDICTS[label], disagrees(outcome, label))];
}

/** @param {string[]} remarks */
function listOf(remarks) {
  if (remarks.length === 0) return [];
  const list = element("ul", "detail-remarks");
  list.append(...remarks.map((remark) => element("li", "", remark)));
  return [list];
}

/** @param {string} review */
function textBlock(review) {
  const shown = review.slice(0, SHOWN_CHARACTERS);
  const hidden = review.length - shown.length;
  const block = element("blockquote", "detail-text", hidden > 0 ? shown + FILE.cut(hidden) : shown);
  block.dir = "auto";
  return block;
}

/** @param {string} review */
function linkFor(review) {
  if (!isOpenable(review)) return [];
  const link = /** @type {HTMLAnchorElement} */ (element("a", "detail-link", FILE.open));
  link.target = "_blank";
  link.rel = "noopener";
  linkTo(review).then((url) => {
    link.href = url;
  });
  return [link, element("p", "small-print", FILE.openNote)];
}
