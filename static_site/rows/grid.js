// Shows a table of any length, by drawing only the rows in view. Works by keyboard and mouse.

import { button, element } from "../shared/dom.js";

/**
 * @typedef {{key: string, label: string}} Column
 * @typedef {object} Wiring
 * @property {string} label
 * @property {string} describedBy the id of an element that explains the keys
 * @property {string} empty the text shown without rows
 * @property {Column[]} columns
 * @property {(cells: Record<string, HTMLElement>, row: number, node: HTMLElement) => void} fill
 * @property {(key: string) => void} onSort
 * @property {(row: number) => void} onChoose
 * @property {(row: number) => void} onPress a row was chosen by the pointer
 * @property {(row: number) => void} onOpen
 */

// Rows drawn beyond each edge, for quick scrolling.
const SPARE_ROWS = 8;

export class Grid {
  /** @type {number[] | Uint32Array} */ #order = [];
  /** @type {{node: HTMLElement, cells: Record<string, HTMLElement>}[]} */ #pool = [];
  /** Position of the selected row; -1 for none. */
  #chosen = -1;
  #rowHeight = 1;
  #frame = 0;

  /** @param {HTMLElement} root @param {Wiring} wiring */
  constructor(root, wiring) {
    this.wiring = wiring;
    this.root = root;
    this.scroller = element("div", "rows-scroller");
    this.scroller.tabIndex = 0; // whoever scrolls by keys alone gets there
    this.canvas = element("div", "rows-canvas");
    this.empty = element("p", "rows-empty", wiring.empty);
    this.heads = wiring.columns.map((column) => this.#headOf(column));
    this.#build();
    this.#listen();
  }

  /**
   * Shows rows in an order. The selected row stays selected while it is among them.
   * @param {number[] | Uint32Array} order
   */
  show(order) {
    const chosen = this.#order[this.#chosen];
    this.#order = order;
    this.#chosen = chosen === undefined ? -1 : order.indexOf(chosen);
    this.root.setAttribute("aria-rowcount", String(order.length + 1));
    this.draw();
  }

  /** The selected row; null for none. */
  get chosen() {
    return this.#order[this.#chosen] ?? null;
  }

  /** Selects the row that many places further, and shows it. @param {number} step */
  step(step) {
    if (this.#order.length > 0) this.#choose(this.#clamped(this.#chosen + step));
  }

  /** Tells whether a row lies that many places further. @param {number} step */
  canStep(step) {
    return this.#chosen >= 0 && this.#chosen === this.#clamped(this.#chosen + step) - step;
  }

  /** Selects no row. */
  clear() {
    this.#chosen = -1;
    this.draw();
  }

  /** @param {number} place */
  #clamped(place) {
    return Math.min(Math.max(place, 0), this.#order.length - 1);
  }

  /** Redraws the rows in view. */
  draw() {
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(() => this.#draw());
  }

  /** @param {string} key @param {boolean} down */
  markSorted(key, down) {
    this.wiring.columns.forEach((column, place) => {
      const sorted = column.key === key ? (down ? "descending" : "ascending") : "none";
      this.heads[place].setAttribute("aria-sort", sorted);
    });
  }

  #build() {
    const { root, wiring } = this;
    root.classList.add("rows");
    set(root, {
      role: "grid",
      tabindex: "0",
      "aria-label": wiring.label,
      "aria-describedby": wiring.describedBy,
    });
    set(root, { "aria-colcount": String(wiring.columns.length) });
    const head = set(element("div", "rows-row rows-head"), { role: "row", "aria-rowindex": "1" });
    head.append(...this.heads);
    set(this.scroller, { role: "rowgroup" });
    set(this.canvas, { role: "presentation" });
    this.scroller.append(this.canvas);
    root.append(set(element("div"), { role: "rowgroup" }), this.scroller, this.empty);
    root.firstElementChild?.append(head);
  }

  /** @param {Column} column */
  #headOf({ key, label }) {
    const head = set(element("div", `rows-cell cell-${key}`), { role: "columnheader" });
    head.append(button("rows-sort", label, () => this.wiring.onSort(key)));
    return head;
  }

  #listen() {
    this.scroller.addEventListener("scroll", () => this.draw(), { passive: true });
    this.root.addEventListener("keydown", (event) => this.#onKey(event));
    this.canvas.addEventListener("click", (event) => this.#onClick(event));
    new ResizeObserver(() => this.draw()).observe(this.scroller);
  }

  /** @param {MouseEvent} event */
  #onClick(event) {
    const node = /** @type {Element} */ (event.target).closest("[data-place]");
    if (!node) return;
    this.#choose(Number(node.getAttribute("data-place")));
    this.wiring.onPress(this.#order[this.#chosen]);
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    if (event.target !== this.root || event.altKey || event.ctrlKey || event.metaKey) return;
    const row = this.#order[this.#chosen];
    if (event.key === "Enter" && row !== undefined) return this.wiring.onOpen(row);
    const place = this.#placeAfter(event.key);
    if (place === null || this.#order.length === 0) return;
    event.preventDefault();
    this.#choose(this.#clamped(place));
  }

  /** @param {string} key @returns {number | null} */
  #placeAfter(key) {
    const page = Math.max(1, Math.floor(this.scroller.clientHeight / this.#rowHeight) - 1);
    /** @type {Record<string, number>} */
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page };
    if (key === "Home") return 0;
    if (key === "End") return this.#order.length - 1;
    return key in steps ? this.#chosen + steps[key] : null;
  }

  /** @param {number} place */
  #choose(place) {
    this.#chosen = place;
    this.#bringIntoView(place);
    this.#draw();
    this.wiring.onChoose(this.#order[place]);
  }

  /** @param {number} place */
  #bringIntoView(place) {
    const { scroller } = this;
    const [top, bottom] = [place * this.#rowHeight, (place + 1) * this.#rowHeight];
    if (top < scroller.scrollTop) scroller.scrollTop = top;
    if (bottom > scroller.scrollTop + scroller.clientHeight)
      scroller.scrollTop = bottom - scroller.clientHeight;
  }

  #draw() {
    this.empty.hidden = this.#order.length > 0;
    this.scroller.hidden = this.#order.length === 0;
    this.#measure();
    this.canvas.style.height = `${this.#order.length * this.#rowHeight}px`;
    const seen = Math.ceil(this.scroller.clientHeight / this.#rowHeight) + 2 * SPARE_ROWS;
    const last = Math.max(0, this.#order.length - seen);
    const from = Math.min(
      Math.max(0, Math.floor(this.scroller.scrollTop / this.#rowHeight) - SPARE_ROWS),
      last,
    );
    this.#fitPool(Math.min(seen, this.#order.length));
    this.#pool.forEach((entry, place) => this.#place(entry, from + place));
    this.#markActive();
  }

  /** Returns a row's height, which grows with the reader's font size. */
  #measure() {
    if (this.#pool.length === 0) this.#fitPool(1);
    this.#rowHeight = this.#pool[0].node.getBoundingClientRect().height || this.#rowHeight;
  }

  /** @param {number} size */
  #fitPool(size) {
    while (this.#pool.length < size) this.#pool.push(this.#newRow());
    for (const { node } of this.#pool.splice(size)) node.remove();
  }

  #newRow() {
    const node = set(element("div", "rows-row"), { role: "row" });
    /** @type {Record<string, HTMLElement>} */
    const cells = {};
    for (const { key } of this.wiring.columns) {
      cells[key] = set(element("div", `rows-cell cell-${key}`), { role: "gridcell" });
      node.append(cells[key]);
    }
    this.canvas.append(node);
    return { node, cells };
  }

  /** @param {{node: HTMLElement, cells: Record<string, HTMLElement>}} entry @param {number} place */
  #place({ node, cells }, place) {
    const chosen = place === this.#chosen;
    node.id = `${this.root.id}-${place}`;
    node.dataset.place = String(place);
    node.style.transform = `translateY(${place * this.#rowHeight}px)`;
    set(node, { "aria-rowindex": String(place + 2), "aria-selected": String(chosen) });
    this.wiring.fill(cells, this.#order[place], node);
  }

  /** Names the selected row to screen readers while it is drawn. */
  #markActive() {
    const id = `${this.root.id}-${this.#chosen}`;
    if (this.#chosen >= 0 && document.getElementById(id)) this.root.setAttribute("aria-activedescendant", id);
    else this.root.removeAttribute("aria-activedescendant");
  }
}

/** @param {HTMLElement} node @param {Record<string, string>} attributes */
function set(node, attributes) {
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}
