// Runs a whole file through both models: its columns, the requests, and the results.

import { fillSelect, find, selectOf, setOptionalText, setText } from "../shared/dom.js";
import { diagnose } from "../shared/failure.js";
import { guessColumns } from "../rows/columns.js";
import { SCALES, guessScaleOf } from "../rows/labels.js";
import { read } from "../rows/reader.js";
import { Refusal } from "../rows/reading.js";
import { Pace, Sending, outcomeOf } from "../rows/sending.js";
import { ROWS } from "../rows/strings.js";
import { explain } from "../shared/failure_strings.js";
import { Results } from "./results.js";
import { rowsOf } from "./rows.js";
import { BOTH } from "./strings.js";

/**
 * @typedef {import("../api.js").Verdict} Verdict
 * @typedef {import("../api.js").BatchItem} BatchItem
 * @typedef {import("../rows/reading.js").Sheet} Sheet
 * @typedef {import("../rows/sending.js").State} State
 * @typedef {import("./rows.js").Choice} Choice
 * @typedef {import("./rows.js").Row} Row
 * @typedef {import("./rows.js").Pair} Pair
 * @typedef {{say: (words: string) => void, onWhy: (text: string) => void}} Wiring
 * @typedef {"choose" | "columns" | "run"} Step
 */

const COUNTDOWN_MS = 250;

/** One file's run through both models. */
export class WholeFile {
  /** @type {Sheet | null} */ #sheet = null;
  /** @type {Row[]} */ #rows = [];
  /** @type {(Pair | null)[]} */ #pairs = [];
  /** The ids of the models that answered, by side. @type {[Set<string>, Set<string>]} */
  #models = [new Set(), new Set()];
  /** @type {Sending | null} */ #sending = null;
  /** @type {Results | null} */ #results = null;
  /** @type {State} */ #state = { phase: "paused", error: null, until: 0 };
  /** The side that failed last. */
  #blamed = 0;
  /** @type {ReturnType<typeof setInterval> | undefined} */ #clock;
  #pace = new Pace();
  #reading = new AbortController();
  #listening = new AbortController();
  /** @type {string} */ #digest = "";
  #name = "";
  /** Number of rows with the chosen columns. */
  #rowCount = 0;

  /** @param {HTMLElement} root @param {[Verdict, Verdict]} apis @param {Wiring} wiring */
  constructor(root, apis, wiring) {
    this.root = root;
    this.apis = apis;
    this.wiring = wiring;
    this.#listen();
  }

  #listen() {
    const on = (/** @type {string} */ selector, /** @type {string} */ event, /** @type {(event: Event) => void} */ act) =>
      find(this.root, selector).addEventListener(event, act, { signal: this.#listening.signal });
    for (const selector of ["#review-column", "#label-column", "#scale"])
      on(selector, "change", () => this.#count(selector !== "#scale"));
    on("#columns", "submit", (event) => {
      event.preventDefault();
      this.#start();
    });
    on("#pause", "click", () => this.#sending?.pause());
    on("#resume", "click", () => this.#resume());
    on("#cancel", "click", () => this.#sending?.cancel());
    window.addEventListener("beforeunload", this.#onLeave);
  }

  /** @param {File} file */
  async open(file) {
    this.#name = file.name;
    this.#show("choose");
    try {
      this.#sheet = await read({ name: file.name, file }, {}, this.#reading.signal);
      this.#digest = await digestOf(file);
      this.#fillColumns(this.#sheet);
    } catch (error) {
      this.#refuse(error);
    }
  }

  /** Ends the run. */
  end() {
    this.#reading.abort();
    this.#listening.abort();
    this.#sending?.cancel();
    this.#results?.end();
    clearInterval(this.#clock);
    window.removeEventListener("beforeunload", this.#onLeave);
  }

  /** @param {unknown} error */
  #refuse(error) {
    const refusal = error instanceof Refusal ? error : new Refusal("unreadable");
    if (refusal !== error) console.error(error);
    if (refusal.code === "stopped") return;
    const { title, advice } = ROWS.refusal(refusal.code, refusal.numbers);
    setOptionalText(this.root, "#file-refusal", "#file-refusal", `${title}. ${advice}`);
  }

  // Columns.

  /** @param {Sheet} sheet */
  #fillColumns(sheet) {
    const { review, label } = guessColumns(sheet);
    const names = sheet.columns.map((name, place) => /** @type {[string, string]} */ ([String(place), name.slice(0, 60)]));
    setText(this.root, "#file-kicker", [this.#name, ROWS.sheet(sheet.rows.length, sheet.columns.length)].join(", "));
    fillSelect(selectOf(this.root, "#review-column"), names, String(review));
    fillSelect(selectOf(this.root, "#label-column"), [["-1", BOTH.noColumn], ...names], String(label));
    const scales = SCALES.map((scale) => /** @type {[string, string]} */ ([scale, ROWS.SCALES[scale][0]]));
    fillSelect(selectOf(this.root, "#scale"), scales, "words");
    this.#show("columns");
    this.#count(true);
    this.wiring.say(ROWS.sheet(sheet.rows.length, sheet.columns.length));
  }

  /** @returns {Choice} */
  #choice() {
    const place = (/** @type {string} */ id) => Number(selectOf(this.root, id).value);
    const scale = /** @type {Choice["scale"]} */ (selectOf(this.root, "#scale").value);
    return { review: place("#review-column"), label: place("#label-column"), scale };
  }

  /** Shows the counts of the chosen columns. @param {boolean} guess the labels' scale anew */
  #count(guess) {
    const sheet = /** @type {Sheet} */ (this.#sheet);
    const { review, label } = this.#choice();
    if (guess && label >= 0) selectOf(this.root, "#scale").value = guessScaleOf(sheet, { review, label });
    const choice = this.#choice();
    const { rows, counts } = rowsOf(sheet, choice);
    find(this.root, "#scale-field").hidden = label < 0;
    setOptionalText(this.root, "#scale-note", "#scale-note", label < 0 ? "" : `${ROWS.SCALES[choice.scale][1]}.`);
    setText(this.root, "#row-count", rows.length ? BOTH.judged(rows.length, BOTH.leftOut(counts)) : BOTH.nothingToRead);
    setText(this.root, "#start", BOTH.send(rows.length));
    this.#rowCount = rows.length;
    this.#drawStart();
  }

  /** Prevents a second start. */
  #drawStart() {
    const over = this.#sending === null || ["done", "ended"].includes(this.#state.phase);
    /** @type {HTMLButtonElement} */ (find(this.root, "#start")).disabled = this.#rowCount === 0 || !over;
  }

  // The run.

  #start() {
    const choice = this.#choice();
    const { rows, counts } = rowsOf(/** @type {Sheet} */ (this.#sheet), choice);
    this.#rows = rows;
    this.#pairs = rows.map(() => null);
    this.#models = [new Set(), new Set()];
    const { say, onWhy } = this.wiring;
    const work = { rows, counts, pairs: this.#pairs, models: this.#models, labelled: choice.label >= 0, name: this.#name };
    this.#results?.end();
    this.#results = new Results(this.root, work, { say, onWhy });
    this.#sending = this.#newSending();
    this.#show("run");
    find(this.root, "#run-title").focus({ preventScroll: true });
    this.#noteLearned();
    this.#resume();
  }

  #newSending() {
    const jobs = this.#rows.map(({ review }, place) => ({ review, rows: [place] }));
    return new Sending(jobs, {
      ask: (reviews, options) => this.#askBoth(reviews, options),
      onItem: (job, item) => this.#onItem(job.rows[0], item),
      onBatch: () => this.#onBatch(),
      onState: (state) => this.#onState(state),
    });
  }

  #resume() {
    this.#pace.reset();
    this.#pace.note(this.#done());
    this.#sending?.resume();
  }

  /**
   * Returns both answers to each review, or throws the first error: a row has both verdicts or none.
   * @param {{review: string}[]} reviews
   * @param {{signal: AbortSignal}} options
   * @returns {Promise<any[]>}
   */
  async #askBoth(reviews, options) {
    const asked = await Promise.allSettled(this.apis.map((api) => api.batch(reviews, options)));
    const failed = asked.findIndex(({ status }) => status === "rejected");
    if (failed >= 0) {
      this.#blamed = failed;
      throw /** @type {PromiseRejectedResult} */ (asked[failed]).reason;
    }
    const [first, second] = asked.map((one) => /** @type {PromiseFulfilledResult<BatchItem[]>} */ (one).value);
    return first.map((item, place) => ({ both: [item, second[place]] }));
  }

  /** @param {number} place @param {any} item from #askBoth, or the error of a refused review */
  #onItem(place, item) {
    const both = /** @type {BatchItem[]} */ (item.both ?? [item, item]);
    both.forEach(({ answer }, side) => answer && this.#models[side].add(answer.model.id));
    this.#pairs[place] = [outcomeOf(both[0]), outcomeOf(both[1])];
  }

  #onBatch() {
    this.#pace.note(this.#done());
    if (this.#sameModel()) this.#sending?.cancel();
    this.#results?.changed();
    this.#draw();
  }

  /** Returns the id that both sides share; "" without one. */
  #sameModel() {
    const [first, second] = this.#models;
    return [...first].find((id) => second.has(id)) ?? "";
  }

  /** @param {State} state */
  #onState(state) {
    this.#state = state;
    clearInterval(this.#clock);
    if (state.phase === "waiting") this.#clock = setInterval(() => this.#drawCountdown(), COUNTDOWN_MS);
    this.#results?.changed({ now: state.phase !== "sending" });
    this.#draw();
    if (state.phase === "done" || state.phase === "ended") this.#results?.tell();
    if (state.error) this.#lookCloser(state, state.error);
  }

  /** Finds out why the API can't be reached: offline, down, or not open to this page. @param {State} state @param {import("../api.js").ApiError} error */
  async #lookCloser(state, error) {
    const found = await diagnose(error, this.apis[this.#blamed]);
    if (found === error || this.#state !== state) return;
    this.#state = { ...state, error: found };
    this.#draw();
  }

  /** Warns when a model was trained on this file. */
  async #noteLearned() {
    const cards = await Promise.allSettled(this.apis.map((api) => api.model()));
    const learned = cards.flatMap((card, side) => {
      const digest = card.status === "fulfilled" ? card.value.adaptation?.data?.sha256 : undefined;
      return this.#digest && digest === this.#digest ? [BOTH.learned(side)] : [];
    });
    setOptionalText(this.root, "#learned", "#learned", learned.join(" "));
  }

  #done() {
    return this.#pairs.filter(Boolean).length;
  }

  // Display.

  /** @param {Step} step */
  #show(step) {
    this.root.dataset.step = step;
    setOptionalText(this.root, "#file-refusal", "#file-refusal", "");
    find(this.root, "#columns").hidden = step === "choose";
    find(this.root, "#run").hidden = step !== "run";
    find(this.root, "#rows").hidden = step !== "run";
  }

  #draw() {
    const { phase } = this.#state;
    const [done, all] = [this.#done(), this.#rows.length];
    this.root.dataset.phase = phase;
    const over = phase === "done" || phase === "ended";
    if (!over) setText(this.root, "#run-title", BOTH.progress(done, all));
    if (!over) setText(this.root, "#run-deck", this.#deck(all - done));
    const bar = /** @type {HTMLProgressElement} */ (find(this.root, "#run-progress"));
    Object.assign(bar, { max: all, value: done, hidden: phase === "done" });
    bar.setAttribute("aria-label", BOTH.progressLabel);
    this.#drawButtons(all - done);
    this.#drawTrouble();
  }

  /** @param {number} left */
  #deck(left) {
    const { phase } = this.#state;
    if (phase === "paused") return ROWS.paused;
    if (phase === "pausing") return ROWS.pausing;
    if (phase === "waiting") return ROWS.waiting;
    return ROWS.pace(this.#pace.rate(), left);
  }

  /** @param {number} left */
  #drawButtons(left) {
    const { phase } = this.#state;
    const going = phase === "sending" || phase === "waiting";
    this.#button("#pause", going);
    this.#button("#resume", phase !== "sending" && left > 0 && !this.#sameModel());
    this.#button("#cancel", going || phase === "pausing" || phase === "paused");
    setText(this.root, "#resume", ROWS.resume(phase));
    this.#drawStart();
  }

  /** Shows or hides a button. A focused button that is hidden passes the focus to the title. @param {string} selector @param {boolean} shown */
  #button(selector, shown) {
    const node = find(this.root, selector);
    if (!shown && node === document.activeElement) find(this.root, "#run-title").focus({ preventScroll: true });
    node.hidden = !shown;
  }

  #drawTrouble() {
    const { error, phase } = this.#state;
    const same = this.#sameModel();
    find(this.root, "#trouble").hidden = error === null && same === "";
    if (same) {
      setText(this.root, "#trouble-title", BOTH.sameModelStopped);
      setText(this.root, "#trouble-advice", BOTH.sameModel(same));
    } else if (error) {
      const { url } = this.apis[this.#blamed];
      const waits = phase === "waiting";
      const advice = error.status === 401 ? BOTH.giveKey : ROWS.advice(error, url);
      setText(this.root, "#trouble-title", `${BOTH.trouble(this.#blamed, explain(error, url).title)}.`);
      setText(this.root, "#trouble-advice", waits ? "" : `${ROWS.pausedItself} ${ROWS.nothingLost} ${advice}`);
    }
    this.#drawCountdown();
  }

  #drawCountdown() {
    const { phase, until } = this.#state;
    const seconds = Math.max(0, Math.ceil((until - Date.now()) / 1000));
    setText(this.root, "#countdown", phase === "waiting" ? ROWS.countdown(seconds) : "");
  }

  /** Asks before a reload that would lose results. @type {(event: BeforeUnloadEvent) => void} */
  #onLeave = (event) => {
    const { phase } = this.#state;
    if (this.#sending && phase !== "done" && phase !== "ended") event.preventDefault();
  };
}

/** Returns the file's SHA-256; "" on a page without TLS. @param {File} file */
async function digestOf(file) {
  if (!globalThis.crypto?.subtle) return "";
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
