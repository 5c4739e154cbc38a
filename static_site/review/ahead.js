// Loads the modules that show a result, beside the first request.

import { arrived } from "./late.js";

/** @typedef {typeof import("./outcome.js")} Outcome */
/** @typedef {import("./outcome.js").Form} Form */

const STYLE = "shared/answer.css";

/** @type {Promise<Outcome> | null} */
let outcome = null;

/**
 * Loads the module for results. The next call retries a failed load.
 * @param {Form} form
 * @returns {Promise<Outcome>}
 * @throws {ApiError} unloaded, or offline
 */
export function loadOutcome(form) {
  outcome ??= fetchOutcome(form).catch((error) => {
    outcome = null;
    throw error;
  });
  return outcome;
}

/** @param {Form} form */
async function fetchOutcome(form) {
  const [loaded] = await arrived(Promise.all([import("./outcome.js"), styled()]));
  loaded.start(form);
  return loaded;
}

/** Loads the style of answers again, where the page's own link failed. */
async function styled() {
  const link = /** @type {HTMLLinkElement | null} */ (document.querySelector(`link[href="${STYLE}"]`));
  if (!link || hasRules(link.sheet)) return;
  const again = /** @type {HTMLLinkElement} */ (link.cloneNode());
  await new Promise((resolve, reject) => {
    again.addEventListener("load", resolve);
    again.addEventListener("error", reject);
    link.replaceWith(again);
  });
}

/** Tells whether a style sheet was loaded; of a failed one no rule can be read. @param {CSSStyleSheet | null} sheet */
function hasRules(sheet) {
  try {
    return sheet !== null && sheet.cssRules.length > 0;
  } catch {
    return false;
  }
}
