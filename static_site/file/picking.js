// The second step: preview the rows, and pick the columns of reviews, labels and names.

import { copyOf, element, fillSelect, find, inputOf, listItem, onClick, selectOf, setText } from "../shared/dom.js";
import { FILE } from "./strings.js";
import { ROWS } from "../rows/strings.js";
import { guessColumns } from "../rows/columns.js";
import { SCALES, guessScaleOf, labelOf } from "../rows/labels.js";
import { textOf } from "../rows/reading.js";
import { jobsOf, workOf } from "./work.js";

/**
 * @typedef {import("../rows/reading.js").Sheet} Sheet
 * @typedef {import("../rows/reading.js").Format} Format
 * @typedef {import("../rows/labels.js").Scale} Scale
 * @typedef {import("./work.js").Choice} Choice
 * @typedef {import("./work.js").Work} Work
 * @typedef {{url: string, onFormat: (choice: import("../rows/reading.js").Choice) => void,
 *   onOther: () => void, onStart: (work: Work, keep: boolean) => void}} Wiring
 */

const PREVIEW_ROWS = 5;
const PREVIEW_COLUMNS = 12;
const PREVIEW_CHARACTERS = 160;
// A column's name may be a megabyte long.
const NAME_CHARACTERS = 60;

/** @param {Sheet} sheet @param {Wiring} wiring */
export function columnsView(sheet, wiring) {
  const view = copyOf("columns-template");
  setText(
    view,
    "#columns-kicker",
    [sheet.name || FILE.pasted, ROWS.sheet(sheet.rows.length, sheet.columns.length)].join(", "),
  );
  setText(view, "#columns-title", FILE.columnsTitle);
  find(view, "#notes").append(...sheet.notes.map(noteItem));
  const form = find(view, "#columns-form");
  fillColumns(form, sheet);
  fillFormat(form, sheet, wiring);
  listen(view, sheet, wiring);
  return view;
}

/** @param {import("../rows/reading.js").Note} note */
function noteItem(note) {
  const item = listItem(FILE.NOTES[note.code](note));
  item.dataset.code = note.code;
  return item;
}

/** @param {HTMLElement} form @param {Sheet} sheet */
function fillColumns(form, sheet) {
  const { review, label, id } = guessColumns(sheet);
  const names = sheet.columns.map(
    (name, place) => /** @type {[string, string]} */ ([String(place), shortened(name, NAME_CHARACTERS)]),
  );
  fillSelect(selectOf(form, "#review-column"), names, String(review));
  fillSelect(selectOf(form, "#label-column"), [["-1", FILE.noColumn], ...names], String(label));
  fillSelect(selectOf(form, "#id-column"), [["-1", FILE.rowNumbers], ...names], String(id));
  fillSelect(
    selectOf(form, "#scale"),
    SCALES.map((scale) => [scale, ROWS.SCALES[scale][0]]),
    scaleFor(sheet, { review, label }),
  );
}

/** @param {Sheet} sheet @param {{review: number, label: number}} columns */
function scaleFor(sheet, { review, label }) {
  return label < 0 ? "words" : guessScaleOf(sheet, { review, label });
}

/** @param {HTMLElement} form @param {Sheet} sheet @param {Wiring} wiring */
function fillFormat(form, { format, header }, wiring) {
  const select = selectOf(form, "#format");
  fillSelect(select, Object.entries(FILE.FORMATS), format);
  setText(form, "#format-summary", FILE.format(format));
  const box = inputOf(form, "#header");
  box.checked = header;
  find(form, "#header-field").hidden = format === "jsonl" || format === "lines";
  select.addEventListener("change", () => wiring.onFormat({ format: /** @type {Format} */ (select.value) }));
  box.addEventListener("change", () => wiring.onFormat({ format, header: box.checked }));
}

/** @param {DocumentFragment} view @param {Sheet} sheet @param {Wiring} wiring */
function listen(view, sheet, wiring) {
  const form = find(view, "#columns-form");
  const parts = {
    form,
    preview: find(view, "#preview"),
    title: find(view, "#preview-title"),
    more: find(view, "#preview-more"),
  };
  const update = () => show(parts, sheet, wiring.url);
  for (const id of ["#review-column", "#label-column"]) {
    selectOf(form, id).addEventListener("change", () => {
      selectOf(form, "#scale").value = scaleFor(sheet, choiceOf(form));
    });
  }
  // Checkboxes change no number shown, so they cause no recount.
  for (const select of form.querySelectorAll("select")) select.addEventListener("change", update);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    wiring.onStart(workOf(sheet, choiceOf(form)), inputOf(form, "#keep-first").checked);
  });
  onClick(form, "#other-file", wiring.onOther);
  update();
}

/**
 * @param {{form: HTMLElement, preview: HTMLElement, title: HTMLElement, more: HTMLElement}} parts
 * @param {Sheet} sheet
 * @param {string} url
 */
function show({ form, preview, title, more }, sheet, url) {
  const choice = choiceOf(form);
  const shown = shownColumns(sheet, choice);
  title.textContent = FILE.preview(Math.min(PREVIEW_ROWS, sheet.rows.length));
  preview.replaceChildren(previewTable(sheet, choice, shown));
  more.textContent = FILE.moreColumns(sheet.columns.length - shown.length);
  showLabels(form, sheet, choice);
  showCounts(form, sheet, choice, url);
}

/**
 * Returns the chosen columns, then as many others as fit.
 * @param {Sheet} sheet
 * @param {Choice} choice
 */
function shownColumns({ columns }, { review, label, id }) {
  const chosen = [id, review, label].filter((place) => place >= 0);
  const others = columns.map((_, place) => place).filter((place) => !chosen.includes(place));
  return [...new Set([...chosen, ...others])].slice(0, PREVIEW_COLUMNS);
}

/** @param {Sheet} sheet @param {Choice} choice @param {number[]} shown */
function previewTable({ columns, rows }, { review }, shown) {
  const table = element("table", "plain-table");
  const head = element("tr");
  for (const place of shown) {
    const cell = element("th", place === review ? "chosen" : "", shortened(columns[place], NAME_CHARACTERS));
    cell.setAttribute("scope", "col");
    head.append(cell);
  }
  const lines = rows.slice(0, PREVIEW_ROWS).map((row) => previewRow(row, shown, review));
  table.append(head, ...lines);
  return table;
}

/** @param {import("../rows/reading.js").Cell[]} row @param {number[]} shown @param {number} review */
function previewRow(row, shown, review) {
  const line = element("tr");
  for (const place of shown) {
    const cell = element(
      "td",
      place === review ? "chosen" : "",
      shortened(textOf(row[place]), PREVIEW_CHARACTERS),
    );
    cell.dir = "auto";
    line.append(cell);
  }
  return line;
}

/** @param {HTMLElement} form @param {Sheet} sheet @param {Choice} choice */
function showLabels(form, { rows }, { label, scale }) {
  find(form, "#scale-field").hidden = label < 0;
  const counts = { positive: 0, negative: 0, neither: 0 };
  if (label >= 0) for (const row of rows) counts[labelOf(row[label], scale) ?? "neither"] += 1;
  setText(form, "#label-counts", label < 0 ? "" : FILE.labels(scale, counts));
}

/** @param {HTMLElement} form @param {Sheet} sheet @param {Choice} choice @param {string} url */
function showCounts(form, sheet, choice, url) {
  const work = workOf(sheet, { ...choice, once: true });
  const sent = work.outcomes.filter((outcome) => outcome === null).length;
  const repeated = sent - jobsOf(work).length;
  find(form, "#once-field").hidden = repeated === 0;
  setText(form, "#once-text", FILE.once(repeated));
  setText(form, "#send", FILE.send(sent));
  setText(form, "#columns-privacy", FILE.columnsPrivacy(url, sheet.rows.length - sent));
}

/** @param {ParentNode} form @returns {Choice} */
function choiceOf(form) {
  const place = (/** @type {string} */ id) => Number(selectOf(form, id).value);
  return {
    review: place("#review-column"),
    label: place("#label-column"),
    id: place("#id-column"),
    scale: /** @type {Scale} */ (selectOf(form, "#scale").value),
    once: inputOf(form, "#once").checked,
  };
}

/** @param {string} text @param {number} most characters */
function shortened(text, most) {
  return text.length > most ? `${text.slice(0, most)}\u2026` : text;
}
