// Days as files write them: read as written, and an order of day and month never guessed.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { areDates, dateOf, dayNumber, dayOf, orderOf } from "../../static_site/rows/dates.js";

const golden = JSON.parse(readFileSync(new URL("../golden/report/dates.json", import.meta.url), "utf-8"));
const cells = Object.entries(golden);
assert.ok(cells.length > 40);

for (const [cell, [dmy, mdy]] of cells) {
  test(`the cell ${JSON.stringify(cell)} is the day it says`, () => {
    assert.deepEqual([dateOf(cell, "dmy"), dateOf(cell, "mdy")], [dmy, mdy]);
    const slashed = /^\s*\d{1,2}[-/]\d/.test(cell);
    assert.equal(dateOf(cell), slashed ? null : dmy, "without an order, nothing is guessed");
  });
}

test("numbers of JSON are dates too, and 5/5/2026 needs no order", () => {
  assert.deepEqual([20260503, 1777766400, 7, null, true].map((cell) => dateOf(cell)), ["2026-05-03", "2026-05-03", null, null, null]);
  assert.equal(dateOf("5/5/2026"), "2026-05-05");
});

for (const [cells, order, rows] of [
  [["3/5/2026", "25/12/2026", "1/2/2026"], "dmy", []],
  [["3/5/2026", "", "12/25/2026"], "mdy", []],
  [["soon", "3/5/2026", "4/5/2026"], null, [2]],
  [["3/5/2026", "12/25/2026", "25/12/2026"], null, [3, 2]],
  [["2026-05-03", "5/5/2026"], null, []],
  [["2026-05-03", "3/5/2026"], null, [2]],
  [[], null, []],
]) {
  test(`the column ${JSON.stringify(cells)} decides ${order}`, () => {
    assert.deepEqual(orderOf(cells), { order, rows });
  });
}

test("a column is one of dates when nine in ten of its filled cells are", () => {
  const days = Array.from({ length: 9 }, (_, place) => `0${place + 1}/05/2026`);
  assert.equal(areDates([...days, "soon", "", null]), true);
  assert.equal(areDates([...days, "soon", "later"]), false);
  assert.equal(areDates(["", undefined]), false);
});

test("a day's number and the day are each other's inverse", () => {
  assert.equal(dayNumber("1970-01-02"), 1);
  for (const day of ["1999-12-31", "2024-02-29", "2026-05-03"]) assert.equal(dayOf(dayNumber(day)), day);
});
