// Lets the reader take the file with its verdicts along, as CSV or JSON lines.

import { find, onClick } from "../shared/dom.js";
import { FILE } from "./strings.js";
import { fileName, parcelsOf, save } from "../rows/download.js";
import { inputOf } from "./picking.js";
import { write } from "../rows/reader.js";

/** @typedef {import("./work.js").Work} Work */

/** @type {Record<string, string>} */
const TYPES = { csv: "text/csv;charset=utf-8", jsonl: "application/jsonlines" };

/** @param {DocumentFragment} view @param {Work} work */
export function listenForDownloads(view, work) {
  const status = find(view, "#take-status");
  const safe = inputOf(view, "#safe");
  onClick(view, "#take-csv", () => take(status, work, { form: "csv", safe: safe.checked }));
  onClick(view, "#take-jsonl", () => take(status, work, { form: "jsonl", safe: false }));
}

/** @param {HTMLElement} status @param {Work} work @param {import("../rows/download.js").Wish} wish */
async function take(status, work, wish) {
  status.textContent = FILE.taking;
  try {
    const name = fileName(work.sheet.name, wish.form);
    save(name, await write(parcelsOf(work, wish)), { type: TYPES[wish.form], mark: wish.safe });
    status.textContent = FILE.taken(name);
  } catch (error) {
    console.error(error);
    status.textContent = FILE.takeFailed;
  }
}
