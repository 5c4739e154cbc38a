// The API that the site's pages ask, with the key that the reader gave it for as long as this tab is open.

import { Verdict } from "./api.js";
import { API_URL } from "./config.js";

const KEY = "verdict.key";

export const api = new Verdict(API_URL, { apiKey: storedKey() });

/** Sends this key from now on. @param {string} key */
export function useKey(key) {
  api.apiKey = key;
  try {
    sessionStorage.setItem(KEY, key);
  } catch {
    // A browser that stores nothing keeps the key until the page is left.
  }
}

function storedKey() {
  try {
    return sessionStorage.getItem(KEY) ?? "";
  } catch {
    return "";
  }
}
