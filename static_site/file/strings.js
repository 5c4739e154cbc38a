// Holds every English word of the file page: a translation is a copy of this file, and of ../shared/strings.js.

import { ROWS, megabytes, rowsOf, shareOf } from "../rows/strings.js";
import { count, percent, plural } from "../shared/strings.js";

/** Texts that stand in the page as they are: an element's data-string names its key. */
export const STATIC = {
  fileTitle: "A whole file, row by row",
  fileDeck:
    "A verdict for every review in it, a table to look through, and all of it to take with you. " +
    "CSV, TSV, JSON lines, or simply one review a line.",
  fileKeptTitle: "Kept on this device",
  fileForget: "Forget it",
  fileRefusedKicker: "Not read",
  fileDrop: "Drop a file anywhere on this page, or",
  fileChoose: "Choose a file",
  filePasteLabel: "Or paste reviews or rows here",
  filePasteUse: "Use this text",
  fileExamples: "Try it with a few examples",
  fileNotesTitle: "Before you start",
  fileStopReading: "Stop",
  fileReviewColumn: "The reviews are in",
  fileLabelColumn: "Your own labels, if any, are in",
  fileScale: "The labels are",
  fileIdColumn: "Name rows by",
  fileFormat: "The file is",
  fileHeader: "Its first row holds the columns\u2019 names",
  fileKeep: "Keep on this device",
  fileKeepNote:
    "The file and its verdicts stay in this browser until you forget them, " +
    "so that a reload goes on; " +
    "a file kept before gives way. Unticked, nothing is stored.",
  fileOther: "Another file",
  filePause: "Pause",
  fileCancel: "Cancel the rest",
  fileKeepTitle: "On this device",
  fileTakeTitle: "Take it with you",
  fileSafe: "Safe for spreadsheets",
  fileSafeNote:
    "In CSV, your cells that begin with = + - @, a tab or a line break get a \u2019 in front, so that " +
    "none runs as a formula, and a mark tells Excel that the file is UTF-8. Unticked, they stay as they are.",
  fileTakeCsv: "CSV",
  fileTakeJsonl: "JSON lines",
  fileHistogramTitle: "How sure it is",
  fileNumbers: "As a table",
  fileSharesTitle: "The verdicts",
  fileCalibrationTitle: "Does its probability hold?",
  fileCalibrationNote:
    "Rows are grouped by their probability. Where it holds, as many of a group\u2019s labels are positive " +
    "as the probability says: the points lie on the line. Bars are 95\u00a0% intervals; " +
    "a hollow point has fewer than 20 rows and says little.",
  fileAccuracyTitle: "Beside your labels",
  fileRowsTitle: "Row by row",
  fileShow: "Show",
  fileSearch: "With the words, or row",
  fileGridHelp: "Arrow keys move from row to row; Enter opens the review on its own page, in a new tab.",
};

/** Where something was found so many times. @param {number} number @param {number} row */
const whereIn = (number, row) => (number === 1 ? `(row ${count(row)})` : `(the first is row ${count(row)})`);

export const FILE = {
  /** What stands beside the choice of a file: term and description. @type {(url: string, limits: Record<string, number>) => [string, string][]} */
  facts: (url, { rows, bytes, batch }) => [
    [
      "Where it goes",
      `Only the column of reviews is sent, to ${url}, ${count(batch)} at most in a ` +
        `request. Other columns and the file\u2019s name stay here.`,
    ],
    ["What is stored", "Nothing, here or there, unless you tick \u201cKeep on this device\u201d."],
    ["How much", `Up to ${count(rows)} rows and ${megabytes(bytes)}; up to 50,000 characters a review.`],
    [
      "Labels",
      "With a column of labels or stars, the verdicts are held against them: accuracy, and " +
        "whether the probability holds.",
    ],
  ],
  /** @param {string} name @param {number} bytes */
  reading: (name, bytes) => `Reading ${name ? `\u201c${name}\u201d` : "the text"}, ${megabytes(bytes)}\u2026`,
  stoppedReading: "Stopped. No file was read.",
  /** @param {string} name @param {number} done @param {number} rows */
  kept: (name, done, rows) =>
    `${name ? `\u201c${name}\u201d` : "Pasted text"}: ${count(done)} of ${rowsOf(rows)} done.`,
  /** @param {boolean} finished */
  goOn: (finished) => (finished ? "Show it" : "Go on"),
  forgotten: "Forgotten. Nothing of it is stored on this device any more.",

  pasted: "Pasted text",
  columnsTitle: "Which column holds the reviews?",
  /** @param {number} rows */
  preview: (rows) => (rows === 1 ? "Its only row" : `Its first ${count(rows)} rows`),
  /** @param {number} columns */
  moreColumns: (columns) =>
    columns > 0
      ? `And ${plural(columns, "more column", "more columns")} ` +
        `that ${columns === 1 ? "is" : "are"} not shown.`
      : "",
  noColumn: "None",
  rowNumbers: "Their number",
  /** @type {Record<string, string>} */
  FORMATS: {
    comma: "CSV, with commas",
    semicolon: "CSV, with semicolons",
    tab: "TSV, with tabs",
    bar: "values between | signs",
    column: "CSV, a single column",
    jsonl: "JSON lines, or a JSON list",
    lines: "one review a line",
  },
  /** @param {string} format */
  format: (format) => `Read as ${FILE.FORMATS[format]}`,
  /** @param {string} scale @param {{positive: number, negative: number, neither: number}} counts */
  labels: (scale, { positive, negative, neither }) =>
    `${ROWS.SCALES[scale][1]}: ${rowsOf(positive)} and ${count(negative)}` +
    (neither
      ? `; ${count(neither)} ${neither === 1 ? "says" : "say"} neither, and no figure counts ` +
        `${neither === 1 ? "it" : "them"}.`
      : "."),
  /** @param {number} rows */
  once: (rows) => `Ask only once for equal reviews (${rowsOf(rows)} repeat another)`,
  /** @param {number} rows */
  send: (rows) => `Read ${plural(rows, "review", "reviews")}`,
  /** @param {string} url @param {number} unsent */
  columnsPrivacy: (url, unsent) =>
    `Only this column is sent, to ${url}.` +
    (unsent
      ? ` ${rowsOf(unsent)} can\u2019t be sent: empty, too long, or not readable. The table ` +
        `will say which.`
      : ""),
  /** @type {Record<string, (note: {count?: number, row?: number}) => string>} */
  NOTES: {
    windows_1252: () =>
      "It is not UTF-8, so it was read as Windows-1252. Look whether accents and " +
      "quotation marks are right below.",
    replaced: () => "Some characters could not be read and show as \uFFFD.",
    unclosed_quote: ({ row = 0 }) =>
      `A quotation mark opens in row ${count(row)} and never closes, so that row holds all the rest ` +
      `of the file. Mend it there, or choose \u201cone review a line\u201d.`,
    odd_quotes: ({ count: number = 0, row = 0 }) =>
      `${plural(number, "quotation mark stands", "quotation marks stand")} oddly within a value ` +
      `${whereIn(number, row)}. Look whether the rows are right.`,
    ragged: ({ count: number = 0, row = 0 }) =>
      `${rowsOf(number)} ${number === 1 ? "has" : "have"} another number of values than the first ` +
      `row ${whereIn(number, row)}. Nothing is dropped; is a comma in the text without quotation marks?`,
    nulls: ({ count: number = 0, row = 0 }) =>
      `${rowsOf(number)} ${number === 1 ? "holds" : "hold"} a NUL character ${whereIn(number, row)}.`,
    bad_lines: ({ count: number = 0, row = 0 }) =>
      `${plural(number, "line is", "lines are")} no JSON object ${whereIn(number, row)}: ` +
      `${number === 1 ? "a row" : "rows"} without a verdict.`,
  },

  progressLabel: "Rows that are done",
  /** @param {number} done @param {number} all */
  progress: (done, all) => `${count(done)} of ${rowsOf(all)} done`,
  /** @type {(shares: {positive: number, negative: number, uncertain: number, failed: number, waiting: number}) => string} */
  result: ({ positive, negative, uncertain }) => {
    const scored = positive + negative + uncertain;
    if (scored === 0) return "No verdicts";
    return `${shareOf(positive, scored)} positive, ${shareOf(negative, scored)} negative`;
  },
  /** @type {(shares: {positive: number, negative: number, uncertain: number, failed: number, waiting: number}) => string} */
  resultDeck: ({ positive, negative, uncertain, failed, waiting }) =>
    [
      `${plural(positive + negative + uncertain, "verdict", "verdicts")} in ` +
        `all${uncertain ? `; for ${count(uncertain)} of them it can\u2019t tell` : ""}.`,
      failed ? `${rowsOf(failed)} failed.` : "",
      waiting ? `${rowsOf(waiting)} not asked.` : "",
    ]
      .filter(Boolean)
      .join(" "),
  cancelled: "Cancelled. What is done stays.",
  /** @param {number} rows */
  retryFailed: (rows) => `Try ${rowsOf(rows)} that failed again`,
  keepFull: "There is no room for it on this device, so it is not kept. The run goes on.",
  keepFailed: "This browser won\u2019t keep it. The run goes on; nothing is stored.",
  keptElsewhere: "Another tab is at work on a kept file. Go there to end it or to forget it.",

  rows: rowsOf,
  /** @param {number} low @param {number} high */
  band: (low, high) =>
    `Between ${percent(low)} and ${percent(high)}, the shaded band, the model says that it can\u2019t tell.`,
  noBand: "No verdict yet.",
  /** @param {string[]} ids */
  models: (ids) =>
    ids.length < 2
      ? ids[0]
        ? `Model ${ids[0]}`
        : ""
      : `${ids.join(" and ")} answered: the model ` +
        `changed on the way, so their probabilities may differ.`,
  axisProbability: "Probability that a review is positive",
  axisRows: "Rows",
  /** @param {number} rows @param {number} below @param {number} above */
  histogramLabel: (rows, below, above) =>
    `Histogram of ${plural(rows, "probability", "probabilities")}: ${count(below)} below one half, ` +
    `${count(above)} above.`,
  axisObserved: "Share of positive labels",
  /** @param {number} bins @param {number} rows */
  calibrationLabel: (bins, rows) =>
    `Calibration plot of ${rowsOf(rows)} with a label, in ${plural(bins, "group", "groups")}.`,
  histogramColumns: ["Probability", "Negative", "Can\u2019t tell", "Positive"],
  calibrationColumns: ["Probability", "Rows", "Mean", "Labelled positive", "95\u00a0% interval"],
  /** @param {number} from @param {number} to */
  binName: (from, to) => `${from.toFixed(2)}\u2013${to.toFixed(2)}`,
  /** @param {number} value */
  place: (value) => value.toFixed(3),
  /** @type {Record<string, string>} */
  SHARES: {
    positive: "Positive",
    negative: "Negative",
    uncertain: "Can\u2019t " + "tell",
    failed: "Failed",
    waiting: "Not asked yet",
    warned: "With a warning",
  },
  accuracyAll: "Right, taking each row\u2019s likelier side",
  accuracyOutright: "Right, where it says positive or negative outright",
  /** @type {(figure: {rows: number, right: number, low: number, high: number}) => string} */
  accuracyNote: ({ rows, right, low, high }) =>
    `${count(right)} of ${rowsOf(rows)}; 95\u00a0% interval ${(low * 100).toFixed(1)} to ` +
    `${(high * 100).toFixed(1)}\u00a0%`,
  /** @param {number} uncertain @param {number} without */
  accuracyRest: (uncertain, without) =>
    `For ${count(uncertain)} of the labelled rows it can\u2019t tell; they count in the first figure and not in the second.` +
    (without
      ? ` ${rowsOf(without)} with a verdict ${without === 1 ? "has" : "have"} no label that ` + `says either.`
      : ""),
  confusionCaption: "Labels in rows, verdicts in columns",

  /** @type {Record<string, string>} */
  SHOW: {
    all: "All rows",
    positive: "Positive",
    negative: "Negative",
    uncertain: "Can\u2019t " + "tell",
    failed: "Failed",
    warned: "With a warning",
    disagrees: "Against your label",
    waiting: "Not asked yet",
  },
  /** @param {number} shown @param {number} all */
  shown: (shown, all) => (shown === all ? rowsOf(all) : `${count(shown)} of ${rowsOf(all)}`),
  /** @type {Record<string, string>} */
  GRID: {
    row: "Row",
    verdict: "Verdict",
    probability: "P(positive)",
    label: "Label",
    review: "Review",
    note: "Note",
  },
  gridLabel: "Rows and their verdicts",
  noRows: "No row is like that.",
  against: "against the label",
  notAsked: "Not asked yet",
  failed: "Failed",
  /** @type {Record<string, string>} */
  ERRORS: {
    empty: "There is no text in it.",
    too_long: "It is longer than 50,000 characters.",
    no_token: "There is no word to read in it.",
    not_json: "The line is no JSON object.",
  },
  /** For the table's narrow column. @type {Record<string, string>} */
  SHORT_ERRORS: {
    empty: "Empty",
    too_long: "Too long",
    no_token: "No word in it",
    not_json: "No " + "JSON object",
  },
  /** A failed row's reason. @param {string} code @param {string} detail */
  error: (code, detail) => FILE.ERRORS[code] ?? (detail || `The API refused it (${code}).`),
  /** @param {string} name */
  detail: (name) => `Row ${name}`,
  detailEmpty: "No row is chosen",
  /** @param {string} label @param {boolean} against */
  yourLabel: (label, against) => `Your label: ${label}${against ? ", against the verdict" : ""}`,
  detailHint: "Choose one to read it here.",
  /** @param {number} hidden characters */
  cut: (hidden) => `\u2026 and ${plural(hidden, "more character", "more characters")}.`,
  open: "Why? Open it on the review page",
  openNote: "In a new tab, so that this one goes on.",
  taking: "Writing the file\u2026",
  /** @param {string} name */
  taken: (name) => `${name} is in your downloads.`,
  takeFailed: "The file could not be written. Try again, or choose the other form.",
};
