// file/seen.js shows a row as two lines around what decides it, or whole; file/work.js packs its answer.

import assert from "node:assert/strict";
import { test } from "node:test";

import { lineOf, wholeRow } from "../../static_site/file/seen.js";
import { judgedBy, jobsOf, sentencesOf, wordsOf } from "../../static_site/file/work.js";

const SENTENCES = ["Fine. \u{1f600} ", "It was the worst. ", "The end."];
const REVIEW = SENTENCES.join("");

function answerTo(review, sentences, pulls, more = {}) {
  let at = 0;
  const spans = sentences.map((text, place) => {
    const start = at;
    at += Array.from(text).length;
    return { start, end: at - 1, contribution: pulls[place], alone: 0.2, without: place === 0 ? null : 0.7 };
  });
  return {
    answer: {
      sentiment: "negative", reason: null, probability: 0.1, warnings: [{ code: "mixed", detail: "x" }], bias: 0.5,
      text: review, sentences: spans, model: { id: "m" }, request_id: "r", ...more,
    },
  };
}
const ITEM = answerTo(REVIEW, SENTENCES, [0.2, -2, -0.5], {
  words: [{ start: 0, end: 4, contribution: 0.1, effect: 0.3 }, { start: 4, end: 5, contribution: 0.1 }],
  aspects: { plot: { sentiment: "not_mentioned" }, end: { sentiment: "negative", probability: 0.2, contribution: -1, mentions: [] } },
});
const judged = judgedBy(ITEM, REVIEW);

test("an answer is packed, and its sentences and measured words come out again", () => {
  assert.equal(judged.text, null, "the review itself is not kept twice");
  assert.deepEqual(sentencesOf(judged), ITEM.answer.sentences);
  assert.deepEqual(wordsOf(judged), [ITEM.answer.words[0]]);
  assert.ok(Math.abs(judged.logit - -1.8) < 1e-9);
  assert.deepEqual([Object.keys(judged.aspects), judged.names], [["end"], ["plot", "end"]]);
  assert.equal(judgedBy(ITEM, `<b>${REVIEW}</b>`).text, REVIEW);
});

test("a line marks the sentence that decides", () => {
  assert.deepEqual(lineOf(REVIEW, judged), { before: "Fine. \u{1f600} ", deciding: "It was the worst.", after: " The end." });
});

test("a line begins near a sentence that stands far back", () => {
  const far = "Some words come first. ".repeat(30);
  const line = lineOf("", judgedBy(answerTo(far + "It was bad.", [far, "It was bad. "], [0.1, -2]), ""));
  assert.equal(line.deciding, "It was bad.");
  assert.match(line.before, /^\u2026 \S/);
  assert.ok(line.before.length < 80);
});

test("a line fills two lines where the text ends soon", () => {
  const [first, second] = ["It was fine, I suppose, in parts, and in other parts it was not. ", "It was bad."];
  const line = lineOf("", judgedBy(answerTo(first + second, [first, `${second} `], [0.1, -2]), ""));
  assert.deepEqual(line, { before: first, deciding: second, after: "" });
});

test("a line of a text without an answer, or with one sentence, marks nothing", () => {
  assert.deepEqual(lineOf("Good.", null), { before: "Good.", deciding: "", after: "" });
  assert.deepEqual(lineOf("Bad.", judgedBy(answerTo("Bad.", ["Bad. "], [-2]), "Bad.")).deciding, "");
});

test("a whole row gives its text back, sentence by sentence", () => {
  const rows = {
    name: () => "r1", review: () => REVIEW, outcome: () => judged, label: () => null, date: () => null, group: () => null,
  };
  const { between, sentences, aspects, hidden } = wholeRow(rows, 0);
  assert.equal(between.map((text, place) => text + (sentences[place]?.text ?? "")).join(""), REVIEW);
  assert.deepEqual(sentences.map(({ decides }) => decides), [false, true, false]);
  assert.deepEqual([sentences[0].without, sentences[1].without, sentences[1].alone], [null, 0.7, 0.2]);
  assert.deepEqual(aspects, [{ name: "plot", sentiment: null }, { name: "end", sentiment: "negative" }]);
  assert.equal(hidden, 0);
});

test("rows whose words are measured are sent first, equal reviews once", () => {
  const sheet = { rows: [["a"], ["b"], ["a"], ["c"]], unread: -1 };
  const work = { sheet, choice: { review: 0, once: true }, outcomes: [null, null, null, { error: "empty" }] };
  assert.deepEqual(jobsOf(work, new Set([1])), [
    { review: "b", rows: [1], words: true }, { review: "a", rows: [0, 2], words: false },
  ]);
});
