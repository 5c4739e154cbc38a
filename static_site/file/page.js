// Runs the page for a whole file: choose it, pick its columns, judge its reviews.

import { addStrings, byId, copyOf, find, onClick, setText } from "../shared/dom.js";
import { api } from "../shared/service.js";
import { showPage, startShell } from "../shared/shell.js";
import { chooseView, listenForDrops, offerKept } from "./choosing.js";
import { Client } from "./client.js";
import { claim, forget, kept } from "./keeping.js";
import { MAX_FILE_BYTES, Refusal } from "../rows/reading.js";
import { FILE, STATIC } from "./strings.js";
import { ROWS } from "../rows/strings.js";

/**
 * @typedef {import("../rows/source.js").Source} Source
 * @typedef {import("./desk.js").Begun} Begun
 * @typedef {import("./desk.js").Head} Head
 * @typedef {"choose" | "reading" | "columns" | "run"} Step
 */

const page = byId("page");
const step = byId("step");
const wiring = {
  url: api.url,
  onSource: (/** @type {Source} */ source) => open(source, {}),
  onRefusal: (/** @type {Refusal} */ refusal) => goBack(refusal),
};

/** The run on screen; null when there is none. @type {import("./running.js").Run | null} */
let run = null;
/** Holds the file; null before one is opened. @type {Client | null} */
let client = null;

start();

function start() {
  addStrings(STATIC);
  startShell("file.html");
  listenForDrops(page, wiring, () => page.dataset.state !== "run");
  showChoose();
  showPage();
}

/** @param {string} words */
function say(words) {
  byId("status").textContent = words;
}

/** @param {Refusal | null} [refusal] why the last file was not read */
async function showChoose(refusal = null) {
  show("choose", chooseView(wiring, refusal));
  const view = find(step, "#choose");
  const summary = await kept();
  if (summary) offerKept(view, summary, { onGoOn: () => goOn(summary), onForget: forgetKept });
}

/**
 * Returns from a later step to the first, and moves the focus to its title.
 * @param {Refusal | null} [refusal]
 */
function goBack(refusal = null) {
  showChoose(refusal);
  find(step, "#choose-title").focus({ preventScroll: true });
}

/**
 * Reads a file's rows and shows them.
 * @param {Source} source
 * @param {import("../rows/reading.js").Choice} choice
 */
async function open(source, choice) {
  const { desk } = newClient();
  showReading(source);
  try {
    refuseLarge(source);
    const [head, { columnsView }] = await Promise.all([desk.open(source, choice), loadPicking()]);
    showColumns(head, source, columnsView);
  } catch (error) {
    onUnread(error);
  }
}

/** Ends the desk of the last file, and starts one anew. */
function newClient() {
  client?.end();
  return (client = new Client());
}

/** @param {Source} source @throws {Refusal} */
function refuseLarge({ file, text = "" }) {
  const bytes = file?.size ?? text.length;
  if (bytes > MAX_FILE_BYTES) throw new Refusal("too_large", { bytes, limit: MAX_FILE_BYTES });
}

/** @param {unknown} error */
function onUnread(error) {
  const refusal = error instanceof Refusal ? error : new Refusal("unreadable");
  if (refusal !== error) console.error(error);
  if (refusal.code === "stopped") return;
  goBack(refusal);
}

/** @param {Source} source */
function showReading({ name, file, text = "" }) {
  const view = copyOf("reading-template");
  const words = FILE.reading(name, file?.size ?? text.length);
  setText(view, "#reading-title", words);
  onClick(view, "#stop", stopReading);
  show("reading", view);
  say(words);
}

function stopReading() {
  client?.end();
  goBack();
  say(FILE.stoppedReading);
}

/** Loads the choice of columns, which nobody needs before there is a file. */
function loadPicking() {
  return import("./picking.js").catch(() => {
    throw new Refusal("unloaded");
  });
}

/**
 * @param {Head} head
 * @param {Source} source
 * @param {typeof import("./picking.js").columnsView} columnsView
 */
function showColumns(head, source, columnsView) {
  const { desk } = /** @type {Client} */ (client);
  const view = columnsView(head, {
    url: api.url,
    look: desk.look,
    onFormat: (choice) => open(source, choice),
    onOther: () => goBack(),
    onStart: async (choice, keep) => showRun(await desk.begin(choice, apiOf()), keep),
  });
  // What a run needs is loaded meanwhile.
  import("./running.js").catch(() => {});
  show("columns", view);
  find(step, "#columns-title").focus({ preventScroll: true });
  say(ROWS.sheet(head.count, head.columns.length));
}

/** Returns what the worker needs to call the API. */
function apiOf() {
  return { url: api.url, apiKey: api.apiKey };
}

/** @param {Begun} begun @param {boolean} keep */
async function showRun(begun, keep) {
  const running = await import("./running.js").catch(() => null);
  if (running === null) return goBack(new Refusal("unloaded"));
  run = new running.Run(begun, /** @type {Client} */ (client), { api, say, onOther: leaveRun });
  show("run", run.view);
  find(step, "#run-title").focus({ preventScroll: true });
  run.start({ keep });
}

async function leaveRun() {
  await run?.leave();
  run = null;
  goBack();
}

/** @param {import("./keeping.js").Summary} summary */
async function goOn(summary) {
  try {
    const begun = await newClient().desk.goOn(summary, apiOf());
    if (begun === null) return setText(step, "#kept-text", FILE.keptElsewhere);
    await showRun(begun, false);
  } catch (error) {
    console.error(error);
    client?.end();
    await forget().catch(() => {});
    goBack(new Refusal("not_kept"));
  }
}

async function forgetKept() {
  const release = await claimKept();
  if (!release) return;
  await forget();
  release();
  goBack();
  say(FILE.forgotten);
}

/** Returns null, with a message, when another tab uses the saved file. */
async function claimKept() {
  const release = await claim();
  if (!release) setText(step, "#kept-text", FILE.keptElsewhere);
  return release;
}

/** @param {Step} state @param {DocumentFragment} view */
function show(state, view) {
  page.dataset.state = state;
  delete page.dataset.phase;
  page.removeAttribute("data-over");
  step.replaceChildren(view);
  window.scrollTo({ top: 0, behavior: "instant" });
}
