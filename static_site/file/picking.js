// The second step: preview the rows, and pick the columns and aspects.

import { copyOf, element, fillSelect, find, inputOf, listItem, onClick, selectOf, setOptionalText, setText } from "../shared/dom.js";
import { FILE } from "./strings.js";
import { ROWS } from "../rows/strings.js";
import { dateOf } from "../rows/dates.js";
import { SCALES } from "../rows/labels.js";
import { textOf } from "../rows/reading.js";
import { readAspects } from "./aspects.js";

/**
 * @typedef {import("./desk.js").Dates} Dates
 * @typedef {import("./desk.js").Head} Head
 * @typedef {import("./desk.js").Look} Look
 * @typedef {import("../rows/dates.js").DateOrder} DateOrder
 * @typedef {import("../rows/reading.js").Format} Format
 * @typedef {import("../rows/labels.js").Scale} Scale
 * @typedef {import("./work.js").AspectChoice} AspectChoice
 * @typedef {import("./work.js").Choice} Choice
 * @typedef {{url: string, look: (choice: Choice, rescale: boolean) => Promise<Look>,
 *   onFormat: (choice: import("../rows/reading.js").Choice) => void, onOther: () => void,
 *   onStart: (choice: Choice, keep: boolean) => void}} Wiring
 */

const PREVIEW_COLUMNS = 12;
const PREVIEW_CHARACTERS = 160;
// A column's name may be a megabyte long.
const NAME_CHARACTERS = 60;
const COLUMNS = ["review", "date", "group", "label", "id"];

/** @param {Head} head @param {Wiring} wiring */
export function columnsView(head, wiring) {
  const view = copyOf("columns-template");
  const size = ROWS.sheet(head.count, head.columns.length);
  setText(view, "#columns-kicker", [head.name || FILE.pasted, size].join(", "));
  setText(view, "#columns-title", FILE.columnsTitle);
  find(view, "#notes").append(...head.notes.map(noteItem));
  const picking = new Picking(view, head, wiring);
  picking.start();
  return view;
}

/** @param {import("../rows/reading.js").Note} note */
function noteItem(note) {
  const item = listItem(FILE.NOTES[note.code](note));
  item.dataset.code = note.code;
  return item;
}

class Picking {
  /** @type {Look | null} */ #look = null;
  #looks = 0;

  /** @param {DocumentFragment} view @param {Head} head @param {Wiring} wiring */
  constructor(view, head, wiring) {
    this.head = head;
    this.wiring = wiring;
    this.form = find(view, "#columns-form");
    this.preview = find(view, "#preview");
    this.title = find(view, "#preview-title");
    this.more = find(view, "#preview-more");
  }

  start() {
    const { form, head, wiring } = this;
    fillColumns(form, head);
    fillFormat(form, head, wiring);
    inputOf(form, "#own-aspects").placeholder = FILE.ownExample;
    for (const name of COLUMNS) {
      const rescale = name === "review" || name === "label";
      selectOf(form, `#${name}-column`).addEventListener("change", () => this.#update(rescale));
    }
    selectOf(form, "#scale").addEventListener("change", () => this.#update(false));
    selectOf(form, "#aspects").addEventListener("change", () => this.#showAspects());
    inputOf(form, "#own-aspects").addEventListener("input", () => this.#sayAspects(""));
    for (const box of form.querySelectorAll("[name=date-order]")) {
      box.addEventListener("change", () => this.#update(false));
    }
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    onClick(form, "#other-file", wiring.onOther);
    this.#showAspects();
    this.#update(false);
  }

  /** Shows what the choice comes to. The worker counts, and only its last answer is shown. @param {boolean} rescale */
  async #update(rescale) {
    const { form, head } = this;
    this.#showPreview();
    find(form, "#scale-field").hidden = placeIn(form, "label") < 0;
    const turn = (this.#looks += 1);
    const look = await this.wiring.look(this.#choice(), rescale).catch(() => null);
    if (look === null || turn !== this.#looks) return;
    this.#look = look;
    selectOf(form, "#scale").value = look.scale;
    setText(form, "#label-counts", look.labels ? FILE.labels(look.scale, look.labels) : "");
    setText(form, "#group-counts", look.groups === null ? "" : FILE.groups(look.groups));
    this.#showDates(look.dates);
    find(form, "#once-field").hidden = look.repeated === 0;
    setText(form, "#once-text", FILE.once(look.repeated));
    setText(form, "#send", FILE.send(look.sent));
    setText(form, "#columns-privacy", FILE.columnsPrivacy(this.wiring.url, look.unsent));
    form.dataset.counted = String(head.count);
  }

  #showPreview() {
    const { head, form } = this;
    const columns = COLUMNS.map((name) => placeIn(form, name));
    const shown = shownColumns(head, columns);
    this.title.textContent = FILE.preview(Math.min(head.head.length, head.count));
    this.preview.replaceChildren(previewTable(head, columns[0], shown));
    this.more.textContent = FILE.moreColumns(head.columns.length - shown.length);
  }

  /** @param {Dates | null} dates */
  #showDates(dates) {
    const { form } = this;
    find(form, "#date-order").hidden = !dates?.asks;
    setText(form, "#date-note", dates === null || dates.asks || dates.against.length ? "" : FILE.dates(dates));
    if (dates?.asks) {
      setText(form, "#date-order-title", FILE.dateAsked(dates.asks));
      for (const order of /** @type {DateOrder[]} */ (["dmy", "mdy"])) {
        setText(form, `#date-${order}-text`, FILE.day(dateOf(dates.asks, order) ?? ""));
      }
    }
    this.#sayDates(dates?.against.length ? FILE.datesAgainst(dates.against) : "");
  }

  #showAspects() {
    const own = selectOf(this.form, "#aspects").value === "own";
    find(this.form, "#own-field").hidden = !own;
    this.#sayAspects("");
  }

  /** @param {string} words */
  #sayDates(words) {
    setOptionalText(this.form, "#date-trouble", "#date-trouble", words);
  }

  /** @param {string} words */
  #sayAspects(words) {
    setOptionalText(this.form, "#aspects-trouble", "#aspects-trouble", words);
    const box = inputOf(this.form, "#own-aspects");
    if (words) box.setAttribute("aria-invalid", "true");
    else box.removeAttribute("aria-invalid");
  }

  /** Starts the run, unless something is still open: then it says so, and moves there. */
  #submit() {
    const { form, wiring } = this;
    const choice = this.#choice();
    const dates = this.#look?.dates;
    if (dates?.against.length) return selectOf(form, "#date-column").focus();
    if (dates?.asks && choice.order === null) {
      this.#sayDates(FILE.dateUnanswered);
      return inputOf(form, "#date-dmy").focus();
    }
    if (choice.aspects.from === "own") {
      const { fault } = readAspects(inputOf(form, "#own-aspects").value);
      if (fault) {
        this.#sayAspects(FILE.aspectFault(fault.code, fault.line));
        return inputOf(form, "#own-aspects").focus();
      }
    }
    wiring.onStart(choice, inputOf(form, "#keep-first").checked);
  }

  /** @returns {Choice} */
  #choice() {
    const { form } = this;
    const place = (/** @type {string} */ name) => placeIn(form, name);
    const order = /** @type {HTMLInputElement | null} */ (form.querySelector("[name=date-order]:checked"));
    return {
      review: place("review"),
      label: place("label"),
      id: place("id"),
      date: place("date"),
      group: place("group"),
      scale: /** @type {Scale} */ (selectOf(form, "#scale").value),
      order: this.#look?.dates?.order ?? /** @type {DateOrder | null} */ (order?.value ?? null),
      aspects: aspectsIn(form),
      once: inputOf(form, "#once").checked,
    };
  }
}

/** @param {ParentNode} form @returns {AspectChoice} */
function aspectsIn(form) {
  const from = /** @type {AspectChoice["from"]} */ (selectOf(form, "#aspects").value);
  return from === "own" ? { from, own: readAspects(inputOf(form, "#own-aspects").value).own } : { from };
}

/** @param {ParentNode} form @param {string} name */
function placeIn(form, name) {
  return Number(selectOf(form, `#${name}-column`).value);
}

/** @param {HTMLElement} form @param {Head} head */
function fillColumns(form, { columns, guess, scale, list }) {
  const names = columns.map(
    (name, place) => /** @type {[string, string]} */ ([String(place), shortened(name, NAME_CHARACTERS)]),
  );
  /** @type {[string, string]} */
  const none = ["-1", FILE.noColumn];
  fillSelect(selectOf(form, "#review-column"), names, String(guess.review));
  fillSelect(selectOf(form, "#date-column"), [none, ...names], String(guess.date));
  fillSelect(selectOf(form, "#group-column"), [none, ...names], String(guess.group));
  fillSelect(selectOf(form, "#label-column"), [none, ...names], String(guess.label));
  fillSelect(selectOf(form, "#id-column"), [["-1", FILE.rowNumbers], ...names], String(guess.id));
  const scales = SCALES.map((one) => /** @type {[string, string]} */ ([one, ROWS.SCALES[one][0]]));
  fillSelect(selectOf(form, "#scale"), scales, scale);
  fillSelect(selectOf(form, "#aspects"), Object.entries(FILE.ASPECTS), list);
}

/** @param {HTMLElement} form @param {Head} head @param {Wiring} wiring */
function fillFormat(form, { format, header, pages }, wiring) {
  setText(form, "#format-summary", FILE.format(format, pages?.name));
  const box = inputOf(form, "#header");
  box.checked = header;
  find(form, "#header-field").hidden = format === "jsonl" || format === "lines";
  const select = selectOf(form, "#format");
  setText(form, "#format-label", pages ? FILE.sheetLabel : FILE.formatLabel);
  if (pages) {
    fillSelect(select, pages.names.map((name) => [name, shortened(name, NAME_CHARACTERS)]), pages.name);
    select.addEventListener("change", () => wiring.onFormat({ page: select.value }));
    box.addEventListener("change", () => wiring.onFormat({ page: pages.name, header: box.checked }));
    /** @type {HTMLDetailsElement} */ (find(form, "#format-details")).open = pages.names.length > 1;
    return;
  }
  fillSelect(select, Object.entries(FILE.FORMATS), format);
  select.addEventListener("change", () => wiring.onFormat({ format: /** @type {Format} */ (select.value) }));
  box.addEventListener("change", () => wiring.onFormat({ format, header: box.checked }));
}

/**
 * Returns the chosen columns, then as many others as fit.
 * @param {Head} head
 * @param {number[]} picked -1 for none
 */
function shownColumns({ columns }, picked) {
  const [review, date, group, label, id] = picked;
  const chosen = [id, review, date, group, label].filter((place) => place >= 0);
  const others = columns.map((_, place) => place).filter((place) => !chosen.includes(place));
  return [...new Set([...chosen, ...others])].slice(0, PREVIEW_COLUMNS);
}

/** @param {Head} head @param {number} review @param {number[]} shown */
function previewTable({ columns, head: rows }, review, shown) {
  const table = element("table", "plain-table");
  const names = element("tr");
  for (const place of shown) {
    const cell = element("th", place === review ? "chosen" : "", shortened(columns[place], NAME_CHARACTERS));
    cell.setAttribute("scope", "col");
    names.append(cell);
  }
  table.append(names, ...rows.map((row) => previewRow(row, shown, review)));
  return table;
}

/** @param {import("../rows/reading.js").Cell[]} row @param {number[]} shown @param {number} review */
function previewRow(row, shown, review) {
  const line = element("tr");
  for (const place of shown) {
    const text = shortened(textOf(row[place]), PREVIEW_CHARACTERS);
    const cell = element("td", place === review ? "chosen" : "", text);
    cell.dir = "auto";
    line.append(cell);
  }
  return line;
}

/** @param {string} text @param {number} most characters */
function shortened(text, most) {
  return text.length > most ? `${text.slice(0, most)}\u2026` : text;
}
