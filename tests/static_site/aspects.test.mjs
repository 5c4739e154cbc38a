// file/aspects.js reads a reader's own aspects, within the API's limits.

import assert from "node:assert/strict";
import { test } from "node:test";

import { readAspects } from "../../static_site/file/aspects.js";

test("a line is a name and its terms; a name alone is its own term", () => {
  const { own, fault } = readAspects("music: music, score , sound track\n\n  plot \ncost:price,\n");
  assert.deepEqual(own, { music: ["music", "score", "sound track"], plot: ["plot"], cost: ["price"] });
  assert.equal(fault, null);
});

for (const [text, fault] of [
  ["  \n", { code: "none", line: 1 }],
  ["music: a\n: b", { code: "name", line: 2 }],
  [`${"n".repeat(41)}: a`, { code: "name", line: 1 }],
  ["music: a\nMUSIC: b", { code: "twice", line: 2 }],
  ["music: ,", { code: "terms", line: 1 }],
  [`music: ${Array.from({ length: 51 }, (_, place) => `t${place}`).join(",")}`, { code: "terms", line: 1 }],
  ["music: one two three four five six", { code: "long", line: 1 }],
  ["music: !!!", { code: "long", line: 1 }],
  [Array.from({ length: 21 }, (_, place) => `name${place}`).join("\n"), { code: "many", line: 21 }],
]) {
  test(`wrong: ${JSON.stringify(text.slice(0, 40))}`, () => assert.deepEqual(readAspects(text).fault, fault));
}
