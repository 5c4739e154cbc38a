// Holds a label for each row of a file, with undo. Keeps labels between visits, never texts.

import { cellFor, guessScaleOf, labelOf, plain } from "../rows/labels.js";
import { freeName, textOf } from "../rows/reading.js";

/**
 * @typedef {import("../rows/reading.js").Cell} Cell
 * @typedef {import("../rows/reading.js").Sheet} Sheet
 * @typedef {import("../rows/labels.js").Scale} Scale
 * @typedef {import("../rows/labels.js").Label} Side
 * @typedef {Side | "skipped"} Label
 * @typedef {{review: number, label: number}} Places of columns; label is -1 for a new one
 * @typedef {{row: number, before: Label | undefined}} Step
 */

const PREFIX = "verdict.labels.";
const LABELS = ["positive", "negative", "skipped"];
const NEW_COLUMN = "label";

export class Labelling {
  /** The file's own labels, by row; "skipped" for a cell on neither side. @type {Map<number, Label>} */
  #given = new Map();
  /** @type {Scale} */ #scale = "words";

  /**
   * @param {Sheet} sheet
   * @param {Places} places
   * @param {string} key names the file between visits; empty keeps nothing
   * @param {Iterable<[number, Label]>} [changed] labels that differ from the file's own
   */
  constructor(sheet, places, key, changed = stored(key, sheet.rows.length)) {
    this.sheet = sheet;
    this.key = key;
    this.review = places.review;
    /** @type {Map<number, Label>} */
    this.labels = new Map();
    /** @type {Step[]} */
    this.steps = [];
    /** The rows with a text. */
    this.rows = [...sheet.rows.keys()].filter((row) => this.text(row).trim() !== "");
    this.column = this.#readColumn(places) ? places.label : -1;
    for (const [row, label] of [...this.#given, ...changed]) this.labels.set(row, label);
  }

  /** Reads the file's labels. Returns false when the column holds none. @param {Places} places */
  #readColumn({ review, label }) {
    if (label < 0 || label === review) return false;
    this.#scale = guessScaleOf(this.sheet, { review, label });
    const cells = this.rows.map((row) => this.sheet.rows[row][label]);
    const filled = cells.filter((cell) => plain(cell) !== "");
    if (filled.length > 0 && !filled.some((cell) => labelOf(cell, this.#scale))) return false;
    cells.forEach((cell, at) => {
      if (plain(cell) !== "") this.#given.set(this.rows[at], labelOf(cell, this.#scale) ?? "skipped");
    });
    return true;
  }

  /** @param {number} row */
  text(row) {
    return textOf(this.sheet.rows[row][this.review]);
  }

  /** Returns the first row without a label; -1 for none. */
  get next() {
    return this.rows.find((row) => !this.labels.has(row)) ?? -1;
  }

  /** The number of rows that can have a label. */
  get total() {
    return this.rows.length;
  }

  /** The number of rows with a side. */
  get done() {
    return this.count("positive") + this.count("negative");
  }

  /** @param {Label} label */
  count(label) {
    return this.rows.reduce((sum, row) => sum + (this.labels.get(row) === label ? 1 : 0), 0);
  }

  /** Returns a row's label if it is a side. @param {number} row @returns {Side | null} */
  side(row) {
    const label = this.labels.get(row);
    return label === "positive" || label === "negative" ? label : null;
  }

  /** Tells whether a row's label differs from the file's own. @param {number} row */
  isChanged(row) {
    return this.labels.get(row) !== this.#given.get(row);
  }

  /** The labels that differ from the file's own. @returns {[number, Label][]} */
  get changed() {
    return [...this.labels].filter(([row]) => this.isChanged(row));
  }

  /** The number of sides that the file doesn't have yet. */
  get fresh() {
    return this.rows.filter((row) => this.isChanged(row) && (this.side(row) || this.#given.has(row))).length;
  }

  /** @param {number} row @param {Label} label */
  give(row, label) {
    this.steps.push({ row, before: this.labels.get(row) });
    this.labels.set(row, label);
    this.#keep();
  }

  /** Undoes the last label of this visit. Returns its row, or null. */
  undo() {
    const step = this.steps.pop();
    if (!step) return null;
    if (step.before) this.labels.set(step.row, step.before);
    else this.labels.delete(step.row);
    this.#keep();
    return step.row;
  }

  /** Makes the skipped rows wait for a label again. */
  reopenSkipped() {
    for (const row of this.rows) if (this.labels.get(row) === "skipped") this.labels.delete(row);
    // A step would put back what is no longer skipped.
    this.steps = this.steps.filter(({ before }) => before !== "skipped");
    this.#keep();
  }

  /** The name of the column that holds the labels. */
  get columnName() {
    const names = this.#names();
    return this.column < 0 ? freeName(NEW_COLUMN, new Set(names)) : names[this.column];
  }

  /** Returns the file's table with the labels filled in. @returns {{columns: string[], rows: Cell[][]}} */
  toTable() {
    const names = this.#names();
    const columns = this.column < 0 ? [...names, this.columnName] : names;
    const place = this.column < 0 ? names.length : this.column;
    const own = this.column < 0 ? [] : this.sheet.rows.map((cells) => cells[place]);
    /** @type {Record<string, Cell>} */
    const cells = {
      positive: cellFor("positive", this.#scale, own),
      negative: cellFor("negative", this.#scale, own),
      skipped: this.sheet.format === "jsonl" ? null : "",
    };
    const rows = this.sheet.rows.map((row, at) => {
      const label = this.labels.get(at);
      const cell = label && this.isChanged(at) ? cells[label] : row[place];
      return withCell(row, place, this.sheet.format === "jsonl" ? cell : unguarded(cell));
    });
    return { columns, rows };
  }

  /** Names the column of texts where the file names none. */
  #names() {
    const { columns, header, format } = this.sheet;
    if (header || format === "jsonl" || format === "lines") return columns;
    return columns.map((name, place) => (place === this.review ? "text" : name));
  }

  #keep() {
    if (!this.key) return;
    try {
      localStorage.setItem(PREFIX + this.key, JSON.stringify(this.changed));
    } catch {
      // Without storage, the labels last until the page is left.
    }
  }
}

/** @param {Cell[]} row @param {number} place @param {Cell} cell */
function withCell(row, place, cell) {
  const copy = [...row];
  copy[place] = cell;
  return copy;
}

/** Turns a label like -1 into a number, which no spreadsheet runs as a formula. @param {Cell} cell */
function unguarded(cell) {
  return typeof cell === "string" && /^-\d/.test(cell) && String(Number(cell)) === cell ? Number(cell) : cell;
}

/** @param {string} key @param {number} rows @returns {[number, Label][]} */
function stored(key, rows) {
  if (!key) return [];
  try {
    const found = JSON.parse(localStorage.getItem(PREFIX + key) ?? "[]");
    return found.filter(
      (/** @type {any} */ [row, label]) =>
        Number.isInteger(row) && row >= 0 && row < rows && LABELS.includes(label),
    );
  } catch {
    return [];
  }
}

/**
 * Names a source between visits. Pasted text has no name, so a number stands for its content.
 * @param {import("../rows/reader.js").Source} source
 * @param {number} rows
 */
export function keyOf({ name, file, text = "" }, rows) {
  return file ? `${name}:${file.size}:${rows}` : `:${text.length}:${rows}:${numberFor(text)}`;
}

/** Returns a number from which nobody can read the text (FNV-1a). @param {string} text */
function numberFor(text) {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}
