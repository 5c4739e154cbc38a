// Share: what of a review stands on its card, and how its words are placed.

import assert from "node:assert/strict";
import { test } from "node:test";

import { wrapped } from "../../static_site/play/card.js";
import { changes, quoteOf } from "../../static_site/play/quote.js";

const SENTENCES = ["One is first.", "Two is second.", "Three is third.", "Four is fourth.", "Five is last."];
const TEXT = SENTENCES.join(" ");

/** An answer whose sentences are those of the text. */
function answerTo(parts) {
  const text = parts.join(" ");
  let at = 0;
  const sentences = parts.map((part) => {
    const start = text.indexOf(part, at);
    at = start + part.length;
    return { start, end: at, contribution: 0 };
  });
  return { text, sentences, words: [] };
}

const textOf = (pieces) => pieces.map(({ text }) => text).join("");
const within = (length) => (pieces) => textOf(pieces).length <= length;

test("a short review is quoted whole", () => {
  assert.equal(textOf(quoteOf(answerTo(SENTENCES), [], within(1000))), TEXT);
});

test("a long review loses whole sentences in its middle, with one ellipsis", () => {
  const quote = textOf(quoteOf(answerTo(SENTENCES), [], within(40)));
  assert.equal(quote, "One is first. \u2026 Five is last.");
});

test("a sentence that is too long by itself is cut after a word", () => {
  const quote = textOf(quoteOf(answerTo([`${"word ".repeat(100)}end.`]), [], within(32)));
  assert.match(quote, /^(word ?)+\u2026$/);
  assert.ok(quote.length <= 32);
});

test("a text without a space is cut too, and an empty one stays empty", () => {
  assert.ok(textOf(quoteOf(answerTo(["a".repeat(5_000)]), [], within(60))).length <= 60);
  assert.equal(textOf(quoteOf({ text: "", sentences: [], words: [] }, [], within(10))), "");
});

test("a text that was not understood has no sentences and is quoted", () => {
  assert.equal(textOf(quoteOf({ text: "Un film.", sentences: [], words: [] }, [], within(100))), "Un film.");
});

test("a sentence with a change is kept", () => {
  const start = TEXT.indexOf("third");
  const marks = changes({ removed: [{ start, end: start + 5 }], inserted: [{ at: start + 5, text: "best" }] });
  const pieces = quoteOf(answerTo(SENTENCES), marks, within(60));
  assert.deepEqual(pieces.filter(({ kind }) => kind !== "plain"), [
    { text: "third", kind: "removed" },
    { text: "best", kind: "inserted" },
  ]);
});

test("a line keeps a word's parts together and never runs out of its width", () => {
  const pieces = [{ text: "So very ", kind: "plain" }, { text: "dull", kind: "minus" }, { text: ", and so on and on.", kind: "plain" }];
  const lines = wrapped(pieces, (text) => text.length, 12);
  assert.deepEqual(lines.map((line) => line.map(({ text }) => text)), [["So", "very"], ["dull", ",", "and", "so"], ["on", "and", "on."]]);
  for (const line of lines) assert.ok(line.every(({ x, width }) => x + width <= 12));
});

test("a word that no line holds is broken", () => {
  const lines = wrapped([{ text: "x".repeat(50), kind: "plain" }], (text) => text.length, 12);
  assert.equal(lines.flat().map(({ text }) => text).join(""), "x".repeat(50));
  assert.ok(lines.flat().every(({ width }) => width <= 12));
});

test("a word that is put in stands apart from the one that it replaces", () => {
  const pieces = [{ text: "a ", kind: "plain" }, { text: "dull", kind: "removed" }, { text: "witty", kind: "inserted" }, { text: " film", kind: "plain" }];
  const [line] = wrapped(pieces, (text) => text.length, 100);
  assert.equal(line[2].x - (line[1].x + line[1].width), 1);
});
