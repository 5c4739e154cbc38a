// The APIs that the site's pages ask, with the keys that the reader gave them for as long as this tab is open.

import { Verdict } from "../api.js";
// As a whole: a config.js that was written before there could be a second model doesn't name one.
import * as config from "../config.js";

const KEY = "verdict.key";

export const api = verdictAt(config.API_URL, KEY);

/** Where a second model answers, to be set beside the first; null when none is named. */
export const beside = config.BESIDE_API_URL ? verdictAt(config.BESIDE_API_URL, `${KEY}.beside`) : null;

/** Sends this key from now on, to that API alone. @param {string} key @param {Verdict} [to] */
export function useKey(key, to = api) {
  to.apiKey = key;
  try {
    sessionStorage.setItem(to === beside ? `${KEY}.beside` : KEY, key);
  } catch {
    // A browser that stores nothing keeps the key until the page is left.
  }
}

/** @param {string} url @param {string} key the name under which its key is kept */
function verdictAt(url, key) {
  return new Verdict(url, { apiKey: stored(key) });
}

/** @param {string} key */
function stored(key) {
  try {
    return sessionStorage.getItem(key) ?? "";
  } catch {
    return "";
  }
}
