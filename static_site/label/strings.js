// Holds the labelling page's words.

import { count } from "../shared/strings.js";

/** Texts that stand in the page as they are: an element's data-string names its key. */
export const STATIC = {
  labelTitle: "Positive or negative? One key each",
  labelDeck:
    "Label texts of your own, and the model can learn your words from them: \u201cmake adapt\u201d, or " +
    "\u201cverdict adapt\u201d, takes what this page writes.",
  labelFile: "A file of texts: CSV, TSV, JSON lines, or one a line",
  labelPrivacy:
    "Nothing leaves this browser. The labels are kept on this device, for when the same file is chosen again; the texts " +
    "are not.",
  labelQuestion: "Is this positive or negative?",
  labelOther: "Another file",
  labelNext: "Then: verdict adapt the-file.csv. It takes 50 labels or more, and 10 of each side.",
};

export const LABEL = {
  /** Each button's words, and its key. @type {Record<string, [string, string]>} */
  BUTTONS: {
    positive: ["Positive", "P"],
    negative: ["Negative", "N"],
    skip: ["Can\u2019t tell", "S"],
    undo: ["Undo", "U"],
    save: ["Write the CSV", ""],
  },
  /** @param {string} text @param {string} key */
  withKey: (text, key) => `${text} (${key})`,
  /** @type {Record<string, string>} */
  GIVEN: { positive: "Positive.", negative: "Negative.", skipped: "Left out." },
  undone: "Undone.",
  saved: "The CSV is written.",
  allDone: "That was the last one. Write the CSV now.",
  /** @param {number} done @param {number} skipped @param {number} total */
  progress: (done, skipped, total) =>
    `${count(done)} of ${count(total)} labelled${skipped ? `, ${count(skipped)} left out` : ""}`,
  /** @param {string} name */
  fileName: (name) => `${name.replace(/\.[^.]*$/, "").replace(/[^\p{L}\p{N} ._-]/gu, "_").slice(0, 60) || "texts"}-labels.csv`,
};
