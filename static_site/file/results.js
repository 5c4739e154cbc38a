// Shows the results: shares, plots, the comparison with labels, and the table.

import { element, fillSelect, find, inputOf, onClick, selectOf, setText } from "../shared/dom.js";
import { linkTo } from "../shared/share.js";
import { count, shortPercent } from "../shared/strings.js";
import { OTHER_WARNING, VERDICTS, WARNINGS, isUnderstood } from "../shared/verdict_strings.js";
import { FILE } from "./strings.js";
import { shareOf } from "../rows/strings.js";
import { drawDetail, isOpenable } from "./detail.js";
import { calibrationOf, compare, histogramOf, sharesOf } from "../rows/figures.js";
import { Grid } from "../rows/grid.js";
import { disagrees, orderOf } from "./order.js";
import { calibration, histogram } from "./plots.js";
import { write } from "../rows/reader.js";
import { textOf } from "../rows/reading.js";
import { labelsOf } from "./work.js";

/**
 * @typedef {import("./order.js").Key} Key
 * @typedef {import("./order.js").Rows} Rows
 * @typedef {import("./order.js").Show} Show
 * @typedef {import("../rows/sending.js").Outcome} Outcome
 * @typedef {import("./work.js").Work} Work
 */

// Plots and order are redrawn at this interval while rows arrive.
const REFRESH_MS = 1_000;
const SEARCH_PAUSE_MS = 200;
// Fits a line of the widest screen.
const LINE_CHARACTERS = 300;
/** @type {Record<string, string>} */
const TYPES = { csv: "text/csv;charset=utf-8", jsonl: "application/jsonlines" };

export class Results {
  /** @type {Work} */ #work;
  /** @type {Rows} */ #rows;
  /** @type {Grid} */ #grid;
  /** @type {import("./order.js").Wish} */ #wish = { show: "all", search: "", by: "row", down: false };
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #refreshing;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #searching;
  /** @type {number | null} */ #chosen = null;
  #widths = new ResizeObserver(() => this.#drawPlots());

  /** @param {DocumentFragment} view @param {Work} work */
  constructor(view, work) {
    this.#work = work;
    this.labels = labelsOf(work);
    this.#rows = rowsOf(work, this.labels);
    this.root = /** @type {HTMLElement} */ (document.getElementById("page"));
    this.#grid = this.#newGrid(find(view, "#grid"));
    fillSelect(selectOf(view, "#show"), showOptions(work), "all");
    listenForDownloads(view, work);
    for (const id of ["#calibration-section", "#accuracy-section"])
      find(view, id).hidden = this.labels.length === 0;
    drawDetail(view, this.#rows, null);
  }

  /** Starts drawing. The view must be in the page, because plots need its width. */
  start() {
    const { root } = this;
    selectOf(root, "#show").addEventListener("change", () => this.#filter());
    inputOf(root, "#search").addEventListener("input", () => {
      clearTimeout(this.#searching);
      this.#searching = setTimeout(() => this.#filter(), SEARCH_PAUSE_MS);
    });
    find(root, "#filter").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#filter();
    });
    this.#widths.observe(find(root, "#histogram"));
    this.#grid.markSorted(this.#wish.by, this.#wish.down);
    this.refresh();
  }

  /** Stops drawing. */
  end() {
    this.#widths.disconnect();
    clearTimeout(this.#refreshing);
    clearTimeout(this.#searching);
  }

  /** Redraws after a change of rows, now or soon. @param {{now?: boolean}} [how] */
  changed({ now = false } = {}) {
    if (now) return this.refresh();
    this.#grid.draw();
    this.#refreshing ??= setTimeout(() => this.refresh(), REFRESH_MS);
  }

  refresh() {
    clearTimeout(this.#refreshing);
    this.#refreshing = undefined;
    this.#order();
    this.#drawShares();
    this.#drawPlots();
    this.#drawComparison();
    if (this.#chosen !== null) drawDetail(this.root, this.#rows, this.#chosen);
  }

  /** @param {HTMLElement} root */
  #newGrid(root) {
    const hasLabels = this.labels.length > 0;
    const keys = Object.keys(FILE.GRID).filter((key) => key !== "label" || hasLabels);
    root.toggleAttribute("data-labels", hasLabels);
    return new Grid(root, {
      label: FILE.gridLabel,
      describedBy: "grid-help",
      empty: FILE.noRows,
      columns: keys.map((key) => ({ key, label: FILE.GRID[key] })),
      fill: (cells, row, node) => fillRow(cells, row, node, this.#rows),
      onSort: (key) => this.#sort(/** @type {Key} */ (key)),
      onChoose: (row) => this.#choose(row),
      // On a phone it lies below the table.
      onPress: () => find(document, "#detail").scrollIntoView({ block: "nearest" }),
      onOpen: (row) => openReview(this.#rows, row),
    });
  }

  /** @param {number} row */
  #choose(row) {
    this.#chosen = row;
    drawDetail(this.root, this.#rows, row);
  }

  /** @param {Key} by */
  #sort(by) {
    const down = this.#wish.by === by && !this.#wish.down;
    this.#wish = { ...this.#wish, by, down };
    this.#grid.markSorted(by, down);
    this.#order();
  }

  #filter() {
    const show = /** @type {Show} */ (selectOf(this.root, "#show").value);
    this.#wish = { ...this.#wish, show, search: inputOf(this.root, "#search").value };
    this.#order();
  }

  #order() {
    const order = orderOf(this.#rows, this.#wish);
    this.#grid.show(order);
    const words = FILE.shown(order.length, this.#rows.count);
    if (find(this.root, "#shown").textContent !== words) setText(this.root, "#shown", words);
  }

  #drawShares() {
    const shares = sharesOf(this.#work.outcomes);
    const scored = shares.positive + shares.negative + shares.uncertain;
    const bar = element("div", "share-bar");
    bar.setAttribute("aria-hidden", "true");
    for (const verdict of ["negative", "uncertain", "positive"]) {
      const part = element("span", `share share-${verdict}`);
      part.style.flexGrow = String(shares[/** @type {keyof typeof shares} */ (verdict)]);
      bar.append(part);
    }
    const list = element("dl", "figures");
    for (const [key, name] of Object.entries(FILE.SHARES)) {
      const number = shares[/** @type {keyof typeof shares} */ (key)];
      const ofScored = key === "positive" || key === "negative" || key === "uncertain";
      if (number === 0 && !ofScored) continue;
      list.append(figure(key, name, ofScored ? shareOf(number, scored) : "", count(number)));
    }
    find(this.root, "#shares").replaceChildren(bar, list);
  }

  #drawPlots() {
    const { band, models, outcomes } = this.#work;
    const bins = histogramOf(outcomes);
    const place = find(this.root, "#histogram");
    if (place.clientWidth === 0) return;
    place.replaceChildren(histogram(place.clientWidth, bins, band));
    setText(this.root, "#band-note", band ? FILE.band(...band) : FILE.noBand);
    setText(this.root, "#models", FILE.models(models));
    const lines = bins.map((bin) => [
      FILE.binName(bin.from, bin.to),
      count(bin.negative),
      count(bin.uncertain),
      count(bin.positive),
    ]);
    find(this.root, "#histogram-table").replaceChildren(tableOf(FILE.histogramColumns, lines));
    if (this.labels.length > 0) this.#drawCalibration();
  }

  #drawCalibration() {
    const bins = calibrationOf(this.#work.outcomes, this.labels);
    const place = find(this.root, "#calibration");
    place.replaceChildren(calibration(place.clientWidth, bins));
    const lines = bins.map((bin) => [
      FILE.binName(bin.from, bin.to),
      count(bin.rows),
      FILE.place(bin.predicted),
      FILE.place(bin.observed),
      FILE.binName(bin.low, bin.high),
    ]);
    find(this.root, "#calibration-table").replaceChildren(tableOf(FILE.calibrationColumns, lines));
  }

  #drawComparison() {
    if (this.labels.length === 0) return;
    const comparison = compare(this.#work.outcomes, this.labels);
    const list = element("dl", "figures");
    list.append(
      accuracyFigure("all", FILE.accuracyAll, comparison.all),
      accuracyFigure("outright", FILE.accuracyOutright, comparison.outright),
    );
    const uncertain = comparison.positive.uncertain + comparison.negative.uncertain;
    const rest = element("p", "small-print", FILE.accuracyRest(uncertain, comparison.without));
    find(this.root, "#accuracy").replaceChildren(list, confusion(comparison), rest);
  }
}

/** Opens a review in a new tab, so the run here continues. @param {Rows} rows @param {number} row */
async function openReview(rows, row) {
  const review = rows.review(row);
  if (isOpenable(review)) window.open(await linkTo(review), "_blank", "noopener");
}

/** Returns the filters that apply to this file. @param {Work} work @returns {[string, string][]} */
function showOptions({ choice }) {
  return Object.entries(FILE.SHOW).filter(([show]) => show !== "disagrees" || choice.label >= 0);
}

/** @param {Work} work @param {(import("../rows/labels.js").Label | null)[]} labels @returns {Rows} */
function rowsOf({ sheet, choice, outcomes }, labels) {
  const cell = (/** @type {number} */ row, /** @type {number} */ column) => textOf(sheet.rows[row][column]);
  const outcome = (/** @type {number} */ row) => outcomes[row];
  const label = (/** @type {number} */ row) => labels[row] ?? null;
  const note = (/** @type {number} */ row) => noteOf(outcome(row), label(row));
  return {
    count: sheet.rows.length,
    name: (row) => (choice.id < 0 ? String(row + 1) : cell(row, choice.id)),
    review: (row) => cell(row, choice.review) || (sheet.unread < 0 ? "" : cell(row, sheet.unread)),
    outcome,
    label,
    note,
  };
}

/**
 * Returns a row's short note.
 * @param {Outcome | null} outcome
 * @param {import("../rows/labels.js").Label | null} label
 */
function noteOf(outcome, label) {
  if (!outcome) return "";
  if (outcome.error !== undefined)
    return FILE.SHORT_ERRORS[outcome.error] ?? FILE.error(outcome.error, outcome.detail);
  const others = outcome.warnings.filter((code) => code !== outcome.reason);
  const warnings = others.map((code) => WARNINGS[code] ?? OTHER_WARNING);
  const reason = outcome.sentiment === "uncertain" ? [FILE.shortReason(outcome.reason)] : [];
  const words = [...reason, ...(disagrees(outcome, label) ? [FILE.against] : []), ...warnings].join("; ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/**
 * @param {Record<string, HTMLElement>} cells
 * @param {number} row
 * @param {HTMLElement} node
 * @param {Rows} rows
 */
function fillRow(cells, row, node, rows) {
  const outcome = rows.outcome(row);
  const label = rows.label(row);
  node.dataset.verdict = kindOf(outcome);
  cells.row.textContent = rows.name(row).slice(0, LINE_CHARACTERS);
  cells.verdict.textContent = verdictWords(outcome);
  cells.probability.replaceChildren(...probabilityCell(outcome));
  cells.review.textContent = rows.review(row).slice(0, LINE_CHARACTERS);
  cells.review.dir = "auto";
  cells.note.textContent = rows.note(row).slice(0, LINE_CHARACTERS);
  if (cells.label) cells.label.textContent = label === null ? "" : VERDICTS[label];
}

/** @param {Outcome | null} outcome */
function kindOf(outcome) {
  if (outcome === null) return "waiting";
  return outcome.error === undefined ? outcome.sentiment : "failed";
}

/** @param {Outcome | null} outcome */
function verdictWords(outcome) {
  if (outcome === null) return FILE.notAsked;
  return outcome.error === undefined ? VERDICTS[outcome.sentiment] : FILE.failed;
}

/** Draws a probability as a number and a bar from the middle. @param {Outcome | null} outcome */
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

/** @param {string} key @param {string} name @param {string} main @param {string} aside */
function figure(key, name, main, aside) {
  const item = element("div", "figure");
  item.dataset.key = key;
  item.append(element("dt", "", name), element("dd", "figure-main", main || aside));
  if (main) item.append(element("dd", "figure-aside", aside));
  return item;
}

/** @param {string} key @param {string} name @param {import("../rows/figures.js").Accuracy} accuracy */
function accuracyFigure(key, name, accuracy) {
  const item = figure(key, name, shareOf(accuracy.right, accuracy.rows), FILE.accuracyNote(accuracy));
  item.classList.add("figure-tall");
  return item;
}

/** @param {import("../rows/figures.js").Comparison} comparison */
function confusion(comparison) {
  const names = ["positive", "negative", "uncertain"];
  const lines = /** @type {("positive" | "negative")[]} */ (["positive", "negative"]).map((label) => [
    VERDICTS[label],
    ...names.map((verdict) =>
      count(comparison[label][/** @type {keyof import("../rows/figures.js").Verdicts} */ (verdict)]),
    ),
  ]);
  const table = tableOf(["", ...names.map((name) => VERDICTS[name])], lines);
  table.prepend(element("caption", "", FILE.confusionCaption));
  table.id = "confusion";
  return table;
}

/** Makes a table; the first value of a line is its heading. @param {string[]} columns @param {string[][]} lines */
function tableOf(columns, lines) {
  const table = element("table", "plain-table number-table");
  const head = element("tr");
  head.append(...columns.map((name) => headCell(name, "col")));
  const body = lines.map(([name, ...values]) => {
    const line = element("tr");
    line.append(headCell(name, "row"), ...values.map((value) => element("td", "", value)));
    return line;
  });
  table.append(head, ...body);
  return table;
}

/** @param {string} name @param {string} scope */
function headCell(name, scope) {
  const cell = element(name === "" ? "td" : "th", "", name);
  if (name !== "") cell.setAttribute("scope", scope);
  return cell;
}

// Downloads.

/** @param {DocumentFragment} view @param {Work} work */
function listenForDownloads(view, work) {
  const status = find(view, "#take-status");
  const safe = inputOf(view, "#safe");
  onClick(view, "#take-csv", () => take(status, work, { form: "csv", safe: safe.checked }));
  onClick(view, "#take-jsonl", () => take(status, work, { form: "jsonl", safe: false }));
}

/** @param {HTMLElement} status @param {Work} work @param {import("../rows/download.js").Wish} wish */
async function take(status, work, wish) {
  status.textContent = FILE.taking;
  try {
    const { fileName, parcelsOf, save } = await import("../rows/download.js");
    const name = fileName(work.sheet.name, wish.form);
    save(name, await write(parcelsOf(work, wish)), { type: TYPES[wish.form], mark: wish.safe });
    status.textContent = FILE.taken(name);
  } catch (error) {
    console.error(error);
    status.textContent = FILE.takeFailed;
  }
}
