// Shows the result of a request: an answer and its actions, or an error. Loaded by ahead.js.

import { STATIC, announcement, linkCopied, linkShown } from "./answer_strings.js";
import { drawAnswer } from "./answer.js";
import { arrived } from "./late.js";
import { ApiError } from "../api.js";
import { pin, showComparison, startComparison } from "./compare.js";
import { addStrings, byId, copyText, find, onClick, setOptionalText, setText } from "../shared/dom.js";
import { Failure, diagnose, waitIsOver } from "../shared/failure.js";
import { detailOf, errorSmallPrint, explain } from "../shared/failure_strings.js";
import { remember, startHistory } from "./history_view.js";
import { api, useKey } from "../shared/service.js";
import { linkTo } from "../shared/share.js";
import { endCurrent, endsWithState, isShown, result, show } from "./states.js";
import { Tryout } from "./tryout.js";

/** @typedef {import("./words.js").Explained} Explained */
/** @typedef {{review: string, answer: Explained}} Answered */
/**
 * @typedef {object} Form
 * @property {(options?: {quietly?: boolean}) => void} read judges the text in the box
 * @property {(text: string) => void} useText puts a text into the box and judges it
 */

const review = /** @type {HTMLTextAreaElement} */ (byId("review"));

/** @type {Form} */
let form;
/** The last answer; on screen only in the answer state. @type {Answered | null} */
let latest = null;

/** @param {Form} used */
export function start(used) {
  form = used;
  addStrings(STATIC);
  startComparison();
  startHistory(form.useText);
  review.addEventListener("input", onInput);
}

function onInput() {
  markStale();
  if (isShown("error")) endCurrent();
}

// An answer.

/** @param {Answered} answered @param {boolean} quietly */
export function showAnswer(answered, quietly) {
  const { answer } = answered;
  waitIsOver();
  show("answer", (view) => drawAnswer(view, answer), quietly);
  latest = answered;
  endsWithState(new Tryout(find(result, "#answer"), answer, { api, useText: form.useText }));
  letCorrect(answered);
  onClick(result, "#pin", () => pin(answered));
  onClick(result, "#share", () => share(answered.review));
  find(result, "#developers").addEventListener("toggle", () => showSnippets(answered));
  markStale();
  showComparison(answered);
  remember(answered);
  setText(document, "#status", announcement(answer));
}

/** Marks the verdict as outdated when the text has changed. */
function markStale() {
  if (latest === null || !isShown("answer")) return;
  const stale = review.value !== latest.review;
  find(result, "#stale").hidden = !stale;
  find(result, "#answer").toggleAttribute("data-stale", stale);
}

/** @param {Answered} answered */
async function letCorrect(answered) {
  const view = find(result, "#answer");
  try {
    const { offerCorrection } = await import("./correct.js");
    await offerCorrection(view, answered, api);
  } catch {
    // Without the module there is no correction. The verdict stays.
  }
}

/** @param {string} text */
async function share(text) {
  const link = await linkTo(text);
  const copied = await copyText(link);
  setText(result, "#share-status", copied ? linkCopied : linkShown);
  setOptionalText(result, "#share-link", "#share-link code", copied ? "" : link);
}

/** Shows the part for developers, loaded on demand. @param {Answered} answered */
async function showSnippets({ review: text, answer }) {
  const box = find(result, "#developers .more-body");
  try {
    const { drawSnippets } = await arrived(import("./snippets_view.js"));
    drawSnippets(box, api.url, text, answer);
  } catch (error) {
    const { title, advice } = explain(asApiError(error), api.url);
    box.textContent = `${title}. ${advice}`;
  }
}

// An error.

/**
 * @param {unknown} error
 * @param {boolean} quietly
 * @param {AbortSignal} signal of the request; nothing is shown once a newer one replaced it
 */
export async function showFault(error, quietly, signal) {
  const fault = await diagnose(asApiError(error), api);
  if (!signal.aborted && fault.code !== "aborted") showError(fault, quietly);
}

/** Turns an error of our own into an ApiError. @param {unknown} error */
function asApiError(error) {
  if (error instanceof ApiError) return error;
  console.error(error);
  return new ApiError({ code: "page_fault" });
}

/** @param {ApiError} error @param {boolean} quietly */
function showError(error, quietly) {
  const explanation = explain(error, api.url);
  // A retry that fails in the same way changes nothing, and is not read out.
  const same = quietly && result.querySelector("#error")?.getAttribute("data-code") === error.code;
  if (!same) show("error", (view) => drawError(view, error, explanation), quietly);
  const retry = () => form.read({ quietly: true });
  endsWithState(new Failure(find(result, "#error"), error, { again: explanation.again, retry }));
  showComparison(null);
  if (explanation.edit) review.setAttribute("aria-invalid", "true");
}

/**
 * @param {DocumentFragment} view
 * @param {ApiError} error
 * @param {import("../shared/failure_strings.js").Explanation} explanation
 */
function drawError(view, error, { title, advice, command = "", edit = false, retry = true }) {
  setText(view, "#error-title", title);
  setText(view, "#error-advice", advice);
  setOptionalText(view, "#error-command", "#error-command code", command);
  setOptionalText(view, "#error-detail", "#error-detail", detailOf(error));
  setText(view, "#error-small-print", errorSmallPrint(error));
  onClick(view, "#retry", () => form.read());
  onClick(view, "#edit", () => review.focus());
  find(view, "#retry").hidden = !retry;
  find(view, "#key-form").hidden = error.status !== 401;
  find(view, "#key-form").addEventListener("submit", giveKey);
  find(view, "#edit").hidden = !edit;
  find(view, "#error").dataset.code = error.code;
  find(view, "#error").dataset.status = String(error.status);
}

/** @param {Event} event */
function giveKey(event) {
  event.preventDefault();
  useKey(/** @type {HTMLInputElement} */ (find(result, "#key")).value.trim());
  form.read();
}
