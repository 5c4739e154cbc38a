// Reads untrusted JSON. A value that is absent or of the wrong kind becomes null.

/** @typedef {Record<string, any>} Row */

const MAX_CHARACTERS = 1_000;
const MAX_ROWS = 60;
// A larger number is a mistake, and would fill the page.
const MAX_AMOUNT = 1e12;
// Control characters, and characters that change the text's direction.
const UNSHOWN = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]+/gu;

/** Returns the value at a path. @param {any} value @param {...(string | number)} path @returns {any} */
export function at(value, ...path) {
  for (const name of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
    value = value[name];
  }
  return value;
}

/** Reads a share or a probability, 0..1. @param {any} value @param {...(string | number)} path @returns {number | null} */
export function share(value, ...path) {
  const found = at(value, ...path);
  return Number.isFinite(found) && found >= 0 && found <= 1 ? found : null;
}

/** Reads a number of either sign. @param {any} value @param {...(string | number)} path @returns {number | null} */
export function number(value, ...path) {
  const found = at(value, ...path);
  return Number.isFinite(found) && Math.abs(found) <= MAX_AMOUNT ? found : null;
}

/** Reads a count, size or duration. @param {any} value @param {...(string | number)} path @returns {number | null} */
export function amount(value, ...path) {
  const found = number(value, ...path);
  return found !== null && found >= 0 ? found : null;
}

/** Reads a short text. @param {any} value @param {...(string | number)} path @returns {string | null} */
export function text(value, ...path) {
  const found = at(value, ...path);
  if (typeof found !== "string") return null;
  const shown = found
    .slice(0, 4 * MAX_CHARACTERS)
    .replace(UNSHOWN, " ")
    .trim();
  if (shown === "") return null;
  const points = Array.from(shown);
  return points.length > MAX_CHARACTERS ? `${points.slice(0, MAX_CHARACTERS).join("")}\u2026` : shown;
}

/** Reads the short texts of a list. @param {any} value @param {...(string | number)} path @returns {string[]} */
export function texts(value, ...path) {
  return list(value, ...path)
    .map((one) => text(one))
    .filter((one) => one !== null);
}

/** Reads the records of a list. @param {any} value @param {...(string | number)} path @returns {Row[]} */
export function rows(value, ...path) {
  return list(value, ...path).filter(isRecord);
}

/**
 * Reads a record's own names and values, in order.
 * @param {any} value
 * @param {...(string | number)} path
 * @returns {[string, any][]}
 */
export function entries(value, ...path) {
  const found = at(value, ...path);
  return isRecord(found) ? Object.entries(found).slice(0, MAX_ROWS) : [];
}

/** Reads a list's first items. @param {any} value @param {...(string | number)} path @returns {any[]} */
export function list(value, ...path) {
  const found = at(value, ...path);
  return Array.isArray(found) ? found.slice(0, MAX_ROWS) : [];
}

/** @param {any} value @returns {value is Row} */
function isRecord(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
