// Holds a label for each row, with undo. Keeps labels between visits, never texts.

/**
 * @typedef {"positive" | "negative" | "skipped"} Label
 * @typedef {{row: number, before: Label | undefined}} Step
 */

const PREFIX = "verdict.labels.";
/** Labels that a file may already hold. @type {Record<string, Label>} */
const KNOWN = { positive: "positive", pos: "positive", 1: "positive", negative: "negative", neg: "negative", 0: "negative" };

export class Labelling {
  /**
   * @param {string[]} texts
   * @param {string[]} given each row's cell in the label column; "" for none
   * @param {string} key names the file between visits
   */
  constructor(texts, given, key) {
    this.texts = texts;
    this.key = key;
    /** @type {Map<number, Label>} */
    this.labels = new Map();
    /** @type {Step[]} */
    this.steps = [];
    given.forEach((cell, row) => {
      const label = KNOWN[cell.trim().toLowerCase()];
      if (label) this.labels.set(row, label);
    });
    for (const [row, label] of stored(key, texts.length)) this.labels.set(row, label);
  }

  /** Returns the first row without a label; -1 for none. */
  get next() {
    return this.texts.findIndex((text, row) => !this.labels.has(row) && text.trim() !== "");
  }

  /** Returns the number of rows that can have a label. */
  get total() {
    return this.texts.filter((text) => text.trim() !== "").length;
  }

  /** @param {Label} label */
  count(label) {
    return [...this.labels.values()].filter((one) => one === label).length;
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

  /** Writes the labelled rows as CSV, with every cell quoted. */
  toCsv() {
    const rows = [...this.labels].filter(([, label]) => label !== "skipped").sort(([one], [other]) => one - other);
    const lines = [["text", "label"], ...rows.map(([row, label]) => [this.texts[row], label])];
    return lines.map((cells) => `${cells.map(quoted).join(",")}\r\n`).join("");
  }

  #keep() {
    try {
      localStorage.setItem(PREFIX + this.key, JSON.stringify([...this.labels]));
    } catch {
      // Without storage, the labels last until the page is left.
    }
  }
}

/** @param {string} cell */
function quoted(cell) {
  return `"${cell.replaceAll('"', '""')}"`;
}

/** @param {string} key @param {number} rows @returns {[number, Label][]} */
function stored(key, rows) {
  try {
    const found = JSON.parse(localStorage.getItem(PREFIX + key) ?? "[]");
    return found.filter(
      (/** @type {any} */ [row, label]) =>
        Number.isInteger(row) && row >= 0 && row < rows && ["positive", "negative", "skipped"].includes(label),
    );
  } catch {
    return [];
  }
}
