// Lets the reader take the file with its verdicts along, as CSV or JSON lines.

import { find, onClick } from "../dom.js";
import { FILE } from "../strings.js";
import { csvParcels, fileName, jsonParcels, ourColumns, save } from "./download.js";
import { inputOf } from "./picking.js";
import { csvParts } from "./reader.js";

/** @typedef {import("./work.js").Work} Work */

/** @param {DocumentFragment} view @param {Work} work */
export function listenForDownloads(view, work) {
  const status = find(view, "#take-status");
  const safe = inputOf(view, "#safe");
  onClick(view, "#take-csv", () => take(status, () => takeCsv(work, safe.checked)));
  onClick(view, "#take-jsonl", () => take(status, async () => takeJsonLines(work)));
}

/** @param {HTMLElement} status @param {() => Promise<string>} write gives the file's name */
async function take(status, write) {
  status.textContent = FILE.taking;
  try {
    status.textContent = FILE.taken(await write());
  } catch (error) {
    console.error(error);
    status.textContent = FILE.takeFailed;
  }
}

/** @param {Work} work @param {boolean} safe */
async function takeCsv({ sheet, outcomes }, safe) {
  const own = ourColumns(sheet.columns).length;
  const parts = await csvParts(csvParcels(sheet, outcomes), { own, safe });
  const name = fileName(sheet.name, "csv");
  save(name, parts, { type: "text/csv;charset=utf-8", mark: safe });
  return name;
}

/** @param {Work} work */
function takeJsonLines({ sheet, outcomes }) {
  const name = fileName(sheet.name, "jsonl");
  save(name, [...jsonParcels(sheet, outcomes)], { type: "application/jsonlines" });
  return name;
}
