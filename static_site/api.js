// Sends a review to the API and gives back its checked answer, or an ApiError: never a guess.

import { API_URL } from "./config.js";

/**
 * @typedef {"positive" | "negative" | "uncertain"} Sentiment
 * @typedef {{code: string, detail: string}} Warning
 * @typedef {{start: number, end: number, contribution: number}} Sentence
 *   start and end count Unicode code points of the answer's text; contribution is in logits.
 * @typedef {object} Answer
 * @property {Sentiment} sentiment
 * @property {number} probability P(positive), 0..1
 * @property {Warning[]} warnings
 * @property {string} text the cleaned text that the sentences point into
 * @property {Sentence[]} sentences in the order of the text
 * @property {number} bias in logits; bias + contributions = logit, probability = sigmoid(logit)
 * @property {{id: string, vocabulary?: string}} model
 * @property {string} request_id
 */

export const MAX_REVIEW_CHARACTERS = 50_000;

// API Gateway gives up after 29 s; its answer should come before ours.
const TIMEOUT_MS = 30_000;

// The API promises 1e-5; this allows for rounded numbers, not for wrong ones.
const SUM_TOLERANCE = 0.005;

const SENTIMENTS = ["positive", "negative", "uncertain"];

export const apiUrl = (API_URL || globalThis.location?.origin || "").replace(/\/+$/, "");

/** Any reason for having no answer. `status` is 0 when no HTTP answer came. */
export class ApiError extends Error {
  /**
   * @param {{code: string, status?: number, title?: string, detail?: string,
   *   request_id?: string, retry_after?: number | null}} problem
   *   code is the API's own, or one of ours: unreachable, timeout, superseded, bad_answer,
   *   http_error. retry_after is in seconds.
   */
  constructor({ code, status = 0, title = "", detail = "", request_id = "", retry_after = null }) {
    super(detail || title || code);
    this.name = "ApiError";
    this.code = code;
    this.status = status;
    this.title = title;
    this.detail = detail;
    this.request_id = request_id;
    this.retry_after = retry_after;
  }
}

/** @type {AbortController | null} */
let current = null;

/**
 * Asks for a review's sentiment. A newer call aborts the older, which then throws "superseded".
 * @param {string} review
 * @param {{timeoutMs?: number}} [options]
 * @returns {Promise<Answer>}
 * @throws {ApiError}
 */
export async function askSentiment(review, { timeoutMs = TIMEOUT_MS } = {}) {
  cancel();
  const controller = new AbortController();
  current = controller;
  const timer = setTimeout(() => controller.abort("timeout"), timeoutMs);
  try {
    const response = await send(review, controller.signal);
    const body = await response.text();
    if (controller.signal.aborted) throw controller.signal.reason;
    return response.ok ? readAnswer(response, body) : refuse(response, body);
  } catch (error) {
    throw asApiError(error, controller.signal);
  } finally {
    clearTimeout(timer);
    if (current === controller) current = null;
  }
}

/** Aborts the request under way, if there is one. */
export function cancel() {
  current?.abort("superseded");
}

/** How many characters the API counts: code points, not UTF-16 units. @param {string} review */
export function countCharacters(review) {
  let count = 0;
  for (const _ of review) count += 1;
  return count;
}

/** @param {string} review @param {AbortSignal} signal */
function send(review, signal) {
  return fetch(`${apiUrl}/v1/sentiment`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json" },
    body: JSON.stringify({ review, explain: "sentences" }),
    cache: "no-store",
    credentials: "omit",
    referrerPolicy: "no-referrer",
    signal,
  });
}

/** @param {unknown} error @param {AbortSignal} signal */
function asApiError(error, signal) {
  if (error instanceof ApiError) return error;
  if (signal.aborted) return new ApiError({ code: String(signal.reason) });
  return new ApiError({ code: "unreachable" });
}

/** @param {Response} response @param {string} body @returns {Answer} */
function readAnswer(response, body) {
  const answer = parse(body);
  const fault = faultOf(answer);
  if (fault) {
    throw new ApiError({
      code: "bad_answer",
      status: response.status,
      detail: fault,
      request_id: requestId(response, answer),
    });
  }
  return answer;
}

/** @param {Response} response @param {string} body @returns {never} */
function refuse(response, body) {
  const problem = parse(body) ?? {};
  throw new ApiError({
    code: textOr(problem.code, "http_error"),
    status: response.status,
    title: textOr(problem.title, ""),
    // API Gateway's own errors carry their text in "message".
    detail: textOr(problem.detail, textOr(problem.message, "")),
    request_id: requestId(response, problem),
    retry_after: retryAfter(response, problem),
  });
}

/** @param {string} body @returns {any} undefined when it isn't JSON (NaN is not JSON either) */
function parse(body) {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

/** What is wrong with an answer, in words; "" when nothing is. @param {any} answer */
function faultOf(answer) {
  if (answer === undefined) return "the answer is not JSON";
  if (!isRecord(answer)) return "the answer is not a JSON object";
  if (!SENTIMENTS.includes(answer.sentiment)) return "sentiment is not one of the three";
  if (!isProbability(answer.probability)) return "probability is not a number from 0 to 1";
  if (contradicts(answer)) return "sentiment and probability contradict each other";
  if (!isListOf(answer.warnings, isWarning)) return "warnings are not a list of code and detail";
  if (typeof answer.text !== "string") return "text is not a string";
  if (!isListOf(answer.sentences, isSentence)) return "sentences are not a list of spans";
  if (!areInOrder(answer.sentences, countCharacters(answer.text))) {
    return "sentences do not lie in order within the text";
  }
  if (!Number.isFinite(answer.bias)) return "bias is not a number";
  if (!addsUp(answer)) return "bias and contributions do not add up to the probability";
  if (!isRecord(answer.model) || typeof answer.model.id !== "string") return "model has no id";
  return "";
}

/** @param {any} value */
function isRecord(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** @param {any} values @param {(value: any) => boolean} check */
function isListOf(values, check) {
  return Array.isArray(values) && values.every(check);
}

/** @param {any} value */
function isProbability(value) {
  return Number.isFinite(value) && value >= 0 && value <= 1;
}

/** @param {any} value */
function isWarning(value) {
  return isRecord(value) && typeof value.code === "string" && typeof value.detail === "string";
}

/** @param {any} value */
function isSentence(value) {
  return (
    isRecord(value) &&
    Number.isInteger(value.start) &&
    Number.isInteger(value.end) &&
    Number.isFinite(value.contribution)
  );
}

/** @param {Sentence[]} sentences @param {number} length */
function areInOrder(sentences, length) {
  let from = 0;
  for (const { start, end } of sentences) {
    if (start < from || end < start || end > length) return false;
    from = end;
  }
  return true;
}

/** @param {Answer} answer */
function contradicts({ sentiment, probability }) {
  return (
    (sentiment === "positive" && probability < 0.5) ||
    (sentiment === "negative" && probability > 0.5)
  );
}

/** @param {Answer} answer */
function addsUp(answer) {
  return Math.abs(sigmoid(logitOf(answer)) - answer.probability) <= SUM_TOLERANCE;
}

/** @param {Pick<Answer, "bias" | "sentences">} answer */
export function logitOf({ bias, sentences }) {
  return sentences.reduce((sum, { contribution }) => sum + contribution, bias);
}

/** @param {number} logit */
function sigmoid(logit) {
  return 1 / (1 + Math.exp(-logit));
}

/** @param {unknown} value @param {string} fallback */
function textOr(value, fallback) {
  return typeof value === "string" && value !== "" ? value : fallback;
}

/** @param {Response} response @param {any} body */
function requestId(response, body) {
  return textOr(body?.request_id, response.headers.get("X-Request-Id") ?? "");
}

/**
 * Seconds to wait, from the body or from Retry-After.
 * @param {Response} response
 * @param {any} problem
 */
function retryAfter(response, problem) {
  if (Number.isFinite(problem.retry_after)) return Math.max(0, problem.retry_after);
  const header = response.headers.get("Retry-After");
  if (!header) return null;
  const seconds = Number(header);
  if (Number.isFinite(seconds)) return Math.max(0, seconds);
  const date = Date.parse(header);
  return Number.isNaN(date) ? null : Math.max(0, Math.ceil((date - Date.now()) / 1000));
}
