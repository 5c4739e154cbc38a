// rows/sending.js packs reviews into requests that the API takes, and waits ever longer between tries.

import assert from "node:assert/strict";
import { test } from "node:test";

import { delayOf, takeBatch } from "../../static_site/rows/sending.js";

/** Returns the number of reviews, and of bytes in UTF-8, of each request for a review sent so often. */
function batches(count, review) {
  const jobs = Array.from({ length: count }, (_, row) => ({ review, rows: [row] }));
  const sizes = [];
  while (jobs.length > 0) {
    const reviews = takeBatch(jobs).map((job) => ({ review: job.review }));
    const body = JSON.stringify({ reviews, explain: "none" });
    sizes.push([reviews.length, new TextEncoder().encode(body).length]);
  }
  return sizes;
}

test("a request holds a hundred reviews at most", () => {
  assert.deepEqual(batches(250, "good").map(([count]) => count), [100, 100, 50]);
});

for (const piece of ["x", "\u00e9", "\u{1f600}", "\x01", '"', "\ud800"]) {
  test(`a request stays under a megabyte whatever its characters take: ${JSON.stringify(piece)}`, () => {
    const sizes = batches(60, piece.repeat(50_000));
    assert.equal(sizes.reduce((sum, [count]) => sum + count, 0), 60);
    assert.ok(sizes.every(([, size]) => size <= 1_000_000));
  });
}

test("waits grow and end", () => {
  const error = { status: 503, code: "x", retry_after: null };
  const delays = [1, 2, 3, 4, 5, 6].map((tries) => delayOf(error, tries));
  assert.equal(delays.at(-1), null);
  const waits = delays.slice(0, -1);
  assert.ok(waits.slice(1).every((delay, place) => waits[place] < delay), String(delays));
});

test("a batch holds jobs of one kind, and no more than it may", () => {
  const jobs = ["a", "b", "c", "d"].map((review, place) => ({ review, rows: [place], words: place < 2 }));
  assert.deepEqual(takeBatch(jobs).map(({ review }) => review), ["a", "b"]);
  assert.deepEqual(takeBatch(jobs, { reviews: 1, bytes: 1_000 }).map(({ review }) => review), ["c"]);
});
