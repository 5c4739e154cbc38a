// Holds the English words of the labelling page.

import { count } from "../shared/strings.js";

/** Fixed texts, by the names of data-string. */
export const STATIC = {
  labelTitle: "Label texts, one key each",
  labelDeck:
    "Label your own texts to adapt the model to them. " +
    "This page writes a CSV for \u201cmake adapt\u201d or \u201cverdict adapt\u201d.",
  labelFile: "File of texts: CSV, TSV, JSON lines, or one a line",
  labelPrivacy:
    "Nothing leaves this browser. It keeps your labels, not the texts, so that you can choose the same file again " +
    "and continue.",
  labelQuestion: "Is this positive or negative?",
  labelOther: "Choose another file",
  labelNext: "Next: verdict adapt the-file.csv. It needs at least 50 labels, 10 of each side.",
};

export const LABEL = {
  /** Names each button and its key. @type {Record<string, [string, string]>} */
  BUTTONS: {
    positive: ["Positive", "P"],
    negative: ["Negative", "N"],
    skip: ["Can\u2019t tell", "S"],
    undo: ["Undo", "U"],
    save: ["Download the CSV", ""],
  },
  /** @param {string} text @param {string} key */
  withKey: (text, key) => `${text} (${key})`,
  /** @type {Record<string, string>} */
  GIVEN: { positive: "Positive.", negative: "Negative.", skipped: "Skipped." },
  undone: "Undone.",
  saved: "The CSV is in your downloads.",
  allDone: "All done. Download the CSV now.",
  /** @param {number} done @param {number} skipped @param {number} total */
  progress: (done, skipped, total) =>
    `${count(done)} of ${count(total)} labelled${skipped ? `, ${count(skipped)} skipped` : ""}`,
  /** @param {string} name */
  fileName: (name) => `${name.replace(/\.[^.]*$/, "").replace(/[^\p{L}\p{N} ._-]/gu, "_").slice(0, 60) || "texts"}-labels.csv`,
};
