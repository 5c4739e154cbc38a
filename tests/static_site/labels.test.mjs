// rows/labels.js reads labels as tests/golden/labels.json has it, which holds training/files/labelled.py too.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { LABEL_NAMES, guessColumns } from "../../static_site/rows/columns.js";
import { SCALES, cellFor, guessScale, labelOf } from "../../static_site/rows/labels.js";

const golden = JSON.parse(readFileSync(new URL("../golden/labels.json", import.meta.url), "utf-8"));

for (const { why, cells, scale, meaning } of [...golden.columns, ...golden.refused]) {
  test(`a column: ${why}`, () => {
    assert.equal(guessScale(cells), scale);
    assert.deepEqual(
      cells.map((cell) => labelOf(cell, scale)),
      meaning,
    );
  });
}

for (const [scale, cells] of Object.entries(golden.scales)) {
  test(`single cells: ${scale}`, () => {
    for (const [meaning, ones] of Object.entries(cells)) {
      for (const cell of ones) assert.equal(labelOf(cell, scale) ?? "neither", meaning, `${scale}: ${cell}`);
    }
  });
}

test("the scales are the golden ones", () => {
  assert.deepEqual(SCALES, Object.keys(golden.scales));
});

test("a column of labels is found by the golden names, the likeliest first", () => {
  assert.deepEqual(LABEL_NAMES, golden.names);
  const columns = ["text", ...golden.names.toReversed()];
  assert.equal(guessColumns({ columns, rows: [], unread: -1 }).label, columns.indexOf(golden.names[0]));
});

test("numbers and truths of JSON lines are labels, and null is none", () => {
  assert.deepEqual(
    [5, 1, 3, null, undefined].map((cell) => labelOf(cell, "five")),
    ["positive", "negative", null, null, null],
  );
  assert.equal(guessScale([true, false]), "words");
  assert.equal(labelOf(true, "words"), "positive");
});

test("a label far down a long file says its scale too", () => {
  assert.equal(guessScale([...Array(100_000).fill("5"), "8"]), "ten");
});

test("a few slips don't make numbers words, however many they differ in", () => {
  assert.equal(guessScale([...Array(10).fill("5"), "4", "a", "b", "c", "d", "e"]), "five");
});

test("a written label is read back on the scale of its column", () => {
  const columns = [
    ...Object.entries(golden.scales).map(([scale, cells]) => [scale, [...(cells.positive ?? []), ...(cells.negative ?? [])]]),
    ["words", ["pos"]], ["words", ["rotten", "rotten", "bad"]], ["words", [1, "neg"]], ["words", ["1"]], ["words", []],
    ["words", [true]], ["zero_one", [1]], ["five", ["5", ""]],
  ];
  for (const [scale, cells] of columns) {
    for (const label of ["positive", "negative"]) {
      assert.equal(labelOf(cellFor(label, scale, cells), scale), label, `${scale}: ${cells}`);
    }
  }
  assert.equal(cellFor("positive", "words", ["rotten", "rotten", "bad"]), "fresh");
  assert.equal(cellFor("negative", "words", ["bad", "rotten", "rotten"]), "rotten");
});
