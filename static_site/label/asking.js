// Asks the model about the labelled texts in batches, and shows how far that is.

import { ApiError } from "../api.js";
import { find, inputOf, setOptionalText, setText } from "../shared/dom.js";
import { diagnose } from "../shared/failure.js";
import { explain } from "../shared/failure_strings.js";
import { api, useKey } from "../shared/service.js";
import { Pace, Sending, isWorthAnotherTry, outcomeOf } from "../rows/sending.js";
import { ROWS } from "../rows/strings.js";
import { tallyOf } from "./checking.js";
import { LABEL as words } from "./strings.js";

/**
 * @typedef {import("../rows/sending.js").Job} Job
 * @typedef {import("../rows/sending.js").Outcome} Outcome
 * @typedef {import("../rows/sending.js").State} State
 * @typedef {import("./labelling.js").Labelling} Labelling
 * @typedef {{say: (words: string) => void, onChange: () => void}} Wiring
 *   onChange: the phase or the answers have changed
 */

const COUNTDOWN_MS = 250;

export class Asking {
  /** Outcomes by row. @type {Map<number, Outcome>} */
  outcomes = new Map();
  /** @type {Sending | null} */ #sending = null;
  /** @type {State} */ #state = { phase: "paused", error: null, until: 0 };
  /** @type {ReturnType<typeof setInterval> | undefined} */ #clock;
  #listening = new AbortController();
  #pace = new Pace();

  /** @param {HTMLElement} root @param {Labelling} labelling @param {Wiring} wiring */
  constructor(root, labelling, wiring) {
    this.root = root;
    this.labelling = labelling;
    this.wiring = wiring;
    this.#listen();
  }

  #listen() {
    const { signal } = this.#listening;
    const on = (/** @type {string} */ selector, /** @type {() => void} */ act) =>
      find(this.root, selector).addEventListener("click", act, { signal });
    on("#ask-pause", () => this.#sending?.pause());
    on("#ask-resume", () => this.#resume());
    on("#ask-stop", () => this.#sending?.cancel());
    find(this.root, "#key-form").addEventListener("submit", (event) => this.#takeKey(event), { signal });
    const retry = () => this.#state.error?.code === "offline" && this.#resume();
    window.addEventListener("online", retry, { signal });
  }

  /** Starts to ask about the labelled rows that have no answer. */
  start() {
    for (const [row, outcome] of this.outcomes) if (isWorthAnotherTry(outcome)) this.outcomes.delete(row);
    this.#sending = new Sending(this.#jobs(), {
      ask: (reviews, options) => this.#ask(reviews, options),
      onItem: (job, item) => job.rows.forEach((row) => this.outcomes.set(row, outcomeOf(item))),
      onBatch: () => this.#onBatch(),
      onState: (state) => this.#onState(state),
    });
    this.#resume();
  }

  /** Ends the run, and forgets its answers. */
  end() {
    this.#sending?.cancel();
    this.#listening.abort();
    clearInterval(this.#clock);
    find(this.root, "#ask-trouble").hidden = true;
    delete this.root.dataset.phase;
  }

  /** Tells whether a run is under way, or waits to go on. */
  get isGoing() {
    return this.#sending !== null && !["done", "ended"].includes(this.#state.phase);
  }

  /** Tells whether requests are being sent. */
  get isSending() {
    return this.isGoing && this.#state.phase !== "paused";
  }

  /** The number of labelled rows without an answer. */
  get open() {
    return this.#openRows().length;
  }

  #openRows() {
    const { labelling, outcomes } = this;
    return labelling.rows.filter((row) => {
      const outcome = outcomes.get(row) ?? null;
      return labelling.side(row) && (outcome === null || isWorthAnotherTry(outcome));
    });
  }

  /** Returns the texts to send. Equal ones are sent once. @returns {Job[]} */
  #jobs() {
    /** @type {Map<string, Job>} */
    const jobs = new Map();
    for (const row of this.#openRows()) {
      const review = this.labelling.text(row);
      const same = jobs.get(review);
      if (same) same.rows.push(row);
      else jobs.set(review, { review, rows: [row] });
    }
    return [...jobs.values()];
  }

  /** @param {{review: string}[]} reviews @param {{signal: AbortSignal}} options */
  async #ask(reviews, options) {
    // Known at once, so that nobody waits for tries in vain.
    if (!navigator.onLine) throw new ApiError({ code: "offline" });
    return api.batch(reviews, options);
  }

  #resume() {
    this.#pace.reset();
    this.#pace.note(this.outcomes.size);
    this.#sending?.resume();
  }

  #onBatch() {
    this.#pace.note(this.outcomes.size);
    this.draw();
  }

  /** @param {State} state */
  #onState(state) {
    this.#state = state;
    clearInterval(this.#clock);
    if (state.phase === "waiting") this.#clock = setInterval(() => this.#drawCountdown(), COUNTDOWN_MS);
    this.draw();
    this.wiring.onChange();
    if (state.phase === "done") this.wiring.say(words.asked(this.#tally()));
    if (state.phase === "paused") this.wiring.say(ROWS.paused);
    if (state.phase === "paused" && state.error) this.#lookCloser(state, state.error);
  }

  /** Finds out why the API can't be reached. @param {State} state @param {ApiError} error */
  async #lookCloser(state, error) {
    const found = await diagnose(error, api);
    if (found === error || this.#state !== state) return;
    this.#state = { ...state, error: found };
    this.draw();
  }

  /** @param {Event} event */
  #takeKey(event) {
    event.preventDefault();
    const input = inputOf(this.root, "#key");
    useKey(input.value.trim());
    input.value = "";
    find(this.root, "#ask-title").focus({ preventScroll: true });
    this.#resume();
  }

  #tally() {
    return tallyOf(this.labelling, this.outcomes);
  }

  /** Shows the run as it is. */
  draw() {
    const { root } = this;
    const { phase } = this.#state;
    root.dataset.phase = phase;
    const done = this.outcomes.size;
    const all = done + this.#openRows().filter((row) => !this.outcomes.has(row)).length;
    setText(root, "#ask-count", this.isGoing ? words.asking(done, all) : words.asked(this.#tally()));
    setText(root, "#ask-deck", this.isGoing ? this.#deck(all - done) : "");
    const bar = /** @type {HTMLProgressElement} */ (find(root, "#ask-progress"));
    bar.hidden = !this.isGoing;
    bar.max = Math.max(all, 1);
    bar.value = done;
    this.#drawButtons();
    this.#drawTrouble();
  }

  /** @param {number} left rows */
  #deck(left) {
    const { phase } = this.#state;
    if (phase === "paused") return ROWS.paused;
    if (phase === "pausing") return ROWS.pausing;
    return phase === "waiting" ? ROWS.waiting : ROWS.pace(this.#pace.rate(), left);
  }

  #drawButtons() {
    const { phase } = this.#state;
    const going = phase === "sending" || phase === "waiting";
    this.#button("#ask-pause", this.isGoing && going);
    // With a key asked for, the key's own button goes on.
    const stands = phase === "waiting" || (phase === "paused" && this.#state.error?.status !== 401);
    this.#button("#ask-resume", this.isGoing && stands, ROWS.resume(phase));
    this.#button("#ask-stop", this.isGoing);
  }

  /**
   * Shows or hides a button. A focused button that hides passes the focus on.
   * @param {string} selector
   * @param {boolean} shown
   * @param {string} [text]
   */
  #button(selector, shown, text = "") {
    const node = find(this.root, selector);
    const loses = !shown && node === document.activeElement;
    if (loses) find(this.root, "#ask-title").focus({ preventScroll: true });
    node.hidden = !shown;
    if (text) node.textContent = text;
  }

  #drawTrouble() {
    const { error, phase } = this.#state;
    const block = find(this.root, "#ask-trouble");
    block.hidden = error === null;
    find(this.root, "#key-form").hidden = error?.status !== 401;
    if (error === null) return;
    block.dataset.code = error.code;
    const { title, command = "" } = explain(error, api.url);
    const waits = phase === "waiting";
    setText(block, "#ask-trouble-title", waits ? `${title}.` : `${title}. ${ROWS.pausedItself}`);
    setText(block, "#ask-trouble-advice", waits ? "" : `${words.answersKept} ${ROWS.advice(error, api.url)}`);
    setOptionalText(block, "#ask-trouble-command", "#ask-trouble-command code", waits ? "" : command);
    this.#drawCountdown();
  }

  #drawCountdown() {
    const { phase, until } = this.#state;
    const seconds = Math.max(0, Math.ceil((until - Date.now()) / 1000));
    setText(this.root, "#ask-countdown", phase === "waiting" ? ROWS.countdown(seconds) : "");
  }
}
