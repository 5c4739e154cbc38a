// Runs the model's page: asks for the card and shows a state: loading, card or error.

import { ApiError, Verdict } from "./api.js";
import { API_URL } from "./config.js";
import { byId, copyOf, find, onClick, setOptionalText, setText } from "./dom.js";
import { Failure, diagnose, waitIsOver } from "./failure.js";
import { showPage, startShell } from "./shell.js";
import { storyOf } from "./story.js";
import * as strings from "./strings.js";

/** @typedef {"loading" | "card" | "error"} State */

const words = strings.MODEL;
const api = new Verdict(API_URL);
const page = byId("page");
const result = byId("result");
/** @type {Failure | null} */
let failure = null;

startShell("model.html");
showPage();
tell();

/** Asks for the card and shows what comes of it; quietly, while the page tries by itself. */
async function tell({ quietly = false } = {}) {
  if (!quietly) showLoading();
  try {
    showCard(await api.model());
  } catch (error) {
    showError(await diagnose(error instanceof ApiError ? error : pageFault(error), api), quietly);
  }
}

function showLoading() {
  const view = copyOf("loading-template");
  setText(view, "#loading-title", words.loading);
  show("loading", view, words.loading);
}

/** @param {any} card */
function showCard(card) {
  waitIsOver();
  show("card", storyOf(card), words.shown);
  goToPart();
}

/** @param {ApiError} error @param {boolean} quietly */
function showError(error, quietly) {
  const explanation = words.explain(error, api.url);
  // A try by itself that fails in the same way is no news.
  const same = quietly && result.querySelector("#error")?.getAttribute("data-code") === error.code;
  failure?.end();
  if (!same) show("error", errorView(error, explanation), "");
  const retry = () => tell({ quietly: true });
  failure = new Failure(find(result, "#error"), error, { again: explanation.again, retry });
}

/** @param {ApiError} error @param {strings.Explanation} explanation */
function errorView(error, { title, advice, command = "" }) {
  const view = copyOf("error-template");
  setText(view, "#error-kicker", words.errorKicker);
  setText(view, "#error-title", title);
  setText(view, "#error-advice", advice);
  setOptionalText(view, "#error-command", "#error-command code", command);
  setOptionalText(view, "#error-detail", "#error-detail", strings.detailOf(error));
  setText(view, "#error-small-print", strings.errorSmallPrint(error));
  onClick(view, "#retry", () => tell());
  find(view, "#error").dataset.code = error.code;
  return view;
}

/** @param {State} state @param {Node} view @param {string} announcement */
function show(state, view, announcement) {
  failure?.end();
  // A pressed button that goes away would take the keyboard's place with it.
  if (result.contains(document.activeElement)) page.focus({ preventScroll: true });
  result.replaceChildren(view);
  page.dataset.state = state;
  byId("status").textContent = announcement;
}

/** The part that the address names wasn't there when the browser looked for it. */
function goToPart() {
  const part = document.getElementById(location.hash.slice(1));
  if (!part || !result.contains(part)) return;
  part.scrollIntoView();
  part.focus({ preventScroll: true });
}

/** A fault of our own must not look like a card either. @param {unknown} error */
function pageFault(error) {
  console.error(error);
  return new ApiError({ code: "page_fault" });
}
