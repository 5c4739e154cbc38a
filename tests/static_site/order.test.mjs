// file/order.js shows the rows that a reader wants, in the order that the reader wants.

import assert from "node:assert/strict";
import { test } from "node:test";

import { disagrees, orderOf } from "../../static_site/file/order.js";

const scored = (sentiment, probability, more = {}) => ({
  sentiment, probability, reason: null, warnings: [], logit: Math.log(probability / (1 - probability)), aspects: null, ...more,
});
const OUTCOMES = [
  scored("positive", 0.9),
  scored("negative", 0.1, { warnings: ["mixed"], aspects: { music: { sentiment: "positive" } } }),
  null,
  { error: "empty", detail: "", status: 0 },
  scored("uncertain", 0.5, { reason: "mixed" }),
  scored("positive", 0.9),
];
const LABELS = ["negative", "negative", null, null, "positive", "positive"];
const REVIEWS = ["Delta", "bravo film", "charlie", "", "Alpha", "bravo"];
const DATES = ["2026-03-01", null, "2026-01-01", "2026-02-01", "2026-02-28", "2026-03-01"];
const GROUPS = ["b", "A", null, "b", "a", "c"];
const rows = {
  count: OUTCOMES.length,
  name: (row) => `n${row}`,
  review: (row) => REVIEWS[row],
  outcome: (row) => OUTCOMES[row],
  label: (row) => LABELS[row],
  date: (row) => DATES[row],
  group: (row) => GROUPS[row],
};
const ALL = { show: "all", search: "", by: "row", down: false, parts: [] };
const order = (wish) => Array.from(orderOf(rows, { ...ALL, ...wish }).order);

for (const [show, expected] of Object.entries({
  all: [0, 1, 2, 3, 4, 5],
  worst: [0, 1, 4, 5],
  best: [0, 1, 4, 5],
  unsure: [4],
  mixed: [1, 4],
  against: [0],
  failed: [3],
  waiting: [2],
})) {
  test(`shown: ${show}, and as many are counted`, () => {
    assert.deepEqual(order({ show }), expected);
    assert.equal(orderOf(rows, ALL).counts[show], expected.length);
  });
}

test("the worst and the best are ten at most, by strength", () => {
  const many = { ...rows, count: 30, outcome: (row) => scored("positive", 0.5 + ((row * 7) % 30) / 100) };
  const shown = (show) => Array.from(orderOf(many, { ...ALL, show, by: "probability" }).order, (row) => (row * 7) % 30);
  assert.deepEqual(shown("worst"), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert.deepEqual(shown("best"), [20, 21, 22, 23, 24, 25, 26, 27, 28, 29]);
});

for (const [part, expected] of [
  [{ kind: "rows", rows: [5, 2, 99] }, [2, 5]],
  [{ kind: "bin", from: 0.5, to: 0.9 }, [4]],
  [{ kind: "bin", from: 0.9, to: 1 }, [0, 5]],
  [{ kind: "cell", label: "negative", verdict: "positive" }, [0]],
  [{ kind: "verdict", verdict: "positive" }, [0, 5]],
  [{ kind: "group", name: "b" }, [0, 3]],
  [{ kind: "period", first: "2026-02-01", last: "2026-02-28" }, [3, 4]],
  [{ kind: "aspect", name: "music" }, [1]],
]) {
  test(`a part of the file: ${JSON.stringify(part)}`, () => assert.deepEqual(order({ parts: [part] }), expected));
}

test("a view counts within a part", () => {
  const { order: shown, counts } = orderOf(rows, { ...ALL, show: "best", parts: [{ kind: "group", name: "b" }] });
  assert.deepEqual([Array.from(shown), counts.all, counts.failed, counts.unsure], [[0], 2, 1, 0]);
});

for (const [by, up, down] of [
  ["row", [0, 1, 2, 3, 4, 5], [5, 4, 3, 2, 1, 0]],
  ["probability", [1, 4, 0, 5, 2, 3], [0, 5, 4, 1, 2, 3]],
  ["verdict", [1, 4, 0, 5, 2, 3], [0, 5, 4, 1, 2, 3]],
  ["label", [0, 1, 4, 5, 2, 3], [4, 5, 0, 1, 2, 3]],
  ["date", [2, 3, 4, 0, 5, 1], [0, 5, 4, 3, 2, 1]],
  ["group", [1, 4, 0, 3, 5, 2], [5, 0, 3, 1, 4, 2]],
  ["review", [3, 4, 5, 1, 2, 0], [0, 2, 1, 5, 4, 3]],
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

test("by probability, a text that was not understood comes last, and it is neither worst nor best", () => {
  const outcomes = [scored("uncertain", 0.5, { reason: "not_english" }), scored("negative", 0.1), scored("positive", 0.9)];
  const three = { ...rows, count: 3, outcome: (row) => outcomes[row] };
  for (const [down, expected] of [[false, [1, 2, 0]], [true, [2, 1, 0]]]) {
    assert.deepEqual(Array.from(orderOf(three, { ...ALL, by: "probability", down }).order), expected);
  }
  assert.deepEqual(Array.from(orderOf(three, { ...ALL, show: "worst" }).order), [1, 2]);
});
