// Handles an error on screen: diagnoses it, counts down, and retries.

import { ApiError } from "../api.js";
import { find, onClick, setText } from "./dom.js";
import { retryIn, waking } from "./failure_strings.js";
import { STATIC, stillLoading } from "./strings.js";

// Used when the API names no wait.
const RETRY_SECONDS = 5;
// Minimum waits between retries. A longer wait than the last is not counted down.
const PAUSES_SECONDS = [1, 2, 4, 8, 15];
const MAX_COUNTED_SECONDS = 3_600;
// A sleeping endpoint starts within a minute. After that, retries stop.
const MAX_WAIT_SECONDS = 120;
const PROBE_MS = 3_000;

/**
 * Finds the cause of an error without an answer: an offline device, a missing API, or an API
 * that doesn't accept this page's address.
 * @param {ApiError} error
 * @param {import("../api.js").Verdict} api
 */
export async function diagnose(error, api) {
  if (error.code !== "unreachable") return error;
  if (!navigator.onLine) return new ApiError({ code: "offline" });
  return (await answersAtAll(api.url)) ? new ApiError({ code: "refused_origin" }) : error;
}

/** Tells whether the API answers, but not to this page. @param {string} url */
async function answersAtAll(url) {
  const options = { mode: /** @type {const} */ ("no-cors"), signal: AbortSignal.timeout(PROBE_MS) };
  return fetch(`${url}/v1/health`, { ...options, cache: "no-store", credentials: "omit" }).then(
    () => true,
    () => false,
  );
}

/** Start of the wait for a sleeping model, in milliseconds; 0 without one. */
let waitingSince = 0;
/** Number of retries since. */
let tries = 0;

/** An error on screen. */
export class Failure {
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #timer;
  #trying = false;

  /**
   * @param {HTMLElement} view the error's element
   * @param {ApiError} error
   * @param {{again?: boolean, retry: () => void}} how again: try by itself
   */
  constructor(view, error, { again = false, retry }) {
    this.view = view;
    this.retry = retry;
    const named = Math.min(Math.ceil(error.retry_after ?? (again ? RETRY_SECONDS : 0)), MAX_COUNTED_SECONDS);
    const waited = waitingSince ? (Date.now() - waitingSince) / 1000 : 0;
    const pause = Math.max(named, PAUSES_SECONDS[Math.min(tries, PAUSES_SECONDS.length - 1)]);
    if (again && waited + pause <= MAX_WAIT_SECONDS) this.#wake(pause);
    else this.#hold(error.status === 429 ? named : 0);
  }

  /** Stops counting. The error stays on screen. */
  end() {
    clearInterval(this.#timer);
    if (this.#trying) return;
    find(this.view, "#waking").hidden = true;
    find(this.view, "#give-up").hidden = true;
    this.#release();
  }

  /** Counts down, then retries. @param {number} seconds */
  #wake(seconds) {
    waitingSince ||= Date.now();
    find(this.view, "#waking").hidden = false;
    find(this.view, "#give-up").hidden = false;
    onClick(this.view, "#give-up", () => this.#giveUp());
    const progress = /** @type {HTMLProgressElement} */ (find(this.view, "#waking-progress"));
    progress.setAttribute("aria-label", stillLoading);
    progress.max = MAX_WAIT_SECONDS;
    this.#count(seconds, (left) => {
      const waited = Math.round((Date.now() - waitingSince) / 1000);
      progress.value = waited;
      setText(this.view, "#waking-words", waking(left, waited));
      if (left > 0) return;
      this.#trying = true;
      tries += 1;
      this.retry();
    });
  }

  #giveUp() {
    waitIsOver();
    this.end();
    find(this.view, "#retry").focus();
  }

  /** Disables the button until the API takes more. @param {number} seconds */
  #hold(seconds) {
    waitIsOver();
    if (seconds <= 0) return;
    const button = /** @type {HTMLButtonElement} */ (find(this.view, "#retry"));
    button.disabled = true;
    this.#count(seconds, (left) => {
      if (left <= 0) this.#release();
      else button.textContent = retryIn(left);
    });
  }

  #release() {
    const button = /** @type {HTMLButtonElement} */ (find(this.view, "#retry"));
    button.disabled = false;
    button.textContent = STATIC.retry;
  }

  /** @param {number} seconds @param {(left: number) => void} tick now, and each second down to zero */
  #count(seconds, tick) {
    let left = seconds;
    tick(left);
    this.#timer = setInterval(() => {
      left -= 1;
      if (left <= 0) clearInterval(this.#timer);
      tick(left);
    }, 1000);
  }
}

/** Ends the wait, so that the next one starts from zero. */
export function waitIsOver() {
  waitingSince = tries = 0;
}
