// Loads the modules for results at the first sign that somebody uses the page.

import { arrived } from "./late.js";

/** @typedef {typeof import("./outcome.js")} Outcome */
/** @typedef {import("./outcome.js").Form} Form */

const STYLE = "../shared/answer.css";
// All modules that outcome.js needs beyond the page's, listed so that they load in parallel.
const MODULES = [
  "./outcome.js",
  "./answer_strings.js",
  "./answer.js",
  "./compare.js",
  "../shared/failure.js",
  "../shared/failure_strings.js",
  "./history_view.js",
  "./tryout.js",
  "../shared/verdict_strings.js",
  "../shared/meter.js",
  "../shared/spans.js",
  "./waterfall.js",
  "./words.js",
  "./history.js",
  "./flip.js",
];

// Signs of use, long before anything is sent.
const SIGNS = ["pointerover", "pointerdown", "focusin", "keydown"];

/** @type {Promise<Outcome> | null} */
let outcome = null;

/** @param {Form} form */
export function loadAtFirstSign(form) {
  for (const sign of SIGNS) addEventListener(sign, () => loadOutcome(form).catch(() => {}), { once: true });
}

/**
 * Loads the module for results. The next call retries a failed load.
 * @param {Form} form
 * @returns {Promise<Outcome>}
 * @throws {ApiError} unloaded
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
  for (const module of MODULES) addLink("modulepreload", module);
  const [loaded] = await arrived(Promise.all([import("./outcome.js"), styled()]));
  loaded.start(form);
  return loaded;
}

/** Waits for the style of answers. */
function styled() {
  const link = addLink("stylesheet", STYLE);
  return new Promise((resolve, reject) => {
    link.addEventListener("load", resolve);
    link.addEventListener("error", reject);
  });
}

/** @param {string} rel @param {string} path */
function addLink(rel, path) {
  const link = document.createElement("link");
  link.rel = rel;
  link.href = new URL(path, import.meta.url).href;
  document.head.append(link);
  return link;
}
