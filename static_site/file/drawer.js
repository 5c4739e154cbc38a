// Shows one row beside the table: its text with marked sentences, and why it got its verdict.

import { MAX_REVIEW_CHARACTERS } from "../api.js";
import { element, find, listItem, onClick, setText } from "../shared/dom.js";
import { linkTo } from "../shared/share.js";
import { OTHER_WARNING, VERDICTS, WARNINGS, isUnderstood, sureness } from "../shared/verdict_strings.js";
import { FILE } from "./strings.js";
import { disagrees } from "./order.js";

/**
 * @typedef {import("./seen.js").Whole} Whole
 * @typedef {import("./seen.js").Sentence} Sentence
 * @typedef {{whole: (row: number) => Promise<Whole>, onStep: (step: number) => void, canStep: (step: number) => boolean,
 *   onClose: () => void}} Wiring
 */

const NAME_CHARACTERS = 60;
// A sentence is marked, and its effect told, when it pulls at least this much, in logits.
const LEAST_PULL = 0.3;
const MOST_MARKED = 4;
const STEPS = [
  ["#drawer-previous", -1],
  ["#drawer-next", 1],
];

export class Drawer {
  /** @type {Wiring} */ #wiring;
  /** The row that is shown; null for none. @type {number | null} */
  row = null;

  /** @param {ParentNode} view @param {Wiring} wiring */
  constructor(view, wiring) {
    this.#wiring = wiring;
    this.node = find(view, "#drawer");
    this.place = find(view, "#rows-section");
    onClick(view, "#drawer-close", () => this.close());
    for (const [selector, step] of STEPS)
      onClick(view, String(selector), () => wiring.onStep(Number(step)));
    this.node.addEventListener("keydown", (event) => this.#onKey(event));
  }

  /** Shows a row. The reader's focus stays. @param {number} row */
  async show(row) {
    this.row = row;
    const whole = await this.#wiring.whole(row).catch(() => null);
    if (whole === null || this.row !== row) return;
    this.#draw(whole);
    this.node.hidden = false;
    this.place.toggleAttribute("data-open", true);
  }

  /** Shows a row, and moves the focus to it. @param {number} row */
  async enter(row) {
    await this.show(row);
    find(this.node, "#drawer-title").focus({ preventScroll: true });
  }

  close() {
    const inside = this.node.contains(document.activeElement);
    this.row = null;
    this.node.hidden = true;
    this.place.removeAttribute("data-open");
    if (inside) this.#wiring.onClose();
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "Escape") this.close();
    else if (event.key === "ArrowLeft") this.#wiring.onStep(-1);
    else if (event.key === "ArrowRight") this.#wiring.onStep(1);
    else return;
    event.preventDefault();
  }

  /** @param {Whole} whole */
  #draw(whole) {
    setText(this.node, "#drawer-title", FILE.detail(whole.name.slice(0, NAME_CHARACTERS)));
    for (const [selector, step] of STEPS) {
      const off = !this.#wiring.canStep(Number(step));
      find(this.node, String(selector)).setAttribute("aria-disabled", String(off));
    }
    const body = find(this.node, "#drawer-body");
    body.replaceChildren(...verdictOf(whole), ...whyOf(whole), ...aspectsOf(whole), ...textOf(whole), ...linkFor(whole));
    body.scrollTop = 0;
  }
}

/** Tells whether the review page accepts a review. @param {string} review */
function isOpenable(review) {
  return review.trim() !== "" && review.length <= MAX_REVIEW_CHARACTERS;
}

/** @param {Whole} whole */
function verdictOf({ outcome, label, date, group }) {
  const facts = [date ? FILE.day(date) : "", group ?? ""].filter(Boolean).map((words) => element("p", "drawer-fact", words));
  if (outcome === null) return [element("p", "detail-verdict", FILE.notAsked), ...facts];
  if (outcome.error !== undefined) {
    const reason = element("p", "detail-reason", FILE.error(outcome.error, outcome.detail));
    return [element("p", "detail-verdict", FILE.failed), reason, ...facts];
  }
  const { sentiment, reason, warnings } = outcome;
  const verdict = element("p", "detail-verdict", VERDICTS[sentiment]);
  verdict.dataset.verdict = sentiment;
  const remarks = [
    ...(label === null ? [] : [FILE.yourLabel(VERDICTS[label], disagrees(outcome, label))]),
    ...warnings.filter((code) => code !== reason).map((code) => WARNINGS[code] ?? OTHER_WARNING),
  ];
  return [verdict, element("p", "detail-reason", sureness(outcome)), ...facts, ...listOf(remarks)];
}

/** @param {string[]} remarks */
function listOf(remarks) {
  if (remarks.length === 0) return [];
  const list = element("ul", "detail-remarks");
  list.append(...remarks.map((remark) => element("li", "", remark)));
  return [list];
}

/** Draws the text. Sentences that pull most are marked. @param {Whole} whole */
function textOf(whole) {
  const block = element("blockquote", "detail-text");
  block.dir = "auto";
  const marked = markedIn(whole);
  whole.sentences.forEach((sentence, place) => {
    block.append(whole.between[place], marked.includes(sentence) ? markOf(sentence) : sentence.text);
  });
  block.append(whole.between[whole.sentences.length] ?? "");
  if (whole.hidden > 0) block.append(FILE.cut(whole.hidden));
  return [element("h5", "section-title", FILE.textTitle), block];
}

/** Returns the sentences that pull most, in the text's order; none of a text that was not understood. @param {Whole} whole */
function markedIn({ outcome, sentences }) {
  if (outcome === null || outcome.error !== undefined || !isUnderstood(outcome)) return [];
  const strong = sentences.filter(({ pull, decides }) => decides || Math.abs(pull) >= LEAST_PULL);
  const strongest = [...strong].sort((one, other) => Math.abs(other.pull) - Math.abs(one.pull)).slice(0, MOST_MARKED);
  return sentences.filter((sentence) => strongest.includes(sentence) || sentence.decides);
}

/** @param {Sentence} sentence */
function markOf({ text, pull }) {
  const mark = element("mark", "glow", text);
  mark.dataset.sign = pull < 0 ? "minus" : "plus";
  return mark;
}

/** Lists the marked sentences with their effects, the strongest first. @param {Whole} whole */
function whyOf(whole) {
  const { outcome } = whole;
  const marked = markedIn(whole).sort((one, other) => Math.abs(other.pull) - Math.abs(one.pull));
  if (marked.length === 0 || outcome === null || outcome.error !== undefined) return [];
  const list = element("ul", "drawer-why");
  for (const sentence of marked) {
    const item = listItem();
    const quote = element("p", "drawer-quote");
    quote.dir = "auto";
    quote.append(markOf(sentence));
    item.append(quote, element("p", "drawer-effect", FILE.effect(sentence, outcome.probability)));
    list.append(item);
  }
  return [element("h5", "section-title", FILE.whyTitle), list];
}

/** @param {Whole} whole */
function aspectsOf({ aspects }) {
  const mentioned = aspects.filter(({ sentiment }) => sentiment !== null);
  if (mentioned.length === 0) return [];
  const list = element("ul", "drawer-aspects");
  for (const { name, sentiment } of mentioned) {
    const verdict = element("span", "drawer-aspect", VERDICTS[sentiment ?? ""]);
    verdict.dataset.verdict = sentiment ?? "";
    const item = listItem();
    item.append(element("span", "", name), verdict);
    list.append(item);
  }
  return [element("h5", "section-title", FILE.aspectsTitle), list];
}

/** @param {Whole} whole */
function linkFor({ review }) {
  if (!isOpenable(review)) return [];
  const link = /** @type {HTMLAnchorElement} */ (element("a", "detail-link", FILE.open));
  link.target = "_blank";
  link.rel = "noopener";
  linkTo(review).then((url) => {
    link.href = url;
  });
  const line = element("p", "drawer-link");
  line.append(link);
  return [line];
}
