// The third step: shows the run's progress, steers it, and saves the file on this device on request.

import { ApiError } from "../api.js";
import { copyOf, find, inputOf, onClick, setOptionalText, setText } from "../shared/dom.js";
import { diagnose } from "../shared/failure.js";
import { explain } from "../shared/failure_strings.js";
import { FILE } from "./strings.js";
import { ROWS } from "../rows/strings.js";
import { canKeep } from "./keeping.js";
import { Results } from "./results.js";

/**
 * @typedef {import("./client.js").Client} Client
 * @typedef {import("./desk.js").Begun} Begun
 * @typedef {import("./desk.js").Progress} Progress
 * @typedef {import("../rows/figures.js").Shares} Shares
 * @typedef {{api: import("../api.js").Verdict, say: (words: string) => void, onOther: () => void}} Wiring
 */

const COUNTDOWN_MS = 250;
// Shares of progress that are announced to screen readers.
const SAID_SHARES = [0.25, 0.5, 0.75];

export class Run {
  /** @type {Client} */ #client;
  /** @type {Wiring} */ #wiring;
  /** @type {Progress | null} */ #progress = null;
  /** @type {ApiError | null} */ #error = null;
  /** @type {ReturnType<typeof setInterval> | undefined} */ #clock;
  #kept;
  #said = 0;

  /** @param {Begun} begun @param {Client} client @param {Wiring} wiring */
  constructor(begun, client, wiring) {
    this.#client = client;
    this.#wiring = wiring;
    this.#kept = begun.kept;
    this.count = begun.count;
    this.view = copyOf("run-template");
    this.root = /** @type {HTMLElement} */ (document.getElementById("page"));
    this.results = new Results(this.view, begun, client.desk);
    this.#fill(begun);
  }

  /** Starts the run. The view must be in the page. @param {{keep: boolean}} wish */
  start({ keep }) {
    this.#client.ears = {
      onProgress: (progress) => this.#onProgress(progress),
      onUnkept: ({ full }) => this.#onKeepFailure(full),
    };
    this.results.start();
    window.addEventListener("beforeunload", this.#onLeave);
    if (keep) this.#setKept(true);
    this.#client.desk.resume();
  }

  /** Ends the run for good. A saved file stays saved. */
  async leave() {
    this.#client.ears = null;
    this.results.end();
    clearInterval(this.#clock);
    window.removeEventListener("beforeunload", this.#onLeave);
    await this.#client.desk.leave();
    this.#client.end();
  }

  /** @param {Begun} begun */
  #fill({ name, kept }) {
    const { view } = this;
    const { desk } = this.#client;
    setText(view, "#run-kicker", name || FILE.pasted);
    setText(view, "#run-title", FILE.progress(0, this.count));
    onClick(view, "#pause", () => desk.pause());
    onClick(view, "#resume", () => desk.resume());
    onClick(view, "#cancel", () => desk.cancel());
    onClick(view, "#retry-failed", () => desk.retry());
    onClick(view, "#another", this.#wiring.onOther);
    onClick(view, "#forget", () => this.#setKept(false));
    const box = inputOf(view, "#keep");
    box.checked = kept;
    box.disabled = !canKeep();
    box.addEventListener("change", () => this.#setKept(box.checked));
    find(view, "#forget").hidden = !kept;
  }

  /** @param {Progress} progress */
  #onProgress(progress) {
    const turned = !progress.batch;
    this.#progress = progress;
    this.#error = progress.error && new ApiError(progress.error);
    clearInterval(this.#clock);
    if (progress.phase === "waiting") this.#clock = setInterval(() => this.#drawCountdown(), COUNTDOWN_MS);
    this.results.changed(progress, { now: turned && progress.phase !== "sending" });
    this.#draw(progress);
    if (turned) this.#sayState(progress);
    else this.#sayProgress(progress);
    if (turned && progress.phase === "paused" && this.#error) this.#lookCloser(progress, this.#error);
  }

  /**
   * Finds out why the API can't be reached: offline, down, or not open to this page.
   * @param {Progress} progress
   * @param {ApiError} error
   */
  async #lookCloser(progress, error) {
    const found = await diagnose(error, this.#wiring.api);
    if (found === error || this.#progress !== progress) return;
    this.#error = found;
    this.#draw(progress);
  }

  // Display.

  /** @param {Progress} progress */
  #draw(progress) {
    const { root, count: all } = this;
    const { phase, shares } = progress;
    const over = phase === "done" || phase === "ended";
    root.dataset.phase = phase;
    setText(root, "#run-title", over ? FILE.result(shares) : FILE.progress(all - shares.waiting, all));
    setText(root, "#run-deck", deckOf(progress));
    this.#drawProgress(all - shares.waiting, all, phase === "done");
    this.#drawButtons(progress);
    this.#drawTrouble(progress);
  }

  /** @param {number} done @param {number} all @param {boolean} hidden */
  #drawProgress(done, all, hidden) {
    const bar = /** @type {HTMLProgressElement} */ (find(this.root, "#run-progress"));
    bar.max = all;
    bar.value = done;
    bar.setAttribute("aria-label", FILE.progressLabel);
    bar.hidden = hidden;
  }

  /** @param {Progress} progress */
  #drawButtons({ phase, shares: { waiting }, again }) {
    const going = phase === "sending" || phase === "waiting";
    this.#button("#pause", going);
    this.#button("#resume", phase !== "sending" && waiting > 0, ROWS.resume(phase));
    this.#button("#cancel", going || phase === "pausing" || phase === "paused");
    this.#button("#retry-failed", phase === "done" && again > 0, FILE.retryFailed(again));
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

  /** @param {Progress} progress */
  #drawTrouble({ phase }) {
    const error = this.#error;
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
    const { phase, until } = /** @type {Progress} */ (this.#progress);
    const seconds = Math.max(0, Math.ceil((until - Date.now()) / 1000));
    setText(this.root, "#countdown", phase === "waiting" ? ROWS.countdown(seconds) : "");
  }

  /** @param {Progress} progress */
  #sayState({ phase, shares }) {
    if (phase === "done" || phase === "ended")
      this.#wiring.say(`${FILE.result(shares)}. ${FILE.resultDeck(shares)}`);
    if (phase === "paused") this.#wiring.say(ROWS.paused);
  }

  /** @param {Progress} progress */
  #sayProgress({ shares }) {
    const done = this.count - shares.waiting;
    const share = done / this.count;
    if (!(share >= SAID_SHARES[this.#said])) return;
    while (share >= SAID_SHARES[this.#said]) this.#said += 1;
    this.#wiring.say(FILE.progress(done, this.count));
  }

  // Saving.

  /** @param {boolean} keep */
  async #setKept(keep) {
    const { desk } = this.#client;
    this.#sayKeepTrouble("");
    this.#showKept(keep);
    if (!keep) {
      await desk.unkeep();
      return this.#wiring.say(FILE.forgotten);
    }
    if (await desk.keep()) return;
    this.#showKept(false);
    this.#sayKeepTrouble(FILE.keptElsewhere);
  }

  /** @param {boolean} kept */
  #showKept(kept) {
    this.#kept = kept;
    inputOf(this.root, "#keep").checked = kept;
    const button = find(this.root, "#forget");
    if (!kept && button === document.activeElement) inputOf(this.root, "#keep").focus();
    button.hidden = !kept;
  }

  /** @param {string} words */
  #sayKeepTrouble(words) {
    setOptionalText(this.root, "#keep-trouble", "#keep-trouble", words);
  }

  /** @param {boolean} full */
  #onKeepFailure(full) {
    this.#showKept(false);
    this.#sayKeepTrouble(full ? FILE.keepFull : FILE.keepFailed);
  }

  /** Asks before a reload that would lose results. @type {(event: BeforeUnloadEvent) => void} */
  #onLeave = (event) => {
    if (!this.#kept && this.#progress?.phase !== "done") event.preventDefault();
  };
}

/** @param {Progress} progress */
function deckOf({ phase, shares, rate }) {
  if (phase === "done") return FILE.resultDeck(shares);
  if (phase === "ended") return `${FILE.cancelled} ${FILE.resultDeck(shares)}`;
  if (phase === "paused") return ROWS.paused;
  if (phase === "pausing") return ROWS.pausing;
  if (phase === "waiting") return ROWS.waiting;
  return ROWS.pace(rate, shares.waiting);
}
