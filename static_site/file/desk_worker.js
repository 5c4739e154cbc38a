// Runs the desk beside the page, and passes its calls and news on.
//
// A classic script, because papaparse is not a module.

/* global importScripts, Papa */

importScripts("../vendor/papaparse/papaparse.min.js");

const loading = import("./desk.js").then(
  ({ Desk }) => new Desk((name, detail) => self.postMessage({ news: name, detail }), Papa),
);
// Without a handler, the browser would log a failure that each call reports.
loading.catch(() => {});

self.addEventListener("message", async ({ data: { id, call, args } }) => {
  try {
    const desk = await loading.catch(() => {
      throw Object.assign(new Error("unloaded"), { code: "unloaded" });
    });
    self.postMessage({ id, result: await desk[call](...args) });
  } catch (error) {
    if (error.code === undefined) console.error(error);
    self.postMessage({ id, fault: { code: error.code ?? "unreadable", numbers: error.numbers ?? {} } });
  }
});
