// The review page's arithmetic: what to try to flip a verdict, and texts cut by code points.

import assert from "node:assert/strict";
import { test } from "node:test";

import { removals, smallestFlip } from "../../static_site/review/flip.js";
import { widestGap, without } from "../../static_site/shared/spans.js";

const words = (...pulls) => pulls.map((contribution, at) => ({ start: at, end: at + 1, contribution }));

for (const [sentiment, side] of [["positive", 1], ["negative", -1]]) {
  test(`only words that pull towards the verdict are tried: ${sentiment}`, () => {
    const pulls = [0.5, -0.4, 0.3, -0.2, 0.1, -0.05, 0.0];
    const tried = removals({ sentiment }, words(...pulls));
    assert.ok(tried.length > 0);
    assert.ok(tried.flat().every((index) => pulls[index] * side > 0));
  });
}

for (const sentiment of ["positive", "negative", "uncertain"]) {
  for (const count of [0, 1, 2, 3, 7, 60, 400]) {
    test(`removals are few, distinct and smallest first: ${sentiment}, ${count} words`, () => {
      const pulls = Array.from({ length: count }, (_, at) => ((-1) ** at * (1 + (at % 13))) / 13);
      const tried = removals({ sentiment }, words(...pulls));
      const sizes = tried.map((removal) => removal.length);
      assert.ok(tried.length <= 64);
      assert.deepEqual(sizes, sizes.toSorted((one, other) => one - other));
      assert.equal(new Set(tried.map(String)).size, tried.length);
      for (const removal of tried) {
        if (removal.length !== 2) assert.deepEqual(removal, removal.toSorted((one, other) => one - other));
      }
    });
  }
}

test("a word's measured effect ranks it, and its pull where there is none", () => {
  const measured = [{ ...words(0.1)[0], effect: 2 }, ...words(0.5), { ...words(0.9)[0], effect: -1 }];
  assert.deepEqual(removals({ sentiment: "positive" }, measured).slice(0, 2), [[0], [1]]);
});

test("a rest that is not understood is no flip", () => {
  const rest = { removed: [0], answer: { sentiment: "uncertain", reason: "not_english", probability: 0.5 } };
  assert.equal(smallestFlip({ sentiment: "positive", probability: 0.9 }, [rest]), null);
});

test("a limit of variants is kept", () => {
  const tried = removals({ sentiment: "positive" }, words(...Array(50).fill(0.5)), { limit: 9 });
  assert.ok(tried.length > 0 && tried.length <= 9);
});

test("the smallest flip is taken, and of equal ones the strongest", () => {
  const variant = (removed, sentiment, probability) => ({ removed, answer: { sentiment, probability } });
  const before = { sentiment: "positive", probability: 0.9 };
  const tried = [
    variant([0], "positive", 0.7),
    variant([1, 2], "uncertain", 0.5),
    variant([1, 3], "negative", 0.2),
    variant([1, 2, 3], "negative", 0.01),
  ];
  assert.deepEqual(smallestFlip(before, tried).removed, [1, 3]);
  assert.equal(smallestFlip(before, tried.slice(0, 1)), null);
});

test("a text is cut by code points", () => {
  assert.equal(without("\u{1f600} a <b> & c", [{ start: 2, end: 3 }]), "\u{1f600}   &lt;b> &amp; c");
});

test("the widest gap is the part that was not read", () => {
  const spans = [[0, 3], [4, 9], [200, 203], [204, 210]].map(([start, end]) => ({ start, end }));
  assert.deepEqual(widestGap(spans), { start: 9, end: 200 });
  assert.deepEqual(widestGap([]), { start: 0, end: 0 });
});
