// Runs the review page: sends a review to the API. outcome.js shows the result.

import { loadOutcome } from "./ahead.js";
import { clearMarks, startBox } from "./box.js";
import { ApiError, MAX_REVIEW_CHARACTERS, countCharacters } from "../api.js";
import { addStrings, byId, button, element, find, listItem, onClick, setText } from "../shared/dom.js";
import { EXAMPLES, OPENING } from "../shared/examples.js";
import { api } from "../shared/service.js";
import { change, follow, settings } from "../shared/settings.js";
import { showPage, startShell } from "../shared/shell.js";
import { startShortcuts } from "../shared/shortcuts.js";
import { arrived } from "./late.js";
import { after, endCurrent, isShown, result, show, stopTimers } from "./states.js";
import * as strings from "./strings.js";
import * as formWords from "../shared/form_strings.js";
import { offline, stillLoading, unloaded } from "../shared/strings.js";

/** @typedef {import("./effects.js").Explained} Explained */

// Waits before the loading sign, and before its explanation.
const LOADING_MS = 150;
const STILL_LOADING_MS = 4_000;
// Live reading sends after such a pause in typing.
const PAUSE_MS = 300;

// What the model reads of a long review (vocab/text.py), and roughly what it counts as tokens.
const MAX_TOKENS = 400;
const READ_TOKENS = { head: 128, tail: 272 };
const ROUGH_TOKEN = /[\p{L}\p{N}]+|[^\s\p{L}\p{N}]/gu;

const review = /** @type {HTMLTextAreaElement} */ (byId("review"));
const live = /** @type {HTMLInputElement} */ (byId("live"));
const status = byId("status");
const form = { read, useText, isOurs };

let request = new AbortController();
/** The reader's text before an example replaced it. */
let ownReview = "";
/** The last text that was handled, and the last one that was sent. */
let [seen, asked] = ["", ""];
/** Whether the box got the focus just now. */
let justFocused = false;
/** Whether live reading was on before the settings changed. */
let wasLive = false;

start();

function start() {
  addStrings({ ...formWords.STATIC, ...strings.STATIC });
  startShell("index.html");
  review.placeholder = formWords.STATIC.placeholder;
  byId("examples").append(...EXAMPLES.map(exampleItem));
  startBox();
  listen();
  follow(applySettings);
  open();
  showPage();
  loadOutcome(form).catch(() => {});
}

function listen() {
  byId("form").addEventListener("submit", (event) => {
    event.preventDefault();
    read();
  });
  byId("restore").addEventListener("click", restoreOwnReview);
  byId("own").addEventListener("click", writeOwn);
  live.addEventListener("change", () => change({ live: live.checked }));
  review.addEventListener("input", onInput);
  review.addEventListener("focus", onFocus);
  review.addEventListener("pointerup", onPointerUp);
  startShortcuts(review, read);
  addEventListener("hashchange", openLink);
  addEventListener("pageshow", onReturn);
}

/** Opens on the link's review, on a text that the browser kept, or on our example. */
function open() {
  showLength();
  if (hasLink()) openLink();
  else if (review.value.trim() === "") openExample();
  else {
    showReady();
    onInput();
  }
}

/** Says whose text is in the box. @param {boolean} ours */
function showOurs(ours) {
  byId("ours").hidden = !ours;
  // The box is described by it, even while it is hidden.
  byId("ours-note").textContent = ours ? strings.oursNote : "";
}

function openExample() {
  review.value = OPENING;
  onInput({ pause: 0 });
}

/** Shows what the browser put back into the box, on return to the page. */
function onReturn() {
  if (review.value !== seen) onInput();
}

/** @param {import("../shared/settings.js").Settings} now */
function applySettings(now) {
  byId("privacy").textContent = strings.privacy(api.url, now);
  if (now.live && !wasLive && isShown("ready")) readSoon();
  live.checked = wasLive = now.live;
}

/** Handles a changed text. @param {{pause?: number} | Event} [options] */
function onInput(options = {}) {
  const { pause = PAUSE_MS } = /** @type {{pause?: number}} */ (options);
  seen = review.value;
  review.removeAttribute("aria-invalid");
  showOurs(isOurs(review.value));
  showLength();
  if (review.value.trim() === "") showEmpty();
  else if (settings.live || isOurs(review.value)) readSoon(pause);
  else if (isOurs(asked) || isShown("empty")) showReady();
}

// Our example.

/** Tells whether a text is the example that the page opens on. @param {string} text */
function isOurs(text) {
  return text === OPENING;
}

/** Selects the example at the first visit of the box, so that a key or a paste replaces it. */
function onFocus() {
  justFocused = true;
  if (isOurs(review.value)) review.select();
}

/** Selects it again, because the press has moved the caret. */
function onPointerUp() {
  if (justFocused && isOurs(review.value)) review.select();
  justFocused = false;
}

function writeOwn() {
  write("");
  review.focus();
}

// Asking.

/** Sends the text after a pause in typing. @param {number} [pause] in milliseconds */
function readSoon(pause = PAUSE_MS) {
  leave();
  if (isShown("empty") || isShown("ready") || result.childElementCount === 0) showLoading(review.value);
  if (pause === 0) read({ quietly: true });
  else after(pause, () => read({ quietly: true }));
}

/**
 * Sends the review and shows the result. A newer call ends an older one.
 * @param {{quietly?: boolean}} [options] quietly: don't scroll while somebody types
 */
async function read({ quietly = false } = {}) {
  leave();
  const text = (asked = review.value);
  const { signal } = (request = new AbortController());
  const outcome = loadOutcome(form);
  try {
    refuseHopeless(text);
    if (!quietly) after(LOADING_MS, () => showLoading(text));
    else if (isShown("loading")) after(STILL_LOADING_MS, showStillLoading);
    const [{ showAnswer }, answer] = await Promise.all([outcome, ask(text, signal)]);
    if (!signal.aborted) showAnswer({ review: text, answer }, quietly);
  } catch (error) {
    fail(outcome, error, quietly, signal);
  }
}

/** @param {string} text @param {AbortSignal} signal @returns {Promise<Explained>} */
async function ask(text, signal) {
  return /** @type {Explained} */ (await api.sentiment(text, { explain: "words", signal }));
}

/**
 * @param {ReturnType<typeof loadOutcome>} outcome
 * @param {unknown} error
 * @param {boolean} quietly
 * @param {AbortSignal} signal
 */
async function fail(outcome, error, quietly, signal) {
  try {
    const { showFault } = await outcome;
    await showFault(error, quietly, signal);
  } catch {
    if (!signal.aborted) showUnloaded(quietly);
  }
}

/** Ends requests and timers. */
function leave() {
  stopTimers();
  request.abort();
  endCurrent();
}

/** Refuses a text that the API would refuse. @param {string} text @throws {ApiError} */
function refuseHopeless(text) {
  if (text.trim() === "") throw new ApiError({ code: "empty" });
  if (countCharacters(text) > MAX_REVIEW_CHARACTERS) throw new ApiError({ code: "too_long" });
}

function stop() {
  showReady();
  status.textContent = strings.stopped;
}

// States before a result.

function showEmpty() {
  leave();
  showQuiet("empty", strings.STATIC.emptyTitle, strings.emptyBody);
}

/** Shows that a text waits for its verdict. */
function showReady() {
  leave();
  asked = "";
  showQuiet("ready", strings.readyTitle, strings.readyBody);
}

/** @param {"empty" | "ready"} state @param {string} title @param {string} body */
function showQuiet(state, title, body) {
  clearMarks();
  show(state, (view) => {
    setText(view, "#empty-title", title);
    setText(view, "#empty-body", body);
  }, true);
}

/** @param {string} text */
function showLoading(text) {
  const words = formWords.loading(countCharacters(text));
  clearMarks();
  show("loading", (view) => {
    setText(view, "#loading-title", words);
    onClick(view, "#stop", stop);
  }, true);
  status.textContent = words;
  after(STILL_LOADING_MS, showStillLoading);
}

function showStillLoading() {
  setText(result, "#loading-title", stillLoading);
  status.textContent = stillLoading;
}

/** Shows that the modules for results could not be loaded. @param {boolean} quietly */
function showUnloaded(quietly) {
  leave();
  clearMarks();
  const { title, advice } = navigator.onLine ? unloaded : offline;
  show("error", (view) => {
    setText(view, "#error-title", title);
    setText(view, "#error-advice", advice);
    onClick(view, "#retry", () => read());
    find(view, "#error").dataset.code = navigator.onLine ? "unloaded" : "offline";
  }, quietly);
}

// The form.

function showLength() {
  const length = countCharacters(review.value);
  const line = byId("length");
  line.textContent = formWords.lengthOf(length, MAX_REVIEW_CHARACTERS);
  line.toggleAttribute("data-over", length > MAX_REVIEW_CHARACTERS);
  const tokens = review.value.match(ROUGH_TOKEN)?.length ?? 0;
  byId("cut-note").hidden = tokens <= MAX_TOKENS;
  byId("cut-note").textContent = tokens > MAX_TOKENS ? strings.cutNote(tokens, READ_TOKENS) : "";
}

/** Handles a new text in the box. @param {string} text */
function write(text) {
  review.value = text;
  review.dispatchEvent(new Event("input"));
}

/** @param {string} text */
function useText(text) {
  rememberOwnReview();
  write(text);
  read();
}

/** @param {(typeof EXAMPLES)[number]} example */
function exampleItem({ name, label, note, review: text }) {
  const choice = button("", label, () => useText(text));
  choice.dataset.example = name;
  return listItem(choice, " ", element("span", "", note));
}

function rememberOwnReview() {
  const isExample = EXAMPLES.some((example) => example.review === review.value);
  if (isExample || isOurs(review.value) || review.value.trim() === "") return;
  ownReview = review.value;
  byId("restore").hidden = false;
}

function restoreOwnReview() {
  byId("restore").hidden = true;
  review.focus();
  write(ownReview);
}

// Links.

function hasLink() {
  return location.hash.includes("review=");
}

/** Judges the review of an opened link. */
async function openLink() {
  if (!hasLink()) return;
  leave();
  const outcome = loadOutcome(form);
  const { signal } = (request = new AbortController());
  try {
    const { reviewOf } = await arrived(import("../shared/share.js"));
    const text = await reviewOf(location.hash);
    if (text === null) throw new ApiError({ code: "broken_link" });
    if (!signal.aborted) useText(text);
  } catch (error) {
    fail(outcome, error, false, signal);
  }
}
