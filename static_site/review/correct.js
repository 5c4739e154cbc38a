// Lets a reader say that a verdict is wrong, where the API keeps such things; nothing is sent before that.

import { find, onClick } from "../shared/dom.js";
import { CORRECT } from "./answer_strings.js";

/** @typedef {import("../api.js").Verdict} Verdict */
/** @typedef {{review: string, answer: {model: {id: string}}}} Answered */

/** Whether the API keeps feedback; asked once, and "no" when nobody answers. @type {Promise<boolean> | null} */
let kept = null;

/**
 * Shows the buttons in an answer's view, once it is known that the API takes a reader's word.
 * @param {HTMLElement} answer the view
 * @param {Answered} answered
 * @param {Verdict} api
 */
export async function offerCorrection(answer, { review, answer: { model } }, api) {
  kept ??= api.keepsFeedback().catch(() => false);
  if (!(await kept)) return;
  find(answer, "#correct").hidden = false;
  onClick(answer, "#wrong", () => unfold(answer));
  for (const label of /** @type {const} */ (["positive", "negative"])) {
    onClick(answer, `#say-${label}`, () => say(answer, api, { review, label, model: model.id }));
  }
}

/** @param {HTMLElement} answer */
function unfold(answer) {
  const asked = find(answer, "#correct-ask");
  asked.hidden = !asked.hidden;
  find(answer, "#wrong").setAttribute("aria-expanded", String(!asked.hidden));
}

/** @param {HTMLElement} answer @param {Verdict} api @param {import("../api.js").Feedback} feedback */
async function say(answer, api, feedback) {
  tell(answer, CORRECT.sending);
  try {
    const id = await api.keepFeedback(feedback);
    const back = find(answer, "#take-back");
    back.hidden = false;
    back.focus();
    find(answer, "#correct-ask").hidden = true;
    find(answer, "#wrong").hidden = true;
    back.addEventListener("click", () => takeBack(answer, api, id));
    tell(answer, CORRECT.kept);
  } catch (error) {
    tell(answer, CORRECT.failed(error));
  }
}

/** @param {HTMLElement} answer @param {Verdict} api @param {string} id */
async function takeBack(answer, api, id) {
  try {
    await api.deleteFeedback(id);
    const again = find(answer, "#wrong");
    again.hidden = false;
    again.setAttribute("aria-expanded", "false");
    again.focus();
    find(answer, "#take-back").replaceWith(find(answer, "#take-back").cloneNode(true));
    find(answer, "#take-back").hidden = true;
    tell(answer, CORRECT.deleted);
  } catch (error) {
    tell(answer, CORRECT.failed(error));
  }
}

/** @param {HTMLElement} answer @param {string} words */
function tell(answer, words) {
  find(answer, "#correct-status").textContent = words;
}
