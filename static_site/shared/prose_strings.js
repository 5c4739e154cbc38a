// Joins parts of an API answer into English sentences.

import { LANGUAGE } from "./strings.js";

/** Writes "a, b and c". @param {string[]} parts */
export const joined = (parts) => new Intl.ListFormat(LANGUAGE, { type: "conjunction" }).format(parts);

/** @param {string} text */
export const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** Ends a phrase of the card with a full stop. @param {string} text */
export const withStop = (text) => text + (/[.!?\u2026]$/.test(text) ? "" : ".");

/** @param {string} text */
export const sentence = (text) => capital(withStop(text));

/** Marks a table that is wider than its place. */
export const goesOn = "Scroll right for more \u2192";
