// Sends a file's reviews to the API in batches, one request at a time.

import { ApiError, MAX_BATCH_BYTES, MAX_BATCH_REVIEWS } from "../api.js";

/**
 * @typedef {import("../api.js").BatchItem} BatchItem
 * @typedef {import("../api.js").Sentiment} Sentiment
 * @typedef {{sentiment: Sentiment, reason: import("../api.js").Reason | null, probability: number, warnings: string[],
 *   error?: undefined}} Scored
 *   reason: why it is uncertain, or null; probability is P(positive), 0..1; warnings are codes
 * @typedef {{error: string, detail: string, status: number}} Failed
 *   error is a code: the API's own or one of ours; status 0 when the API was not asked
 * @typedef {Scored | Failed} Outcome
 * @typedef {{review: string, rows: number[], words?: boolean}} Job a review, and the rows that hold it
 *   words: its words are measured too
 * @typedef {(reviews: {review: string}[], options: {signal: AbortSignal, words: boolean}) => Promise<BatchItem[]>} Ask
 * @typedef {"sending" | "waiting" | "pausing" | "paused" | "ended" | "done"} Phase
 *   pausing: a request is still under way
 * @typedef {{phase: Phase, error: ApiError | null, until: number}} State
 *   error: the reason for waiting or pausing; until: the end of the wait, in ms since 1970
 */

/** What one request may hold, in reviews and bytes. */
const MOST = { reviews: MAX_BATCH_REVIEWS, bytes: MAX_BATCH_BYTES };

// The message around the reviews, {"reviews":[],"explain":"none"}, with some margin.
const ENVELOPE_BYTES = 100;
// Tries of one batch before the run pauses: about a minute, with the waits below.
const MAX_TRIES = 6;
const MAX_BACKOFF_SECONDS = 20;
// For a longer wait the run pauses.
const MAX_WAIT_SECONDS = 120;
// Single reviews refused in a row before the API is blamed.
const MAX_REFUSED_ALONE = 5;
// After these statuses the batch is halved, to find the review that caused the error.
const ONE_MAY_BE_TO_BLAME = [400, 413, 422, 500];
const PASSING_STATUSES = [429, 502, 503, 504];
const PASSING_CODES = ["unreachable", "timeout", "bad_answer"];

const encoder = new TextEncoder();

/** Sends jobs until none is left; can be paused, resumed and cancelled at any time. */
export class Sending {
  /** @type {Job[]} */ #jobs;
  /** @type {Ask} */ #ask;
  /** @type {(job: Job, item: BatchItem) => void} */ #onItem;
  /** @type {() => void} */ #onBatch;
  /** @type {(state: State) => void} */ #onState;
  /** @type {State} */ #state = { phase: "paused", error: null, until: 0 };
  /** @type {Promise<void> | null} */ #running = null;
  #most;
  #request = new AbortController();
  #wake = () => {};
  #isAsking = false;
  #tries = 0;
  #refusedAlone = 0;

  /**
   * @param {Job[]} jobs
   * @param {{ask: Ask, onItem: (job: Job, item: BatchItem) => void, onBatch: () => void,
   *   onState: (state: State) => void, most?: {reviews: number, bytes: number}}} wiring
   *   ask throws ApiError alone; most: what one request may hold
   */
  constructor(jobs, { ask, onItem, onBatch, onState, most = MOST }) {
    this.#jobs = [...jobs];
    this.#most = most;
    this.#ask = ask;
    this.#onItem = onItem;
    this.#onBatch = onBatch;
    this.#onState = onState;
  }

  /** Starts or continues, and ends a wait. */
  resume() {
    this.#tries = 0;
    this.#refusedAlone = 0;
    this.#turn("sending");
    this.#wake();
    this.#running ??= this.#loop()
      .catch((error) => this.#stumble(error))
      .finally(() => {
        this.#running = null;
      });
  }

  /** Pauses. The answer under way still counts. @param {ApiError | null} [error] */
  pause(error = null) {
    this.#turn(this.#isAsking ? "pausing" : "paused", error);
    this.#wake();
  }

  /** Ends the run and aborts the request under way. */
  cancel() {
    this.#turn("ended");
    this.#request.abort();
    this.#wake();
  }

  async #loop() {
    while (this.#isSending() && this.#jobs.length > 0) await this.#send(takeBatch(this.#jobs, this.#most));
    if (this.#state.phase === "ended") return;
    if (this.#jobs.length === 0) this.#turn("done");
    else if (this.#state.phase === "pausing") this.#turn("paused");
  }

  /** Pauses after an error of our own. @param {unknown} error */
  #stumble(error) {
    console.error(error);
    this.pause(new ApiError({ code: "page_fault" }));
  }

  /** @param {Job[]} jobs */
  async #send(jobs) {
    if (!this.#isSending()) return void this.#jobs.unshift(...jobs);
    try {
      const items = await this.#answersTo(jobs);
      this.#tries = 0;
      this.#refusedAlone = 0;
      items.forEach((item, place) => this.#onItem(jobs[place], item));
      this.#onBatch();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      await this.#mend(jobs, error);
    }
  }

  /** @param {Job[]} jobs */
  async #answersTo(jobs) {
    this.#request = new AbortController();
    this.#isAsking = true;
    try {
      return await this.#ask(
        jobs.map(({ review }) => ({ review })),
        { signal: this.#request.signal, words: jobs[0].words ?? false },
      );
    } finally {
      this.#isAsking = false;
    }
  }

  /** @param {Job[]} jobs @param {ApiError} error */
  async #mend(jobs, error) {
    if (ONE_MAY_BE_TO_BLAME.includes(error.status)) return this.#halve(jobs, error);
    this.#jobs.unshift(...jobs);
    if (!this.#isSending()) return;
    const delay = delayOf(error, (this.#tries += 1));
    if (delay === null) return this.pause(error);
    await this.#wait(delay, error);
  }

  /** @param {Job[]} jobs @param {ApiError} error */
  async #halve(jobs, error) {
    if (jobs.length === 1) return this.#refuse(jobs[0], error);
    const middle = Math.ceil(jobs.length / 2);
    await this.#send(jobs.slice(0, middle));
    await this.#send(jobs.slice(middle));
  }

  /** @param {Job} job @param {ApiError} error */
  #refuse(job, error) {
    this.#onItem(job, { error });
    this.#onBatch();
    this.#refusedAlone += 1;
    if (this.#refusedAlone >= MAX_REFUSED_ALONE && this.#isSending()) this.pause(error);
  }

  /** @param {number} seconds @param {ApiError} error */
  async #wait(seconds, error) {
    this.#turn("waiting", error, Date.now() + seconds * 1000);
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, seconds * 1000);
      this.#wake = () => resolve(clearTimeout(timer));
    });
    if (this.#state.phase === "waiting") this.#turn("sending");
  }

  #isSending() {
    return this.#state.phase === "sending";
  }

  /** @param {Phase} phase @param {ApiError | null} [error] @param {number} [until] */
  #turn(phase, error = null, until = 0) {
    this.#state = { phase, error, until };
    this.#onState(this.#state);
  }
}

/**
 * Returns the wait before the next try, in seconds; null for no more tries.
 * @param {ApiError} error
 * @param {number} tries
 */
export function delayOf(error, tries) {
  const passing = PASSING_STATUSES.includes(error.status) || PASSING_CODES.includes(error.code);
  if (!passing || tries >= MAX_TRIES) return null;
  if (error.retry_after === null) {
    // Random, so that many pages don't return at once.
    return Math.min(2 ** (tries - 1), MAX_BACKOFF_SECONDS) * (0.75 + Math.random() / 2);
  }
  return error.retry_after <= MAX_WAIT_SECONDS ? error.retry_after : null;
}

/** Removes and returns as many first jobs of one kind as fit into one request. @param {Job[]} jobs @param {{reviews: number, bytes: number}} [most] @returns {Job[]} */
export function takeBatch(jobs, most = MOST) {
  let bytes = ENVELOPE_BYTES;
  let count = 0;
  const { words } = jobs[0];
  while (count < Math.min(jobs.length, most.reviews) && jobs[count].words === words) {
    bytes += bytesOf(jobs[count].review);
    if (bytes > most.bytes && count > 0) break;
    count += 1;
  }
  return jobs.splice(0, count);
}

/** Counts a review's bytes in a request: JSON in UTF-8, and a comma. @param {string} review */
function bytesOf(review) {
  return encoder.encode(JSON.stringify({ review })).length + 1;
}

/** Returns an answer's outcome. @param {BatchItem} item @returns {Outcome} */
export function outcomeOf({ answer, error }) {
  if (error) return { error: error.code, detail: error.detail, status: error.status };
  const { sentiment, reason, probability, warnings } = answer;
  return { sentiment, reason, probability, warnings: warnings.map(({ code }) => code) };
}

/** Tells whether another try could help. @param {Outcome | null} outcome */
export function isWorthAnotherTry(outcome) {
  return outcome?.error !== undefined && outcome.status !== 0 && ![413, 422].includes(outcome.status);
}

// The rate covers the last seconds, so it follows the API's speed.
const PACE_MS = 15_000;

/** Measures rows a second. */
export class Pace {
  /** @type {{done: number, at: number}[]} */
  #marks = [];

  /** Restarts after a pause. */
  reset() {
    this.#marks = [];
  }

  /** @param {number} done rows so far @param {number} [at] ms */
  note(done, at = performance.now()) {
    this.#marks = this.#marks.filter((mark) => at - mark.at <= PACE_MS);
    this.#marks.push({ done, at });
  }

  /** Returns rows a second; null while there is too little to measure. */
  rate() {
    const first = this.#marks[0];
    const last = this.#marks[this.#marks.length - 1];
    if (!first || last.at - first.at < 500 || last.done === first.done) return null;
    return ((last.done - first.done) * 1000) / (last.at - first.at);
  }
}
