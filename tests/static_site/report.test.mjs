// rows/report computes the golden reports, which hold training/report too, and its figures add up.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";

import { REPORT } from "../../static_site/report/strings.js";
import { isoOf, periodsOf } from "../../static_site/rows/report/days.js";
import { sharesOf } from "../../static_site/rows/report/draws.js";
import { DRAWS, REPLICATES, drawWeights, keyOfGroup, keyOfRow } from "../../static_site/rows/report/hashing.js";
import { middleOf, oneSided, rounded } from "../../static_site/rows/report/intervals.js";
import { Reporter, reportOf } from "../../static_site/rows/report/report.js";
import { Samples, byCodePoints } from "../../static_site/rows/report/samples.js";
import { STOP_WORDS } from "../../static_site/rows/report/stop_words.js";
import { optionsOf, tableOf } from "./report_table.mjs";

const GOLDEN = new URL("../golden/report/", import.meta.url);
const read = (name) => JSON.parse(readFileSync(new URL(name, GOLDEN), "utf-8"));
const CASES = readdirSync(GOLDEN)
  .map((name) => [name, read(name)])
  .filter(([, golden]) => golden.report);
const close = (one, other, within) => assert.ok(Math.abs(one - other) <= within, `${one} is not ${other}`);
const plain = (report) => JSON.parse(JSON.stringify(report));
const sum = (values) => values.reduce((total, value) => total + value, 0);

test("there are golden cases", () => assert.ok(CASES.length >= 5));

for (const [name, golden] of CASES) {
  test(`a golden case: ${name}`, () => {
    const report = reportOf(tableOf(golden), optionsOf(golden));
    assert.deepEqual(plain(report), golden.report);
  });

  test(`causes add up to the difference: ${name}`, () => {
    const { comparison, moved } = reportOf(tableOf(golden), optionsOf(golden));
    if (comparison === null) return assert.deepEqual(moved, []);
    close(sum(moved.map(({ effect }) => effect)), comparison.logit.difference, 1e-4 * moved.length);
    close(sum(moved.map((cause) => cause.net_effect)), comparison.net.difference, 1e-4 * moved.length);
    for (const { kind, effect, often, tone } of moved) if (kind === "aspect") close(often + tone, effect, 2e-4);
  });

  test(`a report of half the rows, then of all, is the report of all: ${name}`, () => {
    const whole = tableOf(golden);
    const states = whole.states.slice();
    const reporter = new Reporter(whole);
    whole.states.fill(0, 0, states.length / 2);
    drained(reporter.report(optionsOf(golden)));
    whole.states.set(states);
    assert.deepEqual(plain(drained(reporter.report(optionsOf(golden)))), golden.report);
  });
}

function drained(steps) {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

test("shares of either side are those of its rows", () => {
  const golden = read("music_falls.json");
  const { comparison, moved } = reportOf(tableOf(golden), optionsOf(golden));
  const cut = comparison.after.label.match(/\d{4}-\d{2}-\d{2}/)[0];
  const judged = golden.rows.filter(({ answer, date }) => answer && date);
  const sides = [judged.filter(({ date }) => date < cut), judged.filter(({ date }) => date >= cut)];
  const isApart = (group) => golden.rows.filter((row) => row.answer && row.group === group).length >= 20;
  const shares = (test) => sides.map((rows) => rounded(rows.filter(test).length / rows.length));
  for (const { kind, name, mentioned, groups } of moved) {
    if (kind === "aspect") {
      assert.deepEqual(mentioned, shares(({ answer }) => answer.aspects[name].sentiment !== "not_mentioned"));
    }
    if (kind !== "mix") continue;
    const nameOf = ({ group }) => (isApart(group) ? group : "other groups");
    for (const one of groups) assert.deepEqual(one.share, shares((row) => nameOf(row) === one.name));
  }
});

test("a word's rows stand by their strongest effect in its direction", () => {
  const samples = new Samples(4);
  const effects = [[-0.5], [0.9, -0.2], [0.9], [0.1, 1.1]];
  for (const [row, ofRow] of effects.entries()) {
    const words = ofRow.map((effect, place) => ({ start: 6 * place, end: 6 * place + 5, contribution: 0, effect }));
    samples.takeWords(row, "great great", words);
  }
  const { rows, up, down } = samples.strongestWords(4);
  const great = { word: "great", effect: rounded(2.3 / 6), rows: 4, examples: [4, 2, 3, 1] };
  assert.deepEqual({ rows, up, down }, { rows: 4, up: [great], down: [] });
});

test("the stop words are the golden ones", () => {
  assert.deepEqual([...STOP_WORDS].sort(byCodePoints), read("stop_words.json").toSorted(byCodePoints));
});

test("a verdict's shares add up to it", () => {
  const cases = [
    [1, [700_000, -200_000, 1]],
    [-1, [-1, -1, -1]],
    [1, [-5, 0, -3]],
    [-1, [0, 0, 0]],
    [0, [4, 5, 6]],
  ];
  for (const [sign, parts] of cases) {
    const shares = new Float64Array(parts.length);
    sharesOf(sign, parts, shares);
    assert.equal(sum(shares), sign * 1e6);
    assert.ok(shares.every((share) => share * sign >= 0));
  }
});

test("weights have a mean and a variance of about 1, and the file itself has weight 1", () => {
  const weights = new Uint8Array(DRAWS);
  const keys = [...Array(500).keys()].map((row) => (row % 2 ? keyOfRow(row) : keyOfGroup(`film ${row}`)));
  const drawn = keys.flatMap((key) => {
    drawWeights(key, weights);
    assert.equal(weights[0], 1);
    return [...weights.slice(1)];
  });
  const mean = sum(drawn) / drawn.length;
  assert.equal(drawn.length, 500 * REPLICATES);
  close(mean, 1, 0.01);
  close(sum(drawn.map((weight) => (weight - mean) ** 2)) / drawn.length, 1, 0.02);
});

test("a group's key is FNV-1a of its UTF-8 bytes, mixed", () => {
  assert.equal(keyOfGroup("Solaris"), 1812255300);
});

test("intervals hold the middle 95 %, and one verdict alone leaves room for the others", () => {
  assert.deepEqual(middleOf(Float64Array.from({ length: 41 }, (_, place) => place)), [1, 39]);
  assert.equal(middleOf(new Float64Array(0)), null);
  const [low, high] = oneSided(59, 1);
  assert.equal(high, 100);
  close(low, 90.1, 0.1);
  assert.deepEqual(oneSided(59, -1), [-100, -low]);
  assert.deepEqual(oneSided(1, 0), [-95, 95]);
});

test("numbers are rounded half up, and never to -0", () => {
  assert.ok(Object.is(rounded(-0.00001), 0));
  assert.equal(rounded(0.03125), 0.0313);
});

test("a span is parted into days, weeks from Monday, or months, without a gap", () => {
  const units = [45, 46, 400, 401].map((days) => periodsOf(0, days - 1).unit);
  assert.deepEqual(units, ["day", "week", "week", "month"]);
  const weeks = periodsOf(0, 60);
  assert.equal(isoOf(weeks.starts[0]), "1969-12-29");
  assert.deepEqual([0, 3, 4, 10, 11].map(weeks.placeOf), [0, 0, 1, 1, 2]);
  const months = periodsOf(-400, 400);
  assert.deepEqual(months.starts.map(months.placeOf), [...months.starts.keys()]);
  assert.ok(months.starts.every((start) => isoOf(start).endsWith("-01")));
});

test("texts are ordered by code points", () => {
  const ordered = ["", "a", "ab", "\uFF21", "\u{1F600}"];
  assert.deepEqual(ordered.toReversed().sort(byCodePoints), ordered);
});

test("a net score that rounds to the same number stayed", () => {
  assert.equal(REPORT.unclear("+2", "+2"), "The net score stayed at +2.");
  assert.match(REPORT.unclear("+2", "+3"), /went from \+2 to \+3/);
});
