// Shows "Change its mind": searches for the smallest change that turns the verdict, and previews it.

import { unitsOf } from "./edits.js";
import { Search } from "./search.js";
import { MIND, noWay, orSentence, turned } from "./strings.js";
import { ApiError } from "../api.js";
import { button, element, find } from "../shared/dom.js";
import { explain, tryFailed } from "../shared/failure_strings.js";
import { escaped } from "../shared/spans.js";
import { isCalibrated, isUnderstood } from "../shared/verdict_strings.js";

/** @typedef {import("../api.js").Answer} Answer */
/** @typedef {import("./search.js").Explained} Explained */
/** @typedef {import("./search.js").Change} Change */
/** @typedef {import("./search.js").Goal} Goal */
/** @typedef {import("./search.js").Way} Way */
/**
 * @typedef {object} Board what the review page gives
 * @property {() => Explained} answer the answer on screen
 * @property {(texts: string[], signal: AbortSignal) => Promise<Answer[]>} ask judges changed texts
 * @property {(change: Change | null) => void} preview shows a change in the text and the verdict; null puts all back
 * @property {(text: string) => void} useText puts a text into the box and judges it
 */

const OTHER = { positive: /** @type {const} */ ("negative"), negative: /** @type {const} */ ("positive") };

// What would be read as markup or as an entity.
const MARKUP = /<[a-z/!?]|&[a-z#]/i;

let mounted = 0;

/**
 * Fills an element with the search. end() stops it. changed() tells that the board shows another change.
 * @param {HTMLElement} host
 * @param {Board} board
 * @returns {{end: () => void, changed: () => void}}
 */
export function mountMind(host, board) {
  const mind = new Mind(host, board);
  return { end: () => mind.end(), changed: () => mind.changed() };
}

class Mind {
  #request = new AbortController();
  #ended = false;
  /** One search a goal, so that a second press goes on where the first stopped. @type {Map<Goal, Search>} */
  #searches = new Map();
  /** @type {Goal | null} */
  #goal = null;
  /** @type {Change | null} */
  #shown = null;
  /** Whether the search has no other way. */
  #exhausted = false;
  /** Whether the board is about to show a change of this search. */
  #previewing = false;

  /** @param {HTMLElement} host @param {Board} board */
  constructor(host, board) {
    this.board = board;
    this.answer = board.answer();
    this.section = element("section", "mind");
    this.status = element("p", "play-status");
    this.status.setAttribute("role", "status");
    this.finds = this.#findButtons();
    this.another = button("button-plain", MIND.another, () => this.#anotherWay());
    this.back = button("button-plain", MIND.back, () => this.#putBack());
    this.use = button("button-plain", MIND.use, () => this.#useText());
    this.orSentence = element("p", "mind-sentence small-print");
    this.sentence = button("button-plain", MIND.sentence, () => this.#leaveOutSentence());
    this.#draw(host);
  }

  /** Stops the search for good. */
  end() {
    this.#ended = true;
    this.#request.abort();
  }

  /** Forgets its own change, if somebody else has changed the text. */
  changed() {
    if (!this.#previewing && !this.#ended) this.#reset();
  }

  #reset() {
    this.#request.abort();
    this.#shown = null;
    this.#exhausted = false;
    this.#searches.clear();
    this.section.removeAttribute("aria-busy");
    this.#say("");
    this.#showButtons();
  }

  // Drawing.

  /** @param {HTMLElement} host */
  #draw(host) {
    const title = element("h3", "section-title", MIND.title);
    title.id = `mind-title-${(mounted += 1)}`;
    this.section.setAttribute("aria-labelledby", title.id);
    const reason = this.#reasonForNone();
    if (reason) {
      this.section.append(title, element("p", "small-print", reason));
    } else {
      const row = element("p", "compose-row");
      row.append(...this.finds, this.another, this.back, this.use);
      const note = element("p", "small-print", MIND.note);
      this.section.append(title, note, row, this.status, this.orSentence, this.sentence);
      this.#showButtons();
    }
    host.replaceChildren(this.section);
  }

  /** Says why there is nothing to play with; "" where there is. */
  #reasonForNone() {
    if (!isUnderstood(this.answer)) return MIND.notUnderstood;
    return unitsOf(this.answer).length === 0 ? MIND.noWords : "";
  }

  #findButtons() {
    const { sentiment } = this.answer;
    if (sentiment !== "uncertain") return [button("button", MIND.find, () => this.#find(OTHER[sentiment]))];
    /** @type {Goal[]} the nearer one first */
    const goals = this.answer.probability >= 0.5 ? ["positive", "negative"] : ["negative", "positive"];
    return goals.map((goal) => button("button-plain", MIND.findSide[goal], () => this.#find(goal)));
  }

  #showButtons() {
    const focused = this.section.contains(document.activeElement);
    const changed = this.#shown !== null;
    const sentence = this.#search?.sentence ?? null;
    for (const find of this.finds) find.hidden = changed;
    for (const node of [this.back, this.use]) node.hidden = !changed;
    this.another.hidden = !changed || this.#exhausted;
    const other = sentence !== null && sentence.change !== this.#shown;
    this.orSentence.hidden = this.sentence.hidden = !other;
    const words = other ? orSentence(sentence.edits[0].from, this.#goalOrFirst, sureOf(sentence)) : "";
    this.orSentence.textContent = words;
    // A focused button that disappears would lose the focus.
    if (focused && !this.section.querySelector("button:focus:not([hidden])")) this.#focusFirst();
  }

  #focusFirst() {
    find(this.section, "button:not([hidden])")?.focus({ preventScroll: true });
  }

  get #search() {
    return this.#goal ? this.#searches.get(this.#goal) : undefined;
  }

  get #goalOrFirst() {
    return this.#goal ?? "positive";
  }

  // Acting.

  /** @param {Goal} goal */
  async #find(goal) {
    this.#goal = goal;
    this.#exhausted = false;
    // A text that was put back is searched anew, and finds the same again.
    const ask = (/** @type {string[]} */ texts) => this.board.ask(texts, this.#request.signal);
    this.#searches.set(goal, new Search(this.answer, goal, ask, safe));
    await this.#show(noWay);
  }

  async #anotherWay() {
    await this.#show(() => {
      this.#exhausted = true;
      return MIND.noMore;
    });
  }

  /**
   * Shows the next way, or says that there is none.
   * @param {(tried: number, goal: Goal, nearest: number | null) => string} none
   */
  async #show(none) {
    const [search, goal] = [this.#search, this.#goalOrFirst];
    if (!search) return;
    await this.#guarded(async (signal) => {
      const way = await search.next();
      if (signal.aborted || this.#ended) return;
      if (way) this.#preview(way);
      else this.#say(none(search.asked, goal, isCalibrated(this.answer) ? search.nearest : null));
    });
  }

  #leaveOutSentence() {
    const way = this.#search?.sentence;
    if (way) this.#preview(way);
    this.#showButtons();
  }

  /** @param {Way} way */
  #preview(way) {
    this.#shown = way.change;
    this.#showOnBoard(way.change);
    const inOrder = way.edits.toSorted((one, other) => one.start - other.start);
    this.#say(turned(inOrder, this.#goalOrFirst, sureOf(way)));
  }

  #putBack() {
    this.#showOnBoard(null);
    this.#reset();
    this.#say(MIND.putBack);
  }

  /** @param {Change | null} change */
  #showOnBoard(change) {
    this.#previewing = true;
    this.board.preview(change);
    this.#previewing = false;
  }

  #useText() {
    if (this.#shown) this.board.useText(this.#shown.text);
  }

  /**
   * Runs a search. A newer one ends it, and a failure leaves the verdict as it is.
   * @param {(signal: AbortSignal) => Promise<void>} work
   */
  async #guarded(work) {
    if (this.#ended) return;
    this.#request.abort();
    const { signal } = (this.#request = new AbortController());
    this.section.setAttribute("aria-busy", "true");
    this.#say(MIND.searching);
    try {
      await work(signal);
    } catch (error) {
      if (signal.aborted || this.#ended) return;
      const fault = error instanceof ApiError ? error : new ApiError({ code: "page_fault" });
      if (fault !== error) console.error(error);
      this.#say(tryFailed(explain(fault, "")));
    }
    if (signal.aborted || this.#ended) return;
    this.section.removeAttribute("aria-busy");
    this.#showButtons();
  }

  /** @param {string} words */
  #say(words) {
    if (!this.#ended) this.status.textContent = words;
  }
}

/** Returns the probability of a way's side, where it holds for such a text. @param {Way} way */
function sureOf({ sure, change }) {
  return isCalibrated(change.answer) ? sure : null;
}

/** Returns a text to send, in which signs of markup stay text. @param {string} text */
function safe(text) {
  return MARKUP.test(text) ? escaped(text) : text;
}
