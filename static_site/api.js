// Client of Verdict's API for JavaScript. Returns a checked answer or throws an ApiError.
//
//   import { Verdict } from "./api.js";
//   const answer = await new Verdict("http://127.0.0.1:8000").sentiment("A lovely film.");
//
// Needs no other module. Runs in browsers, Node 20 and later, Deno and Bun.

/**
 * @typedef {"positive" | "negative" | "uncertain"} Sentiment
 * @typedef {"mixed" | "no_opinion" | "no_known_words" | "not_english" | "unclear"} Reason
 * @typedef {{code: string, detail: string}} Warning
 * @typedef {"none" | "sentences" | "words"} Explain
 * @typedef {"film" | "product" | Record<string, string[]>} Aspects a shipped list, or names with their terms
 * @typedef {{start: number, end: number, contribution: number}} Span
 *   start and end count Unicode code points of the answer's text; contribution is in logits.
 * @typedef {Span & {alone?: number, without?: number | null}} Sentence
 *   alone: P(positive) of the sentence alone; without: of the review without it, null when it has no other
 * @typedef {Span & {effect?: number}} Word
 *   effect: how far the logit falls without the word; measured for the strongest words only
 * @typedef {{sentiment: Sentiment, reason: Reason | null, probability: number, contribution: number,
 *   mentions: (Span & {term: [number, number], negated: boolean})[]}} AspectAnswer
 * @typedef {object} Answer
 * @property {Sentiment} sentiment
 * @property {Reason | null} reason why the verdict is uncertain; null when it is not
 * @property {number} probability P(positive), 0..1
 * @property {Warning[]} warnings
 * @property {string} [text] the cleaned text that the spans point into; when explained
 * @property {Sentence[]} [sentences] in the order of the text; when explained
 * @property {Word[]} [words] in the order of the text; when explained by words
 * @property {Record<string, AspectAnswer | {sentiment: "not_mentioned"}>} [aspects] in the request's order; when asked
 * @property {number} bias in logits; bias + contributions = logit, probability = sigmoid(logit)
 * @property {{id: string, vocabulary?: string, uncertain?: [number, number]}} model
 *   uncertain: between which probabilities the model says that it can't tell
 * @property {string} request_id
 *
 * @typedef {{review: string, label: "positive" | "negative", model?: string}} Feedback
 *   a review, the side it is on, and the id of the model that was wrong
 * @typedef {{id?: string | number, review: string}} Review
 * @typedef {{id?: string | number, answer: Answer, error?: undefined}
 *   | {id?: string | number, answer?: undefined, error: ApiError}} BatchItem
 */

export const MAX_REVIEW_CHARACTERS = 50_000;
export const MAX_BATCH_REVIEWS = 100;
export const MAX_BATCH_BYTES = 1_000_000;

// Longer than API Gateway's 29 s, so that its error arrives first.
const TIMEOUT_MS = 30_000;

// The API promises 1e-5. This allows for rounding only.
const SUM_TOLERANCE = 0.005;

const SENTIMENTS = ["positive", "negative", "uncertain"];

/** The reason for having no answer. `status` is 0 without an HTTP answer. */
export class ApiError extends Error {
  /**
   * @param {{code: string, status?: number, title?: string, detail?: string,
   *   request_id?: string, retry_after?: number | null}} problem
   *   code is the API's own, or one of ours: unreachable, timeout, aborted, bad_answer,
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

/** A Verdict API at an address. Its calls throw only ApiError. */
export class Verdict {
  /**
   * @param {string} [url] where the API is; the page's own origin when empty
   * @param {{apiKey?: string, timeoutMs?: number}} [options]
   */
  constructor(url = "", { apiKey = "", timeoutMs = TIMEOUT_MS } = {}) {
    this.url = (url || globalThis.location?.origin || "").replace(/\/+$/, "");
    this.apiKey = apiKey;
    this.timeoutMs = timeoutMs;
  }

  /**
   * @param {string} review
   * @param {{explain?: Explain, aspects?: Aspects, signal?: AbortSignal}} [options]
   * @returns {Promise<Answer>}
   */
  async sentiment(review, { explain = "sentences", aspects, signal } = {}) {
    const { body, response } = await this.#post("/v1/sentiment", { review, explain, aspects }, signal);
    return checked(body, explain, response);
  }

  /**
  * Returns the answers to at most 100 reviews, in order. A bad review gets an error of its own.
   * @param {Review[]} reviews
   * @param {{explain?: Explain, aspects?: Aspects, signal?: AbortSignal}} [options]
   * @returns {Promise<BatchItem[]>}
   */
  async batch(reviews, { explain = "none", aspects, signal } = {}) {
    // Each review is sent with its index as its id, so that verdicts can't be mixed up.
    const sent = reviews.map(({ review }, place) => ({ id: place, review }));
    const { body, response } = await this.#post(
      "/v1/sentiment/batch",
      { reviews: sent, explain, aspects },
      signal,
    );
    if (!isRecord(body) || !isListOf(body.answers, isRecord) || body.answers.length !== reviews.length) {
      throw badAnswer("the batch's answers do not match its reviews", response, body);
    }
    return body.answers.map((/** @type {any} */ item, /** @type {number} */ place) => {
      if (item.id !== place) throw badAnswer("the batch's answers are in another order", response, body);
      return batchItem({ ...item, id: reviews[place].id }, body, explain, response);
    });
  }

  /** Returns the card of the serving model. @param {AbortSignal} [signal] @returns {Promise<any>} */
  model(signal) {
    return this.#get("/v1/model", signal);
  }

  /** Returns the API's OpenAPI document. @param {AbortSignal} [signal] @returns {Promise<any>} */
  openapi(signal) {
    return this.#get("/v1/openapi.json", signal);
  }

  /** Tells whether the API keeps feedback. @returns {Promise<boolean>} */
  async keepsFeedback() {
    return (await this.#get("/v1/feedback")).enabled === true;
  }

  /** Sends feedback. Returns the id to delete it by. @param {Feedback} feedback @returns {Promise<string>} */
  async keepFeedback(feedback) {
    const { body, response } = await this.#post("/v1/feedback", feedback);
    if (!isRecord(body) || typeof body.id !== "string") throw badAnswer("the feedback has no id", response, body);
    return body.id;
  }

  /** @param {string} id */
  async deleteFeedback(id) {
    await this.#ask(`/v1/feedback/${encodeURIComponent(id)}`, { method: "DELETE" });
  }

  /** @param {string} path @param {any} message @param {AbortSignal} [signal] */
  #post(path, message, signal) {
    const headers = { "Content-Type": "application/json" };
    return this.#ask(path, { method: "POST", headers, body: JSON.stringify(message) }, signal);
  }

  /** @param {string} path @param {AbortSignal} [signal] */
  async #get(path, signal) {
    const { body, response } = await this.#ask(path, { method: "GET" }, signal);
    if (!isRecord(body)) throw badAnswer("the answer is not a JSON object", response, body);
    return body;
  }

  /**
   * @param {string} path
   * @param {{method: string, headers?: Record<string, string>, body?: string}} request
   * @param {AbortSignal} [signal]
   * @returns {Promise<{body: any, response: Response}>}
   */
  async #ask(path, request, signal) {
    const timeout = AbortSignal.timeout(this.timeoutMs);
    /** @type {Record<string, string>} */
    const key = this.apiKey ? { "X-Api-Key": this.apiKey } : {};
    try {
      const response = await fetch(this.url + path, {
        ...request,
        headers: { Accept: "application/json", ...key, ...request.headers },
        cache: "no-store",
        credentials: "omit",
        referrerPolicy: "no-referrer",
        signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      });
      const body = parse(await response.text());
      return response.ok ? { body, response } : refuse(response, body);
    } catch (error) {
      throw asApiError(error, signal, timeout);
    }
  }
}

/** Counts characters as the API does: code points, not UTF-16 units. @param {string} review */
export function countCharacters(review) {
  let count = 0;
  for (const _ of review) count += 1;
  return count;
}

/** @param {unknown} error @param {AbortSignal | undefined} signal @param {AbortSignal} timeout */
function asApiError(error, signal, timeout) {
  if (error instanceof ApiError) return error;
  if (signal?.aborted) return new ApiError({ code: "aborted" });
  return new ApiError({ code: timeout.aborted ? "timeout" : "unreachable" });
}

/** @param {any} answer @param {Explain} explain @param {Response} response @returns {Answer} */
function checked(answer, explain, response) {
  const fault = faultOf(answer, explain);
  if (fault) throw badAnswer(fault, response, answer);
  return answer;
}

/**
 * @param {any} item
 * @param {any} batch
 * @param {Explain} explain
 * @param {Response} response
 * @returns {BatchItem}
 */
function batchItem(item, batch, explain, response) {
  const { id, error, ...answer } = item;
  if (error !== undefined) return { id, error: problemOf(error, requestId(response, batch)) };
  const { model, request_id } = batch;
  return { id, answer: checked({ ...answer, model, request_id }, explain, response) };
}

/** @param {any} problem @param {string} request_id */
function problemOf(problem, request_id) {
  return new ApiError({
    code: textOr(problem?.code, "http_error"),
    status: Number.isInteger(problem?.status) ? problem.status : 0,
    title: textOr(problem?.title, ""),
    detail: textOr(problem?.detail, ""),
    request_id,
  });
}

/** @param {string} detail @param {Response} response @param {any} body */
function badAnswer(detail, response, body) {
  const request_id = requestId(response, body);
  return new ApiError({ code: "bad_answer", status: response.status, detail, request_id });
}

/** @param {Response} response @param {any} body @returns {never} */
function refuse(response, body) {
  const problem = isRecord(body) ? body : {};
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

/** Describes what is wrong with an answer; "" for nothing. @param {any} answer @param {Explain} explain */
function faultOf(answer, explain) {
  if (answer === undefined) return "the answer is not JSON";
  if (!isRecord(answer)) return "the answer is not a JSON object";
  if (!SENTIMENTS.includes(answer.sentiment)) return "sentiment is not one of the three";
  if (!hasItsReason(answer)) return "reason is not there exactly when the verdict is uncertain";
  if (!isProbability(answer.probability)) return "probability is not a number from 0 to 1";
  if (contradicts(answer)) return "sentiment and probability contradict each other";
  if (!isListOf(answer.warnings, isWarning)) return "warnings are not a list of code and detail";
  if (!Number.isFinite(answer.bias)) return "bias is not a number";
  if (!isRecord(answer.model) || typeof answer.model.id !== "string") return "model has no id";
  if (!isBand(answer.model.uncertain)) return "uncertain is not two probabilities in order";
  if (isInside(answer)) return "the verdict lies where the model says that it can't tell";
  if (!areAspects(answer.aspects)) return "aspects do not each have a sentiment, or have odd mentions";
  if (explain === "none") return "";
  if (typeof answer.text !== "string") return "text is not a string";
  return spanFaultOf(answer, "sentences") || (explain === "words" ? spanFaultOf(answer, "words") : "");
}

/** @param {any} aspects */
function areAspects(aspects) {
  if (aspects === undefined) return true;
  return isRecord(aspects) && Object.values(aspects).every(isAspect);
}

/** @param {any} aspect */
function isAspect(aspect) {
  if (aspect?.sentiment === "not_mentioned") return true;
  const { sentiment, probability, contribution, mentions } = aspect ?? {};
  if (!SENTIMENTS.includes(sentiment) || !isProbability(probability)) return false;
  return Number.isFinite(contribution) && isListOf(mentions, isSpan);
}

/** @param {any} answer @param {"sentences" | "words"} kind */
function spanFaultOf(answer, kind) {
  const spans = answer[kind];
  if (!isListOf(spans, isSpan)) return `${kind} are not a list of spans`;
  if (!isListOf(spans, isMeasured)) return `${kind} have measures of another kind`;
  if (!areInOrder(spans, countCharacters(answer.text))) return `${kind} do not lie in order within the text`;
  if (!addsUp(answer, spans)) return `bias and ${kind} do not add up to the probability`;
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

/** @param {any} answer */
function hasItsReason({ sentiment, reason }) {
  return sentiment === "uncertain" ? typeof reason === "string" : reason === null;
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
function isSpan(value) {
  return (
    isRecord(value) &&
    Number.isInteger(value.start) &&
    Number.isInteger(value.end) &&
    Number.isFinite(value.contribution)
  );
}

/** Checks what an answer may lack. @param {any} span */
function isMeasured({ alone = 0, without, effect = 0 }) {
  return isProbability(alone) && isProbability(without ?? 0) && Number.isFinite(effect);
}

/** @param {Span[]} spans @param {number} length */
function areInOrder(spans, length) {
  let from = 0;
  for (const { start, end } of spans) {
    if (start < from || end < start || end > length) return false;
    from = end;
  }
  return true;
}

/** @param {any} band */
function isBand(band) {
  return (
    band === undefined ||
    (isListOf(band, isProbability) && band.length === 2 && band[0] <= band[1])
  );
}

/** @param {Answer} answer */
function isInside({ sentiment, probability, model: { uncertain } }) {
  if (sentiment === "uncertain" || uncertain === undefined) return false;
  return uncertain[0] < probability && probability < uncertain[1];
}

/** @param {Answer} answer */
function contradicts({ sentiment, probability }) {
  return (
    (sentiment === "positive" && probability < 0.5) ||
    (sentiment === "negative" && probability > 0.5)
  );
}

/** @param {Answer} answer @param {Span[]} spans */
function addsUp({ bias, probability }, spans) {
  return Math.abs(sigmoid(logitOf(bias, spans)) - probability) <= SUM_TOLERANCE;
}

/** @param {number} bias @param {Span[]} spans */
export function logitOf(bias, spans) {
  return spans.reduce((sum, { contribution }) => sum + contribution, bias);
}

/** @param {number} logit */
export function sigmoid(logit) {
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
 * Returns the seconds to wait, from the body or from Retry-After.
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
