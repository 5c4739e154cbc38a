// Shows the results: chips and the table, a drawer for a row, the report, and the comparison with labels.

import { button, element, find, inputOf, onClick, setText } from "../shared/dom.js";
import { shortPercent } from "../shared/strings.js";
import { OTHER_WARNING, VERDICTS, WARNINGS, isUnderstood } from "../shared/verdict_strings.js";
import { FILE } from "./strings.js";
import { Grid } from "../rows/grid.js";
import { Drawer } from "./drawer.js";
import { Figures } from "./figures_view.js";
import { disagrees } from "./order.js";
import { Reporting } from "./reporting.js";
import { Sight } from "./sight.js";

/**
 * @typedef {import("./client.js").Calls} Calls
 * @typedef {import("./desk.js").Begun} Begun
 * @typedef {import("./desk.js").Progress} Progress
 * @typedef {import("./order.js").Counts} Counts
 * @typedef {import("./order.js").Key} Key
 * @typedef {import("./order.js").Part} Part
 * @typedef {import("./order.js").Show} Show
 * @typedef {import("./seen.js").Seen} Seen
 * @typedef {import("../rows/sending.js").Scored} Scored
 * @typedef {import("../rows/sending.js").Failed} Failed
 * @typedef {{part: Part, words: string}} Filter
 */

// Figures and order are renewed at this interval while rows arrive.
const REFRESH_MS = 1_000;
const SEARCH_PAUSE_MS = 200;
/** Chips that stand there even with nothing to show. @type {Show[]} */
const STEADY = ["all", "worst", "best", "unsure", "mixed"];
/** How a chip's rows are sorted at first. @type {Partial<Record<Show, {by: Key, down: boolean}>>} */
const SORTED = { worst: { by: "probability", down: false }, best: { by: "probability", down: true } };
/** @type {Record<string, string>} */
const TYPES = { csv: "text/csv;charset=utf-8", jsonl: "application/jsonlines" };

export class Results {
  /** @type {Calls} */ #desk;
  /** @type {Begun} */ #begun;
  /** @type {Grid} */ #grid;
  /** @type {Drawer} */ #drawer;
  /** @type {Figures} */ #figures;
  /** @type {Reporting} */ #reporting;
  /** @type {Sight} */ #sight;
  /** @type {Omit<import("./order.js").Wish, "parts">} */ #wish = { show: "all", search: "", by: "row", down: false };
  /** @type {Filter | null} */ #filter = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #refreshing;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #searching;
  /** Counts orders, so that an older one never replaces a newer. */
  #orders = 0;
  #shown = 0;

  /** @param {DocumentFragment} view @param {Begun} begun @param {Calls} desk */
  constructor(view, begun, desk) {
    this.#desk = desk;
    this.#begun = begun;
    this.root = /** @type {HTMLElement} */ (document.getElementById("page"));
    this.#sight = new Sight(desk.see, () => this.#grid.draw());
    this.#grid = this.#newGrid(find(view, "#grid"));
    this.#drawer = new Drawer(view, {
      whole: desk.whole,
      onStep: (step) => this.#grid.step(step),
      canStep: (step) => this.#grid.canStep(step),
      onClose: () => this.#grid.root.focus({ preventScroll: true }),
    });
    const onPart = (/** @type {Part} */ part, /** @type {string} */ words) => this.#narrow({ part, words });
    this.#figures = new Figures(view, { hasLabels: begun.hasLabels, figures: desk.figures, onPart });
    this.#reporting = new Reporting(view, { report: desk.report, onPart });
    this.#listenForDownloads(view);
  }

  /** Starts drawing. The view must be in the page, because plots need its width. */
  start() {
    const { root } = this;
    inputOf(root, "#search").addEventListener("input", () => {
      clearTimeout(this.#searching);
      this.#searching = setTimeout(() => this.#search(), SEARCH_PAUSE_MS);
    });
    find(root, "#filter").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#search();
    });
    this.#figures.start();
    this.#grid.markSorted(this.#wish.by, this.#wish.down);
    this.#drawFilter();
    this.refresh();
  }

  /** Stops drawing. */
  end() {
    this.#figures.end();
    clearTimeout(this.#refreshing);
    clearTimeout(this.#searching);
  }

  /** Redraws after a change of rows, now or soon. @param {Progress} progress @param {{now?: boolean}} [how] */
  changed(progress, { now = false } = {}) {
    this.#figures.note(progress);
    if (!progress.batch && progress.phase === "sending") this.#sight.forget();
    else this.#sight.renew();
    if (now) this.refresh();
    else this.#refreshing ??= setTimeout(() => this.refresh(), REFRESH_MS);
    this.#grid.draw();
    const { phase } = progress;
    if (phase === "done" || phase === "ended" || phase === "paused") this.#reporting.draw();
    else if (phase === "sending" && !progress.batch) this.#reporting.clear();
  }

  refresh() {
    clearTimeout(this.#refreshing);
    this.#refreshing = undefined;
    this.#order();
    this.#figures.draw();
  }

  /** @param {HTMLElement} root */
  #newGrid(root) {
    const { hasLabels, hasDates, hasGroups } = this.#begun;
    /** @type {Record<string, boolean>} */
    const optional = { label: hasLabels, date: hasDates, group: hasGroups };
    const keys = Object.keys(FILE.GRID).filter((key) => optional[key] ?? true);
    for (const [key, shown] of Object.entries(optional)) root.toggleAttribute(`data-${key}`, shown);
    return new Grid(root, {
      label: FILE.gridLabel,
      describedBy: "grid-help",
      empty: FILE.noRows,
      columns: keys.map((key) => ({ key, label: FILE.GRID[key] })),
      fill: (cells, row, node) => fillRow(cells, node, this.#sight.get(row)),
      onSort: (key) => this.#sort(/** @type {Key} */ (key)),
      onChoose: (row) => this.#choose(row),
      onPress: (row) => this.#drawer.show(row),
      onOpen: (row) => this.#drawer.enter(row),
    });
  }

  /** Follows the selected row, if the drawer is open. @param {number} row */
  #choose(row) {
    if (this.#drawer.row !== null) this.#drawer.show(row);
  }

  /** @param {Key} by */
  #sort(by) {
    const down = this.#wish.by === by && !this.#wish.down;
    this.#wish = { ...this.#wish, by, down };
    this.#order();
  }

  /** @param {Show} show */
  #pick(show) {
    this.#wish = { ...this.#wish, show, ...(SORTED[show] ?? { by: "row", down: false }) };
    this.#order();
  }

  #search() {
    this.#wish = { ...this.#wish, search: inputOf(this.root, "#search").value };
    this.#order();
  }

  /** Shows only a part of the file, and brings the table into view. @param {Filter} filter */
  #narrow(filter) {
    this.#filter = filter;
    this.#wish = { ...this.#wish, show: "all", by: "row", down: false, search: "" };
    inputOf(this.root, "#search").value = "";
    this.#drawFilter();
    this.#order();
    find(this.root, "#rows-section").scrollIntoView({ block: "start" });
    find(this.root, "#remove-filter").focus({ preventScroll: true });
  }

  #widen() {
    this.#filter = null;
    this.#drawFilter();
    this.#order();
    this.#grid.root.focus({ preventScroll: true });
  }

  #drawFilter() {
    const place = find(this.root, "#part");
    place.replaceChildren();
    if (this.#filter === null) return;
    const remove = button("chip chip-part", this.#filter.words, () => this.#widen());
    remove.id = "remove-filter";
    remove.setAttribute("aria-label", FILE.removeFilter(this.#filter.words));
    place.append(remove);
  }

  async #order() {
    const turn = (this.#orders += 1);
    const parts = this.#filter ? [this.#filter.part] : [];
    const found = await this.#desk.order({ ...this.#wish, parts }).catch(() => null);
    if (found === null || turn !== this.#orders) return;
    this.#shown = found.order.length;
    this.#grid.markSorted(this.#wish.by, this.#wish.down);
    this.#grid.show(found.order);
    this.#drawChips(found.counts);
    this.#drawShown();
    if (this.#drawer.row === null) return;
    // The drawer never shows a row that is not in the table.
    if (this.#grid.chosen === this.#drawer.row) this.#drawer.show(this.#drawer.row);
    else this.#drawer.close();
  }

  #drawShown() {
    const { root } = this;
    const words = FILE.shown(this.#shown, this.#begun.count);
    if (find(root, "#shown").textContent !== words) setText(root, "#shown", words);
    const some = this.#shown < this.#begun.count;
    find(root, "#take-shown-field").hidden = !some || this.#shown === 0;
    if (!some || this.#shown === 0) inputOf(root, "#take-shown").checked = false;
    setText(root, "#take-shown-text", FILE.takeShown(this.#shown));
  }

  /** @param {Counts} counts */
  #drawChips(counts) {
    const steady = this.#begun.hasLabels ? [...STEADY, "against"] : STEADY;
    const place = find(this.root, "#chips");
    for (const [show, count] of /** @type {[Show, number][]} */ (Object.entries(counts))) {
      let chip = /** @type {HTMLButtonElement | null} */ (place.querySelector(`[data-show=${show}]`));
      if (chip === null) {
        chip = button("chip", "", () => this.#pick(show));
        chip.dataset.show = show;
        place.append(chip);
      }
      chip.hidden = !steady.includes(show) && count === 0 && this.#wish.show !== show;
      const words = FILE.chip(show, count);
      if (chip.textContent !== words) chip.textContent = words;
      chip.setAttribute("aria-pressed", String(this.#wish.show === show));
    }
  }

  // Downloads.

  /** @param {DocumentFragment} view */
  #listenForDownloads(view) {
    onClick(view, "#take-csv", () => this.#take("csv"));
    onClick(view, "#take-jsonl", () => this.#take("jsonl"));
  }

  /** @param {"csv" | "jsonl"} form */
  async #take(form) {
    const { root } = this;
    const safe = form === "csv" && inputOf(root, "#safe").checked;
    setText(root, "#take-status", FILE.taking);
    try {
      const wish = { form, safe, shown: inputOf(root, "#take-shown").checked };
      const [{ save }, taken] = await Promise.all([import("../rows/download.js"), this.#desk.take(wish)]);
      save(taken.name, taken.parts, { type: TYPES[form], mark: safe });
      setText(root, "#take-status", FILE.taken(taken.name, taken.rows, this.#begun.columns));
    } catch (error) {
      console.error(error);
      setText(root, "#take-status", FILE.takeFailed);
    }
  }
}

/** @param {Record<string, HTMLElement>} cells @param {HTMLElement} node @param {Seen | undefined} seen undefined while it is fetched */
function fillRow(cells, node, seen) {
  if (seen === undefined) {
    node.dataset.verdict = "unseen";
    for (const cell of Object.values(cells)) cell.replaceChildren();
    return;
  }
  const { outcome, line, label } = seen;
  node.dataset.verdict = kindOf(outcome);
  cells.row.textContent = seen.name;
  cells.verdict.replaceChildren(...verdictCell(seen));
  cells.probability.replaceChildren(...probabilityCell(outcome));
  cells.review.dir = "auto";
  cells.review.replaceChildren(line.before, ...(line.deciding ? [markOf(line.deciding, outcome), line.after] : []));
  if (cells.label) cells.label.textContent = label === null ? "" : VERDICTS[label];
  if (cells.date) cells.date.textContent = seen.date ?? "";
  if (cells.group) cells.group.textContent = seen.group ?? "";
}

/** @param {string} text @param {Scored | Failed | null} outcome */
function markOf(text, outcome) {
  const mark = element("mark", "cell-mark", text);
  if (outcome && outcome.error === undefined) mark.dataset.verdict = outcome.sentiment;
  return mark;
}

/** @param {Scored | Failed | null} outcome */
function kindOf(outcome) {
  if (outcome === null) return "waiting";
  return outcome.error === undefined ? outcome.sentiment : "failed";
}

/** Draws the verdict, and below it a short note. @param {Seen} seen */
function verdictCell(seen) {
  const note = noteOf(seen);
  const words = element("span", "cell-word", verdictWords(seen.outcome));
  return note ? [words, element("span", "cell-remark", note)] : [words];
}

/** @param {Scored | Failed | null} outcome */
function verdictWords(outcome) {
  if (outcome === null) return FILE.notAsked;
  return outcome.error === undefined ? VERDICTS[outcome.sentiment] : FILE.failed;
}

/** Returns a row's short note. @param {Seen} seen */
function noteOf({ outcome, label }) {
  if (!outcome) return "";
  if (outcome.error !== undefined)
    return FILE.SHORT_ERRORS[outcome.error] ?? FILE.error(outcome.error, outcome.detail);
  const others = outcome.warnings.filter((code) => code !== outcome.reason);
  const reason = outcome.sentiment === "uncertain" ? [FILE.shortReason(outcome.reason)] : [];
  const against = disagrees(outcome, label) ? [FILE.against] : [];
  const warnings = others.map((code) => WARNINGS[code] ?? OTHER_WARNING);
  return [...reason, ...against, ...warnings].join("; ");
}

/** Draws a probability as a number and a bar from the middle. @param {Scored | Failed | null} outcome */
function probabilityCell(outcome) {
  if (!outcome || outcome.error !== undefined || !isUnderstood(outcome)) return [];
  const { probability } = outcome;
  const track = element("span", "track");
  track.setAttribute("aria-hidden", "true");
  track.append(element("span", "fill"));
  const meter = element("span", "rows-meter");
  meter.dataset.sign = probability >= 0.5 ? "plus" : "minus";
  meter.style.setProperty("--share", String(Math.abs(probability - 0.5) * 2));
  meter.append(track);
  return [element("span", "rows-number", shortPercent(probability)), meter];
}
