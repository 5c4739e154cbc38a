// Makes tables that scroll where they are too wide.

import { element } from "./dom.js";
import { goesOn } from "./prose_strings.js";

/** @typedef {string | Node} Cell */

/**
 * @param {string} caption shown above the table, and read out
 * @param {Cell[]} head
 * @param {Cell[][]} rows each begins with the row's name
 */
export function table(caption, head, rows) {
  const node = element("table", "figures");
  node.append(element("caption", "", caption), headOf(head), bodyOf(rows));
  return scrolling(node, caption);
}

/** Adds a Tab stop and a hint to a table that overflows. @param {HTMLElement} node @param {string} label */
function scrolling(node, label) {
  const place = element("div", "wide");
  const sign = element("p", "goes-on", goesOn);
  sign.setAttribute("aria-hidden", "true");
  place.append(sign, node);
  new ResizeObserver(() => {
    const overflows = place.scrollWidth > place.clientWidth;
    sign.hidden = !overflows;
    for (const [name, value] of Object.entries({ role: "region", "aria-label": label, tabindex: "0" })) {
      if (overflows) place.setAttribute(name, value);
      else place.removeAttribute(name);
    }
  }).observe(place);
  return place;
}

/** @param {Cell[]} cells */
function headOf(cells) {
  const row = element("tr");
  row.append(...cells.map((cell) => (cell === "" ? element("td") : heading("col", cell))));
  const head = element("thead");
  head.append(row);
  return head;
}

/** @param {Cell[][]} rows */
function bodyOf(rows) {
  const body = element("tbody");
  body.append(...rows.map(rowOf));
  return body;
}

/** @param {Cell[]} cells */
function rowOf([name, ...cells]) {
  const row = element("tr");
  row.append(heading("row", name), ...cells.map(cellOf));
  return row;
}

/** @param {"col" | "row"} scope @param {Cell} cell */
function heading(scope, cell) {
  const node = element("th");
  node.setAttribute("scope", scope);
  node.append(cell);
  return node;
}

/** @param {Cell} cell */
function cellOf(cell) {
  const node = element("td");
  node.append(cell);
  return node;
}
