// Reads a source in a worker: a pasted text, a text file, or a workbook.

import { isZip, readBytes, readText } from "./reading.js";

/**
 * @typedef {import("./reading.js").Choice} Choice
 * @typedef {import("./reading.js").Sheet} Sheet
 * @typedef {{name: string, file?: File, text?: string}} Source a file, or a text that was pasted
 */

/**
 * @param {Source} source
 * @param {Choice} choice
 * @param {any} Papa papaparse
 * @returns {Promise<Sheet>}
 * @throws {import("./reading.js").Refusal}
 */
export async function sheetOf({ name, file, text }, choice, Papa) {
  if (file === undefined) return readText(name, text ?? "", choice, Papa);
  const bytes = new Uint8Array(await file.arrayBuffer());
  if (!isZip(bytes)) return readBytes(name, bytes, choice, Papa);
  // Few files are workbooks, so their reader is loaded for them alone.
  const [{ readWorkbook }, xlsx] = await Promise.all([
    import("./workbook.js"),
    import("../vendor/read-excel-file/xlsx.js"),
  ]);
  return readWorkbook(name, bytes, choice, xlsx);
}
