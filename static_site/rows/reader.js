// Has the worker read rows from a file, or write rows to one.

import { Refusal, MAX_FILE_BYTES } from "./reading.js";

/**
 * @typedef {import("./reading.js").Cell} Cell
 * @typedef {import("./reading.js").Sheet} Sheet
 * @typedef {import("./source.js").Source} Source
 */

/**
 * Reads the rows of a file until the signal aborts.
 * @param {Source} source
 * @param {import("./reading.js").Choice} choice
 * @param {AbortSignal} signal
 * @returns {Promise<Sheet>}
 * @throws {Refusal} with the code "stopped" when aborted
 */
export async function read(source, choice, signal) {
  refuseLarge(source);
  const worker = newWorker();
  /** @type {Cell[][]} */
  const rows = [];
  const reading = ask(worker, { source, choice }, (message) => {
    if (message.sheet) return { ...message.sheet, rows };
    for (const row of message.rows) rows.push(row);
    return undefined;
  });
  return Promise.race([reading, aborted(signal)]).finally(() => worker.terminate());
}

/**
 * Writes the parts of a file to download.
 * @param {Iterable<import("./download.js").Parcel>} parcels
 * @returns {Promise<Blob[]>}
 */
export async function write(parcels) {
  const worker = newWorker();
  try {
    const parts = [];
    for (const parcel of parcels) {
      parts.push(await ask(worker, { parcel }, ({ part }) => part));
    }
    return parts;
  } finally {
    worker.terminate();
  }
}

/** @param {Source} source @throws {Refusal} */
function refuseLarge({ file, text = "" }) {
  const bytes = file?.size ?? text.length;
  if (bytes > MAX_FILE_BYTES) throw new Refusal("too_large", { bytes, limit: MAX_FILE_BYTES });
}

function newWorker() {
  return new Worker(new URL("./worker.js", import.meta.url));
}

/**
 * @param {Worker} worker
 * @param {any} task
 * @param {(message: any) => any} take returns the result, or undefined while more messages follow
 * @returns {Promise<any>}
 * @throws {Refusal}
 */
function ask(worker, task, take) {
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => {
      if (data.refusal) return reject(new Refusal(data.refusal.code, data.refusal.numbers));
      const result = take(data);
      if (result !== undefined) resolve(result);
    };
    worker.onerror = () => reject(new Refusal("unreadable"));
    worker.postMessage(task);
  });
}

/** @param {AbortSignal} signal @returns {Promise<never>} */
function aborted(signal) {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(new Refusal("stopped")));
  });
}
