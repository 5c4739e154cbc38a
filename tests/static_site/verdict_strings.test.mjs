// Uncertain verdicts say why, in the words of shared/verdict_strings.js.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { REASONS, WARNINGS, headlineOf, isCalibrated, isUnderstood, sureness } from "../../static_site/shared/verdict_strings.js";

const uncertain = (reason) => ({ sentiment: "uncertain", reason, probability: 0.5 });
const api = readFileSync(new URL("../../static_site/api.js", import.meta.url), "utf-8");

for (const [reason, words] of Object.entries({
  mixed: "It praises and complains about equally.",
  no_opinion: "It gives no opinion of the film.",
  no_known_words: "The model knows none of these words.",
  not_english: "It does not look like English.",
  unclear: "It could go either way.",
})) {
  test(`an uncertain verdict says why: ${reason}`, () => assert.equal(sureness(uncertain(reason)), words));
}

test("a reason that is not known yet is no error", () => {
  assert.equal(sureness(uncertain("another")), "Not sure enough to say.");
});

test("another verdict says how sure it is", () => {
  assert.equal(sureness({ sentiment: "positive", reason: null, probability: 0.9 }), "90.0\u00a0% sure.");
  assert.equal(sureness({ sentiment: "negative", reason: null, probability: 0.1 }), "90.0\u00a0% sure.");
});

test("the table holds the reasons that api.js names, and no others", () => {
  const [, names] = api.match(/@typedef \{(.*)\} Reason/);
  assert.deepEqual(names.split(" | ").map((name) => JSON.parse(name)).sort(), Object.keys(REASONS).sort());
});

test("only unknown words and another language are not understood", () => {
  const not = Object.keys(REASONS).filter((reason) => !isUnderstood(uncertain(reason)));
  assert.deepEqual(not.sort(), ["no_known_words", "not_english"]);
  assert.ok(isUnderstood({ reason: null }));
});

test("a mixed review with a verdict has a note of its own", () => assert.ok(WARNINGS.mixed));

test("a number holds only for texts that were understood and are long enough", () => {
  const judged = (sentiment, reason, ...codes) => ({
    sentiment,
    reason,
    probability: 0.9,
    warnings: codes.map((code) => ({ code })),
  });
  assert.ok(isCalibrated(judged("positive", null, "mixed", "truncated")));
  assert.equal(headlineOf(judged("positive", null, "mixed")), "Positive");
  assert.ok(!isCalibrated(judged("positive", null, "too_short")));
  assert.equal(headlineOf(judged("positive", null, "too_short")), "Leans positive");
  assert.equal(headlineOf(judged("negative", null, "not_english")), "Leans negative");
  assert.equal(headlineOf(judged("uncertain", "no_known_words", "no_known_words")), "Can\u2019t tell");
});
