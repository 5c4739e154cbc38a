// Fetches from the desk what the table shows, a few rows at a time.

/**
 * @typedef {import("./seen.js").Seen} Seen
 */

// Rows remembered: some screens of them.
const MOST_ROWS = 2_000;

export class Sight {
  /** @type {Map<number, Seen>} */ #rows = new Map();
  /** @type {Set<number>} rows without a verdict yet, to look at again */ #old = new Set();
  /** @type {Set<number>} */ #wanted = new Set();
  #asking = false;

  /** @param {(rows: number[]) => Promise<Seen[]>} see @param {() => void} onSeen more rows can be drawn */
  constructor(see, onSeen) {
    this.see = see;
    this.onSeen = onSeen;
  }

  /** Returns a row, or undefined while it is fetched. @param {number} row */
  get(row) {
    const seen = this.#rows.get(row);
    if (seen === undefined || this.#old.has(row)) this.#want(row);
    return seen;
  }

  /** Has rows that may have changed fetched anew when they are shown. */
  renew() {
    for (const [row, { outcome }] of this.#rows) if (outcome === null) this.#old.add(row);
  }

  /** Has all rows fetched anew: failed ones wait again. */
  forget() {
    for (const row of this.#rows.keys()) this.#old.add(row);
  }

  /** @param {number} row */
  #want(row) {
    this.#wanted.add(row);
    if (this.#asking) return;
    this.#asking = true;
    queueMicrotask(() => this.#ask());
  }

  async #ask() {
    while (this.#wanted.size > 0) {
      const rows = [...this.#wanted];
      this.#wanted.clear();
      const seen = await this.see(rows).catch(() => []);
      if (this.#rows.size > MOST_ROWS) this.#rows.clear();
      seen.forEach((one, place) => {
        this.#rows.set(rows[place], one);
        this.#old.delete(rows[place]);
      });
      if (seen.length > 0) this.onSeen();
    }
    this.#asking = false;
  }
}
