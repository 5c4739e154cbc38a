// Runs a page that shows one answer of the API: the model's card, or the API's description.

import { ApiError } from "../api.js";
import { byId, copyOf, find, onClick, setOptionalText, setText } from "./dom.js";
import { Failure, diagnose, waitIsOver } from "./failure.js";
import { detailOf, errorSmallPrint, explainForPage } from "./failure_strings.js";
import { api, useKey } from "./service.js";
import { showPage, startShell } from "./shell.js";

/** @typedef {"loading" | "told" | "error"} State */
/** @typedef {{loading: string, told: string, errorKicker: string, errorTitle: string}} Words */
/**
 * @typedef {object} Telling
 * @property {string} file the page's
 * @property {Words} words
 * @property {() => Promise<any>} ask throws ApiError
 * @property {(answer: any) => Node} tell
 */

const page = byId("page");
const result = byId("result");
/** @type {Failure | null} */
let failure = null;

/** @param {Telling} telling */
export function startPage(telling) {
  startShell(telling.file);
  showPage();
  askAndTell(telling);
}

/** Loads and shows the answer; quietly during automatic retries. @param {Telling} telling @param {boolean} [quietly] */
async function askAndTell(telling, quietly = false) {
  if (!quietly) showLoading(telling.words);
  try {
    const story = telling.tell(await telling.ask());
    waitIsOver();
    show("told", story, telling.words.told);
    goToPart();
  } catch (error) {
    showError(await diagnose(error instanceof ApiError ? error : pageFault(error), api), telling, quietly);
  }
}

/** @param {Words} words */
function showLoading(words) {
  const view = copyOf("loading-template");
  setText(view, "#loading-title", words.loading);
  show("loading", view, words.loading);
}

/** @param {ApiError} error @param {Telling} telling @param {boolean} quietly */
function showError(error, telling, quietly) {
  const explanation = explainForPage(error, api.url, telling.words.errorTitle);
  // A retry that fails in the same way changes nothing.
  const same = quietly && result.querySelector("#error")?.getAttribute("data-code") === error.code;
  failure?.end();
  if (!same) show("error", errorView(error, explanation, telling), "");
  const retry = () => askAndTell(telling, true);
  failure = new Failure(find(result, "#error"), error, { again: explanation.again, retry });
}

/** @param {ApiError} error @param {import("./failure_strings.js").Explanation} explanation @param {Telling} telling */
function errorView(error, { title, advice, command = "", retry = true }, telling) {
  const view = copyOf("error-template");
  setText(view, "#error-kicker", telling.words.errorKicker);
  setText(view, "#error-title", title);
  setText(view, "#error-advice", advice);
  setOptionalText(view, "#error-command", "#error-command code", command);
  setOptionalText(view, "#error-detail", "#error-detail", detailOf(error));
  setText(view, "#error-small-print", errorSmallPrint(error));
  onClick(view, "#retry", () => askAndTell(telling));
  find(view, "#retry").hidden = !retry;
  takeKey(/** @type {HTMLFormElement} */ (find(view, "#key-form")), error, telling);
  find(view, "#error").dataset.code = error.code;
  return view;
}

/** @param {HTMLFormElement} form @param {ApiError} error @param {Telling} telling */
function takeKey(form, error, telling) {
  form.hidden = error.status !== 401;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    useKey(/** @type {HTMLInputElement} */ (find(form, "#key")).value.trim());
    askAndTell(telling);
  });
}

/** @param {State} state @param {Node} view @param {string} announcement */
function show(state, view, announcement) {
  failure?.end();
  // A focused button that disappears would lose the focus.
  if (result.contains(document.activeElement)) page.focus({ preventScroll: true });
  result.replaceChildren(view);
  page.dataset.state = state;
  byId("status").textContent = announcement;
}

/** Scrolls to the part named in the address, which was missing at load. */
function goToPart() {
  const part = document.getElementById(location.hash.slice(1));
  if (!part || !result.contains(part)) return;
  part.scrollIntoView();
  part.focus({ preventScroll: true });
}

/** Turns an error of our own into an ApiError. @param {unknown} error */
function pageFault(error) {
  console.error(error);
  return new ApiError({ code: "page_fault" });
}
