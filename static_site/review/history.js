// Keeps reviews that were read, on this device alone and only while the reader wants it.

/**
 * @typedef {{review: string, sentiment: import("../api.js").Sentiment, probability: number,
 *   when: number}} Entry when: milliseconds since 1970
 */

const KEY = "verdict.history";
const MAX_ENTRIES = 50;

/** The newest first. @returns {Entry[]} */
export function entries() {
  try {
    const stored = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(stored) ? stored.filter(isEntry) : [];
  } catch {
    return [];
  }
}

/** Puts an entry in front; the same review is kept once. @param {Entry} entry */
export function keep(entry) {
  const others = entries().filter(({ review }) => review !== entry.review);
  store([entry, ...others].slice(0, MAX_ENTRIES));
}

export function forget() {
  try {
    localStorage.removeItem(KEY);
  } catch {
    // A browser that stores nothing has nothing to forget.
  }
}

/** What doesn't fit pushes the oldest out. @param {Entry[]} kept */
function store(kept) {
  for (let length = kept.length; length > 0; length = Math.floor(length / 2)) {
    try {
      localStorage.setItem(KEY, JSON.stringify(kept.slice(0, length)));
      return;
    } catch {
      // Full: try with fewer.
    }
  }
}

/** @param {any} entry */
function isEntry(entry) {
  return (
    typeof entry?.review === "string" &&
    ["positive", "negative", "uncertain"].includes(entry.sentiment) &&
    Number.isFinite(entry.probability) &&
    Number.isFinite(entry.when)
  );
}
