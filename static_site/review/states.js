// Shows one state of the review page in place of another: empty, ready, loading, answer or error.

import { byId, copyOf, find, setText } from "../shared/dom.js";

/** @typedef {"empty" | "ready" | "loading" | "answer" | "error"} State ready: a text that nobody has asked about */
/** @typedef {{end: () => void}} Ending ends its timers and requests; may be called again */

const page = byId("page");
const status = byId("status");
export const result = byId("result");
// Where the parts of an answer below the text go, by their data-place.
const places = [byId("sentences-place"), byId("rest-place")];

/** What on screen may have something under way. @type {Ending | null} */
let current = null;
/** @type {ReturnType<typeof setTimeout>[]} */
let timers = [];

/**
 * Replaces all that stood for the last state by a filled copy of the state's template, so that
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
  const waits = state === "loading" && result.childElementCount > 0;
  result.style.minHeight = waits ? `${result.offsetHeight}px` : "";
  const view = copyOf(`${state === "ready" ? "empty" : state}-template`);
  fill(view);
  if (state === "error") nameError(view);
  for (const place of places) {
    place.replaceChildren(...[...view.children].filter((node) => node.getAttribute("data-place") === place.id));
  }
  result.replaceChildren(view);
  page.dataset.state = state;
  if (state !== "empty" && !quietly) bringIntoView();
}

/** Names an error in the slim bar, for those who type far below. @param {DocumentFragment} view */
function nameError(view) {
  setText(document, "#bar-verdict", find(view, ".kicker").textContent ?? "");
  setText(document, "#bar-sure", find(view, "#error-title").textContent ?? "");
  byId("bar-meter").hidden = true;
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
  const lost = [result, ...places].some((place) => place.contains(document.activeElement));
  if (lost) byId("send").focus({ preventScroll: true });
}

function bringIntoView() {
  const { top } = result.getBoundingClientRect();
  if (top < 0 || top > window.innerHeight * 0.6) result.scrollIntoView({ block: "start" });
}
