// rows/reading.js gets the right rows from files of every sort, hostile ones too, or refuses them by name.
// Node 20 decodes Windows-1252 as Latin-1, so test_file_reading.py reads such a file in Chromium.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";
import { gzipSync } from "node:zlib";

import { read as readInPage } from "../../static_site/rows/reader.js";
import { readBytes } from "../../static_site/rows/reading.js";

const Papa = createRequire(import.meta.url)("../../static_site/vendor/papaparse/papaparse.min.js");

const utf8 = (text) => new TextEncoder().encode(text);
const utf16le = (text) => new Uint8Array(Buffer.from(text, "utf16le"));
const utf16be = (text) => new Uint8Array(Buffer.from(text, "utf16le").swap16());
const joined = (...parts) => new Uint8Array(Buffer.concat(parts.map((part) => Buffer.from(part))));

// A ZIP archive with one file, as Python's zipfile writes it.
const ZIP = Buffer.from(
  "UEsDBBQAAAAAAAAAIVzUHNEBBAAAAAQAAAAJAAAAc2hlZXQueG1sPGEvPlBLAQIUAxQAAAAAAAAAIVzUHNEBBAAAAAQAAAAJ" +
    "AAAAAAAAAAAAAACAAQAAAABzaGVldC54bWxQSwUGAAAAAAEAAQA3AAAAKwAAAAAA",
  "base64",
);
const NOISE = noise(20_000);

/** Returns bytes of every value, the same ones in each run. */
function noise(length) {
  let seed = 5;
  return Uint8Array.from({ length }, () => (seed = (seed * 48_271) % 2_147_483_647) & 0xff);
}

function read(data, name = "a.csv", choice = {}) {
  return readBytes(name, typeof data === "string" ? utf8(data) : data, choice, Papa);
}

/** Returns a sheet's notes by code, each with its count and row. */
function codes({ notes }) {
  return Object.fromEntries(notes.map(({ code, count, row }) => [code, [count, row]]));
}

const REFUSED = [
  ["no bytes", "", "a.csv", "empty_file"],
  ["blank lines", "\n \r\n\t\n", "a.csv", "empty_file"],
  ["a mark alone", "\ufeff", "a.txt", "empty_file"],
  ["names alone", "id,review\n", "a.csv", "only_header"],
  ["a name alone, after a mark", "\ufeffreview", "a.csv", "only_header"],
  ["10,000 names", `${Array(10_000).fill("c").join(",")}\nx\n`, "a.csv", "too_many_columns"],
  ["a million commas", ",".repeat(1_000_000), "a.csv", "too_many_columns"],
  ["100,001 lines", "good\n".repeat(100_001), "a.txt", "too_many_rows"],
  ["100,001 rows", `review\n${"good\n".repeat(100_001)}`, "a.csv", "too_many_rows"],
  ["100,001 JSON lines", '"good"\n'.repeat(100_001), "a.jsonl", "too_many_rows"],
  ["90,000 rows of 61 values", `${",".repeat(60)}\n`.repeat(90_000), "a.csv", "too_many_cells"],
  ["noise", NOISE, "a.csv", "binary"],
  ["a picture", joined("\x89PNG\r\n\x1a\n\0\0\0\rIHDR", NOISE), "a.csv", "binary"],
  ["a ZIP archive", ZIP, "a.xlsx", "binary"],
  ["a gzip archive", gzipSync("review\ngood film\n"), "a.csv.gz", "binary"],
  ["UTF-16 without a mark", utf16le("id,review\n1,good film\n"), "a.csv", "binary"],
  ["lines that are no JSON", "no\njson\n", "a.jsonl", "no_json"],
  ["a list of numbers", "[1, 2,\n 3]", "a.json", "no_json"],
];

for (const [why, data, name, code] of REFUSED) {
  test(`refused: ${why}`, () => assert.throws(() => read(data, name), { code }));
}

for (const lineEnd of ["\n", "\r\n", "\r"]) {
  for (const [delimiter, format] of [[",", "comma"], [";", "semicolon"], ["\t", "tab"], ["|", "bar"]]) {
    test(`values are cut at ${format}, lines at ${JSON.stringify(lineEnd)}`, () => {
      const lines = [["id", "review"], ["1", '"Good, very; good | film"'], ["2", '"She said ""no"""']];
      const sheet = read(lines.map((line) => line.join(delimiter)).join(lineEnd) + lineEnd);
      assert.deepEqual([sheet.format, sheet.columns], [format, ["id", "review"]]);
      assert.deepEqual(sheet.rows, [["1", "Good, very; good | film"], ["2", 'She said "no"']]);
      assert.deepEqual(sheet.notes, []);
    });
  }
}

const CAFE = "id,review\n1,Caf\u00e9 \u201cnoir\u201d\n";
for (const [encoding, bytes] of [
  ["UTF-8", utf8(CAFE)],
  ["UTF-8 with its mark", utf8(`\ufeff${CAFE}`)],
  ["UTF-16 with its mark", utf16le(`\ufeff${CAFE}`)],
]) {
  test(`an encoding: ${encoding}`, () => {
    const sheet = read(bytes);
    assert.deepEqual([sheet.columns, sheet.rows], [["id", "review"], [["1", "Caf\u00e9 \u201cnoir\u201d"]]]);
    assert.deepEqual(sheet.notes, []);
  });
}

test("an encoding: UTF-16 of the other byte order", () => {
  assert.deepEqual(read(utf16be("\ufeffreview\nCaf\u00e9\n")).rows, [["Caf\u00e9"]]);
});

for (const [text, name, format, columns, rows] of [
  ["Great, loved.\n\nBad, bad.\n", "a.txt", "lines", ["review"], [["Great, loved."], ["Bad, bad."]]],
  ['A "good" film\nBad\n', "", "lines", ["review"], [['A "good" film'], ["Bad"]]],
  ["a\tgood\nb\tbad\n", "", "tab", ["Column 1", "Column 2"], [["a", "good"], ["b", "bad"]]],
  ["review,n\ngood,1\n", "", "comma", ["review", "n"], [["good", "1"]]],
  ['{"review": "good"}\n"bad"\n', "", "jsonl", ["review"], [["good"], ["bad"]]],
  ['[\n {"review": "good"},\n "bad"\n]', "a.json", "jsonl", ["review"], [["good"], ["bad"]]],
  ["review\nGreat, I loved it\n", "a.csv", "column", ["review"], [["Great, I loved it"]]],
  ["A good film, truly.,1\nBad.,0\n", "a.csv", "comma", ["Column 1", "Column 2", "Column 3"], null],
]) {
  test(`the format is guessed: ${format}, ${JSON.stringify(text)}`, () => {
    const sheet = read(text, name);
    assert.deepEqual([sheet.format, sheet.columns], [format, columns]);
    if (rows) assert.deepEqual(sheet.rows, rows);
  });
}

for (const [text, header] of [
  ["review\ngood film\n", true],
  ["film,comment text\nAlien,Good.\n", true],
  ["Alien,It was a good film.\nJaws,It was a bad one.\n", false],
  ["1,good\n2,bad\n", false],
  ["good,good\nbad,bad\n", false],
  ["Alien,good\nJaws,bad\n", false],
  ["one line alone\n", false],
]) {
  test(`a first row ${header ? "of names" : "of values"}: ${JSON.stringify(text)}`, () => {
    assert.equal(read(text).header, header);
    assert.equal(read(text, "a.csv", { header: false }).header, false);
  });
}

test("rows of other lengths keep all their values", () => {
  const sheet = read("id,review\n1,good,film,here\n2\n3,bad\n");
  assert.deepEqual(sheet.columns, ["id", "review", "Column 3", "Column 4"]);
  assert.deepEqual(sheet.rows, [["1", "good", "film", "here"], ["2"], ["3", "bad"]]);
  assert.deepEqual(codes(sheet), { ragged: [2, 1] });
});

test("a quotation mark that never closes is named with its row", () => {
  const sheet = read('id,review\n1,good\n\n2,"bad\n3,fine\n');
  assert.deepEqual(codes(sheet).unclosed_quote, [undefined, 2]);
  assert.deepEqual(sheet.rows[0], ["1", "good"]);
});

test("an odd quotation mark is named with its row", () => {
  assert.equal(codes(read('id,review\n1,good\n2,"a "nice" film"\n')).odd_quotes[1], 2);
});

test("an empty value in a single column is a row", () => {
  assert.deepEqual(read('review\n"good"\n""\n"bad"\n""\n').rows, [["good"], [""], ["bad"], [""]]);
});

test("blank lines between rows of values are no rows", () => {
  assert.deepEqual(read("id,review\n\n1,good\n\n\n2,\n\n").rows, [["1", "good"], ["2", ""]]);
});

test("a NUL stays in its cell and is named", () => {
  const sheet = read("id,review\n1,A great\0film that I loved to the end\n2,bad film\n");
  assert.equal(sheet.rows[0][1], "A great\0film that I loved to the end");
  assert.deepEqual(codes(sheet), { nulls: [1, 1] });
});

test("a cell of a megabyte harms no other", () => {
  const sheet = read(`id,review\n1,${"good film ".repeat(100_000)}\n2,bad film\n`);
  assert.equal(sheet.rows[0][1].length, 1_000_000);
  assert.deepEqual(sheet.rows[1], ["2", "bad film"]);
});

test("names that are missing or repeated become distinct", () => {
  const { columns } = read("review,review,,Column 3\na,b,c,d\n");
  assert.deepEqual(columns, ["review", "review (2)", "Column 3", "Column 3 (2)"]);
});

test("odd names and lines of JSON become cells", () => {
  const lines = [
    '{"__proto__": "x", "review": "good", "constructor": 1}',
    "not json",
    "[1]",
    '{"toString": null}',
  ];
  const sheet = read(lines.join("\n"), "a.jsonl");
  assert.deepEqual(sheet.columns, ["__proto__", "review", "constructor", "toString", "unread line"]);
  assert.deepEqual(sheet.rows[0].slice(0, 3), ["x", "good", 1]);
  assert.deepEqual([sheet.rows[1][4], sheet.rows[2][4], sheet.unread], ["not json", "[1]", 4]);
  assert.deepEqual(codes(sheet), { bad_lines: [2, 2] });
});

test("a JSON line of a hundred thousand brackets harms no other", () => {
  const deep = `{"review": ${"[".repeat(100_000)}${"]".repeat(100_000)}}`;
  const sheet = read(`{"review": "good"}\n${deep}\n{"review": "bad"}\n`, "a.jsonl");
  assert.deepEqual([sheet.rows[0], sheet.rows[2]], [["good"], ["bad"]]);
});

test("a file that is too large is refused unread", async () => {
  const arrayBuffer = () => assert.fail("the file was read");
  const source = { name: "a.csv", file: { size: 100_000_001, arrayBuffer } };
  const reading = readInPage(source, {}, new AbortController().signal);
  await assert.rejects(reading, { code: "too_large" });
});

test("names that several columns have are noted", () => {
  const sheet = read("text,note, note \nA,b,c\n");
  assert.deepEqual(sheet.notes, [{ code: "same_names", count: 1 }]);
  assert.deepEqual(read("text,note,,\nA,b,c,d\n").notes, []);
});
