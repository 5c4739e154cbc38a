// rows/download.js writes rows so that no cell runs as a formula, and names files plainly.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { test } from "node:test";

import { fileName, ourColumns, parcelsOf, write } from "../../static_site/rows/download.js";
import { unguarded, withoutFormula } from "../../static_site/rows/formulas.js";
import { readBytes } from "../../static_site/rows/reading.js";

const Papa = createRequire(import.meta.url)("../../static_site/vendor/papaparse/papaparse.min.js");

const sheet = { columns: ["review", "error"], rows: [["=1+1", "-"], ['a "b", c', undefined], ["x", "y"]] };
const outcomes = [
  { sentiment: "uncertain", reason: "mixed", probability: 0.5, warnings: ["a", "b"] }, { error: "empty" }, null,
];
const written = (form, safe) =>
  [...parcelsOf({ sheet, outcomes }, { form, safe })].map((parcel) => write(parcel, Papa)).join("");

test("a safe CSV runs no formula", () => {
  assert.deepEqual(written("csv", true).split("\r\n"), [
    "review,error,sentiment,reason,probability,warnings,verdict_error",
    "'=1+1,'-,uncertain,mixed,0.5,a b,",
    '"a ""b"", c",,,,,,empty',
    "x,y,,,,,not_asked",
    "",
  ]);
  for (const start of ["=", "+", "-", "@", "\t", "\r"]) assert.equal(withoutFormula(`${start}A1`), `'${start}A1`);
  assert.deepEqual([withoutFormula("1=1"), withoutFormula(-1)], ["1=1", -1]);
});

test("a cell is guarded as by the command, and every text comes back", () => {
  const golden = JSON.parse(readFileSync(new URL("../golden/formulas.json", import.meta.url), "utf-8"));
  for (const [text, guarded] of golden) assert.deepEqual([withoutFormula(text), unguarded(guarded)], [guarded, text]);
});

for (const form of ["csv", "tsv"]) {
  test(`a review of our own ${form} is read as it was`, () => {
    const rows = [["=1+1 good"], [" -bad"], ["'=so so"], ["fine"]].map((row, at) => [...row, at]);
    const work = { sheet: { columns: ["review", "=id"], rows }, outcomes: null };
    const text = [...parcelsOf(work, { form, safe: true })].map((one) => write(one, Papa)).join("");
    const sheet = readBytes(`a.${form}`, new TextEncoder().encode(text), {}, Papa);
    assert.deepEqual(sheet.columns, ["review", "=id"]);
    assert.deepEqual(sheet.rows.map(([review]) => review), rows.map(([review]) => review));
  });
}

test("a CSV as it is keeps the cells", () => {
  assert.match(written("csv", false), /\r\n=1\+1,-,uncertain,mixed,0\.5,a b,\r\n/);
});

test("JSON lines keep the fields and add ours", () => {
  const lines = written("jsonl", false).trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(lines[0], {
    review: "=1+1", error: "-", sentiment: "uncertain", reason: "mixed", probability: 0.5, warnings: ["a", "b"],
    verdict_error: null,
  });
  assert.deepEqual([lines[1].verdict_error, lines[2].verdict_error], ["empty", "not_asked"]);
});

test("without outcomes, the file's own columns are all", () => {
  const plain = (form) => [...parcelsOf({ sheet, outcomes: null }, { form, safe: true })].map((one) => write(one, Papa)).join("");
  assert.equal(plain("tsv"), "review\terror\r\n'=1+1\t'-\r\n\"a \"\"b\"\", c\"\t\r\nx\ty\r\n");
  assert.equal(plain("jsonl").split("\n")[0], '{"review":"=1+1","error":"-"}');
});

test("our columns take no name that the file has", () => {
  assert.deepEqual(ourColumns(["sentiment", "verdict_sentiment"])[0], "verdict_sentiment (2)");
});

test("many rows go in parcels, names in the first alone", () => {
  const many = { columns: ["a"], rows: Array(4_001).fill(["x"]) };
  const parcels = [...parcelsOf({ sheet: many, outcomes: Array(4_001).fill(null) }, { form: "csv", safe: true })];
  assert.deepEqual(parcels.map(({ rows }) => rows.length), [2_000, 2_000, 1]);
  assert.deepEqual(parcels.map(({ first }) => first), [true, false, false]);
});

for (const [name, expected] of [
  ["films.csv", "films-verdicts.csv"],
  ["", "reviews-verdicts.csv"],
  ["../../.bash\u202e\n.csv", "_.._.bash__-verdicts.csv"],
  [`${"x".repeat(300)}.csv`, `${"x".repeat(80)}-verdicts.csv`],
]) {
  test(`a download's name: ${JSON.stringify(name.slice(0, 20))}`, () => assert.equal(fileName(name, "csv"), expected));
}

test("a download names what it holds", () => assert.equal(fileName("films.csv", "tsv", "labelled"), "films-labelled.tsv"));
