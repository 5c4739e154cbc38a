// Reads a sheet of an Excel workbook (.xlsx) into named columns and rows. Dates become ISO 8601.

import { unguarded } from "./formulas.js";
import {
  HEAD_ROWS,
  MAX_ROWS,
  Refusal,
  guessHeader,
  nameColumns,
  nameNotes,
  nullNotes,
  refuseUnusable,
  refuseWide,
  textOf,
} from "./reading.js";

/**
 * @typedef {import("./reading.js").Cell} Cell
 * @typedef {import("./reading.js").Choice} Choice
 * @typedef {import("./reading.js").Sheet} Sheet
 * @typedef {{sheet: string, data: (Cell | Date)[][]}} Page a sheet of a workbook
 */

// XML is wordy: 100 MB of texts can take a few times as much. More is a mistake or an attack.
const MAX_UNPACKED_BYTES = 800_000_000;
const PARTS = /\.xml(?:\.rels)?$/;
const WORKBOOK = "xl/workbook.xml";
const WHOLE_DAY = "T00:00:00";

/**
 * Reads the sheet that was chosen, or else the first one with rows.
 * @param {string} name
 * @param {Uint8Array} bytes
 * @param {Choice} choice
 * @param {any} xlsx ../vendor/read-excel-file/xlsx.js
 * @returns {Promise<Sheet>}
 * @throws {Refusal}
 */
export async function readWorkbook(name, bytes, choice, xlsx) {
  const pages = (await pagesOf(bytes, xlsx)).filter(({ data }) => data.some(isFilled));
  const page = pages.find(({ sheet }) => sheet === choice.page) ?? pages[0];
  if (page === undefined) throw new Refusal("empty_file");
  const table = tableOf(page.data.filter(isFilled), choice);
  const names = pages.map(({ sheet }) => sheet);
  return { ...refuseUnusable(table), name, format: "xlsx", pages: { names, name: page.sheet } };
}

/** @param {Uint8Array} bytes @param {any} xlsx @returns {Promise<Page[]>} @throws {Refusal} */
async function pagesOf(bytes, { unzipSync, parseXml, parseContents }) {
  const files = unpack(bytes, unzipSync);
  if (!(WORKBOOK in files)) throw new Refusal("binary", { kind: "zip" });
  try {
    return await parseContents(undefined, parseXml, files, {});
  } catch {
    throw new Refusal("binary", { kind: "broken" });
  }
}

/** @param {Uint8Array} bytes @param {any} unzipSync @returns {Record<string, Uint8Array>} */
function unpack(bytes, unzipSync) {
  let unpacked = 0;
  const filter = (/** @type {{name: string, originalSize: number}} */ { name, originalSize }) => {
    if (!PARTS.test(name)) return false;
    unpacked += originalSize;
    if (unpacked > MAX_UNPACKED_BYTES) throw new Refusal("binary", { kind: "large" });
    return true;
  };
  try {
    return unzipSync(bytes, { filter });
  } catch (error) {
    throw error instanceof Refusal ? error : new Refusal("binary", { kind: "broken" });
  }
}

/** @param {(Cell | Date)[]} row */
function isFilled(row) {
  return row.some((cell) => cell !== null && cell !== undefined && cell !== "");
}

/** @param {(Cell | Date)[][]} data filled rows @param {Choice} choice */
function tableOf(data, choice) {
  // A row of names may precede the rows.
  if (data.length > MAX_ROWS + 1) throw new Refusal("too_many_rows", { limit: MAX_ROWS });
  const cells = data.map((row) => row.map(cellOf));
  const width = cells.reduce((most, row) => Math.max(most, row.length), 0);
  refuseWide(width);
  const header = choice.header ?? guessHeader(cells.slice(0, HEAD_ROWS).map((row) => row.map(textOf)));
  const rows = header ? cells.slice(1) : cells;
  const names = header ? cells[0].map(textOf) : [];
  const notes = [...nameNotes(names), ...nullNotes(rows)];
  return { header, columns: nameColumns(names, width), rows, unread: -1, notes };
}

/** Writes a date as its day, or with its time where it has one. @param {Cell | Date} cell @returns {Cell} */
function cellOf(cell) {
  if (!(cell instanceof Date)) return unguarded(cell);
  // Excel counts days in fractions, so a second may be off by less than a millisecond.
  const iso = new Date(Math.round(cell.getTime() / 1000) * 1000).toISOString().slice(0, 19);
  return iso.endsWith(WHOLE_DAY) ? iso.slice(0, 10) : iso;
}
