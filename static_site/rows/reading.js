// Reads a file of reviews: bytes to text, then to named columns and rows. Notes anything odd.

import { unguarded } from "./formulas.js";

/**
 * @typedef {"comma" | "semicolon" | "tab" | "bar" | "column" | "jsonl" | "lines" | "xlsx"} Format
 *   column: a single column, whose texts may hold any delimiter; xlsx: a workbook, see workbook.js
 * @typedef {string | number | boolean | null | undefined} Cell undefined: the row has no such cell
 * @typedef {{code: string, count?: number, row?: number}} Note row counts from 1, names not counted
 * @typedef {{format?: Format, header?: boolean, page?: string}} Choice what the reader set; the rest is guessed
 *   page: the sheet of a workbook
 * @typedef {object} Sheet
 * @property {string} name the file's name; empty for pasted text
 * @property {Format} format
 * @property {boolean} header the first row holds the columns' names
 * @property {string[]} columns
 * @property {Cell[][]} rows
 * @property {{names: string[], name: string}} [pages] a workbook's sheets with rows, and the one that was read
 * @property {number} unread the column of unreadable lines; -1 for none
 * @property {Note[]} notes
 */

// A file of 50,000 IMDb reviews has 66 MB. All of it must fit into a tab's memory.
export const MAX_FILE_BYTES = 100_000_000;
export const MAX_ROWS = 100_000;
export const MAX_COLUMNS = 500;
// Empty cells take memory too: 100 MB of commas are 100 million cells.
const MAX_CELLS = 5_000_000;

/** Separators of values. @type {Record<string, string>} */
const DELIMITERS = { comma: ",", semicolon: ";", tab: "\t", bar: "|" };
// ASCII's unit separator, which no text contains.
const NO_DELIMITER = "\x1f";
/** @type {Record<string, Format | "delimited">} */
const BY_ENDING = {
  csv: "delimited",
  tsv: "tab",
  tab: "tab",
  jsonl: "jsonl",
  ndjson: "jsonl",
  json: "jsonl",
};

/** Names of a column of reviews, the likeliest first. */
export const REVIEW_NAMES = [
  "review",
  "reviews",
  "review_text",
  "reviewtext",
  "text",
  "content",
  "comment",
  "body",
  "sentence",
];
const KNOWN_NAMES = [
  ...REVIEW_NAMES,
  "id",
  "label",
  "sentiment",
  "rating",
  "stars",
  "score",
  "class",
  "polarity",
];

// A guess reads this many characters and rows.
const HEAD_CHARACTERS = 65_536;
export const HEAD_ROWS = 20;
// A longer cell is a review, not a column's name.
const LONGEST_NAME = 40;
// Text has fewer control characters. The limit is lower for bytes that are not UTF-8.
const MAX_CONTROL_SHARE = 0.2;
const MAX_CONTROL_SHARE_GUESSED = 0.02;

const ZIP_START = [0x50, 0x4b, 0x03, 0x04];
/** First bytes of files that are not text. @type {[string, number[]][]} */
const SIGNATURES = [
  ["zip", ZIP_START],
  ["gzip", [0x1f, 0x8b]],
  ["pdf", [0x25, 0x50, 0x44, 0x46]],
  ["office", [0xd0, 0xcf, 0x11, 0xe0]],
];

/** The reason for not reading a file: its `code` and its `numbers`. */
export class Refusal extends Error {
  /** @param {string} code @param {Record<string, number | string>} [numbers] */
  constructor(code, numbers = {}) {
    super(code);
    this.code = code;
    this.numbers = numbers;
  }
}

/**
 * Reads the rows of a file.
 * @param {string} name
 * @param {Uint8Array} bytes
 * @param {Choice} choice
 * @param {any} Papa papaparse
 * @returns {Sheet}
 * @throws {Refusal}
 */
export function readBytes(name, bytes, choice, Papa) {
  refuseSignature(bytes);
  const { text, guessed } = decode(bytes);
  refuseBinary(text, guessed);
  const sheet = readText(name, text, choice, Papa);
  if (guessed) sheet.notes.unshift({ code: "windows_1252" });
  if (text.includes("\uFFFD")) sheet.notes.push({ code: "replaced" });
  return sheet;
}

/**
 * Reads the rows of a text.
 * @param {string} name
 * @param {string} text
 * @param {Choice} choice
 * @param {any} Papa papaparse
 * @returns {Sheet}
 * @throws {Refusal}
 */
export function readText(name, text, choice, Papa) {
  if (text.trim() === "") throw new Refusal("empty_file");
  const format = choice.format ?? guessFormat(name, text.trimStart().slice(0, HEAD_CHARACTERS), Papa);
  const table = readerOf(format)(text, format, choice, Papa);
  return { ...refuseUnusable(table), name, format };
}

/** @param {Format} format */
function readerOf(format) {
  if (format === "jsonl") return readJsonLines;
  return format === "lines" ? readLines : readDelimited;
}

/**
 * Decodes by the byte order mark. Without one, tries UTF-8, then Windows-1252.
 * @param {Uint8Array} bytes
 * @returns {{text: string, guessed: boolean}}
 */
export function decode(bytes) {
  const mark = encodingOfMark(bytes);
  if (mark) return { text: new TextDecoder(mark).decode(bytes), guessed: false };
  try {
    return { text: new TextDecoder("utf-8", { fatal: true }).decode(bytes), guessed: false };
  } catch {
    return { text: new TextDecoder("windows-1252").decode(bytes), guessed: true };
  }
}

/** @param {Uint8Array} bytes */
function encodingOfMark(bytes) {
  if (startsWith(bytes, [0xef, 0xbb, 0xbf])) return "utf-8";
  if (startsWith(bytes, [0xff, 0xfe])) return "utf-16le";
  return startsWith(bytes, [0xfe, 0xff]) ? "utf-16be" : "";
}

/** @param {Uint8Array} bytes @param {number[]} start */
function startsWith(bytes, start) {
  return start.every((byte, place) => bytes[place] === byte);
}

/** Tells whether a file can be a workbook, which is a ZIP archive. @param {Uint8Array} bytes */
export function isZip(bytes) {
  return startsWith(bytes, ZIP_START);
}

/** @param {Uint8Array} bytes */
function refuseSignature(bytes) {
  const found = SIGNATURES.find(([, start]) => startsWith(bytes, start));
  if (found) throw new Refusal("binary", { kind: found[0] });
}

/** @param {string} text @param {boolean} guessed */
function refuseBinary(text, guessed) {
  const head = text.slice(0, HEAD_CHARACTERS);
  // eslint-disable-next-line no-control-regex
  const controls = head.match(/[\0-\x08\x0e-\x1f]/g) ?? [];
  const limit = guessed ? MAX_CONTROL_SHARE_GUESSED : MAX_CONTROL_SHARE;
  if (controls.length <= head.length * limit) return;
  const nulls = controls.filter((character) => character === "\0").length;
  throw new Refusal("binary", { kind: nulls > head.length * 0.4 ? "utf16" : "" });
}

/**
 * Refuses a table that has no rows, or too many.
 * @template {Omit<Sheet, "name" | "format">} T
 * @param {T} table
 * @throws {Refusal}
 */
export function refuseUnusable(table) {
  const { rows, columns, header } = table;
  if (rows.length > MAX_ROWS) throw new Refusal("too_many_rows", { limit: MAX_ROWS });
  if (rows.length * columns.length > MAX_CELLS) throw new Refusal("too_many_cells", { limit: MAX_CELLS });
  if (rows.length === 0) throw new Refusal(header ? "only_header" : "empty_file");
  return table;
}

/** @param {number} columns @throws {Refusal} */
export function refuseWide(columns) {
  if (columns > MAX_COLUMNS) throw new Refusal("too_many_columns", { columns, limit: MAX_COLUMNS });
}

// Guesses.

/**
 * Guesses a format by the file's ending, or by how the text begins.
 * @param {string} name
 * @param {string} head
 * @param {any} Papa
 * @returns {Format}
 */
export function guessFormat(name, head, Papa) {
  const known = BY_ENDING[name.toLowerCase().split(".").pop() ?? ""];
  if (known && known !== "delimited") return known;
  if (!known && looksLikeJson(head)) return "jsonl";
  const delimited = guessDelimiter(head, Papa);
  return known || looksDelimited(head, delimited, Papa) ? delimited : "lines";
}

/**
 * Returns the delimiter that yields a known name in the first row, or else the most even rows.
 * @param {string} head
 * @param {any} Papa
 * @returns {Format}
 */
function guessDelimiter(head, Papa) {
  const names = Object.keys(DELIMITERS);
  const firsts = names.map((name) => headRows(head, /** @type {Format} */ (name), Papa)[0]);
  const known = firsts.findIndex((row) => row.length > 1 && row.some(isKnownName));
  if (known >= 0) return /** @type {Format} */ (names[known]);
  if (firsts[0].some(isKnownName)) return "column";
  const options = { preview: HEAD_ROWS, skipEmptyLines: true, delimitersToGuess: Object.values(DELIMITERS) };
  const { delimiter } = Papa.parse(head, options).meta;
  return /** @type {Format} */ (names.find((name) => DELIMITERS[name] === delimiter) ?? "comma");
}

/**
 * Tells a table from prose with commas: by known names, or by even rows of tabs or quotes.
 * @param {string} head
 * @param {Format} format
 * @param {any} Papa
 */
function looksDelimited(head, format, Papa) {
  const rows = headRows(head, format, Papa);
  if (rows[0].some(isKnownName)) return true;
  const width = rows[0].length;
  const even = rows.length > 1 && width > 1 && rows.every((row) => row.length === width);
  return even && (format === "tab" || head.startsWith('"'));
}

/** @param {string} head @param {Format} format @param {any} Papa @returns {string[][]} */
function headRows(head, format, Papa) {
  const { data } = parseDelimited(head, format, HEAD_ROWS + 1, Papa);
  const rows = withoutBlanks(data, widthOf(data));
  // The head may end within its last row.
  return rows.length > 1 && head.length === HEAD_CHARACTERS ? rows.slice(0, -1) : rows;
}

/** Tells whether the first row holds names: known ones, or names unlike the cells below. @param {string[][]} rows */
export function guessHeader([first, ...rows]) {
  if (first.some(isKnownName)) return true;
  const names = first.map((name) => name.trim());
  if (rows.length === 0 || new Set(names).size < names.length || !names.every(couldBeName)) return false;
  return names.some((_, place) => rows.every((row) => !couldBeName((row[place] ?? "").trim())));
}

/** @param {string} name */
function isKnownName(name) {
  return KNOWN_NAMES.includes(name.trim().toLowerCase());
}

/** @param {string} name */
function couldBeName(name) {
  return name !== "" && name.length <= LONGEST_NAME && Number.isNaN(Number(name)) && !/[.!?]$/.test(name);
}

// Values between delimiters.

/** @param {string} text @param {Format} format @param {number} preview @param {any} Papa */
function parseDelimited(text, format, preview, Papa) {
  return Papa.parse(text, { delimiter: DELIMITERS[format] ?? NO_DELIMITER, preview });
}

/** @param {string} text @param {Format} format @param {Choice} choice @param {any} Papa */
function readDelimited(text, format, choice, Papa) {
  const parsed = parseDelimited(text, format, MAX_ROWS + 2, Papa);
  parsed.data = parsed.data.map((/** @type {string[]} */ row) => row.map(unguarded));
  const width = widthOf(parsed.data);
  refuseWide(width);
  const data = withoutBlanks(parsed.data, width);
  const header = choice.header ?? guessHeader(data.slice(0, HEAD_ROWS));
  const rows = header ? data.slice(1) : data;
  const columns = nameColumns(header ? data[0] : [], width);
  const notes = [...nameNotes(header ? data[0] : []), ...notesOf(rows, parsed, header, data[0].length)];
  return { header, columns, rows, unread: -1, notes };
}

/** Notes names that several columns have. @param {string[]} names @returns {Note[]} */
export function nameNotes(names) {
  const trimmed = names.map((name) => name.trim()).filter(Boolean);
  const count = trimmed.length - new Set(trimmed).size;
  return count ? [{ code: "same_names", count }] : [];
}

/** @param {string[][]} rows */
function widthOf(rows) {
  return rows.reduce((most, row) => Math.max(most, row.length), 0);
}

/**
 * Drops blank lines. In a single column they are empty values, so only the last one goes.
 * @param {string[][]} rows
 * @param {number} width
 */
function withoutBlanks(rows, width) {
  if (width > 1) return rows.filter((row) => !isBlank(row));
  return isBlank(rows[rows.length - 1]) ? rows.slice(0, -1) : rows;
}

/** @param {string[]} row */
function isBlank(row) {
  return row.length === 1 && row[0] === "";
}

/** @param {string[]} names @param {number} width */
export function nameColumns(names, width) {
  /** @type {Set<string>} */
  const taken = new Set();
  return Array.from({ length: width }, (_, place) => {
    const name = freeName((names[place] ?? "").trim() || `Column ${place + 1}`, taken);
    taken.add(name);
    return name;
  });
}

/** @param {string} name @param {{has: (name: string) => boolean}} taken */
export function freeName(name, taken) {
  let free = name;
  for (let turn = 2; taken.has(free); turn += 1) free = `${name} (${turn})`;
  return free;
}

/**
 * @param {string[][]} rows
 * @param {{data: string[][], errors: {code: string, row?: number}[]}} parsed papaparse's own
 * @param {boolean} header
 * @param {number} width of the first row
 * @returns {Note[]}
 */
function notesOf(rows, { data, errors }, header, width) {
  const unclosed = errors.find(({ code }) => code === "MissingQuotes");
  const odd = errors.filter(({ code }) => code === "InvalidQuotes");
  const ragged = placesOf(rows, (row) => row.length !== width);
  // Turns papaparse's index into our row number, counted from 1.
  const place = (/** @type {number} */ row) => rows.indexOf(data[row]) + 1;
  return [
    ...(unclosed ? [{ code: "unclosed_quote", row: place(unclosed.row ?? 0) }] : []),
    ...(odd.length ? [{ code: "odd_quotes", count: odd.length, row: place(odd[0].row ?? 0) }] : []),
    ...(ragged.count ? [{ code: "ragged", ...ragged }] : []),
    ...nullNotes(rows),
  ];
}

/** @param {Cell[][]} rows @returns {Note[]} */
export function nullNotes(rows) {
  const found = placesOf(rows, (row) => row.some((cell) => typeof cell === "string" && cell.includes("\0")));
  return found.count ? [{ code: "nulls", ...found }] : [];
}

/**
 * Counts the rows that pass a test, and finds the first.
 * @template T
 * @param {T[]} rows
 * @param {(row: T) => boolean} test
 */
function placesOf(rows, test) {
  const count = rows.reduce((sum, row) => sum + (test(row) ? 1 : 0), 0);
  return { count, row: count ? rows.findIndex(test) + 1 : 0 };
}

// One review a line.

/** @param {string} text */
function linesOf(text) {
  return text.split(/\r\n|\n|\r/).filter((line) => line.trim() !== "");
}

/** @param {string} text */
function readLines(text) {
  const rows = linesOf(text).map((line) => [line]);
  return { header: false, columns: ["review"], rows, unread: -1, notes: nullNotes(rows) };
}

// JSON: one object a line, or a list of objects. A bare string is a review.

/** @param {string} text */
function readJsonLines(text) {
  const lines = linesOf(text);
  const fields = fieldsOfList(text) ?? lines.map(fieldsOf);
  if (fields.length > MAX_ROWS) throw new Refusal("too_many_rows", { limit: MAX_ROWS });
  if (fields.every((one) => one === null)) throw new Refusal("no_json", { lines: lines.length });
  /** @type {Map<string, number>} */
  const places = new Map();
  const rows = fields.map((one) => (one ? cellsOf(one, places) : []));
  return withUnreadLines([...places.keys()], rows, lines, fields);
}

/**
 * Returns null unless the text is a list whose items can all be rows.
 * @param {string} text
 * @returns {[string, Cell][][] | null}
 */
function fieldsOfList(text) {
  if (!text.trimStart().startsWith("[")) return null;
  try {
    const fields = parseKeepingDigits(text).map(fieldsOfValue);
    return fields.includes(null) ? null : fields;
  } catch {
    return null;
  }
}

/**
 * @param {string[]} columns
 * @param {Cell[][]} rows
 * @param {string[]} lines
 * @param {([string, Cell][] | null)[]} objects
 */
function withUnreadLines(columns, rows, lines, objects) {
  const bad = placesOf(objects, (fields) => fields === null);
  const table = { header: false, columns, rows, unread: -1, notes: nullNotes(rows) };
  if (!bad.count) return table;
  const unread = columns.length;
  objects.forEach((fields, row) => {
    if (fields === null) rows[row][unread] = lines[row];
  });
  const names = [...columns, freeName("unread line", new Set(columns))];
  return { ...table, columns: names, unread, notes: [{ code: "bad_lines", ...bad }, ...table.notes] };
}

/**
 * Returns a line's names and values; null unless it holds an object or a string.
 * @param {string} line
 * @returns {[string, Cell][] | null}
 */
function fieldsOf(line) {
  try {
    return fieldsOfValue(parseKeepingDigits(line));
  } catch {
    return null;
  }
}

/** @param {any} value @returns {[string, Cell][] | null} */
function fieldsOfValue(value) {
  if (typeof value === "string") return [["review", value]];
  if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
  return Object.entries(value).map(([name, field]) => [name, plain(field)]);
}

/** Keeps a long id as text: as a number it would lose digits. @param {string} line */
function parseKeepingDigits(line) {
  if (!/\d{16}/.test(line)) return JSON.parse(line);
  /** @type {any} */
  const keep = (/** @type {string} */ _, /** @type {any} */ value, /** @type {any} */ context) =>
    typeof value === "number" && context?.source && String(value) !== context.source ? context.source : value;
  return JSON.parse(line, keep);
}

/**
 * @param {[string, Cell][]} fields
 * @param {Map<string, number>} places a column's place by its name; grows
 * @returns {Cell[]}
 */
function cellsOf(fields, places) {
  /** @type {Cell[]} */
  const cells = [];
  for (const [name, cell] of fields) {
    if (!places.has(name)) places.set(name, places.size);
    refuseWide(places.size);
    cells[/** @type {number} */ (places.get(name))] = cell;
  }
  return cells;
}

/** Writes a list or an object as JSON. @param {any} value @returns {Cell} */
function plain(value) {
  return typeof value === "object" && value !== null ? JSON.stringify(value) : value;
}

/** @param {string} text */
function looksLikeJson(text) {
  return /^\[\s*[{"]/.test(text) || (text.startsWith("{") && fieldsOf(text.split(/[\r\n]/, 1)[0]) !== null);
}

/** Returns a cell as text. @param {Cell} cell */
export function textOf(cell) {
  return typeof cell === "string" ? cell : cell === null || cell === undefined ? "" : String(cell);
}
