// Keeps a history of reviews on this device, while the reader wants it.

/**
 * @typedef {{review: string, sentiment: import("../api.js").Sentiment, reason?: import("../api.js").Reason | null,
 *   probability: number, short?: boolean, when: number}} Entry when: milliseconds since 1970; short: too short for
 *   a number; older entries have no reason
 */

const KEY = "verdict.history";
const MAX_ENTRIES = 50;

/** Returns the entries, newest first. @returns {Entry[]} */
export function entries() {
  try {
    const stored = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(stored) ? stored.filter(isEntry).slice(0, MAX_ENTRIES) : [];
  } catch {
    return [];
  }
}

/** Adds an entry, replacing one of the same review. Returns whether there was room. @param {Entry} entry */
export function keep(entry) {
  const others = entries().filter(({ review }) => review !== entry.review);
  return store([entry, ...others].slice(0, MAX_ENTRIES));
}

export function forget() {
  try {
    localStorage.removeItem(KEY);
  } catch {
    // Without storage there is nothing to delete.
  }
}

/** Stores as many of the newest entries as fit. @param {Entry[]} kept */
function store(kept) {
  for (let length = kept.length; length > 0; length = Math.floor(length / 2)) {
    try {
      localStorage.setItem(KEY, JSON.stringify(kept.slice(0, length)));
      return true;
    } catch {
      // The storage is full: try fewer.
    }
  }
  return false;
}

/** @param {any} entry */
function isEntry(entry) {
  return (
    typeof entry?.review === "string" &&
    isScore(entry.sentiment, entry.probability) &&
    !Number.isNaN(new Date(entry.when).getTime())
  );
}

/** @param {any} sentiment @param {any} probability */
function isScore(sentiment, probability) {
  if (typeof probability !== "number" || !(probability >= 0 && probability <= 1)) return false;
  const sides = { positive: probability >= 0.5, negative: probability <= 0.5, uncertain: true };
  return Object.hasOwn(sides, sentiment) && sides[/** @type {keyof typeof sides} */ (sentiment)];
}
