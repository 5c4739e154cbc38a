// Makes the clients of the site's APIs, with keys kept until the tab closes.

import { Verdict } from "../api.js";
// As a namespace, because an old config.js exports no second address.
import * as config from "../config.js";

const KEY = "verdict.key";

export const api = verdictAt(config.API_URL, KEY);

/** The client of a second model to compare; null without one. */
export const beside = config.BESIDE_API_URL ? verdictAt(config.BESIDE_API_URL, `${KEY}.beside`) : null;

/** Sets the key for one API. @param {string} key @param {Verdict} [to] */
export function useKey(key, to = api) {
  to.apiKey = key;
  try {
    sessionStorage.setItem(to === beside ? `${KEY}.beside` : KEY, key);
  } catch {
    // Without storage, the key lasts until the page is left.
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
