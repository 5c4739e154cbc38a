// Runs the page: takes the review, asks the API, shows a state: empty, loading, answer or error.

import { ApiError, MAX_REVIEW_CHARACTERS, Verdict, countCharacters } from "./api.js";
import { drawAnswer } from "./answer.js";
import { API_URL } from "./config.js";
import { byId, copyOf, find, onClick, setOptionalText, setText } from "./dom.js";
import { showPage, startShell } from "./shell.js";
import * as strings from "./strings.js";

/** @typedef {import("./api.js").Answer} Answer */
/** @typedef {"empty" | "loading" | "answer" | "error"} State */

// After this long a wait needs a word of explanation.
const STILL_LOADING_MS = 4_000;

const api = new Verdict(API_URL);
const page = byId("page");
const review = /** @type {HTMLTextAreaElement} */ (byId("review"));
const status = byId("status");
const result = byId("result");

/** The review whose answer is on screen; null when there is none. @type {string | null} */
let answered = null;
let request = new AbortController();
/** What the user had written before an example took its place. */
let ownReview = "";
/** @type {ReturnType<typeof setTimeout> | undefined} */
let stillLoadingTimer;

start();

function start() {
  startShell("index.html");
  review.placeholder = strings.STATIC.placeholder;
  byId("shortcut").textContent = strings.shortcut(/Mac|iPhone|iPad/.test(navigator.platform));
  byId("privacy").textContent = strings.privacy(api.url);
  byId("examples").append(...strings.EXAMPLES.map(exampleItem));
  listen();
  onInput();
  showEmpty();
  showPage();
}

function listen() {
  byId("form").addEventListener("submit", (event) => {
    event.preventDefault();
    read();
  });
  byId("restore").addEventListener("click", restoreOwnReview);
  review.addEventListener("input", onInput);
  review.addEventListener("keydown", onKey);
}

/** @param {KeyboardEvent} event */
function onKey(event) {
  // While an input method composes, Enter belongs to it.
  if (event.key !== "Enter" || event.isComposing || !(event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  read();
}

function onInput() {
  review.removeAttribute("aria-invalid");
  showLength();
  markStale();
}

/** Sends the review and shows what comes of it. */
async function read() {
  const text = review.value;
  try {
    refuseHopeless(text);
    showLoading(text);
    showAnswer(await api.sentiment(text, { signal: newest() }), text);
  } catch (error) {
    if (error instanceof ApiError && error.code === "aborted") return;
    showError(error instanceof ApiError ? error : pageFault(error));
  }
}

/** The signal of a request that a newer one, or cancel(), aborts. */
function newest() {
  cancel();
  request = new AbortController();
  return request.signal;
}

function cancel() {
  request.abort();
}

/** What the API would surely refuse isn't sent. @param {string} text @throws {ApiError} */
function refuseHopeless(text) {
  const empty = text.trim() === "";
  if (!empty && countCharacters(text) <= MAX_REVIEW_CHARACTERS) return;
  cancel();
  throw new ApiError({ code: empty ? "empty" : "too_long" });
}

/** A fault of our own must not look like a verdict either. @param {unknown} error */
function pageFault(error) {
  console.error(error);
  return new ApiError({ code: "page_fault" });
}

function stop() {
  cancel();
  showEmpty();
  status.textContent = strings.stopped;
}

// The four states.

function showEmpty() {
  show("empty", () => {});
}

/** @param {string} text */
function showLoading(text) {
  const words = strings.loading(countCharacters(text));
  show("loading", (view) => {
    setText(view, "#loading-title", words);
    onClick(view, "#stop", stop);
  });
  status.textContent = words;
  stillLoadingTimer = setTimeout(showStillLoading, STILL_LOADING_MS);
}

function showStillLoading() {
  setText(result, "#loading-title", strings.stillLoading);
  status.textContent = strings.stillLoading;
}

/** @param {Answer} answer @param {string} text */
function showAnswer(answer, text) {
  show("answer", (view) => drawAnswer(view, answer));
  answered = text;
  markStale();
  status.textContent = strings.announcement(answer.sentiment, answer.probability);
}

/** @param {ApiError} error */
function showError(error) {
  const { title, advice, command = "", edit = false, retry = true } = strings.explain(error, api.url);
  show("error", (view) => {
    setText(view, "#error-title", title);
    setText(view, "#error-advice", advice);
    setOptionalText(view, "#error-command", "#error-command code", command);
    setOptionalText(view, "#error-detail", "#error-detail", strings.detailOf(error));
    setText(view, "#error-small-print", strings.errorSmallPrint(error));
    onClick(view, "#retry", read);
    onClick(view, "#edit", () => review.focus());
    find(view, "#retry").hidden = !retry;
    find(view, "#edit").hidden = !edit;
    find(view, "#error").dataset.code = error.code;
    find(view, "#error").dataset.status = String(error.status);
  });
  if (edit) review.setAttribute("aria-invalid", "true");
}

/**
 * Replaces all that stood in the result by a filled copy of the state's template, so that
 * nothing of a former verdict can stay.
 * @param {State} state
 * @param {(view: DocumentFragment) => void} fill
 */
function show(state, fill) {
  clearTimeout(stillLoadingTimer);
  answered = null;
  status.textContent = "";
  keepFocus();
  // While waiting, the former height is kept, so that the page doesn't jump twice.
  result.style.minHeight = state === "loading" ? `${result.offsetHeight}px` : "";
  result.replaceChildren();
  page.dataset.state = state;
  result.append(filledTemplate(state, fill));
  if (state !== "empty") bringIntoView();
}

/** @param {State} state @param {(view: DocumentFragment) => void} fill */
function filledTemplate(state, fill) {
  const view = copyOf(`${state}-template`);
  fill(view);
  return view;
}

/** A pressed button that goes away would take the keyboard's place with it. */
function keepFocus() {
  if (result.contains(document.activeElement)) byId("send").focus({ preventScroll: true });
}

function bringIntoView() {
  if (result.getBoundingClientRect().top > window.innerHeight * 0.6) {
    result.scrollIntoView({ block: "start" });
  }
}

// The form.

function showLength() {
  const length = countCharacters(review.value);
  const line = byId("length");
  line.textContent = strings.lengthOf(length, MAX_REVIEW_CHARACTERS);
  line.toggleAttribute("data-over", length > MAX_REVIEW_CHARACTERS);
}

/** Says when the verdict on screen is about another text than the one in the box. */
function markStale() {
  if (answered === null) return;
  const stale = review.value !== answered;
  find(result, "#stale").hidden = !stale;
  find(result, "#answer").toggleAttribute("data-stale", stale);
}

/** @param {(typeof strings.EXAMPLES)[number]} example */
function exampleItem({ name, label, note, review: text }) {
  const button = document.createElement("button");
  button.type = "button";
  button.dataset.example = name;
  button.textContent = label;
  button.addEventListener("click", () => readExample(text));
  const item = document.createElement("li");
  const aside = document.createElement("span");
  aside.textContent = note;
  item.append(button, " ", aside);
  return item;
}

/** @param {string} text */
function readExample(text) {
  rememberOwnReview();
  review.value = text;
  onInput();
  read();
}

function rememberOwnReview() {
  const isExample = strings.EXAMPLES.some((example) => example.review === review.value);
  if (isExample || review.value.trim() === "") return;
  ownReview = review.value;
  byId("restore").hidden = false;
}

function restoreOwnReview() {
  review.value = ownReview;
  byId("restore").hidden = true;
  review.focus();
  onInput();
}
