// Holds the English words of the pages that read files: a translation is a copy of this file.

import { detailOf, explain } from "../shared/failure_strings.js";
import { count, plural } from "../shared/strings.js";

/** Bytes as people say them: 66 MB. @param {number} bytes */
export const megabytes = (bytes) =>
  bytes < 1_000_000
    ? `${count(Math.max(1, Math.round(bytes / 1000)))}\u00a0KB`
    : `${count(Math.round(bytes / 1_000_000))}\u00a0MB`;

/** A share of rows: 52.1 %. @param {number} part @param {number} all */
export const shareOf = (part, all) => (all === 0 ? "\u2013" : `${((part / all) * 100).toFixed(1)}\u00a0%`);

/** @param {number} number */
export const rowsOf = (number) => plural(number, "row", "rows");

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

export const ROWS = {
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
  /** @param {number} rows @param {number} columns */
  sheet: (rows, columns) => `${rowsOf(rows)}, ${plural(columns, "column", "columns")}`,
  /** How labels are written, and how that is read. @type {Record<string, [string, string]>} */
  SCALES: {
    words: ["Words", "Positive, pos and good are positive; negative, neg and bad are negative"],
    zero_one: ["0 and 1", "1 is positive, 0 negative"],
    one_two: ["1 and 2", "2 is positive, 1 negative"],
    minus_plus: ["Below and above zero", "Above zero is positive, below negative"],
    five: ["Stars, up to 5", "4 and 5 are positive, 1 and 2 negative"],
    ten: ["Stars, up to 10", "7 to 10 are positive, 1 to 4 negative"],
  },

  /** @param {number | null} rate rows a second @param {number} left rows */
  pace: (rate, left) =>
    rate === null
      ? "One request at a time."
      : `${count(Math.max(1, Math.round(rate)))} rows a ` + `second, about ${timeOf(left / rate)} left.`,
  pausing: "Pausing: one request is still under way.",
  paused: "Paused.",
  waiting: "Waiting for the API.",
  /** @param {string} phase */
  resume: (phase) => (phase === "waiting" ? "Try now" : phase === "ended" ? "Go on with the rest" : "Go on"),
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
};
