// Runs the page for a whole file: choose it, pick its columns, judge its reviews.

import { addStrings, byId, copyOf, find, onClick, setText } from "../shared/dom.js";
import { api } from "../shared/service.js";
import { showPage, startShell } from "../shared/shell.js";
import { chooseView, listenForDrops, offerKept } from "./choosing.js";
import { claim, forget, kept, load } from "./keeping.js";
import { read } from "../rows/reader.js";
import { Refusal } from "../rows/reading.js";
import { FILE, STATIC } from "./strings.js";
import { ROWS } from "../rows/strings.js";

/**
 * @typedef {import("../rows/reader.js").Source} Source
 * @typedef {import("./work.js").Work} Work
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
let reading = new AbortController();

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
  reading.abort();
  reading = new AbortController();
  showReading(source);
  try {
    const [sheet, { columnsView }] = await Promise.all([read(source, choice, reading.signal), loadPicking()]);
    showColumns(sheet, source, columnsView);
  } catch (error) {
    onUnread(error);
  }
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
  reading.abort();
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
 * @param {import("../rows/reading.js").Sheet} sheet
 * @param {Source} source
 * @param {typeof import("./picking.js").columnsView} columnsView
 */
function showColumns(sheet, source, columnsView) {
  const view = columnsView(sheet, {
    url: api.url,
    onFormat: (choice) => open(source, choice),
    onOther: () => goBack(),
    onStart: (work, keep) => showRun(work, { release: null, keep }),
  });
  // What a run needs is loaded meanwhile.
  import("./running.js").catch(() => {});
  show("columns", view);
  find(step, "#columns-title").focus({ preventScroll: true });
  say(ROWS.sheet(sheet.rows.length, sheet.columns.length));
}

/** @param {Work} work @param {{release: import("./keeping.js").Release | null, keep: boolean}} how */
async function showRun(work, { release, keep }) {
  const running = await import("./running.js").catch(() => null);
  if (running === null) {
    release?.();
    return goBack(new Refusal("unloaded"));
  }
  run = new running.Run(work, { api, say, onOther: leaveRun }, release);
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
  const release = await claimKept();
  if (!release) return;
  try {
    await showRun(await load(summary), { release, keep: false });
  } catch (error) {
    console.error(error);
    await forget().catch(() => {});
    release();
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
