// Holds the English words of the file page.

import { ROWS, megabytes, rowsOf, shareOf } from "../rows/strings.js";
import { count, percent, plural } from "../shared/strings.js";
import { OTHER_WARNING, WARNINGS } from "../shared/verdict_strings.js";

/** Fixed texts, by the names of data-string. */
export const STATIC = {
  fileTitle: "Judge a whole file",
  fileDeck:
    "See what your reviews say: the verdict of each, what people praise and blame, and what changed. " +
    "It takes Excel, CSV, TSV, JSON lines, or text with one review per line.",
  fileKeptTitle: "Saved on this device",
  fileForget: "Delete it",
  fileRefusedKicker: "Can\u2019t use this file",
  fileDrop: "Drop a file anywhere on this page, or",
  fileChoose: "Choose a file",
  filePasteLabel: "Or paste reviews or rows here",
  filePasteUse: "Use this text",
  fileExamples: "Try our examples",
  fileNotesTitle: "Before you start",
  fileStopReading: "Stop",
  fileReviewColumn: "Column of reviews",
  fileDateColumn: "Dates (optional)",
  fileGroupColumn: "Groups, such as a film or a shop (optional)",
  fileLabelColumn: "Your labels or stars (optional)",
  fileScale: "Scale of the labels",
  fileIdColumn: "IDs (optional)",
  fileAspects: "Aspects to look for",
  fileOwnAspects: "Your aspects, one per line: a name, then its words",
  fileHeader: "The first row has the column names",
  fileKeep: "Save on this device",
  fileKeepNote:
    "This browser keeps the file and its verdicts until you delete them, so you can reload the page. " +
    "A new file replaces the one saved before. Without the tick, nothing is stored.",
  fileOther: "Choose another file",
  filePause: "Pause",
  fileCancel: "Cancel the rest",
  fileKeepTitle: "This device",
  fileTakeTitle: "Download",
  fileSafe: "Safe for spreadsheets",
  fileSafeNote:
    "CSV cells that begin with = + - @, a tab or a line break get a \u2019 in front, so none runs as a formula. " +
    "A byte order mark tells Excel that the file is UTF-8. Without the tick, cells stay as they are.",
  fileTakeCsv: "CSV",
  fileTakeJsonl: "JSON lines",
  fileHistogramTitle: "How sure the model is",
  fileHistogramNote: "Press a bar to see its rows.",
  fileNumbers: "Show as a table",
  fileReportTitle: "What people say",
  fileCompare: "Compare",
  fileSince: "From this day on",
  fileFirstGroup: "This group",
  fileSecondGroup: "With this one",
  fileCalibrationTitle: "Can you trust the probability?",
  fileCalibrationNote:
    "Each point is a group of rows with similar probabilities. Where the probability can be trusted, the points lie on the line: " +
    "of the rows at 80\u00a0%, 80 in 100 are labelled positive. " +
    "The bars are 95\u00a0% intervals. A hollow point has fewer than 20 rows and says little.",
  fileAccuracyTitle: "Compared with your labels",
  fileRowsTitle: "The reviews",
  fileSearch: "Search the reviews and IDs",
  fileGridHelp: "Use the arrow keys to move between rows. Press Enter to see why a row got its verdict.",
  filePrevious: "Previous",
  fileNext: "Next",
  fileClose: "Close",
};

/** Names the row of a finding, or of the first of several. @param {number} number @param {number} row */
const whereIn = (number, row) => (number === 1 ? `(row ${count(row)})` : `(the first is row ${count(row)})`);

/** @type {Record<string, string>} */
const CHIPS = {
  all: "All",
  worst: "Worst 10",
  best: "Best 10",
  unsure: "Unsure",
  mixed: "Mixed",
  against: "Against your label",
  failed: "Failed",
  waiting: "Not sent yet",
};

const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" });

/** Writes a date with its month in words. @param {string} date YYYY-MM-DD */
const dateWords = (date) => (date ? day.format(new Date(`${date}T00:00:00Z`)) : "");

/** Writes a probability as a whole percentage, never as 0 or 100. @param {number} share */
const wholePercent = (share) => `${Math.min(99, Math.max(1, Math.round(share * 100)))}\u00a0%`;

/** @param {number} from @param {number} to P(positive) */
const becomes = (from, to) =>
  wholePercent(from) === wholePercent(to)
    ? `it stays at ${wholePercent(to)}`
    : `${wholePercent(from)} becomes ${wholePercent(to)}`;

/** The reasons that are no warning's name. @type {Record<string, string>} */
const SHORT_REASONS = { no_opinion: "No opinion", unclear: "Could go either way" };

export const FILE = {
  /** Lists facts beside the choice of a file: term and description. @type {(url: string, limits: Record<string, number>) => [string, string][]} */
  facts: (url, { rows, bytes, batch }) => [
    [
      "What is sent",
      `Only the column with the reviews goes to ${url}, up to ${count(batch)} per request, ` +
        "with the words of the aspects. Other columns and the file\u2019s name stay in this browser.",
    ],
    ["What is stored", "Nothing, unless you tick \u201cSave on this device\u201d."],
    ["Limits", `${count(rows)} rows, ${megabytes(bytes)}, and 50,000 characters per review.`],
    [
      "Other columns",
      "With dates or groups, the report shows what changed and where. " +
        "With labels or stars, it compares them with the verdicts.",
    ],
  ],
  /** @param {string} name @param {number} bytes */
  reading: (name, bytes) => `Reading ${name ? `\u201c${name}\u201d` : "the text"}, ${megabytes(bytes)}\u2026`,
  stoppedReading: "Stopped. The file was not read.",
  /** @param {string} name @param {number} done @param {number} rows */
  kept: (name, done, rows) =>
    `${name ? `\u201c${name}\u201d` : "Pasted text"}: ${count(done)} of ${rowsOf(rows)} done.`,
  /** @param {boolean} finished */
  goOn: (finished) => (finished ? "Show the results" : "Continue"),
  forgotten: "Deleted from this device.",

  pasted: "Pasted text",
  columnsTitle: "What do the columns hold?",
  /** @param {number} rows */
  preview: (rows) => (rows === 1 ? "The only row" : `The first ${count(rows)} rows`),
  /** @param {number} columns */
  moreColumns: (columns) =>
    columns > 0
      ? `${plural(columns, "more column is", "more columns are")} not shown.`
      : "",
  noColumn: "None",
  rowNumbers: "Row number",
  /** @type {Record<string, string>} */
  FORMATS: {
    comma: "CSV, with commas",
    semicolon: "CSV, with semicolons",
    tab: "TSV, with tabs",
    bar: "values separated by |",
    column: "CSV, a single column",
    jsonl: "JSON lines, or a JSON list",
    lines: "one review per line",
  },
  /** @param {string} format @param {string} [sheet] of a workbook */
  format: (format, sheet) =>
    sheet === undefined ? `Read as ${FILE.FORMATS[format]}` : `Read the sheet \u201c${sheet}\u201d`,
  formatLabel: "Format of the file",
  sheetLabel: "Sheet of the workbook",
  /** @type {Record<string, string>} */
  ASPECTS: {
    film: "Of films: plot, acting, music and more",
    product: "Of products: quality, price, delivery and more",
    own: "My own",
    none: "None",
  },
  ownExample: "music: music, score, soundtrack",
  /** @param {string} code @param {number} line */
  aspectFault: (code, line) =>
    ({
      none: "Write at least one aspect, such as \u201cmusic: music, score, soundtrack\u201d.",
      many: "The limit is 20 aspects. Remove some lines.",
      name: `Line ${line} needs a name of 1 to 40 characters.`,
      twice: `Line ${line} repeats a name. Give each aspect its own.`,
      terms: `Line ${line} needs 1 to 50 terms after the colon, with commas between them.`,
      long: `Line ${line} has a term that can\u2019t be looked for. A term has one to five words.`,
    })[code] ?? "",
  /** @param {number} groups */
  groups: (groups) => plural(groups, "group", "groups"),
  /** @param {{first: string, unread: number}} dates */
  dates: ({ first, unread }) =>
    [
      first ? `The first date is read as ${dateWords(first)}.` : "No cell of this column is a date.",
      first && unread ? `${rowsOf(unread)} can\u2019t be read as dates. The view over time leaves them out.` : "",
    ]
      .filter(Boolean)
      .join(" "),
  /** @param {string} cell */
  dateAsked: (cell) => `What does \u201c${cell}\u201d mean?`,
  /** @param {[number, string][]} rows */
  datesAgainst: ([[one, first], [other, second]]) =>
    `Row ${count(one)} says \u201c${first}\u201d and row ${count(other)} says \u201c${second}\u201d, ` +
    "so the order of day and month differs. Fix the file, or choose no column of dates.",
  dateUnanswered: "Choose one of the two first.",
  /** @param {string} scale @param {{positive: number, negative: number, neither: number}} counts */
  labels: (scale, { positive, negative, neither }) =>
    `${ROWS.SCALES[scale][1]}. Rows: ${count(positive)} positive, ${count(negative)} negative` +
    (neither ? `, ${count(neither)} neither. The last are not counted.` : "."),
  /** @param {number} rows */
  once: (rows) => `Send identical reviews only once (${rows === 1 ? "1 row repeats" : `${count(rows)} rows repeat`} another)`,
  /** @param {number} rows */
  send: (rows) => `Judge ${plural(rows, "review", "reviews")}`,
  /** @param {string} url @param {number} unsent */
  columnsPrivacy: (url, unsent) =>
    `Only the reviews go to ${url}, with the words of the aspects.` +
    (unsent
      ? ` ${rowsOf(unsent)} can\u2019t be sent: empty, too long or unreadable. The table ` +
        `shows which.`
      : ""),
  /** @type {Record<string, (note: {count?: number, row?: number}) => string>} */
  NOTES: {
    windows_1252: () =>
      "The file is not UTF-8, so it was read as Windows-1252. Check the accents and " +
      "quotation marks below.",
    same_names: () => "Several columns have the same name. Here and in the download, a number tells them apart.",
    replaced: () => "Some characters could not be read and appear as \uFFFD.",
    unclosed_quote: ({ row = 0 }) =>
      `A quotation mark in row ${count(row)} is never closed, so that row holds the rest ` +
      `of the file. Fix the file, or choose \u201cone review per line\u201d below.`,
    odd_quotes: ({ count: number = 0, row = 0 }) =>
      `${plural(number, "quotation mark is", "quotation marks are")} misplaced within a value ` +
      `${whereIn(number, row)}. Check the rows.`,
    ragged: ({ count: number = 0, row = 0 }) =>
      `${rowsOf(number)} ${number === 1 ? "has" : "have"} more or fewer values than the first ` +
      `${whereIn(number, row)}. Nothing is dropped. Check for commas outside quotation marks.`,
    nulls: ({ count: number = 0, row = 0 }) =>
      `${rowsOf(number)} ${number === 1 ? "holds" : "hold"} a NUL character ${whereIn(number, row)}.`,
    bad_lines: ({ count: number = 0, row = 0 }) =>
      `${plural(number, "line is not a JSON object", "lines are not JSON objects")} ${whereIn(number, row)}. ` +
      `${number === 1 ? "It gets" : "They get"} no verdict.`,
  },

  progressLabel: "Rows done",
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
      `${plural(positive + negative + uncertain, "verdict", "verdicts")}` +
        `${uncertain ? `, of which ${count(uncertain)} \u201cCan\u2019t tell\u201d` : ""}.`,
      failed ? `${rowsOf(failed)} failed.` : "",
      waiting ? `${rowsOf(waiting)} not sent.` : "",
    ]
      .filter(Boolean)
      .join(" "),
  cancelled: "Cancelled. Finished rows are kept.",
  /** @param {number} rows */
  retryFailed: (rows) => `Retry ${plural(rows, "failed row", "failed rows")}`,
  keepFull: "This device has no room for the file, so it is not saved. The run continues.",
  keepFailed: "This browser can\u2019t save the file, so nothing is stored. The run continues.",
  keptElsewhere: "Another tab is using the saved file. Finish or delete it there.",

  rows: rowsOf,
  /** @param {number} low @param {number} high */
  band: (low, high) =>
    `Between ${percent(low)} and ${percent(high)}, the shaded band, the verdict is \u201cCan\u2019t tell\u201d.`,
  noBand: "No verdict yet.",
  /** @param {string[]} ids */
  models: (ids) =>
    ids.length < 2
      ? ids[0]
        ? `Model ${ids[0]}`
        : ""
      : `${ids.join(" and ")} answered. The model changed during the run, so don\u2019t compare probabilities between rows.`,
  /** What can be compared. @type {Record<string, string>} */
  SIDES: {
    third: "The last third of the time with what came before",
    since: "From a day on with what came before",
    between: "Two groups",
    none: "Nothing yet",
  },
  reporting: "Counting what people say\u2026",
  reportFailed: "The report could not be made. Save the file on this device, then reload the page.",
  /** @param {number} from @param {number} to */
  binFilter: (from, to) => `${Math.round(from * 100)} to ${Math.round(to * 100)}\u00a0% positive`,
  /** @param {string} label @param {string} verdict */
  cellFilter: (label, verdict) => `Your label: ${label}. Verdict: ${verdict}`,
  /** @param {string} words */
  removeFilter: (words) => `${words}. Show all rows again`,

  axisProbability: "Probability of positive",
  axisRows: "Rows",
  /** @param {number} rows @param {number} below @param {number} above */
  histogramLabel: (rows, below, above) =>
    `Histogram of ${plural(rows, "probability", "probabilities")}: ${count(below)} below 50\u00a0%, ` +
    `${count(above)} above.`,
  axisObserved: "Share of positive labels",
  /** @param {number} bins @param {number} rows */
  calibrationLabel: (bins, rows) =>
    `Calibration plot of ${plural(rows, "labelled row", "labelled rows")} in ${plural(bins, "group", "groups")}.`,
  histogramColumns: ["Probability", "Negative", "Can\u2019t tell", "Positive"],
  calibrationColumns: ["Probability", "Rows", "Mean", "Labelled positive", "95\u00a0% interval"],
  /** @param {number} from @param {number} to */
  binName: (from, to) => `${from.toFixed(2)}\u2013${to.toFixed(2)}`,
  /** @param {number} value */
  place: (value) => value.toFixed(3),
  accuracyAll: "Accuracy on all rows (unsure verdicts count by their likelier side)",
  accuracyOutright: "Accuracy where the verdict is positive or negative",
  /** @type {(figure: {rows: number, right: number, low: number, high: number}) => string} */
  accuracyNote: ({ rows, right, low, high }) =>
    `${count(right)} of ${rowsOf(rows)}; 95\u00a0% interval ${(low * 100).toFixed(1)} to ` +
    `${(high * 100).toFixed(1)}\u00a0%`,
  /** @param {number} uncertain @param {number} without */
  accuracyRest: (uncertain, without) =>
    `${plural(uncertain, "labelled row is", "labelled rows are")} \u201cCan\u2019t tell\u201d, counted in the first figure only.` +
    (without
      ? ` ${rowsOf(without)} with a verdict ${without === 1 ? "has" : "have"} no usable label.`
      : ""),
  confusionCaption: "Labels in rows, verdicts in columns",

  /** Names a chip, with its number of rows. @param {string} show @param {number} rows */
  chip: (show, rows) => CHIPS[show] + (show === "worst" || show === "best" ? "" : ` ${count(rows)}`),
  /** @param {number} shown @param {number} all */
  shown: (shown, all) => (shown === all ? rowsOf(all) : `${count(shown)} of ${rowsOf(all)}`),
  /** @type {Record<string, string>} */
  GRID: {
    row: "Row",
    verdict: "Verdict",
    probability: "% positive",
    label: "Label",
    date: "Date",
    group: "Group",
    review: "Review",
  },
  gridLabel: "Rows and their verdicts",
  noRows: "No rows match.",
  against: "differs from your label",
  /** Says in a narrow column why a verdict is uncertain. @param {string | null} reason */
  shortReason: (reason) => SHORT_REASONS[reason ?? ""] ?? WARNINGS[reason ?? ""] ?? OTHER_WARNING,
  notAsked: "Not sent yet",
  failed: "Failed",
  /** @type {Record<string, string>} */
  ERRORS: {
    empty: "The review is empty.",
    too_long: "The review is longer than 50,000 characters.",
    no_token: "The review has no words.",
    not_json: "The line is not a JSON object.",
  },
  /** Names errors in the table's narrow column. @type {Record<string, string>} */
  SHORT_ERRORS: {
    empty: "Empty",
    too_long: "Too long",
    no_token: "No words",
    not_json: "Not JSON",
  },
  /** Explains why a row failed. @param {string} code @param {string} detail */
  error: (code, detail) => FILE.ERRORS[code] ?? (detail || `The API refused this row (${code}).`),
  /** @param {string} name */
  detail: (name) => `Row ${name}`,
  /** @param {string} date YYYY-MM-DD, or "" */
  day: (date) => dateWords(date),
  whyTitle: "What decides",
  aspectsTitle: "Aspects",
  textTitle: "The review",
  /** Says what a sentence is worth. @param {{alone: number | null, without: number | null}} sentence @param {number} now P(positive) of the review */
  effect: ({ alone, without }, now) =>
    [
      alone === null ? "" : `On its own: ${wholePercent(alone)} positive.`,
      without === null ? "" : `Without it, ${becomes(now, without)}.`,
    ]
      .filter(Boolean)
      .join(" "),
  /** @param {string} label @param {boolean} against */
  yourLabel: (label, against) => `Your label: ${label}${against ? ". The verdict disagrees." : ""}`,
  /** @param {number} hidden characters */
  cut: (hidden) => `\u2026 and ${plural(hidden, "more character", "more characters")}.`,
  open: "Open on the review page, in a new tab",
  taking: "Writing the file\u2026",
  /** @param {number} rows */
  takeShown: (rows) => `Only the ${plural(rows, "row", "rows")} shown above`,
  /** @param {string} name @param {number} rows @param {number} columns */
  taken: (name, rows, columns) =>
    `Saved ${name}: ${rowsOf(rows)}, with ${columns === 1 ? "its column" : `all ${count(columns)} columns`} and the verdicts.`,
  takeFailed: "The file could not be written. Try again, or choose the other format.",
};
