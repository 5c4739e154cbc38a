// Holds the English words that pages for files share.

import { detailOf, explain } from "../shared/failure_strings.js";
import { count, plural } from "../shared/strings.js";

/** Writes a size: 66 MB. @param {number} bytes */
export const megabytes = (bytes) =>
  bytes < 1_000_000
    ? `${count(Math.max(1, Math.round(bytes / 1000)))}\u00a0KB`
    : `${count(Math.round(bytes / 1_000_000))}\u00a0MB`;

/** Writes a share of rows: 52.1 %. @param {number} part @param {number} all */
export const shareOf = (part, all) => (all === 0 ? "\u2013" : `${((part / all) * 100).toFixed(1)}\u00a0%`);

/** @param {number} number */
export const rowsOf = (number) => plural(number, "row", "rows");

/** @param {number} seconds */
const timeOf = (seconds) =>
  seconds < 90
    ? plural(Math.max(1, Math.ceil(seconds)), "second", "seconds")
    : plural(Math.round(seconds / 60), "minute", "minutes");

/** Explains files that are not text, by their first bytes. @type {Record<string, string>} */
const BINARY_KINDS = {
  zip: "It is a ZIP archive. Unpack it first.",
  broken: "It looks like an Excel workbook but can\u2019t be read. Save it again as .xlsx, or as CSV.",
  large: "It is an Excel workbook that unpacks to too much data. Save the table as CSV.",
  gzip: "It is compressed with gzip. Unpack it first.",
  pdf: "It is a PDF. Copy its text and paste it here.",
  office: "It is an old or protected Office document. Save the table as .xlsx without a password, or as CSV.",
  utf16: "It may be UTF-16 without a byte order mark. Save it as UTF-8.",
};

/** @type {Record<string, (numbers: Record<string, any>) => {title: string, advice: string}>} */
const REFUSALS = {
  empty_file: () => ({
    title: "The file is empty",
    advice: "It has no text, or only blank lines. Choose another file.",
  }),
  only_header: () => ({
    title: "The file has only column names",
    advice: "No row follows the first one. Choose a file with rows.",
  }),
  too_large: ({ bytes, limit }) => ({
    title: "The file is too large",
    advice:
      `It has ${megabytes(bytes)}, and the limit is ${megabytes(limit)}. Split the file, or use make batch.`,
  }),
  too_many_rows: ({ limit }) => ({
    title: "The file has too many rows",
    advice: `The limit is ${count(limit)} rows. Split the file, or use make batch.`,
  }),
  too_many_columns: ({ columns, limit }) => ({
    title: "The file has too many columns",
    advice:
      `Some row has ${count(columns)} or more. The limit is ${count(limit)}. Remove columns that you ` +
      "don\u2019t need, or choose another separator.",
  }),
  too_many_cells: ({ limit }) => ({
    title: "The table is too large",
    advice: `The limit is ${count(limit)} cells. Remove columns that you don\u2019t need.`,
  }),
  binary: ({ kind }) => ({
    title: "This is not a text file",
    advice: BINARY_KINDS[kind] ?? "It holds binary data. Choose a CSV, TSV, JSON lines or text file.",
  }),
  no_json: ({ lines }) => ({
    title: "The file has no JSON objects",
    advice:
      `JSON lines hold one object per line, such as {"review": "\u2026"}. None of ` +
      `${plural(lines, "line", "lines")} is one, and the file is not a list of objects.`,
  }),
  several: () => ({ title: "One file at a time", advice: "You dropped several files. Choose one." }),
  unloaded: () => ({
    title: "Part of this page couldn\u2019t be loaded",
    advice: "Check your connection, then choose the file again.",
  }),
  not_kept: () => ({
    title: "The saved file can\u2019t be read",
    advice: "It has been deleted from this browser. Choose the file again.",
  }),
};

export const ROWS = {
  /** @param {string} code @param {Record<string, any>} numbers */
  refusal: (code, numbers) =>
    (
      REFUSALS[code] ??
      (() => ({
        title: "The file can\u2019t be read",
        advice:
          "The browser could not open it, or ran out of memory. If it is a folder or has moved, " +
          "choose the file again.",
      }))
    )(numbers),
  /** @param {number} rows @param {number} columns */
  sheet: (rows, columns) => `${rowsOf(rows)}, ${plural(columns, "column", "columns")}`,
  /** Names the scales of labels, and says what counts as which side. @type {Record<string, [string, string]>} */
  SCALES: {
    words: ["Words", "Positive, pos and good are positive; negative, neg and bad are negative"],
    zero_one: ["0 and 1", "1 is positive, 0 is negative"],
    one_two: ["1 and 2", "2 is positive, 1 is negative"],
    minus_plus: ["Below and above zero", "Above zero is positive, below is negative"],
    five: ["Stars, up to 5", "4 and 5 are positive, 1 and 2 are negative"],
    ten: ["Stars, up to 10", "7 to 10 are positive, 1 to 4 are negative"],
  },

  /** @param {number | null} rate rows a second @param {number} left rows */
  pace: (rate, left) =>
    rate === null
      ? "Sends one request at a time."
      : `${count(Math.max(1, Math.round(rate)))} rows a second, about ${timeOf(left / rate)} left.`,
  pausing: "Pausing after the current request.",
  paused: "Paused.",
  waiting: "Waiting for the API.",
  /** @param {string} phase */
  resume: (phase) => (phase === "waiting" ? "Try now" : phase === "ended" ? "Continue with the rest" : "Continue"),
  /** @param {number} seconds */
  countdown: (seconds) => `Next try in ${plural(seconds, "second", "seconds")}.`,
  pausedItself: "The run is paused.",
  nothingLost: "No row is lost. Continue when the problem is solved.",
  /** Says what to do about an error that stopped a run. @param {import("../api.js").ApiError} error @param {string} url */
  advice: (error, url) => {
    if (error.code === "offline") return "Connect to the network first.";
    if (error.status === 429 && error.retry_after) return `The API asks for ${timeOf(error.retry_after)}.`;
    if (error.status === 429 || error.status >= 500) return detailOf(error);
    return explain(error, url).advice;
  },
};
