// Reads and writes files beside the page, so that a large file doesn't freeze it.
//
// A classic script, because papaparse is not a module.

/* global importScripts, Papa */

importScripts("../vendor/papaparse/papaparse.min.js");

// Rows a message: few enough to keep the page smooth.
const PARCEL_ROWS = 2_000;
const modules = Promise.all([import("./source.js"), import("./download.js")]);

self.addEventListener("message", async ({ data }) => {
  const [{ sheetOf }, download] = await modules;
  try {
    if (data.parcel) self.postMessage({ part: new Blob([download.write(data.parcel, Papa)]) });
    else sendSheet(await sheetOf(data.source, data.choice, Papa));
  } catch (error) {
    self.postMessage({ refusal: { code: error.code ?? "unreadable", numbers: error.numbers ?? {} } });
  }
});

function sendSheet({ rows, ...sheet }) {
  for (let from = 0; from < rows.length; from += PARCEL_ROWS) {
    self.postMessage({ rows: rows.slice(from, from + PARCEL_ROWS) });
  }
  self.postMessage({ sheet });
}
