// Shows the rows behind a bar or a point, in a drawer at the side; on a phone it is a sheet from below.

import { heading, make, press, theirs } from "./pieces.js";
import { REPORT, dateWords } from "./strings.js";

/** @typedef {import("./pieces.js").Chosen} Chosen */
/** @typedef {{text: string, date?: string | null, group?: string | null, sentiment: string, probability: number, sentence?: string | null}} ReportRow */

let drawers = 0;

/** Makes a drawer and returns what opens it. @param {any} report @param {HTMLElement} root @param {number} level */
export function drawerOf(report, root, level) {
  drawers += 1;
  const dialog = /** @type {HTMLDialogElement} */ (make("dialog", "report-drawer"));
  const title = theirs(`h${Math.min(level, 6)}`, "report-drawer-title", "");
  title.id = `report-drawer-${drawers}`;
  dialog.setAttribute("aria-labelledby", title.id);
  const count = make("p", "report-drawer-count");
  const list = make("ol", "report-drawer-rows");
  const close = press("report-drawer-close", () => dialog.close(), REPORT.close);
  dialog.append(make("div", "report-drawer-head", title, close), count, list);
  // Only the backdrop is the dialog itself; all else lies within.
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog && isOutside(dialog, event)) dialog.close();
  });
  root.append(dialog);
  return (/** @type {Chosen} */ chosen) => {
    title.textContent = chosen.title;
    count.textContent = REPORT.some(chosen.rows.length, chosen.all);
    list.replaceChildren(...chosen.rows.map((number) => rowOf(number, report.rows?.[number], level + 1)));
    dialog.showModal();
    dialog.scrollTop = 0;
  };
}

/** @param {HTMLElement} node @param {MouseEvent} event */
function isOutside(node, { clientX, clientY }) {
  const { left, right, top, bottom } = node.getBoundingClientRect();
  return clientX < left || clientX > right || clientY < top || clientY > bottom;
}

/** @param {number} number @param {ReportRow | undefined} row @param {number} level */
function rowOf(number, row, level) {
  const facts = make("p", "report-row-facts");
  const name = heading(level, "report-row-name", REPORT.row(number));
  if (!row) return make("li", "report-row", name, make("p", "report-row-text", REPORT.missing));
  const verdict = make("span", "report-row-verdict", REPORT.VERDICT[row.sentiment] ?? row.sentiment);
  verdict.dataset.verdict = row.sentiment;
  facts.append(verdict);
  if (row.date) facts.append(make("span", "", dateWords(row.date.slice(0, 10), "whole")));
  if (row.group) facts.append(theirs("span", "report-row-group", row.group));
  return make("li", "report-row", make("div", "report-row-head", name, facts), textOf(row));
}

/** Marks the sentence that decides within its text. @param {ReportRow} row */
function textOf({ text, sentence, sentiment }) {
  const block = theirs("blockquote", "report-row-text", "");
  const at = sentence ? text.indexOf(sentence) : -1;
  if (!sentence || at < 0) {
    block.append(...(sentence ? [marked(sentence, sentiment), " "] : []), text);
    return block;
  }
  block.append(text.slice(0, at), marked(sentence, sentiment), text.slice(at + sentence.length));
  return block;
}

/** @param {string} sentence @param {string} sentiment */
function marked(sentence, sentiment) {
  const node = make("mark", "report-mark", sentence);
  node.dataset.verdict = sentiment;
  return node;
}
