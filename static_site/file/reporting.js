// Shows the report of the rows so far. Pressing a part of it shows that part's rows.

import { fillSelect, find, inputOf, selectOf, setOptionalText } from "../shared/dom.js";
import { VERDICTS } from "../shared/verdict_strings.js";
import { FILE } from "./strings.js";

/**
 * @typedef {import("./order.js").Part} Part
 * @typedef {import("./reporter.js").Sides} Sides
 * @typedef {{report: (sides: Sides) => Promise<any>, onPart: (part: Part, words: string) => void}} Wiring
 */

const STYLE = "report/report.css";
// Below the page's title and the part's own.
const LEVEL = 3;
const DAY_MS = 86_400_000;

export class Reporting {
  /** @type {Wiring} */ #wiring;
  /** Counts drawings, so that an older one never replaces a newer. */
  #turns = 0;
  /** The names of the groups that can be compared. */
  #groups = "";

  /** @param {ParentNode} view @param {Wiring} wiring */
  constructor(view, wiring) {
    this.#wiring = wiring;
    this.section = find(view, "#report-section");
    this.place = find(view, "#report");
    this.form = find(view, "#sides");
    this.form.addEventListener("submit", (event) => event.preventDefault());
    this.form.addEventListener("change", () => this.#compare());
  }

  /** Hides a report that no longer holds. */
  clear() {
    this.#turns += 1;
    this.section.hidden = true;
    this.place.replaceChildren();
  }

  /** Draws the report of the rows so far. */
  async draw() {
    const turn = (this.#turns += 1);
    this.section.hidden = false;
    setOptionalText(this.section, "#report-status", "#report-status", FILE.reporting);
    try {
      const [report, { render }] = await Promise.all([this.#wiring.report(sidesIn(this.form)), import("../report/view.js"), style()]);
      if (turn !== this.#turns) return;
      this.section.hidden = report === null;
      if (report) {
        this.#offerSides(report);
        render(report, this.place, { level: LEVEL, onOpen: (rows, title) => this.#open(report, rows, title) });
      }
      setOptionalText(this.section, "#report-status", "#report-status", "");
    } catch (error) {
      if (turn !== this.#turns) return;
      console.error(error);
      setOptionalText(this.section, "#report-status", "#report-status", FILE.reportFailed);
    }
  }

  /** Offers what this report's file can compare. @param {any} report */
  #offerSides(report) {
    const groups = (report.groups ?? []).map((/** @type {{name: string}} */ { name }) => name);
    const periods = report.over_time?.periods ?? [];
    const kinds = [...(periods.length > 1 ? ["third", "since"] : []), ...(groups.length > 1 ? ["between"] : [])];
    this.form.hidden = kinds.length === 0 || (kinds.length === 1 && groups.length < 2);
    if (this.#groups === JSON.stringify([kinds, groups])) return;
    this.#groups = JSON.stringify([kinds, groups]);
    const offered = kinds.includes("third") ? kinds : ["none", ...kinds];
    fillSelect(selectOf(this.form, "#sides-kind"), offered.map((kind) => [kind, FILE.SIDES[kind]]), offered[0]);
    const names = groups.map((/** @type {string} */ name) => /** @type {[string, string]} */ ([name, name]));
    fillSelect(selectOf(this.form, "#first-group"), names, groups[groups.length - 1] ?? "");
    fillSelect(selectOf(this.form, "#second-group"), names, groups[0] ?? "");
    if (periods.length > 1) inputOf(this.form, "#since").value = report.comparison ? sinceOf(report) : "";
    this.#showFields();
  }

  #showFields() {
    const kind = selectOf(this.form, "#sides-kind").value;
    for (const field of this.form.querySelectorAll("[data-sides]")) {
      /** @type {HTMLElement} */ (field).hidden = field.getAttribute("data-sides") !== kind;
    }
  }

  #compare() {
    this.#showFields();
    this.draw();
  }

  /** @param {any} report @param {number[]} rows from 1 @param {string} title */
  #open(report, rows, title) {
    const part = partOf(report, rows, title) ?? { kind: "rows", rows: rows.map((row) => row - 1) };
    this.#wiring.onPart(/** @type {Part} */ (part), title);
  }
}

/** Returns what the reader wants compared. @param {ParentNode} form @returns {Sides} */
function sidesIn(form) {
  const kind = selectOf(form, "#sides-kind").value;
  const since = inputOf(form, "#since").value;
  const [one, other] = ["#first-group", "#second-group"].map((id) => selectOf(form, id).value);
  if (kind === "since" && since) return { since };
  return kind === "between" && one !== other ? { between: [one, other] } : {};
}

/** Returns the day from which the later side counts. @param {any} report */
function sinceOf({ comparison }) {
  return /\d{4}-\d{2}-\d{2}/.exec(comparison.after.label)?.[0] ?? "";
}

/**
 * Returns all rows of what was pressed; null where the report names its rows alone.
 * @param {any} report
 * @param {number[]} rows the examples of a cell
 * @param {string} title
 * @returns {Part | null}
 */
export function partOf(report, rows, title) {
  const isIts = (/** @type {any} */ cell) => cell.examples === rows;
  const group = report.groups?.find(isIts);
  if (group) return { kind: "group", name: group.name };
  const aspect = report.aspects?.find(isIts);
  if (aspect) return { kind: "aspect", name: aspect.name };
  const periods = report.over_time?.periods ?? [];
  const period = periods.findIndex(isIts);
  if (period >= 0) return { kind: "period", first: periods[period].start, last: lastDay(report, period) };
  const verdict = Object.keys(VERDICTS).find((key) => VERDICTS[key] === title);
  return verdict ? { kind: "verdict", verdict: /** @type {import("../api.js").Sentiment} */ (verdict) } : null;
}

/** @param {any} report @param {number} period */
function lastDay({ over_time: { periods } }, period) {
  const next = periods[period + 1];
  return next ? new Date(Date.parse(next.start) - DAY_MS).toISOString().slice(0, 10) : "9999-12-31";
}

/** Loads the report's style once. */
function style() {
  if (document.querySelector(`link[href="${STYLE}"]`)) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const link = document.createElement("link");
    link.rel = "stylesheet";
    link.href = STYLE;
    link.onload = () => resolve(undefined);
    link.onerror = () => reject(new Error("the report's style was not loaded"));
    document.head.append(link);
  });
}
