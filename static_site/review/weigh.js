// Measures each word's effect by removing it: slower than the pulls, and more faithful.

import { drawStrongest, realWords } from "./answer.js";
import * as strings from "./answer_strings.js";
import { ApiError } from "../api.js";
import { find, setText } from "../shared/dom.js";
import { explain, tryFailed } from "../shared/failure_strings.js";
import { variantsThatFit } from "./flip.js";
import { without } from "../shared/spans.js";
import { tintWords } from "./words.js";

/** @typedef {import("./words.js").Explained} Explained */

// A probability of 0 or 1 has no logit, so it is moved by its last decimal.
const LEAST = 1e-6;

/**
 * Switches the words between their pulls and measured effects.
 * @param {HTMLElement} view the answer's element
 * @param {Explained} answer
 * @param {import("../api.js").Verdict} api
 * @param {AbortSignal} signal
 */
export async function toggleWeights(view, answer, api, signal) {
  if (find(view, "#weigh").dataset.on === "yes") {
    show(view, answer, answer.words.map(({ contribution }) => contribution), false);
    return;
  }
  const say = (/** @type {string} */ words) => setText(view, "#weigh-status", words);
  try {
    const weights = await weigh(answer, api, signal, (done, all) => say(strings.weighing(done, all)));
    show(view, answer, weights, true);
    say("");
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.code !== "aborted") say(tryFailed(explain(error, api.url)));
  }
}

/**
 * Returns how far the logit falls without each word; 0 for punctuation.
 * @param {Explained} answer
 * @param {import("../api.js").Verdict} api
 * @param {AbortSignal} signal
 * @param {(done: number, all: number) => void} progress
 * @returns {Promise<number[]>}
 * @throws {ApiError}
 */
async function weigh(answer, api, signal, progress) {
  const indexes = realWords(answer);
  const weights = answer.words.map(() => 0);
  const size = variantsThatFit(answer.text);
  for (let start = 0; start < indexes.length; start += size) {
    progress(start, indexes.length);
    const batch = indexes.slice(start, start + size);
    const reviews = batch.map((index) => ({ review: without(answer.text, [answer.words[index]]) }));
    const items = await api.batch(reviews, { signal });
    batch.forEach((index, place) => {
      const left = items[place].answer;
      if (left && left.model.id !== answer.model.id) throw new ApiError({ code: "other_model" });
      weights[index] = left ? logit(answer.probability) - logit(left.probability) : 0;
    });
  }
  return weights;
}

/** @param {number} probability */
function logit(probability) {
  const inside = Math.min(1 - LEAST, Math.max(LEAST, probability));
  return Math.log(inside / (1 - inside));
}

/**
 * @param {HTMLElement} view
 * @param {Explained} answer
 * @param {number[]} pulls
 * @param {boolean} weighed
 */
function show(view, answer, pulls, weighed) {
  tintWords(view, pulls);
  drawStrongest(view, answer, pulls);
  setText(view, "#words-note", weighed ? strings.weighed : strings.STATIC.wordsNote);
  setText(view, "#weigh", weighed ? strings.unweigh : strings.STATIC.weigh);
  find(view, "#weigh").dataset.on = weighed ? "yes" : "no";
}
