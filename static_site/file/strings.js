// Holds every English word of the file page: a translation is a copy of this file, and of ../shared/strings.js.

import { detailOf, explain } from "../shared/failure_strings.js";
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

/** Bytes as people say them: 66 MB. @param {number} bytes */
const megabytes = (bytes) =>
  bytes < 1_000_000
    ? `${count(Math.max(1, Math.round(bytes / 1000)))}\u00a0KB`
    : `${count(Math.round(bytes / 1_000_000))}\u00a0MB`;

/** A share of rows: 52.1 %. @param {number} part @param {number} all */
export const shareOf = (part, all) => (all === 0 ? "\u2013" : `${((part / all) * 100).toFixed(1)}\u00a0%`);

/** @param {number} number */
const rowsOf = (number) => plural(number, "row", "rows");

/** Where something was found so many times. @param {number} number @param {number} row */
const whereIn = (number, row) => (number === 1 ? `(row ${count(row)})` : `(the first is row ${count(row)})`);

/** @param {number} seconds */
const timeOf = (seconds) =>
  seconds < 90
    ? plural(Math.max(1, Math.ceil(seconds)), "second", "seconds")
    : plural(Math.round(seconds / 60), "minute", "minutes");

/** Kinds of file that are no text, by what their first bytes say. @type {Record<string, string>} */
const BINARY_KINDS = {
  zip: "It is a ZIP archive; Excel workbooks are such too. Save the table as CSV, or unpack it first.",
  gzip: "It is compressed with gzip. Unpack it first.",
  pdf: "It is a PDF. Copy its text, and paste it here.",
  office: "It is a document of an older Office. Save the table as CSV.",
  utf16: "It may be UTF-16 without the mark that says so. Save it as UTF-8.",
};

/** @type {Record<string, (numbers: Record<string, any>) => {title: string, advice: string}>} */
const REFUSALS = {
  empty_file: () => ({
    title: "There is nothing in it",
    advice: "The file is empty, or holds only blank lines. Choose another one.",
  }),
  only_header: () => ({
    title: "There are only names in it",
    advice: "The first row names the columns, and no row follows. Choose a file with rows.",
  }),
  too_large: ({ bytes, limit }) => ({
    title: "The file is too large",
    advice:
      `It has ${megabytes(bytes)}; this page takes up to ${megabytes(limit)}. Split it, or ` +
      `use make batch.`,
  }),
  too_many_rows: ({ limit }) => ({
    title: "The file has too many rows",
    advice: `This page takes up to ${count(limit)} rows. Split the file, or use make batch.`,
  }),
  too_many_columns: ({ columns, limit }) => ({
    title: "The file has too many columns",
    advice:
      `It has ${count(columns)} or more in some row; this page takes up to ${count(limit)}. Leave ` +
      `out those that are ` +
      "not needed. Perhaps another sign stands between its values than the one that was tried.",
  }),
  too_many_cells: ({ limit }) => ({
    title: "The table is too large",
    advice: `Rows times columns may be ${count(limit)} at most. Leave out columns that are not needed.`,
  }),
  binary: ({ kind }) => ({
    title: "This is no text file",
    advice:
      BINARY_KINDS[kind] ??
      "It holds bytes that no text has. Choose a CSV, TSV, JSON lines " + "or text file.",
  }),
  no_json: ({ lines }) => ({
    title: "No line of it is JSON",
    advice:
      `JSON lines have one object a line, as in {"review": "\u2026"}; none of ` +
      `${plural(lines, "line", "lines")} ` +
      "is one, nor is the whole a list of such.",
  }),
  several: () => ({ title: "One file at a time", advice: "Several came at once. Choose one of them." }),
  not_kept: () => ({
    title: "What was kept can\u2019t be read any more",
    advice: "It has been forgotten. Choose the file again.",
  }),
};

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
  /** @param {string} code @param {Record<string, any>} numbers */
  refusal: (code, numbers) =>
    (
      REFUSALS[code] ??
      (() => ({
        title: "The file can\u2019t be read",
        advice:
          "The browser could not open it, or ran out of memory. Is it a folder, or has it " +
          "moved? Choose it again.",
      }))
    )(numbers),
  /** @param {string} name @param {number} done @param {number} rows */
  kept: (name, done, rows) =>
    `${name ? `\u201c${name}\u201d` : "Pasted text"}: ${count(done)} of ${rowsOf(rows)} done.`,
  /** @param {boolean} finished */
  goOn: (finished) => (finished ? "Show it" : "Go on"),
  forgotten: "Forgotten. Nothing of it is stored on this device any more.",

  pasted: "Pasted text",
  /** @param {number} rows @param {number} columns */
  sheet: (rows, columns) => `${rowsOf(rows)}, ${plural(columns, "column", "columns")}`,
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
  /** How labels are written, and how that is read. @type {Record<string, [string, string]>} */
  SCALES: {
    words: ["Words", "Positive, pos and good are positive; negative, neg and bad are negative"],
    zero_one: ["0 and 1", "1 is positive, 0 negative"],
    one_two: ["1 and 2", "2 is positive, 1 negative"],
    minus_plus: ["Below and above zero", "Above zero is positive, below negative"],
    five: ["Stars, up to 5", "4 and 5 are positive, 1 and 2 negative"],
    ten: ["Stars, up to 10", "7 to 10 are positive, 1 to 4 negative"],
  },
  /** @param {string} scale @param {{positive: number, negative: number, neither: number}} counts */
  labels: (scale, { positive, negative, neither }) =>
    `${FILE.SCALES[scale][1]}: ${rowsOf(positive)} and ${count(negative)}` +
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
  /** @param {number | null} rate rows a second @param {number} left rows */
  pace: (rate, left) =>
    rate === null
      ? "One request at a time."
      : `${count(Math.max(1, Math.round(rate)))} rows a ` + `second, about ${timeOf(left / rate)} left.`,
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
  pausing: "Pausing: one request is still under way.",
  paused: "Paused.",
  waiting: "Waiting for the API.",
  cancelled: "Cancelled. What is done stays.",
  /** @param {string} phase */
  resume: (phase) => (phase === "waiting" ? "Try now" : phase === "ended" ? "Go on with the rest" : "Go on"),
  /** @param {number} rows */
  retryFailed: (rows) => `Try ${rowsOf(rows)} that failed again`,
  /** @param {number} seconds */
  countdown: (seconds) => `Next try in ${plural(seconds, "second", "seconds")}.`,
  pausedItself: "Paused by itself.",
  nothingLost: "Rows that got no answer are still here: go on when it works again.",
  /** What can be done about what stopped a run. @param {import("../api.js").ApiError} error @param {string} url */
  advice: (error, url) => {
    if (error.code === "offline") return "Connect to the network first.";
    if (error.status === 429 && error.retry_after) return `The API asks for ${timeOf(error.retry_after)}.`;
    if (error.status === 429 || error.status >= 500) return detailOf(error);
    return explain(error, url).advice;
  },

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
