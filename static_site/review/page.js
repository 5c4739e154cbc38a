// Runs the review page: takes a review and asks the API. What comes of it is shown by outcome.js, which is loaded later.

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

// A quick answer shouldn't flash a waiting sign; a long wait needs a word of explanation.
const LOADING_MS = 150;
const STILL_LOADING_MS = 4_000;
// With live scoring a pause in typing is this long.
const PAUSE_MS = 300;

// What the model reads of a long review (vocab/text.py), and what it counts, roughly: words and signs.
const MAX_TOKENS = 400;
const READ_TOKENS = { head: 128, tail: 272 };
const ROUGH_TOKEN = /[\p{L}\p{N}]+|[^\s\p{L}\p{N}]/gu;

const review = /** @type {HTMLTextAreaElement} */ (byId("review"));
const status = byId("status");
const form = { read, useText };

let request = new AbortController();
/** What the user had written before an example took its place. */
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
  // Coming back, browsers put the text into the box again.
  addEventListener("pageshow", showLength);
}

/** @param {import("../shared/settings.js").Settings} now */
function applySettings(now) {
  byId("privacy").textContent = strings.privacy(api.url, now);
  // Those who keep a history see it at once; what can't be loaded now is asked for again when it is needed.
  if (now.history) loadOutcome(form).catch(() => {});
}

function onInput() {
  review.removeAttribute("aria-invalid");
  showLength();
  if (settings.live) readSoon();
}

// Asking.

/** With live scoring: once the typing pauses. */
function readSoon() {
  leave();
  if (review.value.trim() === "") showEmpty();
  else after(PAUSE_MS, () => read({ quietly: true }));
}

/**
 * Sends the review and shows what comes of it; a newer call ends an older.
 * @param {{quietly?: boolean}} [options] quietly: the page doesn't move while somebody types
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

/** Ends whatever is under way or waits for its time. */
function leave() {
  stopTimers();
  request.abort();
  endCurrent();
}

/** What the API would surely refuse isn't sent. @param {string} text @throws {ApiError} */
function refuseHopeless(text) {
  if (text.trim() === "") throw new ApiError({ code: "empty" });
  if (countCharacters(text) > MAX_REVIEW_CHARACTERS) throw new ApiError({ code: "too_long" });
}

function stop() {
  leave();
  showEmpty();
  status.textContent = strings.stopped;
}

// The states until there is an outcome.

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

/** When not even what tells of errors could be loaded. @param {boolean} quietly */
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

/** Another text in the box is as good as one that was typed. @param {string} text */
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

/** A link that holds a review is read as soon as it is opened. */
async function openLink() {
  if (!location.hash.includes("review=")) return;
  const outcome = loadOutcome(form);
  const text = await reviewOf(location.hash);
  if (text === null) fail(outcome, new ApiError({ code: "broken_link" }), false, new AbortController().signal);
  else useText(text);
}
