// The review page's arithmetic: places in typed text, effects of the parts, and texts cut by code points.

import assert from "node:assert/strict";
import { test } from "node:test";

import { align, movedBy, placed } from "../../static_site/review/align.js";
import { glowing, quoted, reasonsOf, sentenceEffects, worths, written } from "../../static_site/review/effects.js";
import { why } from "../../static_site/review/answer_strings.js";
import { widestGap, without } from "../../static_site/shared/spans.js";

// Places of a cleaned text in the typed one.

for (const [name, typed, cleaned] of [
  ["the same text", "A \u{1f600} film.", "A \u{1f600} film."],
  ["more space", "  A \t good\n\n film. ", "A good\nfilm."],
  ["tags", "<p>A <b>good</b> film.<br />Really.</p>", "A good film.\nReally."],
  ["entities", "Cast &amp; crew &#39;n&#x27; &lt;b&gt;", "Cast & crew 'n' <b>"],
  ["signs that only look like markup", "cast</3 a <b and AT&T", "cast</3 a <b and AT&T"],
  ["scripts and comments", "A<script>x()</script> <!-- no --> film", "A film"],
  ["letters in two parts", "cafe\u0301!", "caf\u00e9!"],
  ["unseen characters", "a\u200bb", "ab"],
  ["a wrapped line", "It was not\r\n  good.", "It was not good."],
  ["a list", "I liked:\n 1. Its cast\n2) Two songs\n* all", "I liked:\nIts cast\nTwo songs\nall"],
]) {
  test(`a cleaned text finds its places: ${name}`, () => {
    const map = align(typed, cleaned);
    assert.ok(map);
    const points = Array.from(cleaned);
    points.forEach((point, index) => {
      const { start, end } = placed(map, { start: index, end: index + 1 });
      const there = typed.slice(start, end);
      const same = there.normalize("NFC") === point || /\s/.test(point) || there.startsWith("&");
      assert.ok(same, `${point} at ${there}`);
      assert.ok(index === 0 || start >= map.ends[index - 1]);
    });
  });
}

test("a cleaned text that came from elsewhere has no places", () => {
  assert.equal(align("A good film", "A bad film"), null);
  assert.equal(align("A &NotEqualTilde; film", "A \u2242\u0338 film"), null);
  assert.equal(align("short", "shorter"), null);
  assert.equal(align("A 1. film", "A film"), null);
});

test("ranges that an edit left alone move with their text, and others vanish", () => {
  const moved = movedBy("one two three", "one 2 three");
  assert.deepEqual(moved({ start: 0, end: 3 }), { start: 0, end: 3 });
  assert.equal(moved({ start: 4, end: 7 }), null);
  assert.deepEqual(moved({ start: 8, end: 13 }), { start: 6, end: 11 });
});

// Effects.

const TEXT = "The cast is great. The film is not.";
const answer = (changes = {}) => ({
  sentiment: "negative",
  reason: null,
  warnings: [],
  probability: 0.12,
  bias: 0,
  text: TEXT,
  sentences: [
    { start: 0, end: 18, contribution: 1, alone: 0.9, without: 0.06 },
    { start: 19, end: 35, contribution: -3, alone: 0.05, without: 0.8 },
  ],
  words: [
    { start: 12, end: 17, contribution: 1, effect: 0.5 },
    { start: 31, end: 34, contribution: -2.9, effect: -4 },
    { start: 34, end: 35, contribution: -0.1, effect: -2 },
  ],
  ...changes,
});

test("the strongest words glow, without punctuation, weak ones and those that were not measured", () => {
  assert.deepEqual(glowing(answer()), [1, 0]);
  const weak = answer().words.map((word) => ({ ...word, effect: 0.1 }));
  assert.deepEqual(glowing(answer({ words: weak })), []);
  assert.deepEqual(glowing(answer({ words: [{ start: 0, end: 3, contribution: 5 }] })), []);
});

test("a word whose effect is against its share of the sum does not glow", () => {
  const words = answer().words.map((word, at) => (at ? word : { ...word, effect: -word.effect }));
  assert.deepEqual(glowing(answer({ words })), [1]);
});

test("small words never glow, whatever they carry", () => {
  const words = [{ start: 0, end: 3, contribution: 1, effect: 9 }, ...answer().words];
  assert.deepEqual(glowing(answer({ words })), [2, 1]);
});

test("never more than five words glow", () => {
  const words = Array.from({ length: 30 }, (_, at) => ({ start: at, end: at + 1, contribution: 1, effect: 1 + at }));
  assert.deepEqual(glowing(answer({ text: "x".repeat(30), words })), [29, 28, 27, 26, 25]);
});

test("sentences rank from the most harmful to the most helpful", () => {
  assert.deepEqual(sentenceEffects(answer()).map(({ index }) => index), [1, 0]);
});

test("an answer that does not measure sentences ranks them by their share of the sum", () => {
  const sentences = answer().sentences.map(({ start, end, contribution }) => ({ start, end, contribution }));
  assert.deepEqual(sentenceEffects(answer({ sentences })).map(({ index }) => index), [1, 0]);
});

test("a word is the cause where it does more than its sentence, and else the sentence", () => {
  assert.deepEqual(reasonsOf(answer()), { cause: "not", against: "The cast is great" });
  const words = answer().words.map((word) => ({ ...word, effect: word.effect / 4 }));
  assert.equal(reasonsOf(answer({ words })).cause, "The film is not");
});

test("where no part decides and all agree, that is the reason", () => {
  const sentences = answer().sentences.map((one) => ({ ...one, contribution: -1, without: 0.13 }));
  const agreed = { cause: "", against: "", agreed: true };
  assert.deepEqual(reasonsOf(answer({ sentences, words: [] })), agreed);
  assert.deepEqual(reasonsOf(answer({ sentences: sentences.slice(1), words: [] })), { cause: "", against: "" });
  assert.equal(why(answer(), agreed), "Negative: every sentence speaks for it.");
});

test("small effects explain nothing", () => {
  const sentences = answer().sentences.map((one) => ({ ...one, without: 0.13 }));
  assert.deepEqual(reasonsOf(answer({ sentences, words: [] })), { cause: "", against: "" });
});

test("a verdict that is open quotes both sides, or nothing", () => {
  const open = { sentiment: "uncertain", reason: "mixed", probability: 0.5 };
  const [praise, complaint] = answer().sentences;
  const both = [{ ...praise, without: 0.3 }, { ...complaint, without: 0.8 }];
  assert.deepEqual(reasonsOf(answer({ ...open, sentences: both })), {
    cause: "The cast is great",
    against: "The film is not",
  });
  assert.equal(reasonsOf(answer({ ...open, sentences: [both[0]] })).cause, "");
});

for (const code of ["not_english", "no_known_words"]) {
  test(`a text that may be misunderstood has no reasons: ${code}`, () => {
    assert.equal(reasonsOf(answer({ warnings: [{ code }] })).cause, "");
  });
}

test("a short text has the reasons of a longer one", () => {
  const short = answer({ warnings: [{ code: "too_short" }] });
  assert.deepEqual(reasonsOf(short), reasonsOf(answer()));
  assert.notEqual(reasonsOf(short).cause, "");
});

test("a text without an opinion has no reasons", () => {
  const [praise, complaint] = answer().sentences;
  const sentences = [{ ...praise, without: 0.3 }, { ...complaint, without: 0.8 }];
  const none = { sentiment: "uncertain", reason: "no_opinion", probability: 0.5, sentences };
  assert.equal(reasonsOf(answer(none)).cause, "");
});

test("at most eight words of a sentence are quoted", () => {
  assert.equal(quoted(" One two three. "), "One two three");
  assert.equal(quoted("a b c d e f g h, i j"), "a b c d e f g h\u2026");
  assert.equal(quoted("Really?!"), "Really?!");
});

test("a token is quoted as the word that holds it", () => {
  const quote = (text, start, end) => {
    const points = Array.from(text);
    const range = written(points, { start, end });
    return points.slice(range.start, range.end).join("");
  };
  assert.equal(quote("I wouldn\u2019t go", 7, 10), "wouldn\u2019t");
  assert.equal(quote("I wouldn't go", 2, 7), "wouldn't");
  assert.equal(quote("a 'great' film", 3, 8), "great");
  assert.equal(quote("great!", 5, 6), "!");
  assert.equal(quote("good", 0, 4), "good");
});

test("a text is cut by code points", () => {
  assert.equal(without("\u{1f600} a <b> & c", [{ start: 2, end: 3 }]), "\u{1f600}   &lt;b> &amp; c");
});

test("the widest gap is the part that was not read", () => {
  const spans = [[0, 3], [4, 9], [200, 203], [204, 210]].map(([start, end]) => ({ start, end }));
  assert.deepEqual(widestGap(spans), { start: 9, end: 200 });
  assert.deepEqual(widestGap([]), { start: 0, end: 0 });
});

test("a sentence whose absence makes the verdict certain has a finite worth", () => {
  const sentences = [
    { start: 0, end: 1, contribution: 20, alone: 1, without: 0 },
    { start: 2, end: 3, contribution: -9, alone: 0, without: 1 },
  ];
  const all = worths(/** @type {any} */ ({ bias: 0, sentences }));
  assert.ok(all.every(Number.isFinite));
  assert.ok(all[0] > 0 && all[1] < 0);
});
