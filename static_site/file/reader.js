// Asks the worker for a file's rows, or for rows as CSV.

import { Refusal, MAX_FILE_BYTES } from "./reading.js";

/**
 * @typedef {import("./reading.js").Cell} Cell
 * @typedef {import("./reading.js").Sheet} Sheet
 * @typedef {{name: string, file?: File, text?: string}} Source a file, or a text that was pasted
 */

/**
 * The rows of a file; given up when the signal says so.
 * @param {Source} source
 * @param {import("./reading.js").Choice} choice
 * @param {AbortSignal} signal
 * @returns {Promise<Sheet>}
 * @throws {Refusal} with the code "stopped" when given up
 */
export async function read(source, choice, signal) {
  /** @type {Cell[][]} */
  const rows = [];
  refuseLarge(source);
  return work({ source, choice }, signal, (message) => {
    if (message.sheet) return { ...message.sheet, rows };
    for (const row of message.rows) rows.push(row);
    return undefined;
  });
}

/**
 * Parts of a CSV file.
 * @param {Iterable<Cell[][]>} parcels
 * @param {import("./download.js").Rules} rules
 * @returns {Promise<string[]>}
 */
export async function csvParts(parcels, rules) {
  const parts = [];
  for (const rows of parcels) {
    parts.push(await work({ rows, rules }, new AbortController().signal, ({ csv }) => csv));
  }
  return parts;
}

/** @param {Source} source @throws {Refusal} */
function refuseLarge({ file, text = "" }) {
  const bytes = file?.size ?? text.length;
  if (bytes > MAX_FILE_BYTES) throw new Refusal("too_large", { bytes, limit: MAX_FILE_BYTES });
}

/**
 * One task for a worker of its own.
 * @param {any} task
 * @param {AbortSignal} signal
 * @param {(message: any) => any} take gives the result, or undefined when more is to come
 * @returns {Promise<any>}
 */
function work(task, signal, take) {
  const worker = new Worker(new URL("./worker.js", import.meta.url));
  const outcome = new Promise((resolve, reject) => {
    worker.addEventListener("message", ({ data }) => {
      if (data.refusal) return reject(new Refusal(data.refusal.code, data.refusal.numbers));
      const result = take(data);
      if (result !== undefined) resolve(result);
    });
    worker.addEventListener("error", () => reject(new Refusal("unreadable")));
    signal.addEventListener("abort", () => reject(new Refusal("stopped")));
    worker.postMessage(task);
  });
  return outcome.finally(() => worker.terminate());
}
