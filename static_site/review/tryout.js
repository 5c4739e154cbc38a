// Tests an answer: removes words, edits the text, and finds what would flip the verdict.

import { arrived } from "./late.js";
import { realWords } from "./answer.js";
import * as strings from "./answer_strings.js";
import { ApiError } from "../api.js";
import { element, find, onClick } from "../shared/dom.js";
import { explain, tryFailed } from "../shared/failure_strings.js";
import { removals, smallestFlip, variantsThatFit } from "./flip.js";
import { drawMeter, newMeter } from "../shared/meter.js";
import { cut, escaped, without } from "../shared/spans.js";
import { percent } from "../shared/strings.js";
import { VERDICTS, isUnderstood } from "../shared/verdict_strings.js";

/** @typedef {import("../api.js").Answer} Answer */
/** @typedef {import("./words.js").Explained} Explained */

// Pause after the last press or key, so that a burst is one request.
const PAUSE_MS = 300;

/** The tests of one answer on screen. */
export class Tryout {
  /** Indexes of the removed words. @type {Set<number>} */
  #removed = new Set();
  #request = new AbortController();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {HTMLElement} view the answer's element
   * @param {Explained} answer
   * @param {{api: import("../api.js").Verdict, useText: (text: string) => void}} page
   *   useText: puts a text into the box and judges it
   */
  constructor(view, answer, { api, useText }) {
    this.view = view;
    this.answer = answer;
    this.api = api;
    this.useText = useText;
    this.#listen();
    this.#walkFrom(find(view, ".word"));
  }

  /** Ends requests and timers. */
  end() {
    clearTimeout(this.#timer);
    this.#request.abort();
  }

  #listen() {
    const text = find(this.view, "#text");
    text.addEventListener("click", (event) => this.#onPress(event));
    text.addEventListener("keydown", (event) => this.#onKey(event));
    onClick(this.view, "#flip", () => this.#flip());
    onClick(this.view, "#weigh", () => this.#weigh());
    onClick(this.view, "#put-back", () => this.#putBack());
    onClick(this.view, "#edit-here", () => this.#edit());
    onClick(this.view, "#edit-cancel", () => this.#stopEditing());
    onClick(this.view, "#use-text", () => this.useText(this.#variant()));
    this.#editor.addEventListener("input", () => this.#askSoon());
    this.#editor.addEventListener("keydown", ({ key }) => key === "Escape" && this.#stopEditing());
  }

  get #editor() {
    return /** @type {HTMLTextAreaElement} */ (find(this.view, "#edit-text"));
  }

  get #editing() {
    return !find(this.view, "#edit-box").hidden;
  }

  // Words.

  /** @param {Event} event */
  #onPress(event) {
    const word = wordAt(event);
    if (!word) return;
    this.#walkFrom(word);
    this.#toggle(Number(word.dataset.word));
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    const word = wordAt(event);
    if (!word || event.ctrlKey || event.metaKey || event.altKey) return;
    const next = this.#neighbour(word, event.key);
    if (event.key === "Enter" || event.key === " ") this.#toggle(Number(word.dataset.word));
    else if (next) this.#moveTo(next);
    else return;
    event.preventDefault();
  }

  /** Returns the word that an arrow key leads to. @param {HTMLElement} word @param {string} key */
  #neighbour(word, key) {
    const words = this.#words;
    const at = words.indexOf(word);
    const sentences = words.filter((one, index) => index === 0 || markOf(one) !== markOf(words[index - 1]));
    const places = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: words.length - 1 };
    if (key in places) return words[places[/** @type {keyof typeof places} */ (key)]];
    if (key === "ArrowDown") return sentences.find((one) => words.indexOf(one) > at);
    if (key === "ArrowUp") return sentences.filter((one) => words.indexOf(one) < at).pop();
    return undefined;
  }

  get #words() {
    return /** @type {HTMLElement[]} */ ([...this.view.querySelectorAll(".word")]);
  }

  /** @param {HTMLElement} word */
  #moveTo(word) {
    this.#walkFrom(word);
    word.focus();
  }

  /** Makes one word the Tab stop, from which arrow keys move. @param {HTMLElement | null} word */
  #walkFrom(word) {
    for (const other of this.view.querySelectorAll('.word[tabindex="0"]')) other.setAttribute("tabindex", "-1");
    word?.setAttribute("tabindex", "0");
  }

  /** @param {number} index */
  #toggle(index) {
    if (this.#removed.has(index)) this.#removed.delete(index);
    else this.#removed.add(index);
    this.#drawRemoved();
    this.#askSoon();
  }

  #putBack() {
    this.#removed.clear();
    this.#drawRemoved();
    this.#askSoon();
    find(this.view, "#flip").focus();
  }

  #drawRemoved() {
    for (const word of this.#words) {
      word.setAttribute("aria-pressed", String(this.#removed.has(Number(word.dataset.word))));
    }
    find(this.view, "#put-back").hidden = this.#removed.size === 0;
  }

  /** Measures the words by a module loaded on demand. */
  async #weigh() {
    this.end();
    await this.#guarded(async (signal) => {
      const { measureWords } = await arrived(import("./weigh.js"));
      await measureWords(this.view, this.answer, this.api, signal);
    });
  }

  // Editing in place.

  #edit() {
    this.#removed.clear();
    this.#drawRemoved();
    this.#editor.value = this.answer.text;
    this.#showEditor(true);
    this.#askSoon();
    this.#editor.focus();
  }

  #stopEditing() {
    this.#showEditor(false);
    this.#askSoon();
    find(this.view, "#edit-here").focus();
  }

  /** @param {boolean} shown */
  #showEditor(shown) {
    find(this.view, "#edit-box").hidden = !shown;
    find(this.view, "#text").hidden = shown;
    find(this.view, "#text-note").hidden = shown;
    find(this.view, "#edit-here").hidden = shown;
    find(this.view, "#flip").hidden = shown;
    find(this.view, "#put-back").hidden = shown || this.#removed.size === 0;
  }

  /** Returns the text to send. */
  #variant() {
    if (this.#editing) return escaped(this.#editor.value);
    const removed = this.answer.words.filter((_, index) => this.#removed.has(index));
    return without(this.answer.text, removed);
  }

  // Asking.

  #askSoon() {
    this.end();
    const changed = this.#editing ? this.#editor.value !== this.answer.text : this.#removed.size > 0;
    if (!changed) this.#showAfter(null, "");
    else this.#timer = setTimeout(() => this.#ask(), PAUSE_MS);
  }

  async #ask() {
    await this.#guarded(async (signal) => {
      const after = this.#ofThisModel(await this.api.sentiment(this.#variant(), { explain: "none", signal }));
      this.#showAfter(after, strings.changed(this.answer, after, this.#editing ? null : this.#removed.size));
    });
  }

  async #flip() {
    this.end();
    this.#say(strings.flipping);
    await this.#guarded(async (signal) => {
      const variants = this.#variants();
      const reviews = variants.map((removed) => ({ review: this.#textWithout(removed) }));
      const items = reviews.length ? await this.api.batch(reviews, { signal }) : [];
      items.forEach(({ answer }) => answer && this.#ofThisModel(answer));
      this.#showFlip(tried(variants, items));
    });
  }

  /** Checks that the same model answered. @param {Answer} after @throws {ApiError} */
  #ofThisModel(after) {
    if (after.model.id !== this.answer.model.id) throw new ApiError({ code: "other_model" });
    return after;
  }

  /** Returns as many removals as one batch can hold. */
  #variants() {
    const limit = variantsThatFit(this.answer.text);
    return removals(this.answer, this.answer.words, { limit, indexes: realWords(this.answer) });
  }

  /** @param {number[]} removed */
  #textWithout(removed) {
    return without(this.answer.text, removed.map((index) => this.answer.words[index]));
  }

  /** @param {import("./flip.js").Flip[]} variants */
  #showFlip(variants) {
    const flip = smallestFlip(this.answer, variants);
    if (!flip) {
      this.#say(strings.noFlip(variants.length));
      return;
    }
    const points = Array.from(this.answer.text);
    const words = flip.removed.map((index) => cut(points, this.answer.words[index]));
    this.#removed = new Set(flip.removed);
    this.#drawRemoved();
    this.#showAfter(flip.answer, strings.flipped(words, flip.answer.sentiment, variants.length));
  }

  /** Runs a request. A newer one ends it, and an error is shown without a verdict. @param {(signal: AbortSignal) => Promise<void>} work */
  async #guarded(work) {
    this.#request = new AbortController();
    this.view.setAttribute("aria-busy", "true");
    try {
      await work(this.#request.signal);
    } catch (error) {
      const fault = error instanceof ApiError ? error : new ApiError({ code: "page_fault" });
      if (fault !== error) console.error(error);
      if (fault.code === "aborted") return;
      this.#showAfter(null, tryFailed(explain(fault, this.api.url)));
    }
    this.view.removeAttribute("aria-busy");
  }

  // Showing.

  /** @param {Answer | null} after @param {string} words */
  #showAfter(after, words) {
    this.#say(words);
    const table = find(this.view, "#before-after");
    table.hidden = after === null;
    find(this.view, "#use-text").hidden = after === null;
    if (after === null) return;
    find(table, "tbody").replaceChildren(row(strings.before, this.answer), row(strings.after, after));
  }

  /** @param {string} words */
  #say(words) {
    find(this.view, "#try-status").textContent = words;
  }
}

/** @param {number[][]} variants @param {import("../api.js").BatchItem[]} items */
function tried(variants, items) {
  return variants.flatMap((removed, index) => {
    const { answer } = items[index];
    return answer ? [{ removed, answer }] : [];
  });
}

/** @param {string} label @param {Answer} answer */
function row(label, answer) {
  const line = element("tr");
  line.dataset.sentiment = answer.sentiment;
  const head = element("th", "", label);
  head.setAttribute("scope", "row");
  const verdict = element("td", "mini-verdict", VERDICTS[answer.sentiment]);
  const number = element("td", "number");
  const bar = element("td", "bar");
  if (isUnderstood(answer)) {
    number.textContent = percent(answer.probability);
    const meter = newMeter();
    drawMeter(meter, answer);
    bar.append(meter);
  }
  line.append(head, verdict, number, bar);
  return line;
}

/** @param {Event} event @returns {HTMLElement | null} */
function wordAt(event) {
  return event.target instanceof Element ? event.target.closest(".word") : null;
}

/** @param {HTMLElement} word */
function markOf(word) {
  return word.closest("mark");
}
