// Shows how sure the model is, and the verdicts beside the file's labels. Bars and cells open their rows.

import { button, element, find, setText } from "../shared/dom.js";
import { count } from "../shared/strings.js";
import { VERDICTS } from "../shared/verdict_strings.js";
import { FILE } from "./strings.js";
import { shareOf } from "../rows/strings.js";
import { calibration, histogram } from "./plots.js";

/**
 * @typedef {import("./desk.js").Desk} Desk
 * @typedef {import("./desk.js").Progress} Progress
 * @typedef {import("./order.js").Part} Part
 * @typedef {import("../rows/figures.js").Bin} Bin
 * @typedef {import("../rows/figures.js").CalibrationBin} CalibrationBin
 * @typedef {import("../rows/figures.js").Comparison} Comparison
 * @typedef {{bins: Bin[], calibration: CalibrationBin[] | null, comparison: Comparison | null}} Numbers
 * @typedef {(part: Part, words: string) => void} OnPart
 * @typedef {{hasLabels: boolean, figures: () => Promise<Numbers>, onPart: OnPart}} Wiring
 */

const VERDICT_ORDER = /** @type {const} */ (["positive", "negative", "uncertain"]);

export class Figures {
  /** @type {Wiring} */ #wiring;
  /** @type {Numbers | null} */ #numbers = null;
  /** @type {Pick<Progress, "band" | "models">} */ #progress = { band: null, models: [] };
  /** Counts drawings, so that an older one never replaces a newer. */
  #turns = 0;
  #widths = new ResizeObserver(() => this.#drawPlots());

  /** @param {ParentNode} view @param {Wiring} wiring */
  constructor(view, wiring) {
    this.#wiring = wiring;
    this.root = /** @type {HTMLElement} */ (document.getElementById("page"));
    for (const id of ["#calibration-section", "#accuracy-section"]) find(view, id).hidden = !wiring.hasLabels;
  }

  /** Starts drawing. The view must be in the page, because plots need its width. */
  start() {
    this.#widths.observe(find(this.root, "#histogram"));
  }

  end() {
    this.#widths.disconnect();
  }

  /** @param {Progress} progress */
  note({ band, models }) {
    this.#progress = { band, models };
  }

  async draw() {
    const turn = (this.#turns += 1);
    const numbers = await this.#wiring.figures().catch(() => null);
    if (numbers === null || turn !== this.#turns) return;
    this.#numbers = numbers;
    this.#drawPlots();
    if (numbers.comparison) this.#drawComparison(numbers.comparison);
  }

  #drawPlots() {
    const place = find(this.root, "#histogram");
    if (this.#numbers === null || place.clientWidth === 0) return;
    const { bins, calibration } = this.#numbers;
    const { band, models } = this.#progress;
    place.replaceChildren(histogram(place.clientWidth, bins, band, (bin) => this.#openBin(bin)));
    setText(this.root, "#band-note", band ? FILE.band(...band) : FILE.noBand);
    setText(this.root, "#models", FILE.models(models));
    const lines = bins.map((bin) => [
      this.#binName(bin),
      count(bin.negative),
      count(bin.uncertain),
      count(bin.positive),
    ]);
    find(this.root, "#histogram-table").replaceChildren(tableOf(FILE.histogramColumns, lines));
    if (calibration) this.#drawCalibration(calibration);
  }

  /** Names a bin; one with rows is a button that shows them. @param {Bin} bin */
  #binName(bin) {
    const name = FILE.binName(bin.from, bin.to);
    const rows = bin.negative + bin.uncertain + bin.positive;
    return rows === 0 ? name : button("cell-button", name, () => this.#openBin(bin));
  }

  /** @param {Bin} bin */
  #openBin({ from, to }) {
    this.#wiring.onPart({ kind: "bin", from, to }, FILE.binFilter(from, to));
  }

  /** @param {CalibrationBin[]} bins */
  #drawCalibration(bins) {
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

  /** @param {Comparison} comparison */
  #drawComparison(comparison) {
    const list = element("dl", "figures");
    list.append(
      accuracyFigure("all", FILE.accuracyAll, comparison.all),
      accuracyFigure("outright", FILE.accuracyOutright, comparison.outright),
    );
    const uncertain = comparison.positive.uncertain + comparison.negative.uncertain;
    const rest = element("p", "small-print", FILE.accuracyRest(uncertain, comparison.without));
    find(this.root, "#accuracy").replaceChildren(list, this.#confusion(comparison), rest);
  }

  /** @param {Comparison} comparison */
  #confusion(comparison) {
    const lines = /** @type {("positive" | "negative")[]} */ (["positive", "negative"]).map((label) => [
      VERDICTS[label],
      ...VERDICT_ORDER.map((verdict) => this.#cell(label, verdict, comparison[label][verdict])),
    ]);
    const table = tableOf(["", ...VERDICT_ORDER.map((name) => VERDICTS[name])], lines);
    table.prepend(element("caption", "", FILE.confusionCaption));
    table.id = "confusion";
    return table;
  }

  /** @param {"positive" | "negative"} label @param {import("../api.js").Sentiment} verdict @param {number} rows */
  #cell(label, verdict, rows) {
    if (rows === 0) return count(rows);
    const words = FILE.cellFilter(VERDICTS[label], VERDICTS[verdict]);
    const node = button("cell-button", count(rows), () => this.#wiring.onPart({ kind: "cell", label, verdict }, words));
    node.setAttribute("aria-label", `${words}: ${FILE.rows(rows)}`);
    return node;
  }
}

/** @param {string} key @param {string} name @param {import("../rows/figures.js").Accuracy} accuracy */
function accuracyFigure(key, name, accuracy) {
  const item = element("div", "figure");
  item.dataset.key = key;
  item.append(
    element("dt", "", name),
    element("dd", "figure-main", shareOf(accuracy.right, accuracy.rows)),
    element("dd", "figure-aside", FILE.accuracyNote(accuracy)),
  );
  return item;
}

/** Makes a table; the first value of a line is its heading. @param {string[]} columns @param {(string | Node)[][]} lines */
function tableOf(columns, lines) {
  const table = element("table", "plain-table number-table");
  const head = element("tr");
  head.append(...columns.map((name) => headCell(name, "col")));
  const body = lines.map(([name, ...values]) => {
    const line = element("tr");
    line.append(headCell(name, "row"), ...values.map(valueCell));
    return line;
  });
  table.append(head, ...body);
  return table;
}

/** @param {string | Node} name @param {string} scope */
function headCell(name, scope) {
  const cell = element(name === "" ? "td" : "th");
  cell.append(name);
  if (name !== "") cell.setAttribute("scope", scope);
  return cell;
}

/** @param {string | Node} value */
function valueCell(value) {
  const cell = element("td");
  cell.append(value);
  return cell;
}
