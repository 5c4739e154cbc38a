// Holds the English words that pages drawn from the API share, and makes sentences of what it says in parts.

import { LANGUAGE } from "./strings.js";

/** "a, b and c" @param {string[]} parts */
export const joined = (parts) => new Intl.ListFormat(LANGUAGE, { type: "conjunction" }).format(parts);

/** @param {string} text */
export const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** The card's own words begin small and end without a stop. @param {string} text */
export const withStop = (text) => text + (/[.!?\u2026]$/.test(text) ? "" : ".");

/** @param {string} text */
export const sentence = (text) => capital(withStop(text));

/** Beside a table that is wider than its place. */
export const goesOn = "Goes on to the right \u2192";
