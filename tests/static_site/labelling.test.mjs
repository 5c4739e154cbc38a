// label/labelling.js and label/checking.js: which labels count, what a table gets, and which rows are checked.

import assert from "node:assert/strict";
import { test } from "node:test";

import { disagreements, tallyOf } from "../../static_site/label/checking.js";
import { Labelling, keyOf } from "../../static_site/label/labelling.js";

const sheetOf = (columns, rows, more = {}) => ({ format: "comma", header: true, columns, rows, unread: -1, notes: [], ...more });
const sided = (sides) => new Labelling(sheetOf(["text", "label"], sides.map((side, at) => [`Text ${at}.`, side])), { review: 0, label: 1 }, "");
const answer = (sentiment, probability) => ({ sentiment, reason: null, probability, warnings: [] });

test("the surest contradiction comes first, and uncertain or failed answers are none", () => {
  const labelling = sided(["pos", "neg", "pos", "neg", "neg", "meh"]);
  const outcomes = new Map([
    [0, answer("negative", 0.2)], [1, answer("positive", 0.97)], [2, answer("negative", 0.01)],
    [3, answer("uncertain", 0.6)], [4, { error: "too_long", detail: "", status: 413 }], [5, answer("positive", 0.99)],
  ]);
  assert.deepEqual(disagreements(labelling, outcomes), [2, 1, 0]);
  assert.deepEqual(tallyOf(labelling, outcomes), { agrees: 0, against: 3, uncertain: 1, failed: 1 });
});

test("a cell on neither side counts as skipped, and stays unless it is labelled", () => {
  const labelling = sided(["pos", "neutral", ""]);
  assert.deepEqual([labelling.done, labelling.count("skipped"), labelling.next], [1, 1, 2]);
  labelling.give(2, "negative");
  assert.deepEqual(labelling.toTable().rows.map((row) => row[1]), ["pos", "neutral", "neg"]);
  labelling.reopenSkipped();
  assert.equal(labelling.next, 1);
  labelling.give(1, "positive");
  assert.deepEqual(labelling.toTable().rows.map((row) => row[1]), ["pos", "pos", "neg"]);
});

test("a file without new labels has none to lose", () => {
  const labelling = sided(["pos", "neg"]);
  labelling.give(0, "positive");
  assert.equal(labelling.fresh, 0);
  labelling.give(0, "negative");
  assert.equal(labelling.fresh, 1);
  labelling.undo();
  assert.equal(labelling.fresh, 0);
});

test("a file without names gets one for its texts", () => {
  const sheet = sheetOf(["Column 1", "Column 2"], [["1", "Fine."]], { header: false });
  const labelling = new Labelling(sheet, { review: 1, label: -1 }, "");
  assert.deepEqual(labelling.toTable().columns, ["Column 1", "text", "label"]);
});

test("numbers and truths of JSON lines keep their kind", () => {
  for (const [own, negative] of [[1, 0], [true, false], ["1", "0"], [5, 1]]) {
    const rows = [["One.", own], ["Two."]];
    const labelling = new Labelling(sheetOf(["text", "label"], rows, { format: "jsonl" }), { review: 0, label: 1 }, "");
    labelling.give(1, "negative");
    assert.deepEqual(labelling.toTable().rows[1], ["Two.", own === 5 ? 1 : negative]);
  }
});

test("a label like -1 is a number for a spreadsheet, not a formula", () => {
  const labelling = sided(["-1", "1", ""]);
  labelling.give(2, "negative");
  assert.deepEqual(labelling.toTable().rows.map((row) => row[1]), [-1, "1", -1]);
});

test("the name of pasted texts holds none of them", () => {
  const [one, other] = ["A secret.", "B secret."].map((text) => keyOf({ name: "", text }, 1));
  assert.notEqual(one, other);
  assert.doesNotMatch(one, /secret/);
});
