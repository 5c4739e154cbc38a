// Explains errors on every page that calls the API: the cause, and the next step.

import { count, offline, plural, unloaded } from "./strings.js";

/** @param {number} seconds */
export const retryIn = (seconds) => `Try again in ${plural(seconds, "second", "seconds")}`;
/** @param {number} seconds @param {number} waited */
export const waking = (seconds, waited) =>
  seconds <= 0 ? `Trying again\u2026 ${count(waited)} seconds so far.` :
  `Trying again in ${plural(seconds, "second", "seconds")}. ${count(waited)} seconds so far.`;

/**
 * Quotes the API, or our check of its answer. Returns "" when there is no detail.
 * @param {import("../api.js").ApiError} error
 */
export function detailOf({ code, detail }) {
  if (!detail) return "";
  return code === "bad_answer" ? `Problem: ${detail}.` : `The API says: ${detail}`;
}

/** @param {import("../api.js").ApiError} error */
export function errorSmallPrint({ status, code, request_id }) {
  const unsent = ["empty", "too_long", "broken_link"].includes(code);
  const parts = [unsent ? "Not sent" : status ? `Status ${status}` : "No HTTP answer", code];
  if (request_id) parts.push(`request ${request_id}`);
  return parts.join(", ");
}

/**
 * @typedef {{title: string, advice: string, command?: string, edit?: boolean,
 *   retry?: boolean, again?: boolean}} Explanation
 *   command: for a terminal; edit: the same text would fail again; retry: false where a retry can't help;
 *   again: the page retries by itself.
 */

/** @type {Record<string, (error: import("../api.js").ApiError, url: string) => Explanation>} */
const BY_CODE = {
  empty: () => ({
    title: "There is no text yet",
    advice: "Write or paste a review, or choose an example.",
    edit: true,
    retry: false,
  }),
  too_long: () => ({
    title: "The review is too long",
    advice: "It was not sent. Shorten it to 50,000 characters and try again.",
    edit: true,
  }),
  broken_link: () => ({
    title: "The link holds no review",
    advice: "The link may be cut off. Ask for it again, or paste the text.",
    retry: false,
  }),
  unreachable: (_, url) => ({
    title: "The API can\u2019t be reached",
    advice:
      `${url} did not answer. The API may be down, or it may not accept requests from this page. ` +
      "To start it on this machine, run:",
    command: "make run",
  }),
  other_model: () => ({
    title: "The model has changed",
    advice: "Judge the review again, so that one model gives both results.",
  }),
  offline: () => offline,
  unloaded: () => unloaded,
  refused_origin: (_, url) => ({
    title: "The API\u2019s answer can\u2019t be read here",
    advice:
      `${url} is up, but this page can\u2019t read its answer. If trying again doesn\u2019t help, the API may not accept ` +
      `${globalThis.location?.origin ?? "this page"}. Its operator can allow that with CORS_ORIGIN.`,
  }),
  endpoint_waking: () => ({
    title: "The model is waking up",
    advice: "It sleeps while nobody uses it, to save cost. It starts within a minute.",
    again: true,
  }),
  timeout: (_, url) => ({
    title: "The API took too long",
    advice:
      `${url} did not answer in time. It may be busy or starting up. ` +
      "Try again in a moment.",
  }),
  page_fault: () => ({
    title: "This page couldn\u2019t show the answer",
    advice:
      "The page has a bug. Reload it and try again. " +
      "The browser\u2019s console has details.",
  }),
  bad_answer: (_, url) => ({
    title: "The answer can\u2019t be trusted",
    advice:
      `${url} sent something that is not a verdict, so the page shows none. ` +
      "Try again. If that fails, reload the page: it may be older than the API.",
  }),
};

/** @type {Record<number, (error: import("../api.js").ApiError, url: string) => Explanation>} */
const BY_STATUS = {
  400: () => ({
    title: "The API didn\u2019t accept the request",
    advice: "The page may be older than the API. Reload it, then try again.",
  }),
  401: () => ({
    title: "This API asks for a key",
    advice: "Get a key from its operator and enter it here. Your text is safe.",
    retry: false,
  }),
  404: (_, url) => ({
    title: "The API isn\u2019t at this address",
    advice: `${url} answers, but not as this version of Verdict. Check the address, or reload the page.`,
  }),
  413: () => ({
    title: "The review is too long",
    advice: "Shorten it to 50,000 characters and try again.",
    edit: true,
  }),
  422: () => ({
    title: "The text has no words",
    advice: "The model needs at least one word. Add some and try again.",
    edit: true,
  }),
  429: ({ retry_after }) => ({
    title: "Too many requests",
    advice: retry_after
      ? "Your text is safe. The button counts down to the next try."
      : "Your text is safe. Wait a moment, then try again.",
  }),
  502: () => ({
    title: "The model failed to answer",
    advice:
      "Your text is safe. Try again in a moment. If that fails, tell the API\u2019s operator.",
  }),
  504: () => ({
    title: "The model took too long",
    advice: "Your text is safe. The model may be busy or starting up. Try again in a moment.",
  }),
  503: () => ({
    title: "The model isn\u2019t answering",
    advice:
      "The API is up, but its model endpoint is down or still starting. " +
      "To start it on this machine, run:",
    command: "make run",
    again: true,
  }),
};

/**
 * @param {import("../api.js").ApiError} error
 * @param {string} url
 * @returns {Explanation}
 */
export function explain(error, url) {
  const known = BY_CODE[error.code] ?? BY_STATUS[error.status];
  if (known) return known(error, url);
  if (error.status >= 500) {
    return {
      title: "The request failed on its way to the model",
      advice:
        "Your text is safe. Try again in a moment. If that fails, " +
        "tell the API\u2019s operator.",
    };
  }
  return {
    title: "The API refused the request",
    advice: "Your text is safe. Reload the page, then try again.",
  };
}

/**
 * Explains an error of a page that sends no review.
 * @param {import("../api.js").ApiError} error
 * @param {string} url
 * @param {string} title
 * @returns {Explanation}
 */
export function explainForPage(error, url, title) {
  const known = ["unreachable", "refused_origin", "timeout", "page_fault"].includes(error.code);
  if (known || [404, 503].includes(error.status)) return explain(error, url);
  if (error.status === 401) return { ...explain(error, url), advice: "Get a key from its operator." };
  return { title, advice: "Try again in a moment. If that fails, tell the API\u2019s operator." };
}

/** @param {Explanation} explanation */
export const tryFailed = ({ title }) => `${title}. The verdict above is unchanged. Try again in a moment.`;
