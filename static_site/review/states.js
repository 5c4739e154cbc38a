// Shows one state of the review page in place of another: empty, loading, answer or error.

import { byId, copyOf } from "../shared/dom.js";

/** @typedef {"empty" | "loading" | "answer" | "error"} State */
/** @typedef {{end: () => void}} Ending ends its timers and requests; may be called again */

const page = byId("page");
const status = byId("status");
export const result = byId("result");

/** What on screen may have something under way. @type {Ending | null} */
let current = null;
/** @type {ReturnType<typeof setTimeout>[]} */
let timers = [];

/**
 * Replaces all that stood in the result by a filled copy of the state's template, so that
 * nothing of an earlier verdict stays.
 * @param {State} state
 * @param {(view: DocumentFragment) => void} fill
 * @param {boolean} [quietly] don't scroll while somebody types
 */
export function show(state, fill, quietly = false) {
  stopTimers();
  endCurrent();
  current = null;
  status.textContent = "";
  keepFocus();
  // Keeps the height while waiting, so that the page doesn't jump twice.
  result.style.minHeight = state === "loading" ? `${result.offsetHeight}px` : "";
  const view = copyOf(`${state}-template`);
  fill(view);
  result.replaceChildren(view);
  page.dataset.state = state;
  if (state !== "empty" && !quietly) bringIntoView();
}

/** Sets what ends when the state changes. @param {Ending} ending */
export function endsWithState(ending) {
  current = ending;
}

export function endCurrent() {
  current?.end();
}

/** Acts after a time, unless the state changes before. @param {number} ms @param {() => void} act */
export function after(ms, act) {
  timers.push(setTimeout(act, ms));
}

export function stopTimers() {
  timers.forEach(clearTimeout);
  timers = [];
}

/** @param {State} state */
export function isShown(state) {
  return page.dataset.state === state;
}

/** Moves the focus off a button that is about to disappear. */
function keepFocus() {
  if (result.contains(document.activeElement)) byId("send").focus({ preventScroll: true });
}

function bringIntoView() {
  if (result.getBoundingClientRect().top > window.innerHeight * 0.6) {
    result.scrollIntoView({ block: "start" });
  }
}
