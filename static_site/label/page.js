// Runs the labelling page: reads a file, shows its texts one by one, and writes labels as CSV.

import { addStrings, byId, onClick } from "../shared/dom.js";
import { guessColumns } from "../rows/columns.js";
import { save } from "../rows/download.js";
import { read } from "../rows/reader.js";
import { Refusal, textOf } from "../rows/reading.js";
import { ROWS } from "../rows/strings.js";
import { LABEL as words, STATIC } from "./strings.js";
import { Labelling } from "./labelling.js";
import { follow, settings } from "../shared/settings.js";
import { showPage, startShell } from "../shared/shell.js";

/** @typedef {import("./labelling.js").Label} Label */

const status = byId("status");
/** @type {Labelling | null} */
let labelling = null;
/** The row on screen; -1 when all are done. */
let row = -1;
let name = "";

/** Keyboard shortcuts; the settings can switch them off. @type {Record<string, () => void>} */
const KEYS = {
  p: () => give("positive"),
  n: () => give("negative"),
  s: () => give("skipped"),
  u: undo,
};

addStrings(STATIC);
startShell("label.html");
follow(nameButtons);
byId("file").addEventListener("change", take);
onClick(document, "#positive", KEYS.p);
onClick(document, "#negative", KEYS.n);
onClick(document, "#skip", KEYS.s);
onClick(document, "#undo", KEYS.u);
onClick(document, "#save", download);
onClick(document, "#other", choose);
document.addEventListener("keydown", onKey);
showPage();

async function take() {
  const file = /** @type {HTMLInputElement} */ (byId("file")).files?.[0];
  if (!file) return;
  byId("refusal").hidden = true;
  try {
    start(file, await read({ name: file.name, file }, {}, new AbortController().signal));
  } catch (error) {
    if (!(error instanceof Refusal)) console.error(error);
    const { title, advice } = ROWS.refusal(error instanceof Refusal ? error.code : "unreadable", {});
    byId("refusal").textContent = `${title}. ${advice}`;
    byId("refusal").hidden = false;
  }
}

/** @param {File} file @param {import("../rows/reading.js").Sheet} sheet */
function start(file, sheet) {
  const { review, label } = guessColumns(sheet);
  const texts = sheet.rows.map((cells) => textOf(cells[review]));
  const given = sheet.rows.map((cells) => (label < 0 ? "" : textOf(cells[label])));
  labelling = new Labelling(texts, given, `${file.name}:${file.size}:${texts.length}`);
  name = file.name;
  show("work");
  go(labelling.next);
  byId("text").focus();
}

/** @param {Label} label */
function give(label) {
  if (!labelling || row < 0) return;
  labelling.give(row, label);
  go(labelling.next, words.GIVEN[label]);
}

function undo() {
  const back = labelling?.undo() ?? null;
  if (back !== null) go(back, words.undone);
}

/** Shows a row. @param {number} to @param {string} [said] the last action, for screen readers */
function go(to, said = "") {
  if (!labelling) return;
  row = to;
  const [done, total] = [labelling.count("positive") + labelling.count("negative"), labelling.total];
  const skipped = labelling.count("skipped");
  byId("kicker").textContent = words.progress(done, skipped, total);
  const bar = /** @type {HTMLProgressElement} */ (byId("progress"));
  bar.max = Math.max(total, 1);
  bar.value = done + skipped;
  byId("text").textContent = row < 0 ? words.allDone : labelling.texts[row];
  byId("page").dataset.done = String(row < 0);
  enable(row >= 0, labelling.steps.length > 0, done > 0);
  status.textContent = said;
}

/** Marks buttons as disabled. They keep the focus. @param {boolean} open @param {boolean} undoable @param {boolean} some */
function enable(open, undoable, some) {
  for (const id of ["positive", "negative", "skip"]) byId(id).setAttribute("aria-disabled", String(!open));
  byId("undo").setAttribute("aria-disabled", String(!undoable));
  byId("save").setAttribute("aria-disabled", String(!some));
}

function download() {
  if (!labelling || byId("save").getAttribute("aria-disabled") === "true") return;
  save(words.fileName(name), [new Blob([labelling.toCsv()])], { type: "text/csv" });
  status.textContent = words.saved;
}

function choose() {
  show("choose");
  const input = /** @type {HTMLInputElement} */ (byId("file"));
  input.value = "";
  input.focus();
}

/** @param {"choose" | "work"} state */
function show(state) {
  byId("choose").hidden = state !== "choose";
  byId("work").hidden = state !== "work";
  byId("page").dataset.state = state;
}

/** @param {KeyboardEvent} event */
function onKey(event) {
  if (!settings.shortcuts || event.isComposing || event.altKey || event.repeat) return;
  const typing = event.target instanceof Element && event.target.matches("input, textarea, select");
  const undoes = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z";
  const act = undoes ? undo : event.ctrlKey || event.metaKey ? undefined : KEYS[event.key.toLowerCase()];
  if (!act || typing || byId("work").hidden) return;
  event.preventDefault();
  act();
}

/** @param {import("../shared/settings.js").Settings} now */
function nameButtons({ shortcuts }) {
  for (const [id, [text, key]] of Object.entries(words.BUTTONS)) {
    byId(id).textContent = shortcuts && key ? words.withKey(text, key) : text;
    if (shortcuts && key) byId(id).setAttribute("aria-keyshortcuts", key);
    else byId(id).removeAttribute("aria-keyshortcuts");
  }
}
