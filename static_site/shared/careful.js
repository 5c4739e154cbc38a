// Reads what the API says of itself with care: what is absent, or not of its kind, is null and never shown.

/** @typedef {Record<string, any>} Row */

const MAX_CHARACTERS = 1_000;
const MAX_ROWS = 60;
// Above this a count or a duration is a mistake, and its digits would fill the page.
const MAX_AMOUNT = 1e12;
// Control characters, and those that turn the direction of the text around them.
const UNSHOWN = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]+/gu;

/** The value at a path of names. @param {any} value @param {...(string | number)} path @returns {any} */
export function at(value, ...path) {
  for (const name of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
    value = value[name];
  }
  return value;
}

/** A share or a probability, 0..1. @param {any} value @param {...(string | number)} path @returns {number | null} */
export function share(value, ...path) {
  const found = at(value, ...path);
  return Number.isFinite(found) && found >= 0 && found <= 1 ? found : null;
}

/** A number that may have a sign. @param {any} value @param {...(string | number)} path @returns {number | null} */
export function number(value, ...path) {
  const found = at(value, ...path);
  return Number.isFinite(found) && Math.abs(found) <= MAX_AMOUNT ? found : null;
}

/** A count, size or duration. @param {any} value @param {...(string | number)} path @returns {number | null} */
export function amount(value, ...path) {
  const found = number(value, ...path);
  return found !== null && found >= 0 ? found : null;
}

/** A short text. @param {any} value @param {...(string | number)} path @returns {string | null} */
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

/** Short texts in a list. @param {any} value @param {...(string | number)} path @returns {string[]} */
export function texts(value, ...path) {
  return list(value, ...path)
    .map((one) => text(one))
    .filter((one) => one !== null);
}

/** Records in a list. @param {any} value @param {...(string | number)} path @returns {Row[]} */
export function rows(value, ...path) {
  return list(value, ...path).filter(isRecord);
}

/**
 * A record's own names and values, in its order.
 * @param {any} value
 * @param {...(string | number)} path
 * @returns {[string, any][]}
 */
export function entries(value, ...path) {
  const found = at(value, ...path);
  return isRecord(found) ? Object.entries(found).slice(0, MAX_ROWS) : [];
}

/** A list's items, not too many. @param {any} value @param {...(string | number)} path @returns {any[]} */
export function list(value, ...path) {
  const found = at(value, ...path);
  return Array.isArray(found) ? found.slice(0, MAX_ROWS) : [];
}

/** @param {any} value @returns {value is Row} */
function isRecord(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
