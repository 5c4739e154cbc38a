// Figures of the model's page are read off the card's points, and its weakest skills are found.

import assert from "node:assert/strict";
import { test } from "node:test";

import { between, curveOf, groupsOf, weakest } from "../../static_site/model/figures.js";
import { CASES } from "../../static_site/model/case_strings.js";
import { MODEL } from "../../static_site/model/strings.js";

test("a value is read off the line between two points", () => {
  assert.equal(between([[0, 0], [0.5, 1], [1, 3]], 0.75), 2);
  assert.equal(between([[0, 0], [0.5, 1], [1, 3]], 0.5), 1);
});

test("beyond the ends the nearest point counts", () => {
  assert.equal(between([[0.2, 7], [0.8, 9]], 0.1), 7);
  assert.equal(between([[0.2, 7], [0.8, 9]], 0.9), 9);
});

test("groups and points come in order, and broken ones are left out", () => {
  const reliability = [{ confidence: 0.9, accuracy: 0.95 }, { confidence: 0.4, accuracy: 1 }, { confidence: 0.6, accuracy: 0.7 }];
  assert.deepEqual(groupsOf({ reliability }).map(({ x }) => x), [0.6, 0.9]);
  const risk_coverage = [{ share: 1, accuracy: 0.9, confidence_from: 0.5 }, { share: 0.5, accuracy: 0.99 }, null];
  assert.deepEqual(curveOf({ risk_coverage }), [{ x: 0.5, y: 0.99, from: null }, { x: 1, y: 0.9, from: 0.5 }]);
});

test("the weakest skills are those with the fewest held cases right, without the summaries", () => {
  const held = { overall: 0.1, typos: 0.7, sarcasm: 0.3, short: 1, ratings: 0.5, "single sentences": 0 };
  const behaviour = Object.fromEntries(Object.entries(held).map(([key, share]) => [key, { held: share, open: 1 }]));
  const card = { metrics: { behaviour: { ...behaviour, command: "python" } } };
  assert.deepEqual(weakest(card).map(({ key }) => key), ["sarcasm", "ratings", "typos"]);
});

test("the words compare with what was said", () => {
  assert.equal(MODEL.comesTo(80, 83), "Where it says 80\u00a0%, 83 in 100 are positive: 3 more than it says.");
  assert.equal(MODEL.comesTo(20, 18), "Where it says 20\u00a0%, 18 in 100 are positive: 2 fewer than it says.");
  assert.equal(MODEL.comesTo(50, 50), "Where it says 50\u00a0%, 50 in 100 are positive, just as it says.");
});

test("a case says what the model said of it", () => {
  assert.equal(CASES.says("positive", 0.9), "Positive, 90.0\u00a0% sure");
  assert.equal(CASES.says("negative", 0.1), "Negative, 90.0\u00a0% sure");
  assert.equal(CASES.says("uncertain", 0.4), "Can\u2019t tell: 40.0\u00a0% positive");
  assert.equal(CASES.says(null, null), "\u2013");
});
