// Runs the review page: takes a review, asks the API, shows a state: empty, loading, answer or error.

import { drawAnswer } from "./answer.js";
import { ApiError, MAX_REVIEW_CHARACTERS, countCharacters } from "../api.js";
import { drawComparison } from "./compare.js";
import { byId, button, copyOf, copyText, element, find, listItem, onClick, setOptionalText, setText } from "../dom.js";
import { Failure, diagnose, waitIsOver } from "../failure.js";
import * as history from "./history.js";
import { api, useKey } from "../service.js";
import { follow, settings } from "../settings.js";
import { linkTo, reviewOf } from "../share.js";
import { showPage, startShell } from "../shell.js";
import * as strings from "../strings.js";
import { Tryout } from "./tryout.js";

/** @typedef {import("./words.js").Explained} Explained */
/** @typedef {"empty" | "loading" | "answer" | "error"} State */
/** @typedef {{review: string, answer: Explained}} Answered */

// A quick answer shouldn't flash a waiting sign; a long wait needs a word of explanation.
const LOADING_MS = 150;
const STILL_LOADING_MS = 4_000;
// With live scoring a pause in typing is this long.
const PAUSE_MS = 300;

// What the model reads of a long review (vocab/text.py), and what it counts, roughly: words and signs.
const MAX_TOKENS = 400;
const READ_TOKENS = { head: 128, tail: 272 };
const ROUGH_TOKEN = /[\p{L}\p{N}]+|[^\s\p{L}\p{N}]/gu;

const page = byId("page");
const review = /** @type {HTMLTextAreaElement} */ (byId("review"));
const status = byId("status");
const result = byId("result");

/** What is on screen; null when it is no answer. @type {Answered | null} */
let shown = null;
/** @type {Answered | null} */
let pinned = null;
/** @type {Tryout | null} */
let tryout = null;
/** @type {Failure | null} */
let failure = null;
let request = new AbortController();
/** What the user had written before an example took its place. */
let ownReview = "";
/** @type {ReturnType<typeof setTimeout>[]} */
let timers = [];

start();

function start() {
  startShell("index.html");
  review.placeholder = strings.STATIC.placeholder;
  byId("examples").append(...strings.EXAMPLES.map(exampleItem));
  listen();
  follow(applySettings);
  onInput();
  showEmpty();
  showPage();
  openLink();
}

function listen() {
  byId("form").addEventListener("submit", (event) => {
    event.preventDefault();
    read();
  });
  byId("restore").addEventListener("click", restoreOwnReview);
  review.addEventListener("input", onInput);
  document.addEventListener("keydown", onKey);
  byId("unpin").addEventListener("click", unpin);
  byId("forget").addEventListener("click", forget);
  addEventListener("hashchange", openLink);
  // Coming back, browsers put the text into the box again.
  addEventListener("pageshow", showLength);
}

/** @param {import("../settings.js").Settings} now */
function applySettings(now) {
  const words = strings.shortcut(/Mac|iPhone|iPad/.test(navigator.platform));
  byId("shortcut").textContent = now.shortcuts ? words : "";
  if (now.shortcuts) byId("send").setAttribute("aria-keyshortcuts", "Control+Enter Meta+Enter");
  else byId("send").removeAttribute("aria-keyshortcuts");
  byId("privacy").textContent = strings.privacy(api.url, now);
  if (!now.history) history.forget();
  showHistory();
}

/** @param {KeyboardEvent} event */
function onKey(event) {
  // While an input method composes, keys belong to it.
  if (!settings.shortcuts || event.isComposing || event.altKey) return;
  const withModifier = event.ctrlKey || event.metaKey;
  const typing = event.target instanceof Element && event.target.matches("input, textarea, select");
  if (event.key === "Enter" && withModifier && event.target === review) read();
  else if (event.key === "/" && !withModifier && !typing) review.focus();
  else return;
  event.preventDefault();
}

function onInput() {
  review.removeAttribute("aria-invalid");
  showLength();
  markStale();
  failure?.end();
  if (settings.live) readSoon();
}

// Asking.

/** With live scoring: once the typing pauses. */
function readSoon() {
  leave();
  if (review.value.trim() === "") showEmpty();
  else timers.push(setTimeout(() => read({ quietly: true }), PAUSE_MS));
}

/**
 * Sends the review and shows what comes of it; a newer call ends an older.
 * @param {{quietly?: boolean}} [options] quietly: the page doesn't move while somebody types
 */
async function read({ quietly = false } = {}) {
  const text = review.value;
  leave();
  try {
    refuseHopeless(text);
    await showLoadingWhile(ask(text), text, quietly);
  } catch (error) {
    const fault = error instanceof ApiError ? error : pageFault(error);
    if (fault.code !== "aborted") showError(await diagnose(fault, api), quietly);
  }
}

/** @param {string} text @returns {Promise<Explained>} */
async function ask(text) {
  request = new AbortController();
  return /** @type {Explained} */ (await api.sentiment(text, { explain: "words", signal: request.signal }));
}

/**
 * @param {Promise<Explained>} answer
 * @param {string} text
 * @param {boolean} quietly
 */
async function showLoadingWhile(answer, text, quietly) {
  if (!quietly) timers.push(setTimeout(() => showLoading(text), LOADING_MS));
  showAnswer({ review: text, answer: await answer }, quietly);
}

/** Ends whatever is under way or waits for its time. */
function leave() {
  timers.forEach(clearTimeout);
  timers = [];
  request.abort();
  tryout?.end();
  failure?.end();
}

/** What the API would surely refuse isn't sent. @param {string} text @throws {ApiError} */
function refuseHopeless(text) {
  if (text.trim() === "") throw new ApiError({ code: "empty" });
  if (countCharacters(text) > MAX_REVIEW_CHARACTERS) throw new ApiError({ code: "too_long" });
}

/** A fault of our own must not look like a verdict either. @param {unknown} error */
function pageFault(error) {
  console.error(error);
  return new ApiError({ code: "page_fault" });
}

function stop() {
  leave();
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
  timers.push(setTimeout(showStillLoading, STILL_LOADING_MS));
}

function showStillLoading() {
  setText(result, "#loading-title", strings.stillLoading);
  status.textContent = strings.stillLoading;
}

/** @param {Answered} answered @param {boolean} quietly */
function showAnswer(answered, quietly) {
  const { answer } = answered;
  waitIsOver();
  show("answer", (view) => drawAnswer(view, answer), quietly);
  shown = answered;
  tryout = new Tryout(find(result, "#answer"), answer, { api, useText });
  letCorrect(answered);
  onClick(result, "#pin", pin);
  onClick(result, "#share", () => share(answered.review));
  find(result, "#developers").addEventListener("toggle", () => showSnippets(answered), { once: true });
  markStale();
  showComparison();
  remember(answered);
  status.textContent = strings.announcement(answer.sentiment, answer.probability);
}

/** The first visit is quicker without what an answer alone needs. @param {Answered} answered */
async function letCorrect(answered) {
  const view = find(result, "#answer");
  try {
    const { offerCorrection } = await import("./correct.js");
    await offerCorrection(view, answered, api);
  } catch {
    // Without the module, a reader can't correct; the verdict stands all the same.
  }
}

/** @param {ApiError} error @param {boolean} quietly */
function showError(error, quietly) {
  const explanation = strings.explain(error, api.url);
  // A try by itself that fails in the same way is no news: nothing is drawn or read out again.
  const same = quietly && result.querySelector("#error")?.getAttribute("data-code") === error.code;
  if (!same) show("error", (view) => drawError(view, error, explanation), quietly);
  const retry = () => read({ quietly: true });
  failure = new Failure(find(result, "#error"), error, { again: explanation.again, retry });
  showComparison();
  if (explanation.edit) review.setAttribute("aria-invalid", "true");
}

/**
 * @param {DocumentFragment} view
 * @param {ApiError} error
 * @param {strings.Explanation} explanation
 */
function drawError(view, error, { title, advice, command = "", edit = false, retry = true }) {
  setText(view, "#error-title", title);
  setText(view, "#error-advice", advice);
  setOptionalText(view, "#error-command", "#error-command code", command);
  setOptionalText(view, "#error-detail", "#error-detail", strings.detailOf(error));
  setText(view, "#error-small-print", strings.errorSmallPrint(error));
  onClick(view, "#retry", () => read());
  onClick(view, "#edit", () => review.focus());
  find(view, "#retry").hidden = !retry;
  find(view, "#key-form").hidden = error.status !== 401;
  find(view, "#key-form").addEventListener("submit", giveKey);
  find(view, "#edit").hidden = !edit;
  find(view, "#error").dataset.code = error.code;
  find(view, "#error").dataset.status = String(error.status);
}

/**
 * Replaces all that stood in the result by a filled copy of the state's template, so that
 * nothing of a former verdict can stay.
 * @param {State} state
 * @param {(view: DocumentFragment) => void} fill
 * @param {boolean} [quietly]
 */
function show(state, fill, quietly = false) {
  timers.forEach(clearTimeout);
  tryout?.end();
  shown = tryout = failure = null;
  status.textContent = "";
  keepFocus();
  // While waiting, the former height is kept, so that the page doesn't jump twice.
  result.style.minHeight = state === "loading" ? `${result.offsetHeight}px` : "";
  const view = copyOf(`${state}-template`);
  fill(view);
  result.replaceChildren(view);
  page.dataset.state = state;
  if (state !== "empty" && !quietly) bringIntoView();
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

/** @param {Event} event */
function giveKey(event) {
  event.preventDefault();
  useKey(/** @type {HTMLInputElement} */ (find(result, "#key")).value.trim());
  read();
}

// The form.

function showLength() {
  const length = countCharacters(review.value);
  const line = byId("length");
  line.textContent = strings.lengthOf(length, MAX_REVIEW_CHARACTERS);
  line.toggleAttribute("data-over", length > MAX_REVIEW_CHARACTERS);
  const tokens = review.value.match(ROUGH_TOKEN)?.length ?? 0;
  byId("cut-note").hidden = tokens <= MAX_TOKENS;
  byId("cut-note").textContent = tokens > MAX_TOKENS ? strings.cutNote(tokens, READ_TOKENS) : "";
}

/** Says when the verdict on screen is about another text than the one in the box. */
function markStale() {
  if (shown === null) return;
  const stale = review.value !== shown.review;
  find(result, "#stale").hidden = !stale;
  find(result, "#answer").toggleAttribute("data-stale", stale);
}

/** @param {string} text */
function useText(text) {
  rememberOwnReview();
  review.value = text;
  onInput();
  read();
}

/** @param {(typeof strings.EXAMPLES)[number]} example */
function exampleItem({ name, label, note, review: text }) {
  const choice = button("", label, () => useText(text));
  choice.dataset.example = name;
  return listItem(choice, " ", element("span", "", note));
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

// Side by side.

function pin() {
  pinned = shown;
  showComparison();
  byId("compare").scrollIntoView({ block: "nearest" });
}

function unpin() {
  pinned = null;
  showComparison();
  byId("send").focus();
}

function showComparison() {
  byId("compare").hidden = pinned === null;
  if (pinned === null) return;
  const other = shown !== null && shown.review !== pinned.review ? shown.answer : null;
  drawComparison(byId("compare"), pinned.answer, other);
}

// Links.

/** @param {string} text */
async function share(text) {
  const link = await linkTo(text);
  const copied = await copyText(link);
  setText(result, "#share-status", copied ? strings.linkCopied : strings.linkShown);
  setOptionalText(result, "#share-link", "#share-link code", copied ? "" : link);
}

/** A link that holds a review is read as soon as it is opened. */
async function openLink() {
  if (!location.hash.includes("review=")) return;
  const text = await reviewOf(location.hash);
  if (text === null) showError(new ApiError({ code: "broken_link" }), false);
  else useText(text);
}

// History.

/** @param {Answered} answered */
function remember({ review: text, answer: { sentiment, probability } }) {
  if (!settings.history) return;
  const kept = history.keep({ review: text, sentiment, probability, when: Date.now() });
  showHistory();
  if (!kept) setText(document, "#history-none", strings.historyFull);
}

function showHistory() {
  byId("history").hidden = !settings.history;
  const entries = settings.history ? history.entries() : [];
  byId("history-none").hidden = entries.length > 0;
  setText(document, "#history-none", strings.STATIC.historyNone);
  byId("forget").hidden = entries.length === 0;
  byId("history-list").replaceChildren(...entries.map(historyItem));
}

/** @param {history.Entry} entry */
function historyItem({ review: text, sentiment, probability, when }) {
  const choice = button("history-entry", "", () => useText(text));
  const excerpt = element("span", "history-text", Array.from(text).slice(0, 120).join(""));
  excerpt.dir = "auto";
  choice.append(
    element("strong", "", strings.VERDICTS[sentiment]),
    element("span", "", strings.percentPositive(probability)),
    excerpt,
    element("time", "small-print", strings.moment(when)),
  );
  return listItem(choice);
}

/** Asked for by its own button, and said when done. */
function forget() {
  history.forget();
  showHistory();
  status.textContent = strings.forgotten;
  byId("send").focus();
}

// For developers: loaded when it is looked at.

/** @param {Answered} answered */
async function showSnippets({ review: text, answer }) {
  const { drawSnippets } = await import("./snippets_view.js");
  drawSnippets(find(result, "#developers .more-body"), api.url, text, answer);
}
