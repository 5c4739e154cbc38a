// Shows both models' results on a file: which is right more often, and where they differ.

import { button, element, fillSelect, find, inputOf, selectOf, setOptionalText, setText } from "../shared/dom.js";
import { save } from "../rows/download.js";
import { withoutFormula } from "../rows/formulas.js";
import { Grid } from "../rows/grid.js";
import { shareOf } from "../rows/strings.js";
import { VERDICTS } from "../shared/verdict_strings.js";
import { apart, differ, judge, ordered, readByBoth, understood } from "./rows.js";
import { BOTH, SIDES } from "./strings.js";

/**
 * @typedef {import("./rows.js").Both} Both
 * @typedef {import("./rows.js").Show} Show
 * @typedef {import("./rows.js").Key} Key
 * @typedef {{rows: import("./rows.js").Row[], counts: Record<string, number>, pairs: (import("./rows.js").Pair | null)[],
 *   models: [Set<string>, Set<string>], labelled: boolean, name: string}} Work
 * @typedef {{say: (words: string) => void, onWhy: (text: string) => void}} Wiring
 */

// Figures and order are redrawn at this interval while rows arrive.
const REFRESH_MS = 1_000;
// Fits a line of the widest screen, and the margin.
const LINE_CHARACTERS = 300;
const SHOWN_CHARACTERS = 20_000;

export class Results {
  /** @type {Both[]} */ #found = [];
  /** @type {{show: Show, by: Key, down: boolean}} */ #wish = { show: "sides", by: "apart", down: true };
  /** @type {Both[]} */ #shown = [];
  /** @type {Map<number, Both>} */ #byNumber = new Map();
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #refreshing;
  #listening = new AbortController();

  /** @param {HTMLElement} root @param {Work} work @param {Wiring} wiring */
  constructor(root, work, wiring) {
    this.root = root;
    this.work = work;
    this.wiring = wiring;
    this.grid = this.#newGrid();
    const { signal } = this.#listening;
    fillSelect(selectOf(root, "#show"), Object.entries(BOTH.SHOW), this.#wish.show);
    selectOf(root, "#show").addEventListener("change", () => this.#choose(), { signal });
    find(root, "#take").addEventListener("click", () => this.#take(), { signal });
    setText(root, "#apart-note", BOTH.apartNote);
    this.#drawDetail(null);
    this.refresh();
  }

  end() {
    clearTimeout(this.#refreshing);
    this.#listening.abort();
  }

  /** Redraws after a change of rows, now or soon. @param {{now?: boolean}} [how] */
  changed({ now = false } = {}) {
    if (now) return this.refresh();
    this.#refreshing ??= setTimeout(() => this.refresh(), REFRESH_MS);
  }

  refresh() {
    clearTimeout(this.#refreshing);
    this.#refreshing = undefined;
    this.#found = readByBoth(this.work.rows, this.work.pairs);
    this.#drawFigures();
    this.#order();
  }

  /** Shows the final result. */
  tell() {
    const { title, deck } = this.#inWords();
    setText(this.root, "#run-title", title);
    setText(this.root, "#run-deck", deck);
    this.wiring.say(`${title}. ${deck}`);
  }

  #inWords() {
    const found = this.#found;
    if (found.length === 0) return { title: BOTH.nothingToRead, deck: this.#leftOut() };
    const differing = `${BOTH.differ(found.filter(differ).length, found.length)}.`;
    if (!this.work.labelled) {
      return { title: differing.slice(0, -1), deck: `${BOTH.unlabelledDeck} ${this.#leftOut()}`.trim() };
    }
    const { lost, won, p } = judge(found);
    return { title: BOTH.better(lost, won, p), deck: `${differing} ${BOTH.mcnemar(lost, won, p)} ${this.#leftOut()}`.trim() };
  }

  #leftOut() {
    const unread = this.work.pairs.filter(Boolean).length - this.#found.length;
    const out = BOTH.leftOut({ ...this.work.counts, unread });
    return out && BOTH.out(out);
  }

  #drawFigures() {
    const lines = [...this.#modelLine(), ...(this.work.labelled ? this.#rightLine() : []), ...this.#shareLines()];
    find(this.root, "#figures").replaceChildren(tableOf(["", ...SIDES], lines));
    setText(this.root, "#interval-note", this.work.labelled ? BOTH.intervalNote : "");
    const mixed = this.work.models.findIndex((ids) => ids.size > 1);
    setOptionalText(this.root, "#changed", "#changed", mixed < 0 ? "" : BOTH.changed(SIDES[mixed].toLowerCase()));
  }

  #modelLine() {
    return [[BOTH.model, ...this.work.models.map((ids) => [...ids].join(", ") || BOTH.none)]];
  }

  #rightLine() {
    const { accuracies, lost, won, p } = judge(this.#found);
    Object.assign(find(this.root, "#figures").dataset, { lost, won, p });
    const cells = accuracies.map(({ right, rows, interval: [low, high] }) =>
      rows === 0 ? BOTH.none : BOTH.interval(shareOf(right, rows), low, high),
    );
    return [[BOTH.right, ...cells]];
  }

  #shareLines() {
    return ["positive", "negative", "uncertain"].map((sentiment) => [
      VERDICTS[sentiment],
      ...["first", "second"].map((side) =>
        shareOf(
          this.#found.filter((both) => both[/** @type {"first" | "second"} */ (side)].sentiment === sentiment).length,
          this.#found.length,
        ),
      ),
    ]);
  }

  // The table of rows.

  #newGrid() {
    const place = find(this.root, "#grid-place");
    const root = element("div");
    root.id = "grid";
    root.toggleAttribute("data-labels", this.work.labelled);
    place.replaceChildren(root);
    const keys = Object.keys(BOTH.GRID).filter((key) => key !== "label" || this.work.labelled);
    const grid = new Grid(root, {
      label: BOTH.gridLabel,
      describedBy: "grid-help",
      empty: BOTH.noRows,
      columns: keys.map((key) => ({ key, label: BOTH.GRID[key] })),
      fill: (cells, row) => fillRow(cells, this.#bothOf(row)),
      onSort: (key) => this.#sort(/** @type {Key} */ (key)),
      onChoose: (row) => this.#drawDetail(this.#bothOf(row)),
      // On a phone it lies below the table.
      onPress: () => find(this.root, "#detail").scrollIntoView({ block: "nearest" }),
      onOpen: (row) => this.wiring.onWhy(this.#bothOf(row).row.review),
    });
    grid.markSorted(this.#wish.by, this.#wish.down);
    return grid;
  }

  /** @param {number} number of the row @returns {Both} */
  #bothOf(number) {
    return /** @type {Both} */ (this.#byNumber.get(number));
  }

  #choose() {
    this.#wish.show = /** @type {Show} */ (selectOf(this.root, "#show").value);
    this.#order();
  }

  /** @param {Key} by */
  #sort(by) {
    const down = this.#wish.by === by ? !this.#wish.down : by === "apart";
    this.#wish = { ...this.#wish, by, down };
    this.grid.markSorted(by, down);
    this.#order();
  }

  #order() {
    this.#shown = ordered(this.#found, this.#wish);
    this.#byNumber = new Map(this.#found.map((both) => [both.row.number, both]));
    this.grid.show(this.#shown.map(({ row }) => row.number));
    const words = BOTH.shown(this.#shown.length, this.#found.length);
    if (find(this.root, "#shown").textContent !== words) setText(this.root, "#shown", words);
    /** @type {HTMLButtonElement} */ (find(this.root, "#take")).disabled = this.#shown.length === 0;
  }

  /** @param {Both | null} both */
  #drawDetail(both) {
    const body = find(this.root, "#detail-body");
    setText(this.root, "#detail-title", both ? BOTH.detail(both.row.number) : BOTH.detailEmpty);
    if (!both) return body.replaceChildren(element("p", "small-print", BOTH.detailHint));
    const { row, first, second } = both;
    const said = element("dl", "said");
    [first, second].forEach((answer, side) => {
      said.append(element("dt", "", SIDES[side]), element("dd", "", BOTH.cell(answer)));
    });
    const hidden = row.review.length - SHOWN_CHARACTERS;
    const text = element("blockquote", "detail-text", row.review.slice(0, SHOWN_CHARACTERS) + (hidden > 0 ? BOTH.cut(hidden) : ""));
    text.dir = "auto";
    body.replaceChildren(
      said,
      ...(row.label ? [element("p", "", BOTH.yourLabel(row.label))] : []),
      text,
      button("button-plain button-small", BOTH.why, () => this.wiring.onWhy(row.review)),
    );
  }

  #take() {
    const name = BOTH.fileName(this.work.name);
    const safe = inputOf(this.root, "#safe").checked;
    save(name, [new Blob([csvOf(this.#shown, safe)])], { type: "text/csv;charset=utf-8", mark: safe });
    setText(this.root, "#take-status", BOTH.taken(name));
  }
}

/** @param {Record<string, HTMLElement>} cells @param {Both} both */
function fillRow(cells, both) {
  const { row, first, second } = both;
  cells.row.textContent = String(row.number);
  for (const [key, answer] of Object.entries({ first, second })) {
    cells[key].textContent = BOTH.cell(answer);
    cells[key].dataset.verdict = answer.sentiment;
  }
  cells.apart.textContent = BOTH.apart(understood(both) ? apart(both) : null);
  if (cells.label) cells.label.textContent = row.label ? VERDICTS[row.label] : "";
  cells.review.textContent = row.review.slice(0, LINE_CHARACTERS);
  cells.review.dir = "auto";
}

/** Writes rows as CSV, with the columns of training/adapt/compare.py. @param {Both[]} shown @param {boolean} safe */
function csvOf(shown, safe) {
  const head = ["row", "label", "probability_1", "probability_2", "text"];
  const lines = shown.map(({ row, first, second }) => [
    String(row.number),
    row.label ?? "",
    first.probability.toFixed(6),
    second.probability.toFixed(6),
    safe ? String(withoutFormula(row.review)) : row.review,
  ]);
  return [head, ...lines].map((cells) => `${cells.map(quoted).join(",")}\r\n`).join("");
}

/** @param {string} cell */
function quoted(cell) {
  return `"${cell.replaceAll('"', '""')}"`;
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
  table.append(element("caption", "", BOTH.figuresCaption), head, ...body);
  return table;
}

/** @param {string} name @param {string} scope */
function headCell(name, scope) {
  const cell = element(name === "" ? "td" : "th", "", name);
  if (name !== "") cell.setAttribute("scope", scope);
  return cell;
}
