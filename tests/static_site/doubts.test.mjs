// label/doubts.js: the labels that a file itself doubts, and files that hold something else.

import assert from "node:assert/strict";
import { test } from "node:test";

import { doubtsOf } from "../../static_site/label/doubts.js";

const sheetOf = (columns, ...rows) => ({ columns, rows });

test("a doubt becomes the outcome of a model that suggests the other label", () => {
  const sheet = sheetOf(["text", "doubt", "suggested_label"], ["a", "0.9", "negative"], ["b", 0.75, "positive"]);
  const outcomes = doubtsOf(sheet);
  assert.deepEqual([...outcomes.keys()], [0, 1]);
  assert.deepEqual([outcomes.get(0).sentiment, outcomes.get(0).probability.toFixed(3)], ["negative", "0.100"]);
  assert.deepEqual([outcomes.get(1).sentiment, outcomes.get(1).probability], ["positive", 0.75]);
});

test("a row without a doubt, or with something else there, has none", () => {
  const sheet = sheetOf(["doubt", "suggested_label"], ["", "positive"], ["2", "positive"], ["x", "positive"], ["0.9", "mixed"], [null, null]);
  assert.equal(doubtsOf(sheet).size, 0);
});

test("a file with only one of the columns has no doubts", () => {
  assert.equal(doubtsOf(sheetOf(["doubt", "text"], ["0.9", "positive"])).size, 0);
});

test("a file that had such a column before is read by the name that the command then gives", () => {
  const sheet = sheetOf(["doubt", "suggested_label", "verdict_doubt"], ["much", "negative", "0.8"]);
  assert.equal(doubtsOf(sheet).get(0).probability.toFixed(1), "0.2");
});
