// Tries changes of the answered text: parts left out or put in, with the verdict moving along.

import { drawOwnVerdict, drawVerdict } from "./answer.js";
import * as strings from "./answer_strings.js";
import { glowing, quoted, withoutWord } from "./effects.js";
import { asApiError, explained } from "./late.js";
import { marksOf, textNodes } from "./marked_text.js";
import { ApiError } from "../api.js";
import { byId, element, onClick, setText } from "../shared/dom.js";
import { signOf } from "../shared/meter.js";
import { cut, without } from "../shared/spans.js";
import { isCalibrated } from "../shared/verdict_strings.js";

/** @typedef {import("../api.js").Answer} Answer */
/** @typedef {import("./effects.js").Explained} Explained */
/** @typedef {import("../shared/spans.js").Range} Range */
/**
 * @typedef {object} Change what the text would become
 * @property {string} text the whole changed text
 * @property {Answer} answer the API's answer to it
 * @property {Range[]} removed in code points of the answer's text
 * @property {{at: number, text: string}[]} inserted
 */

// Pause after the last press or key, so that a burst is one request.
const PAUSE_MS = 200;
// A word has a letter or a digit; other tokens are punctuation.
const IS_WORD = /[\p{L}\p{N}]/u;

/** The board of the answer on screen. @type {Board | null} */
let current = null;

/** Listens to the form's buttons and words, for whichever board is current. */
export function startBoards() {
  const face = byId("words");
  onClick(document, "#leave-out", () => current?.turn());
  onClick(document, "#put-back", () => current?.putBack());
  onClick(document, "#use-text", () => current?.keep());
  face.addEventListener("click", (event) => current?.onPress(event));
  face.addEventListener("keydown", (event) => current?.onKey(event));
  for (const event of ["pointerover", "focusin"]) face.addEventListener(event, showTip);
  const list = byId("sentences-place");
  list.addEventListener("click", (event) => current?.onPress(event));
  for (const event of ["pointerover", "focusin"]) list.addEventListener(event, (one) => pointAt(one.target));
  for (const event of ["pointerleave", "focusout"]) list.addEventListener(event, () => pointAt(null));
}

/** Marks in the text the sentence of a row in the list. @param {EventTarget | null} target */
function pointAt(target) {
  const row = target instanceof Element ? target.closest(".row") : null;
  const sentence = row?.getAttribute("data-sentence") ?? "";
  for (const mark of document.querySelectorAll("mark[data-sentence]")) {
    mark.toggleAttribute("data-active", mark.getAttribute("data-sentence") === sentence);
  }
}

/** Shows below the text what the word under the pointer does. @param {Event} event */
function showTip(event) {
  const word = event.target instanceof Element ? event.target.closest(".word") : null;
  if (!(word instanceof HTMLElement)) return;
  const { tip } = word.dataset;
  setText(document, "#word-tip", tip ? strings.wordLine(word.textContent ?? "", tip) : "");
}

/** The changes of one answer on screen. */
export class Board {
  /** Indexes of the tokens left out. @type {Set<number>} */
  #removed = new Set();
  /** @type {{at: number, text: string}[]} */
  #inserted = [];
  /** The change on screen, once it has its answer. @type {Change | null} */
  #change = null;
  /** Whether the words face was asked for by its button. */
  #turned = false;
  #request = new AbortController();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {Explained} answer
   * @param {{api: import("../api.js").Verdict, useText: (text: string) => void, readable: boolean,
   *   onChange?: () => void}} page useText: puts a text into the box and judges it; readable: the box itself
   *   shows the marks; onChange: called when the verdict has moved
   */
  constructor(answer, { api, useText, readable, onChange = () => {} }) {
    this.shown = answer;
    this.api = api;
    this.useText = useText;
    this.readable = readable;
    this.onChange = onChange;
    this.points = Array.from(answer.text);
    current = this;
    this.#drawWords();
    this.#drawFace();
    this.#say("");
  }

  // What other parts of the page may do.

  /** Returns the answer on screen. */
  answer() {
    return this.shown;
  }

  /** Returns the change on screen; null when there is none. */
  change() {
    return this.#change;
  }

  /**
   * Judges changed texts, at most 100.
   * @param {string[]} texts
   * @param {AbortSignal} signal
   * @returns {Promise<Answer[]>}
   * @throws {ApiError}
   */
  async ask(texts, signal) {
    const items = await this.api.batch(texts.map((review) => ({ review })), { signal });
    return items.map(({ answer, error }) => {
      if (answer === undefined) throw error;
      return this.#ofThisModel(answer);
    });
  }

  /** Shows a change and its verdict; null puts all back. @param {Change | null} change */
  preview(change) {
    this.#stop();
    this.#say("");
    this.#removed = new Set(change ? change.removed.flatMap((range) => this.#tokensIn(range)) : []);
    this.#inserted = change?.inserted ?? [];
    this.#drawFace();
    if (change) this.#moveTo(change);
    else this.#moveBack();
  }

  /** Ends requests and timers, and shows the text and its own verdict again. */
  end() {
    this.#turned = false;
    this.preview(null);
  }

  // The reader's own changes.

  /** Turns between the box and its words. */
  turn() {
    this.#turned = !this.#turned;
    if (!this.#turned && this.#isChanged) this.preview(null);
    this.#drawFace();
    if (this.#turned) this.#words[0]?.focus({ preventScroll: true });
  }

  #leaveWords() {
    this.#turned = true;
    this.turn();
    byId("leave-out").focus({ preventScroll: true });
  }

  putBack() {
    this.preview(null);
    const next = this.#turned ? byId("words").querySelector(".word[tabindex='0']") : byId("leave-out");
    if (next instanceof HTMLElement) next.focus({ preventScroll: true });
  }

  keep() {
    if (!this.#change) return;
    const { text } = this.#change;
    // The pressed button is about to disappear.
    byId("send").focus({ preventScroll: true });
    this.useText(text);
  }

  /** @param {Event} event */
  onPress(event) {
    if (!(event.target instanceof Element)) return;
    const word = event.target.closest(".word");
    const row = event.target.closest(".row");
    if (word instanceof HTMLElement) {
      this.#walkFrom(word);
      this.#toggle([Number(word.dataset.word)]);
    } else if (row instanceof HTMLElement) {
      this.#toggle(this.#tokensIn(this.shown.sentences[Number(row.dataset.sentence)]));
      scrollInto(byId("words"), `mark[data-sentence="${row.dataset.sentence}"]`);
    }
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    const word = event.target instanceof Element ? event.target.closest(".word") : null;
    if (!(word instanceof HTMLElement) || event.ctrlKey || event.metaKey || event.altKey) return;
    const next = this.#neighbour(word, event.key);
    if (event.key === "Enter" || event.key === " ") this.#toggle([Number(word.dataset.word)]);
    else if (event.key === "Escape") this.#leaveWords();
    else if (next) this.#moveFocus(next);
    else return;
    event.preventDefault();
  }

  /** Returns the word that an arrow key leads to. @param {HTMLElement} word @param {string} key */
  #neighbour(word, key) {
    const words = this.#words;
    const at = words.indexOf(word);
    const firsts = words.filter((one, index) => index === 0 || markOf(one) !== markOf(words[index - 1]));
    const places = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: words.length - 1 };
    if (key in places) return words[places[/** @type {keyof typeof places} */ (key)]];
    if (key === "ArrowDown") return firsts.find((one) => words.indexOf(one) > at);
    if (key === "ArrowUp") return firsts.filter((one) => words.indexOf(one) < at).pop();
    return undefined;
  }

  get #words() {
    return /** @type {HTMLElement[]} */ ([...byId("words").querySelectorAll(".word")]);
  }

  get #isChanged() {
    return this.#removed.size > 0 || this.#inserted.length > 0;
  }

  /** @param {HTMLElement} word */
  #moveFocus(word) {
    this.#walkFrom(word);
    word.focus();
  }

  /** Makes one word the Tab stop, from which arrow keys move. @param {HTMLElement} word */
  #walkFrom(word) {
    for (const other of byId("words").querySelectorAll('.word[tabindex="0"]')) other.setAttribute("tabindex", "-1");
    word.setAttribute("tabindex", "0");
  }

  /** Leaves tokens out, or puts them back when all are out. One word stays. @param {number[]} tokens */
  #toggle(tokens) {
    const removed = new Set(this.#removed);
    const out = tokens.every((token) => removed.has(token));
    for (const token of tokens) {
      if (out) removed.delete(token);
      else removed.add(token);
    }
    const stays = this.#words.some(({ dataset }) => !removed.has(Number(dataset.word)));
    this.#say(stays ? "" : strings.oneStays);
    if (!stays) return;
    this.#removed = removed;
    this.#inserted = [];
    this.#stop();
    this.#drawFace();
    if (!this.#isChanged) this.#moveBack();
    else this.#timer = setTimeout(() => this.#askForChange(), PAUSE_MS);
  }

  async #askForChange() {
    const text = without(this.shown.text, this.#ranges());
    const { signal } = (this.#request = new AbortController());
    byId("answer").setAttribute("aria-busy", "true");
    try {
      const answer = this.#ofThisModel(await this.api.sentiment(text, { explain: "none", signal }));
      this.#say("");
      this.#moveTo({ text, answer, removed: this.#ranges(), inserted: [] });
    } catch (error) {
      this.#fail(error, signal);
    }
  }

  /** Says why there is no verdict, and shows the text's own. @param {unknown} error @param {AbortSignal} signal */
  async #fail(error, signal) {
    const fault = asApiError(error);
    if (fault.code === "aborted") return;
    const { title } = await explained(fault, this.api.url);
    if (signal.aborted) return;
    this.preview(null);
    this.#say(strings.changeFailed(title));
  }

  /** Checks that the same model answered. @param {Answer} answer @throws {ApiError} */
  #ofThisModel(answer) {
    if (answer.model.id !== this.shown.model.id) throw new ApiError({ code: "other_model" });
    return answer;
  }

  #stop() {
    clearTimeout(this.#timer);
    this.#request.abort();
    document.getElementById("answer")?.removeAttribute("aria-busy");
  }

  // The verdict.

  /** @param {Change} change */
  #moveTo(change) {
    const { answer } = change;
    this.#change = change;
    byId("answer").removeAttribute("aria-busy");
    drawVerdict(document, answer, strings.changed(this.#edits()));
    setText(document, "#sentences-note", strings.STATIC.before);
    markBefore(true);
    setText(document, "#was", strings.was(this.shown));
    byId("change").hidden = false;
    setText(document, "#status", strings.announcement(answer));
    this.onChange();
  }

  #moveBack() {
    const moved = this.#change !== null;
    this.#change = null;
    byId("change").hidden = true;
    setText(document, "#sentences-note", strings.STATIC.sentencesNote);
    markBefore(false);
    drawOwnVerdict(document, this.shown);
    if (moved) {
      setText(document, "#status", strings.announcement(this.shown));
      this.onChange();
    }
  }

  /** @param {string} words */
  #say(words) {
    setText(document, "#try-status", words);
  }

  // The text.

  /** @param {Range} range */
  #tokensIn({ start, end }) {
    return [...this.shown.words.keys()].filter((index) => {
      const word = this.shown.words[index];
      return word.start >= start && word.end <= end;
    });
  }

  /** Returns the ranges left out, in the order of the text. */
  #ranges() {
    return this.shown.words.filter((_, index) => this.#removed.has(index));
  }

  /** Returns what is left out, with neighbours as one range. */
  #groups() {
    /** @type {Range[]} */
    const groups = [];
    this.shown.words.forEach(({ start, end }, index) => {
      if (!this.#removed.has(index)) return;
      const goesOn = this.#removed.has(index - 1) && !this.shown.sentences.some((one) => one.start === start);
      if (groups.length > 0 && goesOn) groups[groups.length - 1].end = end;
      else groups.push({ start, end });
    });
    return groups;
  }

  /** Returns what is left out, what is put in, or both for a swap. @returns {strings.Edited[]} */
  #edits() {
    const added = new Map(this.#inserted.map(({ at, text }) => [at, text]));
    const edits = this.#groups().map((range) => {
      const put = added.get(range.end) ?? "";
      added.delete(range.end);
      return { out: quoted(cut(this.points, range)), put };
    });
    return [...edits, ...[...added.values()].map((put) => ({ out: "", put }))];
  }

  /** Draws the words face: each word a toggle that leaves it out. */
  #drawWords() {
    const { words } = this.shown;
    const glow = new Set(glowing(this.shown));
    const marks = marksOf(this.shown);
    const all = words
      .map(({ start, end, effect }, index) => ({ start, end, index, sign: signOf(effect ?? 0) }))
      .filter((word) => IS_WORD.test(cut(this.points, word)));
    const draw = (/** @type {any} */ { index, sign }, /** @type {(string | Node)[]} */ inner) =>
      this.#wordNode(index, sign, glow.has(index), inner);
    const text = (/** @type {Range} */ range) => cut(this.points, range);
    const nodes = textNodes(text, this.points.length, { ...marks, words: all }, draw);
    byId("words").replaceChildren(...nodes);
    setText(document, "#word-tip", "");
    this.#words[0]?.setAttribute("tabindex", "0");
  }

  /** @param {number} index @param {string} sign @param {boolean} glows @param {(string | Node)[]} inner */
  #wordNode(index, sign, glows, inner) {
    const node = element("span", glows ? "word glow" : "word");
    node.append(...inner);
    node.setAttribute("role", "button");
    node.setAttribute("aria-pressed", "false");
    node.tabIndex = -1;
    node.dataset.word = String(index);
    if (glows) node.dataset.sign = sign;
    const now = isCalibrated(this.shown) ? this.shown.probability : null;
    const tip = strings.wordTip(now, withoutWord(this.shown, index));
    if (tip) node.dataset.tip = tip;
    if (tip) node.setAttribute("aria-label", `${node.textContent}, ${tip}`);
    return node;
  }

  /** Shows the box or its words, with what is left out struck through and what is put in. */
  #drawFace() {
    const words = this.#turned || this.#isChanged;
    const hadFocus = document.activeElement === byId("review");
    byId("box").hidden = words;
    byId("words-face").hidden = !words && this.readable;
    byId("words-note").hidden = !this.#turned;
    byId("read-note").hidden = words || this.readable;
    byId("leave-out").setAttribute("aria-pressed", String(this.#turned));
    if (words && hadFocus) byId("leave-out").focus({ preventScroll: true });
    for (const word of this.#words) {
      word.setAttribute("aria-pressed", String(this.#removed.has(Number(word.dataset.word))));
    }
    for (const row of document.querySelectorAll("#sentences .row")) {
      const sentence = this.shown.sentences[Number(row.getAttribute("data-sentence"))];
      const out = this.#tokensIn(sentence).every((token) => this.#removed.has(token));
      row.setAttribute("aria-pressed", String(out));
    }
    this.#drawInserted();
  }

  #drawInserted() {
    for (const old of byId("words").querySelectorAll("ins")) old.remove();
    for (const { at, text } of this.#inserted) {
      const rangeOf = (/** @type {HTMLElement} */ word) => this.shown.words[Number(word.dataset.word)];
      const replaced = this.#words.find((word) => rangeOf(word).end === at);
      const next = this.#words.find((word) => rangeOf(word).start >= at);
      const node = element("ins", "put-in", replaced ? ` ${text}` : ` ${text} `);
      // Right after the word that it replaces, before the full stop.
      if (replaced) replaced.after(node);
      else if (next) next.before(node);
      else byId("words").append(node);
    }
  }
}

/** Says in the folded parts whether they are about the text before a change. @param {boolean} changed */
function markBefore(changed) {
  for (const note of document.querySelectorAll(".before")) note.toggleAttribute("hidden", !changed);
}

/** @param {HTMLElement} word */
function markOf(word) {
  return word.closest("mark");
}

/** Scrolls a box, and never the page, to a part of it. @param {HTMLElement} box @param {string} selector */
function scrollInto(box, selector) {
  const part = box.querySelector(selector);
  if (!part) return;
  const above = part.getBoundingClientRect().top - box.getBoundingClientRect().top;
  box.scrollTop += above - box.clientHeight / 3;
}
