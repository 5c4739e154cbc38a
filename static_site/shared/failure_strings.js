// Says what went wrong and what to do, for every page that asks the API.

import { count, offline, plural, unloaded } from "./strings.js";

/** @param {number} seconds */
export const retryIn = (seconds) => `Try again in ${plural(seconds, "second", "seconds")}`;
/** @param {number} seconds @param {number} waited */
export const waking = (seconds, waited) =>
  seconds <= 0 ? `Trying again\u2026 Waiting for ${count(waited)} seconds so far.` :
  `Trying again by itself in ${plural(seconds, "second", "seconds")}; waiting for ${count(waited)} so far.`;

/**
 * What the API, or our check of its answer, said; "" when nothing.
 * @param {import("../api.js").ApiError} error
 */
export function detailOf({ code, detail }) {
  if (!detail) return "";
  return code === "bad_answer" ? `What is wrong: ${detail}.` : `The API says: ${detail}`;
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
 *   command: what to type in a terminal; edit: another text is needed, the same won't do;
 *   retry: false when there is nothing yet to try again; again: the page tries by itself.
 */

/** @type {Record<string, (error: import("../api.js").ApiError, url: string) => Explanation>} */
const BY_CODE = {
  empty: () => ({
    title: "There is nothing to read yet",
    advice: "Write or paste a review, or take one of the examples.",
    edit: true,
    retry: false,
  }),
  too_long: () => ({
    title: "The review is too long",
    advice: "It was not sent. Shorten it to 50,000 characters, then try again.",
    edit: true,
  }),
  broken_link: () => ({
    title: "The link holds no review",
    advice: "It may have been cut short on its way. Ask for it again, or paste the text itself.",
    retry: false,
  }),
  unreachable: (_, url) => ({
    title: "The API can\u2019t be reached",
    advice:
      `No answer came from ${url}. This device may be offline, the API may be down, or it may ` +
      "not accept this page\u2019s address. If the API should be on this machine, this starts it:",
    command: "make run",
  }),
  other_model: () => ({
    title: "Another model answers now",
    advice: "Read the review again, so that before and after are of the same model.",
  }),
  offline: () => offline,
  unloaded: () => unloaded,
  refused_origin: (_, url) => ({
    title: "The API\u2019s answer can\u2019t be read here",
    advice:
      `${url} is there, but gave this page nothing to read. Either the connection broke: try again. Or it doesn\u2019t ` +
      `accept ${globalThis.location?.origin ?? "this page"}: whoever runs it can name the pages that it answers by CORS_ORIGIN.`,
  }),
  endpoint_waking: () => ({
    title: "The model is waking up",
    advice: "It sleeps when nobody asks, so that it costs nothing, and needs up to a minute to start.",
    again: true,
  }),
  timeout: (_, url) => ({
    title: "The API took too long",
    advice:
      `${url} did not answer in time. It may be busy or just starting: ` +
      "try again in a moment.",
  }),
  page_fault: () => ({
    title: "This page failed to show the answer",
    advice:
      "The fault is the page\u2019s own. Reload it and try again; " +
      "the browser\u2019s console says more.",
  }),
  bad_answer: (_, url) => ({
    title: "The answer can\u2019t be trusted",
    advice:
      `${url} answered with something that this page can\u2019t read as a verdict, ` +
      "so none is shown. " +
      "Try again. If it stays so, page and API may be of different versions: reload the page.",
  }),
};

/** @type {Record<number, (error: import("../api.js").ApiError, url: string) => Explanation>} */
const BY_STATUS = {
  400: () => ({
    title: "The API didn\u2019t accept the request",
    advice: "Page and API may be of different versions: reload the page, then try again.",
  }),
  401: () => ({
    title: "This API asks for a key",
    advice: "Whoever runs it gives keys out. With one you can go on; your text is still here.",
    retry: false,
  }),
  404: (_, url) => ({
    title: "There is no such API",
    advice: `${url} answers, but not as a Verdict of this version. Check the address, or reload the page.`,
  }),
  413: () => ({
    title: "The review is too long",
    advice: "Shorten it to 50,000 characters, then try again.",
    edit: true,
  }),
  422: () => ({
    title: "There is no word to read in it",
    advice: "The model needs at least one word. Add some, then try again.",
    edit: true,
  }),
  429: ({ retry_after }) => ({
    title: "Too many requests for now",
    advice: retry_after
      ? "Your text is still here. The button counts the seconds until the API takes more."
      : "Your text is still here. Wait a moment, then try again.",
  }),
  502: () => ({
    title: "The model failed to answer",
    advice:
      "Your text is still here. Try again in a moment; if it stays so, tell whoever runs the API.",
  }),
  504: () => ({
    title: "The model took too long",
    advice: "Your text is still here. It may be busy or just starting: try again in a moment.",
  }),
  503: () => ({
    title: "The model isn\u2019t answering",
    advice:
      "The API is up, but the endpoint that holds the model is not, or it is still starting. " +
      "If it should be on this machine, this starts it:",
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
      title: "Something broke on the way to the model",
      advice:
        "Your text is still here. Try again in a moment; if it stays so, " +
        "tell whoever runs the API.",
    };
  }
  return {
    title: "The API refused this",
    advice: "Your text is still here. Reload the page if it was open for long, then try again.",
  };
}

/**
 * What went wrong, where no review is at stake.
 * @param {import("../api.js").ApiError} error
 * @param {string} url
 * @param {string} title
 * @returns {Explanation}
 */
export function explainForPage(error, url, title) {
  const known = ["unreachable", "refused_origin", "timeout", "page_fault"].includes(error.code);
  if (known || [404, 503].includes(error.status)) return explain(error, url);
  if (error.status === 401) return { ...explain(error, url), advice: "Whoever runs it gives keys out." };
  return { title, advice: "Try again in a moment; if it stays so, tell whoever runs the API." };
}

/** @param {Explanation} explanation */
export const tryFailed = ({ title }) => `${title}. Nothing has changed above; try again in a moment.`;
