// Reads texts, shows them one by one, checks labels, and writes the file. Loaded when somebody uses the page.

import { byId, onClick, setText } from "../shared/dom.js";
import { follow, settings } from "../shared/settings.js";
import { parcelsOf, save } from "../rows/download.js";
import { read, write } from "../rows/reader.js";
import { Refusal } from "../rows/reading.js";
import { showRefusal } from "./choosing.js";
import { doubtsOf } from "./doubts.js";
import { Labelling, keyOf } from "./labelling.js";
import { chosenColumns, placesOf, showColumns } from "./picking.js";
import { LABEL as words } from "./strings.js";
import { listenForSwipes } from "./swiping.js";
import { downloadName, draw, endingOf, unchecked } from "./view.js";

/**
 * @typedef {import("./choosing.js").Texts} Texts
 * @typedef {import("./labelling.js").Label} Label
 * @typedef {import("./labelling.js").Places} Places
 * @typedef {import("../rows/reading.js").Sheet} Sheet
 * @typedef {import("./view.js").Desk} Desk
 */

/** MIME types of downloads, by ending. @type {Record<string, string>} */
const TYPES = { csv: "text/csv", tsv: "text/tab-separated-values", jsonl: "application/x-ndjson" };

/** @type {Desk | null} */
let desk = null;
/** Labels were given since the last download. */
let unsaved = false;
let reading = new AbortController();

/** Keyboard shortcuts; the settings can switch them off. @type {Record<string, () => void>} */
const KEYS = {
  p: () => give("positive"),
  n: () => give("negative"),
  s: () => give("skipped"),
  u: undo,
};

follow(redraw);
listenForSwipes(byId("card"), { isOpen: () => desk !== null, onSwipe: give });
listenForButtons();
document.addEventListener("keydown", onKey);
window.addEventListener("beforeunload", onLeave);

function listenForButtons() {
  onClick(document, "#positive", KEYS.p);
  onClick(document, "#negative", KEYS.n);
  onClick(document, "#skip", KEYS.s);
  onClick(document, "#undo", undo);
  onClick(document, "#again", goThroughSkipped);
  onClick(document, "#ask-start", ask);
  onClick(document, "#check", check);
  onClick(document, "#leave-check", leaveCheck);
  onClick(document, "#save", download);
  onClick(document, "#other", choose);
  onClick(document, "#back", goBack);
  for (const id of ["review-column", "label-column"]) byId(id).addEventListener("change", changeColumns);
}

// Taking texts.

/**
 * Reads texts and shows the first one to label. Newer texts stop the reading.
 * @param {Texts} texts
 * @returns {Promise<Refusal | null>} why the texts can't be labelled
 */
export async function open(texts) {
  reading.abort();
  reading = new AbortController();
  try {
    const { name, file, text } = texts;
    start(texts, await read({ name, file, text }, {}, reading.signal));
    return null;
  } catch (error) {
    if (error instanceof Refusal) return error;
    console.error(error);
    return new Refusal("unreadable");
  }
}

/** @param {Texts} texts @param {Sheet} sheet @throws {Refusal} */
function start(texts, sheet) {
  const places = placesOf(sheet);
  desk?.asking?.end();
  const key = texts.sample ? "" : keyOf(texts, sheet.rows.length);
  const source = texts.sample ? words.samples : texts.name || words.pasted;
  begin(new Labelling(sheet, places, key), { name: texts.name, source }, places);
  showColumns(sheet, places);
  show("work");
  if (desk && unchecked(desk).length > 0) check();
  byId(desk && desk.row < 0 ? "work-title" : "text").focus({ preventScroll: true });
}

/**
 * Puts texts on the desk, with a clean slate for the model.
 * @param {Labelling} labelling
 * @param {{name: string, source: string}} names
 * @param {Places} places as the reader or our guess has them
 */
function begin(labelling, names, places) {
  const { sheet } = labelling;
  const without = sheet.rows.length - labelling.total;
  const notes = sheet.notes.filter(({ code }) => code in words.NOTES);
  if (without > 0) notes.push({ code: "no_text", count: without });
  if (places.label >= 0 && labelling.column < 0) notes.push({ code: "other_labels" });
  const doubts = doubtsOf(sheet);
  desk = { labelling, ...names, row: labelling.next, check: null, kept: new Set(), asking: null, doubts, notes };
  unsaved = false;
  setText(document, "#saved", "");
  redraw();
}

/** Takes other columns. Labels that were given stay with their rows. */
function changeColumns() {
  if (!desk) return;
  const { labelling, name, source } = desk;
  const places = chosenColumns();
  const wasUnsaved = unsaved;
  desk.asking?.end();
  begin(new Labelling(labelling.sheet, places, labelling.key, labelling.changed), { name, source }, places);
  unsaved = wasUnsaved;
}

// Labelling.

/** @param {Label} label */
function give(label) {
  if (!desk || desk.row < 0 || byId("work").hidden) return;
  const { labelling, check, row } = desk;
  if (check && label === "skipped") return;
  const same = labelling.side(row) === label;
  labelling.give(row, label);
  if (check && same) desk.kept.add(row);
  if (check) check.at += 1;
  if (check) changed(check.queue[check.at] ?? -1, words.decided(label, same));
  else changed(labelling.next, words.GIVEN[label]);
}

function undo() {
  if (!desk || desk.labelling.steps.length <= (desk.check?.base ?? 0)) return;
  const row = /** @type {number} */ (desk.labelling.undo());
  desk.kept.delete(row);
  if (desk.check) desk.check.at = desk.check.queue.indexOf(row);
  changed(row, words.undone);
}

function goThroughSkipped() {
  if (!desk) return;
  desk.labelling.reopenSkipped();
  changed(desk.labelling.next, "");
  byId("text").focus({ preventScroll: true });
}

/**
 * Shows another row after the labels have changed.
 * @param {number} row
 * @param {string} done the last action, for screen readers
 */
function changed(row, done) {
  if (!desk) return;
  unsaved = true;
  desk.row = row;
  setText(document, "#saved", "");
  redraw();
  say(row < 0 ? `${done} ${byId("work-title").textContent}` : done);
}

// Checking.

async function ask() {
  const now = desk;
  if (!now || byId("ask-start").getAttribute("aria-disabled") === "true") return;
  try {
    const { Asking } = await import("./asking.js");
    if (now !== desk) return;
    now.asking ??= new Asking(byId("ask"), now.labelling, { say, onChange: redraw });
    now.asking.start();
  } catch (error) {
    console.warn(error);
    const reason = navigator.onLine ? words.askUnloaded : words.askOffline;
    setText(document, "#ask-count", reason);
    say(reason);
  }
}

function check() {
  if (!desk) return;
  const queue = unchecked(desk);
  desk.check = { queue, at: 0, base: desk.labelling.steps.length };
  desk.row = queue[0] ?? -1;
  redraw();
  window.scrollTo({ top: 0, behavior: "instant" });
  byId("text").focus({ preventScroll: true });
}

function leaveCheck() {
  if (!desk) return;
  desk.check = null;
  desk.row = desk.labelling.next;
  redraw();
}

// The page.

/** Draws everything anew. The focus of a part that disappears goes to the nearest title. */
function redraw() {
  if (!desk) return;
  const focused = document.activeElement;
  draw(desk);
  if (!focused?.closest("#work [hidden]")) return;
  const asking = byId("ask").contains(focused) && !byId("ask").hidden;
  byId(asking ? "ask-title" : "work-title").focus({ preventScroll: true });
}

async function download() {
  const now = desk;
  if (!now || byId("save").getAttribute("aria-disabled") === "true") return;
  const { labelling } = now;
  const [file, ending] = [downloadName(now), endingOf(now)];
  const safe = ending !== "jsonl" && /** @type {HTMLInputElement} */ (byId("safe")).checked;
  setText(document, "#saved", words.writing);
  try {
    const form = /** @type {"csv" | "tsv" | "jsonl"} */ (ending);
    const parts = await write(parcelsOf({ sheet: labelling.toTable(), outcomes: null }, { form, safe }));
    save(file, parts, { type: TYPES[ending], mark: safe });
    unsaved = false;
    setText(document, "#saved", words.saved(file, labelling.sheet.rows.length, labelling.done));
  } catch (error) {
    console.warn(error);
    setText(document, "#saved", words.saveFailed);
  }
}

function choose() {
  if (!desk) return;
  showRefusal(null);
  setText(document, "#back", words.back(desk.source));
  byId("back-row").hidden = false;
  show("choose");
  byId("choose-title").focus();
}

function goBack() {
  show("work");
  byId("work-title").focus();
}

/** @param {"choose" | "work"} state */
function show(state) {
  byId("choose").hidden = state !== "choose";
  byId("work").hidden = state !== "work";
  byId("side").hidden = state !== "work";
  byId("page").dataset.state = state;
  window.scrollTo({ top: 0, behavior: "instant" });
}

/** @param {string} text */
function say(text) {
  byId("status").textContent = text;
}

/** @param {KeyboardEvent} event */
function onKey(event) {
  if (!settings.shortcuts || event.isComposing || event.altKey || event.repeat) return;
  const fields = "input:not([type=checkbox]), textarea, select";
  const typing = event.target instanceof Element && event.target.matches(fields);
  const undoes = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z";
  const act = undoes ? undo : event.ctrlKey || event.metaKey ? undefined : KEYS[event.key.toLowerCase()];
  if (!act || typing || byId("work").hidden) return;
  event.preventDefault();
  act();
}

/** Asks before leaving would lose labels, or answers under way. @param {BeforeUnloadEvent} event */
function onLeave(event) {
  if (!desk) return;
  const labels = unsaved && desk.labelling.fresh > 0 && desk.labelling.key !== "";
  if (labels || desk.asking?.isSending) event.preventDefault();
}
