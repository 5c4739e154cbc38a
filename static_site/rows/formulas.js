// Guards cells that a spreadsheet would run as formulas, as training/files/formulas.py does.
// tests/golden/formulas.json holds both to it.

/** @typedef {import("./reading.js").Cell} Cell */

// OWASP, "CSV Injection". Apostrophes come first, so that a cell with one of its own gets another.
const FORMULA = /^'*(?:[\t\r\n]|[ \t\r\n\v\f\u00a0\u2007\u202f\u3000\ufeff]*[=+\-@\uff0b\uff0d\uff1d\uff20])/;
// A plain number runs nothing.
const NUMBER = /^[+-]?[0-9]+(?:[.,][0-9]+)*(?:[eE][+-]?[0-9]+)?$/;

/** Puts an apostrophe before a cell that a spreadsheet would run. @param {Cell} cell @returns {Cell} */
export function withoutFormula(cell) {
  return typeof cell === "string" && FORMULA.test(cell) && !NUMBER.test(cell) ? `'${cell}` : cell;
}

/** Removes the apostrophe that a download put there. @template {Cell | Date} T @param {T} cell @returns {T} */
export function unguarded(cell) {
  return typeof cell === "string" && cell[0] === "'" && FORMULA.test(cell) ? /** @type {T} */ (cell.slice(1)) : cell;
}
