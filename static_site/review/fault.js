// Shows an error in place of a verdict. Loaded after the first answer, or when there is none.

import { clearMarks } from "./box.js";
import { asApiError } from "./late.js";
import { byId, find, onClick, setOptionalText, setText } from "../shared/dom.js";
import { Failure, diagnose } from "../shared/failure.js";
import { detailOf, errorSmallPrint, explain } from "../shared/failure_strings.js";
import { api, useKey } from "../shared/service.js";
import { endsWithState, result, show } from "./states.js";

/** @typedef {import("../api.js").ApiError} ApiError */
/** @typedef {import("./outcome.js").Form} Form */

export { waitIsOver } from "../shared/failure.js";

const review = byId("review");

/**
 * @param {unknown} error
 * @param {boolean} quietly
 * @param {AbortSignal} signal of the request; nothing is shown once a newer one replaced it
 * @param {Form} form
 */
export async function showFault(error, quietly, signal, form) {
  const fault = await diagnose(asApiError(error), api);
  if (!signal.aborted && fault.code !== "aborted") showError(fault, quietly, form);
}

/** @param {ApiError} error @param {boolean} quietly @param {Form} form */
function showError(error, quietly, form) {
  const explanation = explain(error, api.url);
  // A retry that fails in the same way changes nothing, and is not read out.
  const same = quietly && result.querySelector("#error")?.getAttribute("data-code") === error.code;
  if (!same) show("error", (view) => drawError(view, error, explanation, form), quietly);
  const retry = () => form.read({ quietly: true });
  endsWithState(new Failure(find(result, "#error"), error, { again: explanation.again, retry }));
  clearMarks();
  if (explanation.edit) review.setAttribute("aria-invalid", "true");
}

/**
 * @param {DocumentFragment} view
 * @param {ApiError} error
 * @param {import("../shared/failure_strings.js").Explanation} explanation
 * @param {Form} form
 */
function drawError(view, error, { title, advice, command = "", edit = false, retry = true }, form) {
  setText(view, "#error-title", title);
  setText(view, "#error-advice", advice);
  setOptionalText(view, "#error-command", "#error-command code", command);
  setOptionalText(view, "#error-detail", "#error-detail", detailOf(error));
  setText(view, "#error-small-print", errorSmallPrint(error));
  onClick(view, "#retry", () => form.read());
  onClick(view, "#edit", () => review.focus());
  find(view, "#retry").hidden = !retry;
  find(view, "#key-form").hidden = error.status !== 401;
  find(view, "#key-form").addEventListener("submit", (event) => giveKey(event, form));
  find(view, "#edit").hidden = !edit;
  find(view, "#error").dataset.code = error.code;
  find(view, "#error").dataset.status = String(error.status);
}

/** @param {Event} event @param {Form} form */
function giveKey(event, form) {
  event.preventDefault();
  useKey(/** @type {HTMLInputElement} */ (find(result, "#key")).value.trim());
  form.read();
}
