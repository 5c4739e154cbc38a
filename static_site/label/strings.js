// Holds the English words of the labelling page.

import { ROWS, megabytes, rowsOf } from "../rows/strings.js";
import { count, percent, plural, unloaded } from "../shared/strings.js";
import { VERDICTS, headlineOf, isCalibrated } from "../shared/verdict_strings.js";

/** @typedef {{title: string, advice: string}} Words */
/** @typedef {{agrees: number, against: number, uncertain: number, failed: number}} Tally */

/** Fixed texts, by the names of data-string. */
export const STATIC = {
  labelTitle: "Label texts one by one",
  labelDeck:
    "Say whether each text is positive or negative. " +
    "Your labels can adapt the model to your own words. You can also check labels that you already have.",
  labelWayFile: "A file",
  labelWayPaste: "Paste texts",
  labelWaySamples: "Ten samples",
  labelChooseFile: "Choose a file",
  labelFormats: "CSV, TSV, JSON lines, or one text per line. Up to 100\u00a0MB.",
  labelPasteHint: "One text per line. For CSV or TSV, start with the column names.",
  labelPasteUse: "Use these",
  labelSamplesNote: "Ten short film reviews, written for this page. Label them to see how it works.",
  labelSamplesUse: "Label ten samples",
  labelPrivacy:
    "Your texts stay in this browser unless you ask the model about them. " +
    "The browser keeps your labels, but no text, so you can choose the same file again and continue.",
  labelPositive: "Positive",
  labelNegative: "Negative",
  labelModelSays: "The model says",
  labelSwipeLeft: "\u2190 Negative",
  labelSwipe: "Swipe",
  labelSwipeRight: "Positive \u2192",
  labelAskTitle: "Check against the model",
  labelPause: "Pause",
  labelStop: "Stop",
  labelSaveTitle: "Download",
  labelSafe: "Safe for spreadsheets",
  labelSafeNote: "Cells that begin with = + - @ get a \u2019 in front, so that none runs as a formula.",
  labelSourceTitle: "Your texts",
  labelTextColumn: "Column of texts",
  labelLabelColumn: "Column of labels",
  labelOther: "Choose other texts",
};

/** Explains why texts were not taken. @type {Record<string, (numbers: Record<string, any>) => Words>} */
const REFUSALS = {
  no_texts: ({ columns }) => ({
    title: "No column holds texts",
    advice: columns
      ? `The columns are: ${columns}. Choose a file with a column of texts.`
      : "There are only numbers. Choose a file with texts.",
  }),
  unloaded: () => unloaded,
  too_large: (numbers) => ({
    title: ROWS.refusal("too_large", numbers).title,
    advice: `The limit is ${megabytes(numbers.limit)}. Split the file, then label one part at a time.`,
  }),
  too_many_rows: ({ limit }) => ({
    title: "The file has too many rows",
    advice: `The limit is ${count(limit)} rows. Split the file, then label one part at a time.`,
  }),
};

/** @param {number} rows */
const keeps = (rows) => `The download keeps ${rows === 1 ? "it" : "them"}.`;

/** @param {string} side */
const lower = (side) => (VERDICTS[side] ?? "").toLowerCase();

export const LABEL = {
  /** Names each button and its key. @type {Record<string, [string, string]>} */
  BUTTONS: {
    negative: ["Negative", "N"],
    positive: ["Positive", "P"],
    skip: ["Can\u2019t tell", "S"],
    undo: ["Undo", "U"],
  },
  /** @param {string} key */
  key: (key) => ` (${key})`,
  /** Names a button that keeps or changes a label. @param {string} side @param {boolean} same */
  decide: (side, same) => (same ? `Keep ${lower(side)}` : `Change to ${lower(side)}`),

  /** What the drop zone says, by what hangs over it. */
  DROP: {
    "": "Drop a file here",
    over: "Release to use this file",
    several: "One file at a time",
    wrong: "This is not a text file",
  },
  /** @param {string} name */
  reading: (name) => (name ? `Reading \u201c${name}\u201d\u2026` : "Reading the texts\u2026"),
  noPaste: "The box is empty. Paste at least one text.",
  /** @param {string} code @param {Record<string, any>} numbers @returns {Words} */
  refusal: (code, numbers) => REFUSALS[code]?.(numbers) ?? ROWS.refusal(code, numbers),
  /** @param {string} source */
  back: (source) => `Back to ${source}`,
  pasted: "Pasted texts",
  samples: "Ten samples",
  /** @param {string} source @param {number} texts */
  kicker: (source, texts) => `${source}, ${plural(texts, "text", "texts")}`,

  question: "Is this positive or negative?",
  /** @param {number} labelled @param {number} all */
  allDone: (labelled, all) => {
    if (labelled < all) return `${count(labelled)} of ${rowsOf(all)} have a label.`;
    return all === 1 ? "The only row has a label." : `All ${rowsOf(all)} have a label.`;
  },
  /** @param {number} skipped @param {number} fresh */
  doneDeck: (skipped, fresh) =>
    [
      skipped ? `${plural(skipped, "text was", "texts were")} skipped.` : "",
      fresh
        ? "Download the labels, or ask the model about them."
        : "Ask the model where it disagrees.",
    ]
      .filter(Boolean)
      .join(" "),
  leaveCheck: "Stop checking",
  goOn: "Continue labelling",
  checkQuestion: "Keep this label, or change it?",
  /** @param {number} checked @param {number} changed */
  allChecked: (checked, changed) =>
    checked === 1
      ? `The label is checked. You ${changed ? "changed" : "kept"} it.`
      : `${checked === 2 ? "Both" : `All ${count(checked)}`} labels are checked. You changed ${changed ? count(changed) : "none"}.`,
  /** @param {string} file */
  checkedDeck: (file) => `Download ${file} to keep your changes.`,

  /** @param {number} done @param {number} skipped @param {number} total */
  progress: (done, skipped, total) =>
    `${count(done)} of ${count(total)} labelled${skipped ? `, ${count(skipped)} skipped` : ""}`,
  /** @param {number} done @param {number} total */
  checkProgress: (done, total) => `${count(done)} of ${count(total)} checked`,
  /** @type {Record<string, string>} */
  GIVEN: { positive: "Positive.", negative: "Negative.", skipped: "Skipped." },
  /** @param {string} side @param {boolean} same */
  decided: (side, same) => (same ? `Kept ${lower(side)}.` : `Changed to ${lower(side)}.`),
  undone: "Undone.",
  /** @param {number} skipped */
  again: (skipped) =>
    skipped === 1 ? "Go back to the skipped one" : `Go back to the ${count(skipped)} skipped`,
  fileSays: "Your file says",
  youSaid: "You said",
  /** A short text gets no percentage. @param {import("../rows/sending.js").Scored} scored */
  predicted: ({ sentiment, reason, probability, warnings }) => {
    const answer = { sentiment, reason, probability, warnings: warnings.map((code) => ({ code })) };
    if (!isCalibrated(answer)) return headlineOf(answer);
    return `${headlineOf(answer)}, ${percent(sentiment === "negative" ? 1 - probability : probability)} sure`;
  },

  /** @type {Record<string, (numbers: {count?: number, row?: number}) => string>} */
  NOTES: {
    same_names: () =>
      "Several columns have the same name. Here and in the download, a number tells them apart.",
    windows_1252: () =>
      "The file is not UTF-8, so it was read as Windows-1252. Check the accents and quotation marks.",
    replaced: () => "Some characters could not be read and appear as \uFFFD.",
    unclosed_quote: ({ row = 0 }) =>
      `A quotation mark in row ${count(row)} is never closed, so that row holds the rest of the file. ` +
      "Fix the file first.",
    bad_lines: ({ count: number = 0, row = 0 }) =>
      `${plural(number, "line is", "lines are")} not JSON ` +
      `(${number === 1 ? "" : "the first is "}row ${count(row)}). ${keeps(number)}`,
    no_text: ({ count: number = 0 }) =>
      `${rowsOf(number)} ${number === 1 ? "has" : "have"} no text. ${keeps(number)}`,
    other_labels: () =>
      "The column of labels holds something else, so your labels go into a new column.",
  },
  newColumn: "A new column",

  /** @param {number} texts @param {string} url */
  askOffer: (texts, url) =>
    "See which of your labels the model disagrees with. " +
    `This sends ${plural(texts, "labelled text", "labelled texts")} to ${url}, and nothing else.`,
  ask: "Ask the model",
  /** @param {number} texts */
  askMore: (texts) => `Ask about ${texts === 1 ? "one more text" : `${count(texts)} more texts`}`,
  askOffline: "This device is offline. Your labels are safe. Connect to the network, then try again.",
  askUnloaded:
    "The part of this page that asks couldn\u2019t be loaded. Your labels are safe. Try again in a moment.",
  /** @param {number} done @param {number} all */
  asking: (done, all) => `${count(done)} of ${plural(all, "text", "texts")} judged`,
  answersKept: "The answers so far are kept.",
  /** Sums up the model's answers. @param {Tally} tally */
  asked: ({ agrees, against, uncertain, failed }) =>
    [
      `The model agrees with ${plural(agrees, "label", "labels")} and disagrees with ${count(against)}.`,
      uncertain ? `It is unsure about ${count(uncertain)}.` : "",
      failed ? `${plural(failed, "text", "texts")} could not be judged.` : "",
    ]
      .filter(Boolean)
      .join(" "),
  /** @param {number} rows @param {boolean} some were checked before */
  check: (rows, some) => {
    if (some) return rows === 1 ? "Check the last one" : `Check the other ${count(rows)}`;
    return `Check the ${rows === 1 ? "one" : count(rows)} that it disagrees with`;
  },

  /** Ends the name of a download: reviews-labelled.csv. */
  suffix: "labelled",
  /** @param {string} file */
  save: (file) => `Download ${file}`,
  /**
   * @type {(facts: {columns: number, name: string, adds: boolean, done: number, fresh: number,
   *   source: string}) => string}
   */
  saveNote: ({ columns, name, adds, done, fresh, source }) => {
    if (done === 0) return "Label at least one text first.";
    if (fresh === 0) return `No label is new yet. The labels are those in ${source}.`;
    const kept = ["", "the column", "both columns"][columns] ?? `all ${count(columns)} columns`;
    return `It keeps ${kept} and ${adds ? "adds" : "fills"} \u201c${name}\u201d.`;
  },
  next:
    "To adapt the model, run \u201cverdict adapt\u201d with this file. " +
    "It needs 50 labels, at least 10 of each side.",
  /** @param {string} file */
  nextDoubts: (file) =>
    "These are the doubtful labels of a longer file. To use what you checked, run \u201cverdict adapt\u201d " +
    `with that file and \u201c--corrected ${file}\u201d.`,
  writing: "Writing the file\u2026",
  /** @param {string} file @param {number} rows @param {number} labelled */
  saved: (file, rows, labelled) => `Saved ${file}: ${rowsOf(rows)}, ${count(labelled)} labelled.`,
  saveFailed: "The file could not be written. Your labels are safe. Try again.",
};
