// Makes sentences of the parts that an API's own words come in.

import { LANGUAGE } from "./strings.js";

/** "a, b and c" @param {string[]} parts */
export const joined = (parts) => new Intl.ListFormat(LANGUAGE, { type: "conjunction" }).format(parts);

/** @param {string} text */
export const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** The card's own words begin small and end without a stop. @param {string} text */
export const withStop = (text) => text + (/[.!?\u2026]$/.test(text) ? "" : ".");

/** @param {string} text */
export const sentence = (text) => capital(withStop(text));
