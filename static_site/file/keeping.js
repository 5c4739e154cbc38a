// Saves a file and its verdicts on this device if its owner asks for that, and deletes them.

import { clear, createStore, get, getMany, setMany } from "../vendor/idb-keyval/index.js";

/**
 * @typedef {import("../rows/reading.js").Cell} Cell
 * @typedef {import("../rows/reading.js").Sheet} Sheet
 * @typedef {import("./work.js").Work} Work
 * @typedef {Omit<Sheet, "rows">} SheetHead
 * @typedef {{version: number, sheet: SheetHead, choice: import("./work.js").Choice,
 *   count: number, done: number, band: [number, number] | null, models: string[]}} Summary
 *   count: rows; done: rows with an outcome
 * @typedef {() => void} Release lets another tab keep a file
 */

const DATABASE = "verdict-file";
// Raised with each new form of the saved data; older data is deleted.
const VERSION = 3;
// Rows a key. They are written often, so they are few.
const CHUNK_ROWS = 500;

/** @type {ReturnType<typeof createStore> | null} */
let opened = null;

function store() {
  return (opened ??= createStore(DATABASE, "file"));
}

/** Tells whether this browser has a database. */
export function canKeep() {
  return typeof indexedDB !== "undefined";
}

/**
 * Claims the saved file for this tab. Returns null when another tab has it.
 * @returns {Promise<Release | null>}
 */
export function claim() {
  // A page without TLS has no locks, so the last of two tabs wins.
  if (!navigator.locks) return Promise.resolve(() => {});
  return new Promise((resolve) => {
    navigator.locks.request(DATABASE, { ifAvailable: true }, (lock) =>
      lock ? new Promise((release) => resolve(() => release(undefined))) : resolve(null),
    );
  });
}

/**
 * Returns a summary of the saved file, or null. Creates no database.
 * @returns {Promise<Summary | null>}
 */
export async function kept() {
  try {
    if (!(await exists())) return null;
    const summary = await get("summary", store());
    if (isSummary(summary)) return summary;
    await forget();
  } catch {
    // The storage is closed or holds other data.
  }
  return null;
}

/** Tells our summaries from other data. @param {any} summary @returns {summary is Summary} */
function isSummary(summary) {
  const { version, sheet, count, done } = summary ?? {};
  return version === VERSION && typeof sheet?.name === "string" && Number.isInteger(count) && Number.isInteger(done);
}

async function exists() {
  const databases = await indexedDB.databases();
  return databases.some(({ name }) => name === DATABASE);
}

/** Loads the saved file. @param {Summary} summary @returns {Promise<Work>} */
export async function load({ sheet, choice, count, band, models }) {
  const chunks = Math.ceil(count / CHUNK_ROWS);
  const rows = (await chunksOf("rows", chunks)).flat();
  const outcomes = (await chunksOf("outcomes", chunks)).flat();
  if (rows.length !== count || outcomes.length !== count) throw new Error("what is kept is not whole");
  return { sheet: { ...sheet, rows }, choice, outcomes, band, models };
}

/** @param {"rows" | "outcomes"} kind @param {number} chunks @returns {Promise<any[][]>} */
function chunksOf(kind, chunks) {
  return getMany(
    Array.from({ length: chunks }, (_, chunk) => `${kind} ${chunk}`),
    store(),
  );
}

/** Empties and deletes the database. */
export async function forget() {
  await clear(store());
  await store()("readonly", (/** @type {IDBObjectStore} */ objects) => objects.transaction.db.close());
  opened = null;
  // While another page holds it open, it stays, but empty.
  indexedDB.deleteDatabase(DATABASE);
}

/** Saves a file and the outcomes that changed, one write at a time. */
export class Keeper {
  /** @type {Work} */ #work;
  /** @type {Set<number>} */ #changed = new Set();
  /** @type {Promise<void> | null} */ #writing = null;
  /** @type {Release} */ #release;
  /** @type {(error: unknown) => void} */ #onFailure;
  #stopped = false;

  /**
   * @param {Work} work
   * @param {Release} release
   * @param {(error: unknown) => void} onFailure called once; then nothing stays saved
   */
  constructor(work, release, onFailure) {
    this.#work = work;
    this.#release = release;
    this.#onFailure = onFailure;
  }

  /** Writes the whole file, its summary last, so a partial file is never loaded. */
  start() {
    const chunks = Math.ceil(this.#work.sheet.rows.length / CHUNK_ROWS);
    for (let chunk = 0; chunk < chunks; chunk += 1) this.#changed.add(chunk);
    return this.#begin(async () => {
      await clear(store());
      for (let chunk = 0; chunk < chunks && !this.#stopped; chunk += 1) {
        await setMany([[`rows ${chunk}`, slice(this.#work.sheet.rows, chunk)]], store());
      }
    });
  }

  /** Marks a row as changed. @param {number} row */
  note(row) {
    this.#changed.add(Math.floor(row / CHUNK_ROWS));
  }

  /** Writes changed rows now, or after the current write. */
  write() {
    return this.#begin(async () => {});
  }

  /** Writes the rest, and stops. */
  async close() {
    await this.write();
    this.#stopped = true;
    this.#release();
  }

  /** Stops writing, and deletes the saved file. */
  async stop() {
    this.#stopped = true;
    await this.#writing;
    await forget();
    this.#release();
  }

  /** @param {() => Promise<void>} first */
  #begin(first) {
    this.#writing ??= this.#writeAll(first).catch((error) => this.#fail(error));
    return this.#writing;
  }

  /** @param {() => Promise<void>} first */
  async #writeAll(first) {
    try {
      await first();
      while (this.#changed.size > 0 && !this.#stopped) await this.#writeChanged();
    } finally {
      // In the same turn as the last check, so that no change is missed.
      this.#writing = null;
    }
  }

  #writeChanged() {
    /** @type {[string, any][]} */
    const entries = [...this.#changed].map((chunk) => [
      `outcomes ${chunk}`,
      slice(this.#work.outcomes, chunk),
    ]);
    this.#changed.clear();
    return setMany([...entries, ["summary", summaryOf(this.#work)]], store());
  }

  /** @param {unknown} error */
  async #fail(error) {
    if (this.#stopped) return;
    this.#stopped = true;
    // A partial file is useless and takes room.
    await forget().catch(() => {});
    this.#release();
    this.#onFailure(error);
  }
}

/** @template T @param {T[]} list @param {number} chunk */
function slice(list, chunk) {
  return list.slice(chunk * CHUNK_ROWS, (chunk + 1) * CHUNK_ROWS);
}

/** @param {Work} work @returns {Summary} */
function summaryOf({ sheet: { rows, ...sheet }, choice, outcomes, band, models }) {
  const done = outcomes.reduce((sum, outcome) => sum + (outcome === null ? 0 : 1), 0);
  return { version: VERSION, sheet, choice, count: rows.length, done, band, models };
}
