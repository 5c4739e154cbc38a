// Runs the review page: sends a review to the API. outcome.js, loaded later, shows the result.

import { loadAtFirstSign, loadOutcome } from "./ahead.js";
import { ApiError, MAX_REVIEW_CHARACTERS, countCharacters } from "../api.js";
import { addStrings, byId, button, element, find, listItem, onClick, setText } from "../shared/dom.js";
import { EXAMPLES } from "../shared/examples.js";
import { api } from "../shared/service.js";
import { follow, settings } from "../shared/settings.js";
import { reviewOf } from "../shared/share.js";
import { showPage, startShell } from "../shared/shell.js";
import { startShortcuts } from "../shared/shortcuts.js";
import { after, endCurrent, result, show, stopTimers } from "./states.js";
import * as strings from "./strings.js";
import * as formWords from "../shared/form_strings.js";
import { offline, stillLoading, unloaded } from "../shared/strings.js";

/** @typedef {import("./words.js").Explained} Explained */

// Waits before the loading sign, and before its explanation.
const LOADING_MS = 150;
const STILL_LOADING_MS = 4_000;
// Live scoring sends after such a pause in typing.
const PAUSE_MS = 300;

// What the model reads of a long review (vocab/text.py), and roughly what it counts as tokens.
const MAX_TOKENS = 400;
const READ_TOKENS = { head: 128, tail: 272 };
const ROUGH_TOKEN = /[\p{L}\p{N}]+|[^\s\p{L}\p{N}]/gu;

const review = /** @type {HTMLTextAreaElement} */ (byId("review"));
const status = byId("status");
const form = { read, useText };

let request = new AbortController();
/** The reader's text before an example replaced it. */
let ownReview = "";

start();

function start() {
  addStrings({ ...formWords.STATIC, ...strings.STATIC });
  startShell("index.html");
  review.placeholder = formWords.STATIC.placeholder;
  byId("examples").append(...EXAMPLES.map(exampleItem));
  listen();
  follow(applySettings);
  onInput();
  showEmpty();
  showPage();
  loadAtFirstSign(form);
  openLink();
}

function listen() {
  byId("form").addEventListener("submit", (event) => {
    event.preventDefault();
    read();
  });
  byId("restore").addEventListener("click", restoreOwnReview);
  review.addEventListener("input", onInput);
  startShortcuts(review, read);
  addEventListener("hashchange", openLink);
  // On return, browsers restore the text.
  addEventListener("pageshow", showLength);
}

/** @param {import("../shared/settings.js").Settings} now */
function applySettings(now) {
  byId("privacy").textContent = strings.privacy(api.url, now);
  // Shows a kept history at once. A failed load is retried when needed.
  if (now.history) loadOutcome(form).catch(() => {});
}

function onInput() {
  review.removeAttribute("aria-invalid");
  showLength();
  if (settings.live) readSoon();
}

// Asking.

/** Sends the text after a pause in typing, with live scoring. */
function readSoon() {
  leave();
  if (review.value.trim() === "") showEmpty();
  else after(PAUSE_MS, () => read({ quietly: true }));
}

/**
 * Sends the review and shows the result. A newer call ends an older one.
 * @param {{quietly?: boolean}} [options] quietly: don't scroll while somebody types
 */
async function read({ quietly = false } = {}) {
  leave();
  const text = review.value;
  const { signal } = (request = new AbortController());
  const outcome = loadOutcome(form);
  try {
    refuseHopeless(text);
    if (!quietly) after(LOADING_MS, () => showLoading(text));
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
  const loaded = await outcome.catch(() => null);
  if (loaded) await loaded.showFault(error, quietly, signal);
  else if (!signal.aborted) showUnloaded(quietly);
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
  leave();
  showEmpty();
  status.textContent = strings.stopped;
}

// States before a result.

function showEmpty() {
  show("empty", () => {});
}

/** @param {string} text */
function showLoading(text) {
  const words = formWords.loading(countCharacters(text));
  show("loading", (view) => {
    setText(view, "#loading-title", words);
    onClick(view, "#stop", stop);
  });
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
  if (isExample || review.value.trim() === "") return;
  ownReview = review.value;
  byId("restore").hidden = false;
}

function restoreOwnReview() {
  byId("restore").hidden = true;
  review.focus();
  write(ownReview);
}

/** Judges the review of an opened link. */
async function openLink() {
  if (!location.hash.includes("review=")) return;
  const outcome = loadOutcome(form);
  const text = await reviewOf(location.hash);
  if (text === null) fail(outcome, new ApiError({ code: "broken_link" }), false, new AbortController().signal);
  else useText(text);
}
