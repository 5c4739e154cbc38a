// compare/rows.js finds the p of tests/golden/mcnemar.json, which training/evaluation/significance.py gives too.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { mcnemar } from "../../static_site/compare/rows.js";

const golden = JSON.parse(readFileSync(new URL("../golden/mcnemar.json", import.meta.url), "utf-8"));

for (const { lost, won, p } of golden) {
  test(`McNemar's exact test: ${lost} lost, ${won} won`, () => {
    assert.ok(Math.abs(mcnemar(lost, won) - p) <= 1e-12 * p, `${mcnemar(lost, won)} for ${p}`);
  });
}
