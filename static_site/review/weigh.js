// Measures the words that the answer left unmeasured, by removing each.

import { drawWeights, unmeasured } from "./answer.js";
import * as strings from "./answer_strings.js";
import { ApiError } from "../api.js";
import { find, setText } from "../shared/dom.js";
import { explain, tryFailed } from "../shared/failure_strings.js";
import { variantsThatFit } from "./flip.js";
import { without } from "../shared/spans.js";
import { isUnderstood } from "../shared/verdict_strings.js";
import { weightsOf } from "./words.js";

/** @typedef {import("./words.js").Explained} Explained */

// A probability of 0 or 1 has no logit, so it is moved by its last decimal.
const LEAST = 1e-6;

/**
 * Measures the other words, and draws all of them by their effects.
 * @param {HTMLElement} view the answer's element
 * @param {Explained} answer
 * @param {import("../api.js").Verdict} api
 * @param {AbortSignal} signal
 */
export async function measureWords(view, answer, api, signal) {
  const say = (/** @type {string} */ words) => setText(view, "#weigh-status", words);
  try {
    const values = await effectsOf(answer, api, signal, (done, all) => say(strings.weighing(done, all)));
    const weigh = find(view, "#weigh");
    const focused = document.activeElement === weigh;
    drawWeights(view, answer, { ...weightsOf(answer), measured: true, values });
    weigh.hidden = true;
    if (focused) find(view, ".word[tabindex='0']").focus({ preventScroll: true });
    say("");
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.code !== "aborted") say(tryFailed(explain(error, api.url)));
  }
}

/**
 * Returns how far the logit falls without each word; null where that can't be measured.
 * @param {Explained} answer
 * @param {import("../api.js").Verdict} api
 * @param {AbortSignal} signal
 * @param {(done: number, all: number) => void} progress
 * @returns {Promise<(number | null)[]>}
 * @throws {ApiError}
 */
async function effectsOf(answer, api, signal, progress) {
  const weights = weightsOf(answer);
  const values = weights.measured ? [...weights.values] : answer.words.map(() => null);
  const indexes = unmeasured(answer, weights);
  const size = variantsThatFit(answer.text);
  for (let start = 0; start < indexes.length; start += size) {
    progress(start, indexes.length);
    const batch = indexes.slice(start, start + size);
    const reviews = batch.map((index) => ({ review: without(answer.text, [answer.words[index]]) }));
    const items = await api.batch(reviews, { signal });
    batch.forEach((index, place) => {
      const left = items[place].answer;
      if (left && left.model.id !== answer.model.id) throw new ApiError({ code: "other_model" });
      values[index] = left && isUnderstood(left) ? logit(answer.probability) - logit(left.probability) : null;
    });
  }
  return values;
}

/** @param {number} probability */
function logit(probability) {
  const inside = Math.min(1 - LEAST, Math.max(LEAST, probability));
  return Math.log(inside / (1 - inside));
}
