// shared/careful.js reads no value of the wrong kind; developers/openapi.js follows no circle.

import assert from "node:assert/strict";
import { test } from "node:test";

import { described, resolved, sampleOf } from "../../static_site/developers/openapi.js";
import { amount, at, entries, list, number, rows, share, text, texts } from "../../static_site/shared/careful.js";

test("a path leads only through own names", () => {
  assert.equal(at({ a: [{ b: 1 }] }, "a", 0, "b"), 1);
  for (const path of [["constructor"], ["a", "length", "x"], ["none", "b"]]) assert.equal(at({ a: "x" }, ...path), undefined);
});

test("a number out of its range is none", () => {
  assert.deepEqual([0, 1, 0.5].map((value) => share(value)), [0, 1, 0.5]);
  assert.deepEqual([-0.1, 1.1, "0.5", NaN, Infinity, null, [1]].map((value) => share(value)), Array(7).fill(null));
  assert.deepEqual([-3, 1e12, 1e13, "1"].map((value) => number(value)), [-3, 1e12, null, null]);
  assert.deepEqual([3, -3].map((value) => amount(value)), [3, null]);
});

test("a text is short, and turns no direction", () => {
  assert.equal(text(" a\u202eb\nc "), "a b c");
  assert.deepEqual(["", " \n", 5, null].map((value) => text(value)), Array(4).fill(null));
  assert.equal(text("\u{1f600}".repeat(2_000)), `${"\u{1f600}".repeat(1_000)}\u2026`);
});

test("lists and records hold only their kind, and not too many", () => {
  assert.deepEqual(texts({ a: ["x", 1, "", "y"] }, "a"), ["x", "y"]);
  assert.deepEqual(rows([{ a: 1 }, [], null, "x"]), [{ a: 1 }]);
  assert.deepEqual([list("abc"), entries([1]), entries(null)], [[], [], []]);
  assert.equal(list(Array(1_000).fill(0)).length, 60);
});

test("a reference is followed, but not in a circle or to nowhere", () => {
  const document = { a: { $ref: "#/b~1c" }, "b/c": { type: "string" }, round: { $ref: "#/round" } };
  assert.deepEqual(resolved(document, { $ref: "#/a" }), { type: "string" });
  for (const $ref of ["#/round", "#/none", "https://x.example/"]) assert.equal(resolved(document, { $ref }), undefined);
});

test("a sample has a schema's required fields, and ends where a schema holds itself", () => {
  const schema = { type: "object", required: ["n", "s"], properties: { n: { type: "integer" }, s: { enum: ["x"] }, o: {} } };
  assert.deepEqual(sampleOf({}, schema), { n: 0, s: "x" });
  const document = { self: { type: "array", items: { $ref: "#/self" } } };
  assert.match(JSON.stringify(sampleOf(document, document.self)), /^\[+null\]+$/);
});

test("a document of the wrong kind is an empty one", () => {
  for (const document of [null, 5, "x", [], { paths: 3 }, { paths: { "/": null } }]) {
    assert.deepEqual(described(document).operations, []);
  }
});
