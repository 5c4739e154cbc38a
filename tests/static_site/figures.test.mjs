// rows/figures.js counts by probability only the texts that were understood.

import assert from "node:assert/strict";
import { test } from "node:test";

import { calibrationOf, histogramOf, sharesOf } from "../../static_site/rows/figures.js";

const scored = (sentiment, probability, reason = null) => ({ sentiment, reason, probability, warnings: [] });
const OUTCOMES = [
  scored("positive", 0.93),
  scored("uncertain", 0.48, "mixed"),
  scored("uncertain", 0.48, "not_english"),
  scored("uncertain", 0.48, "no_known_words"),
];
const sum = (bins, count) => bins.reduce((total, bin) => total + count(bin), 0);

test("every verdict is counted", () => {
  const { positive, uncertain } = sharesOf(OUTCOMES);
  assert.deepEqual([positive, uncertain], [1, 3]);
});

test("a text that was not understood has no place in the histogram", () => {
  const bins = histogramOf(OUTCOMES);
  assert.equal(sum(bins, ({ positive }) => positive), 1);
  assert.equal(sum(bins, ({ uncertain }) => uncertain), 1);
});

test("a text that was not understood has no place in the calibration", () => {
  const bins = calibrationOf(OUTCOMES, ["positive", "positive", "negative", "negative"]);
  assert.equal(sum(bins, ({ rows }) => rows), 2);
});
