// Shows "Fool it": cards of the model's own exam, which the reader judges before the model does.

import { FOOL, cardTitle, ending, examRate, fooledNot, itsAnswer, rightAnswer, score } from "./strings.js";
import { ApiError } from "../api.js";
import { share as shareOf } from "../shared/careful.js";
import { button, element, find } from "../shared/dom.js";
import { explain } from "../shared/failure_strings.js";
import { isCalibrated } from "../shared/verdict_strings.js";

/** @typedef {import("../api.js").Answer} Answer */
/** @typedef {"positive" | "negative"} Side */
/** @typedef {{id: string, capability: string, label: Side, review: string}} Card */
/**
 * @typedef {object} FoolPage what the review page gives
 * @property {(text: string, signal: AbortSignal) => Promise<Answer>} ask judges a text
 * @property {(text: string) => void} useText puts a text into the box and judges it
 * @property {() => Promise<any>} card the model's card
 */

const CARDS = new URL("fool_cards.json", import.meta.url);
const SIDES = /** @type {const} */ (["positive", "negative"]);

/**
 * Fills an element with the folded game. Nothing is loaded before somebody opens it.
 * @param {HTMLElement} host
 * @param {FoolPage} page
 */
export function mountFool(host, page) {
  const fold = element("details", "fool more");
  const body = element("div", "fool-body");
  fold.append(element("summary", "", FOOL.title), body);
  let begun = false;
  fold.addEventListener("toggle", async () => {
    if (begun || !fold.hasAttribute("open")) return;
    begun = true;
    try {
      new Game(body, await cards(), page).start();
    } catch {
      begun = false;
      body.replaceChildren(element("p", "small-print", FOOL.unloaded));
    }
  });
  host.replaceChildren(fold);
}

/** Loads the cards. @returns {Promise<Card[]>} */
async function cards() {
  const response = await fetch(CARDS, { credentials: "omit" });
  if (!response.ok) throw new Error(`cards: ${response.status}`);
  return response.json();
}

class Game {
  #place = 0;
  #you = 0;
  #verdict = 0;
  /** The model's card, asked for once; null when it can't be had. @type {Promise<any> | null} */
  #exam = null;

  /** @param {HTMLElement} body @param {Card[]} cards @param {FoolPage} page */
  constructor(body, cards, page) {
    this.cards = cards;
    this.page = page;
    this.box = element("div", "fool-card");
    this.score = element("p", "fool-score");
    this.score.setAttribute("role", "status");
    const honest = element("p", "small-print", FOOL.honest);
    body.replaceChildren(element("p", "", FOOL.intro), this.box, this.score, honest);
  }

  start() {
    this.#place = this.#you = this.#verdict = 0;
    this.score.textContent = "";
    this.#deal();
  }

  get #card() {
    return this.cards[this.#place];
  }

  /** Shows a card that is not judged yet. @param {boolean} [focus] */
  #deal(focus = false) {
    const { capability, review } = this.#card;
    const skill = FOOL.SKILLS[capability] ?? capability;
    const title = element("h3", "section-title", cardTitle(this.#place + 1, this.cards.length, skill));
    const quote = element("blockquote", "text", review);
    const rate = element("p", "small-print");
    const guesses = element("p", "compose-row");
    guesses.setAttribute("role", "group");
    guesses.setAttribute("aria-label", FOOL.guess);
    const choices = SIDES.map((side) => button("button-plain", FOOL.SIDES[side], () => this.#guess(side)));
    guesses.append(element("span", "fool-guess", `${FOOL.guess}:`), ...choices);
    this.box.replaceChildren(title, quote, rate, guesses);
    this.#tellRate(rate, capability, skill);
    if (focus) this.#focus("button");
  }

  /**
   * Says how often the model is right for such lines, if its card says so.
   * @param {HTMLElement} line
   * @param {string} capability
   * @param {string} skill
   */
  async #tellRate(line, capability, skill) {
    this.#exam ??= this.page.card();
    const card = await this.#exam.catch(() => (this.#exam = null));
    const rate = shareOf(card, "metrics", "behaviour", capability, "held");
    line.textContent = rate === null ? "" : examRate(skill, rate);
  }

  /** Keeps the reader's choice. @param {Side} side */
  #guess(side) {
    const focused = this.box.contains(document.activeElement);
    const said = element("p", "fool-said");
    said.setAttribute("role", "status");
    find(this.box, "[role=group]").replaceWith(said);
    this.#ask(side, said, focused);
  }

  /**
   * Asks the model, now that the reader has chosen.
   * @param {Side} side
   * @param {HTMLElement} said
   * @param {boolean} focused
   */
  async #ask(side, said, focused) {
    said.textContent = FOOL.asking;
    try {
      this.#tell(side, await this.page.ask(this.#card.review, new AbortController().signal), said, focused);
    } catch (error) {
      this.#fail(side, error, said, focused);
    }
  }

  /** @param {Side} side @param {Answer} answer @param {HTMLElement} said @param {boolean} focused */
  #tell(side, answer, said, focused) {
    const { label } = this.#card;
    const { sentiment, probability } = answer;
    const share = sentiment === "negative" ? 1 - probability : probability;
    const sure = isCalibrated(answer) ? share : null;
    this.#you += Number(side === label);
    this.#verdict += Number(sentiment === label);
    said.textContent = `${rightAnswer(label, side === label)} ${itsAnswer(sentiment, sure, label)}`;
    const of = this.#place + 1;
    const last = of === this.cards.length;
    const result = { you: this.#you, verdict: this.#verdict, of };
    this.score.textContent = `${score(result)}${last ? `. ${ending(result)}` : ""}`;
    this.#actions(
      button("button", last ? FOOL.again : FOOL.next, () => (last ? this.#again() : this.#next())),
      button("button-plain", FOOL.use, () => this.page.useText(this.#card.review)),
    );
    if (focused) this.#focus(".button");
  }

  /**
   * Keeps the guess, and offers to ask again.
   * @param {Side} side
   * @param {unknown} error
   * @param {HTMLElement} said
   * @param {boolean} focused
   */
  #fail(side, error, said, focused) {
    const fault = error instanceof ApiError ? error : new ApiError({ code: "page_fault" });
    if (fault !== error) console.error(error);
    said.textContent = fooledNot(explain(fault, "").title);
    const row = this.#actions(
      button("button", FOOL.retry, () => {
        row.remove();
        this.#ask(side, said, true);
      }),
    );
    if (focused) this.#focus(".button");
  }

  /** @param {...HTMLElement} buttons */
  #actions(...buttons) {
    const row = element("p", "compose-row");
    row.append(...buttons);
    this.box.append(row);
    return row;
  }

  #next() {
    this.#place += 1;
    this.#deal(true);
  }

  #again() {
    this.start();
    this.#focus("button");
  }

  /** @param {string} selector */
  #focus(selector) {
    find(this.box, selector).focus({ preventScroll: true });
  }
}
