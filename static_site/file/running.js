// The third step: sends the rows, shows progress, and saves them on this device on request.

import { copyOf, find, inputOf, onClick, setOptionalText, setText } from "../shared/dom.js";
import { diagnose } from "../shared/failure.js";
import { explain } from "../shared/failure_strings.js";
import { FILE } from "./strings.js";
import { ROWS } from "../rows/strings.js";
import { sharesOf } from "../rows/figures.js";
import { Keeper, canKeep, claim } from "./keeping.js";
import { Results } from "./results.js";
import { Pace, Sending, isWorthAnotherTry, outcomeOf } from "../rows/sending.js";
import { forgetFailures, jobsOf } from "./work.js";

/**
 * @typedef {import("../api.js").ApiError} ApiError
 * @typedef {import("../rows/sending.js").State} State
 * @typedef {import("../rows/sending.js").Job} Job
 * @typedef {import("./keeping.js").Release} Release
 * @typedef {import("./work.js").Work} Work
 * @typedef {{api: import("../api.js").Verdict, say: (words: string) => void, onOther: () => void}} Wiring
 */

const COUNTDOWN_MS = 250;
// Shares of progress that are announced to screen readers.
const SAID_SHARES = [0.25, 0.5, 0.75];

export class Run {
  /** @type {Work} */ #work;
  /** @type {Wiring} */ #wiring;
  /** @type {State} */ #state = { phase: "paused", error: null, until: 0 };
  /** @type {Keeper | null} */ #keeper = null;
  /** @type {ReturnType<typeof setInterval> | undefined} */ #clock;
  #pace = new Pace();
  #said = 0;

  /**
   * @param {Work} work
   * @param {Wiring} wiring
   * @param {Release | null} release not null for a saved file
   */
  constructor(work, wiring, release) {
    this.#work = work;
    this.#wiring = wiring;
    this.view = copyOf("run-template");
    this.root = /** @type {HTMLElement} */ (document.getElementById("page"));
    this.sending = this.#newSending();
    this.results = new Results(this.view, work);
    if (release) this.#keeper = this.#newKeeper(release);
    this.#fill(release !== null);
  }

  /** Starts the run. The view must be in the page. @param {{keep: boolean}} wish */
  start({ keep }) {
    this.results.start();
    window.addEventListener("beforeunload", this.#onLeave);
    if (keep) this.#setKept(true);
    this.#resume();
  }

  /** Ends the run for good. A saved file stays saved. */
  async leave() {
    this.sending.cancel();
    this.results.end();
    clearInterval(this.#clock);
    window.removeEventListener("beforeunload", this.#onLeave);
    await this.#keeper?.close();
  }

  #newSending() {
    const { api } = this.#wiring;
    return new Sending(jobsOf(this.#work), {
      ask: (reviews, options) => api.batch(reviews, options),
      onItem: (job, item) => this.#onItem(job, item),
      onBatch: () => this.#onBatch(),
      onState: (state) => this.#onState(state),
    });
  }

  /** @param {boolean} kept */
  #fill(kept) {
    const { view } = this;
    setText(view, "#run-kicker", this.#work.sheet.name || FILE.pasted);
    onClick(view, "#pause", () => this.sending.pause());
    onClick(view, "#resume", () => this.#resume());
    onClick(view, "#cancel", () => this.sending.cancel());
    onClick(view, "#retry-failed", () => this.#retry());
    onClick(view, "#another", this.#wiring.onOther);
    onClick(view, "#forget", () => this.#setKept(false));
    const box = inputOf(view, "#keep");
    box.checked = kept;
    box.disabled = !canKeep();
    box.addEventListener("change", () => this.#setKept(box.checked));
    find(view, "#forget").hidden = !kept;
  }

  #resume() {
    this.#pace.reset();
    this.#pace.note(this.#done());
    this.sending.resume();
  }

  #retry() {
    forgetFailures(this.#work);
    this.#work.outcomes.forEach((outcome, row) => {
      if (outcome === null) this.#keeper?.note(row);
    });
    this.sending = this.#newSending();
    this.#resume();
  }

  /** @param {Job} job @param {import("../api.js").BatchItem} item */
  #onItem({ rows }, item) {
    const outcome = outcomeOf(item);
    for (const row of rows) {
      this.#work.outcomes[row] = outcome;
      this.#keeper?.note(row);
    }
    if (item.answer) this.#noteModel(item.answer.model);
  }

  /** @param {import("../api.js").Answer["model"]} model */
  #noteModel({ id, uncertain }) {
    if (uncertain) this.#work.band = uncertain;
    if (!this.#work.models.includes(id)) this.#work.models.push(id);
  }

  #onBatch() {
    this.#pace.note(this.#done());
    this.#keeper?.write();
    this.results.changed();
    this.#draw();
    this.#sayProgress();
  }

  /** @param {State} state */
  #onState(state) {
    this.#state = state;
    clearInterval(this.#clock);
    if (state.phase === "waiting") this.#clock = setInterval(() => this.#drawCountdown(), COUNTDOWN_MS);
    this.results.changed({ now: state.phase !== "sending" });
    this.#keeper?.write();
    this.#draw();
    this.#sayState();
    if (state.phase === "paused" && state.error) this.#lookCloser(state, state.error);
  }

  /**
   * Finds out why the API can't be reached: offline, down, or not open to this page.
   * @param {State} state
   * @param {ApiError} error
   */
  async #lookCloser(state, error) {
    const found = await diagnose(error, this.#wiring.api);
    if (found === error || this.#state !== state) return;
    this.#state = { ...state, error: found };
    this.#draw();
  }

  #done() {
    const { outcomes } = this.#work;
    return outcomes.length - sharesOf(outcomes).waiting;
  }

  // Display.

  #draw() {
    const { root } = this;
    const shares = sharesOf(this.#work.outcomes);
    const { phase } = this.#state;
    const all = this.#work.outcomes.length;
    const over = phase === "done" || phase === "ended";
    root.dataset.phase = phase;
    setText(root, "#run-title", over ? FILE.result(shares) : FILE.progress(all - shares.waiting, all));
    setText(root, "#run-deck", this.#deck(shares));
    this.#drawProgress(all - shares.waiting, all);
    this.#drawButtons(shares);
    this.#drawTrouble();
  }

  /** @param {import("../rows/figures.js").Shares} shares */
  #deck(shares) {
    const { phase } = this.#state;
    if (phase === "done") return FILE.resultDeck(shares);
    if (phase === "ended") return `${FILE.cancelled} ${FILE.resultDeck(shares)}`;
    if (phase === "paused") return ROWS.paused;
    if (phase === "pausing") return ROWS.pausing;
    if (phase === "waiting") return ROWS.waiting;
    return ROWS.pace(this.#pace.rate(), shares.waiting);
  }

  /** @param {number} done @param {number} all */
  #drawProgress(done, all) {
    const bar = /** @type {HTMLProgressElement} */ (find(this.root, "#run-progress"));
    bar.max = all;
    bar.value = done;
    bar.setAttribute("aria-label", FILE.progressLabel);
    bar.hidden = this.#state.phase === "done";
  }

  /** @param {import("../rows/figures.js").Shares} shares */
  #drawButtons({ waiting }) {
    const { phase } = this.#state;
    const going = phase === "sending" || phase === "waiting";
    const failed = this.#work.outcomes.filter(isWorthAnotherTry).length;
    this.#button("#pause", going);
    this.#button("#resume", phase !== "sending" && waiting > 0, ROWS.resume(phase));
    this.#button("#cancel", going || phase === "pausing" || phase === "paused");
    this.#button("#retry-failed", phase === "done" && failed > 0, FILE.retryFailed(failed));
    this.#button("#another", !going && phase !== "pausing");
  }

  /**
   * Shows or hides a button. A focused button that is hidden passes the focus to the title.
   * @param {string} selector
   * @param {boolean} shown
   * @param {string} [words]
   */
  #button(selector, shown, words) {
    const node = find(this.root, selector);
    if (!shown && node === document.activeElement)
      find(this.root, "#run-title").focus({ preventScroll: true });
    node.hidden = !shown;
    if (words) node.textContent = words;
  }

  #drawTrouble() {
    const { error, phase } = this.#state;
    const block = find(this.root, "#trouble");
    block.hidden = error === null;
    if (error === null) return;
    block.dataset.code = error.code;
    const { url } = this.#wiring.api;
    const { title, command = "" } = explain(error, url);
    const advice = ROWS.advice(error, url);
    const waits = phase === "waiting";
    setText(block, "#trouble-title", waits ? `${title}.` : `${title}. ${ROWS.pausedItself}`);
    setText(block, "#trouble-advice", waits ? "" : `${ROWS.nothingLost} ${advice}`);
    setOptionalText(block, "#trouble-command", "#trouble-command code", waits ? "" : command);
    this.#drawCountdown();
  }

  #drawCountdown() {
    const { phase, until } = this.#state;
    const seconds = Math.max(0, Math.ceil((until - Date.now()) / 1000));
    setText(this.root, "#countdown", phase === "waiting" ? ROWS.countdown(seconds) : "");
  }

  #sayState() {
    const shares = sharesOf(this.#work.outcomes);
    const { phase } = this.#state;
    if (phase === "done" || phase === "ended")
      this.#wiring.say(`${FILE.result(shares)}. ${FILE.resultDeck(shares)}`);
    if (phase === "paused") this.#wiring.say(ROWS.paused);
  }

  #sayProgress() {
    const all = this.#work.outcomes.length;
    const share = this.#done() / all;
    if (!(share >= SAID_SHARES[this.#said])) return;
    while (share >= SAID_SHARES[this.#said]) this.#said += 1;
    this.#wiring.say(FILE.progress(this.#done(), all));
  }

  // Saving.

  /** @param {Release} release */
  #newKeeper(release) {
    return new Keeper(this.#work, release, (error) => this.#onKeepFailure(error));
  }

  /** @param {boolean} keep */
  async #setKept(keep) {
    this.#sayKeepTrouble("");
    this.#showKept(keep);
    if (keep) return this.#keep();
    const keeper = this.#keeper;
    this.#keeper = null;
    await keeper?.stop();
    this.#wiring.say(FILE.forgotten);
  }

  async #keep() {
    const release = await claim();
    if (release) {
      this.#keeper = this.#newKeeper(release);
      return this.#keeper.start();
    }
    this.#showKept(false);
    this.#sayKeepTrouble(FILE.keptElsewhere);
  }

  /** @param {boolean} kept */
  #showKept(kept) {
    inputOf(this.root, "#keep").checked = kept;
    const button = find(this.root, "#forget");
    if (!kept && button === document.activeElement) inputOf(this.root, "#keep").focus();
    button.hidden = !kept;
  }

  /** @param {string} words */
  #sayKeepTrouble(words) {
    setOptionalText(this.root, "#keep-trouble", "#keep-trouble", words);
  }

  /** @param {unknown} [error] */
  #onKeepFailure(error) {
    this.#keeper = null;
    this.#showKept(false);
    const full = error instanceof DOMException && error.name === "QuotaExceededError";
    this.#sayKeepTrouble(full ? FILE.keepFull : FILE.keepFailed);
  }

  /** Asks before a reload that would lose results. @type {(event: BeforeUnloadEvent) => void} */
  #onLeave = (event) => {
    if (this.#keeper === null && this.#state.phase !== "done") event.preventDefault();
  };
}
