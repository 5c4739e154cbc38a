// Reads a reader's own aspects: one a line, as "music: music, score, soundtrack". The limits are the API's.

const MAX_ASPECTS = 20;
const MAX_NAME_CHARACTERS = 40;
const MAX_TERMS = 50;
const MAX_TERM_WORDS = 5;
const MAX_TERM_CHARACTERS = 100;

/**
 * @typedef {Record<string, string[]>} Own names and their terms
 * @typedef {{code: "none" | "many" | "name" | "twice" | "terms" | "long", line: number}} Fault line counts from 1
 */

/**
 * @param {string} text
 * @returns {{own: Own, fault: Fault | null}}
 */
export function readAspects(text) {
  /** @type {Own} */
  const own = {};
  const taken = new Set();
  for (const [place, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    const { name, terms } = aspectOf(line);
    const code = faultOf(name, terms, taken);
    if (code) return { own: {}, fault: { code, line: place + 1 } };
    taken.add(name.toLowerCase());
    own[name] = terms;
  }
  if (taken.size === 0) return { own, fault: { code: "none", line: 1 } };
  return { own, fault: taken.size > MAX_ASPECTS ? { code: "many", line: MAX_ASPECTS + 1 } : null };
}

/** Splits a line. A name without terms is its own term. @param {string} line */
function aspectOf(line) {
  const colon = line.indexOf(":");
  const name = (colon < 0 ? line : line.slice(0, colon)).trim();
  const terms = (colon < 0 ? line : line.slice(colon + 1)).split(",").map((term) => term.trim());
  return { name, terms: terms.filter(Boolean) };
}

/** @param {string} name @param {string[]} terms @param {Set<string>} taken @returns {Fault["code"] | null} */
function faultOf(name, terms, taken) {
  if (name === "" || Array.from(name).length > MAX_NAME_CHARACTERS) return "name";
  if (taken.has(name.toLowerCase())) return "twice";
  if (terms.length === 0 || terms.length > MAX_TERMS) return "terms";
  return terms.every(isTerm) ? null : "long";
}

/** @param {string} term */
function isTerm(term) {
  const words = term.split(/\s+/).length;
  return words <= MAX_TERM_WORDS && term.length <= MAX_TERM_CHARACTERS && /[\p{L}\p{N}]/u.test(term);
}
