// file/order.js shows the rows that a reader wants, in the order that the reader wants.

import assert from "node:assert/strict";
import { test } from "node:test";

import { disagrees, orderOf } from "../../static_site/file/order.js";

const scored = (sentiment, probability, warnings = []) => ({ sentiment, probability, warnings });
const OUTCOMES = [
  scored("positive", 0.9),
  scored("negative", 0.1, ["too_short"]),
  null,
  { error: "empty", detail: "", status: 0 },
  scored("uncertain", 0.5),
  scored("positive", 0.9),
];
const LABELS = ["negative", "negative", null, null, "positive", "positive"];
const REVIEWS = ["Delta", "bravo film", "charlie", "", "Alpha", "bravo"];
const rows = {
  count: OUTCOMES.length,
  name: (row) => `n${row}`,
  review: (row) => REVIEWS[row],
  outcome: (row) => OUTCOMES[row],
  label: (row) => LABELS[row],
  note: (row) => (row === 1 ? "short" : ""),
};
const order = (wish) => orderOf(rows, { show: "all", search: "", by: "row", down: false, ...wish });

for (const [show, expected] of Object.entries({
  all: [0, 1, 2, 3, 4, 5],
  positive: [0, 5],
  negative: [1],
  uncertain: [4],
  failed: [3],
  waiting: [2],
  warned: [1],
  disagrees: [0],
})) {
  test(`shown: ${show}`, () => assert.deepEqual(order({ show }), expected));
}

for (const [by, up, down] of [
  ["row", [0, 1, 2, 3, 4, 5], [5, 4, 3, 2, 1, 0]],
  ["probability", [1, 4, 0, 5, 2, 3], [0, 5, 4, 1, 2, 3]],
  ["verdict", [1, 4, 0, 5, 2, 3], [0, 5, 4, 1, 2, 3]],
  ["label", [0, 1, 4, 5, 2, 3], [4, 5, 0, 1, 2, 3]],
  ["review", [3, 4, 5, 1, 2, 0], [0, 2, 1, 5, 4, 3]],
  ["note", [1, 0, 2, 3, 4, 5], [1, 0, 2, 3, 4, 5]],
]) {
  test(`ordered by ${by}; rows without one come last, equal ones stay in the file's order`, () => {
    assert.deepEqual(order({ by }), up);
    assert.deepEqual(order({ by, down: true }), down);
  });
}

test("searched: words within a review, or a row's whole name", () => {
  assert.deepEqual(order({ search: " BRAVO " }), [1, 5]);
  assert.deepEqual(order({ search: "n3" }), [3]);
  assert.deepEqual(order({ search: "n" }), []);
});

test("only an outright verdict disagrees with a label", () => {
  assert.equal(disagrees(scored("uncertain", 0.5), "positive"), false);
  assert.equal(disagrees(scored("negative", 0.1), null), false);
  assert.equal(disagrees(null, "positive"), false);
  assert.equal(disagrees(scored("negative", 0.1), "positive"), true);
});

test("by probability, a text that was not understood comes last", () => {
  const outcomes = [{ ...scored("uncertain", 0.5), reason: "not_english" }, scored("negative", 0.1), scored("positive", 0.9)];
  const three = { ...rows, count: 3, outcome: (row) => outcomes[row] };
  for (const [down, expected] of [[false, [1, 2, 0]], [true, [2, 1, 0]]]) {
    assert.deepEqual(orderOf(three, { show: "all", search: "", by: "probability", down }), expected);
  }
});
