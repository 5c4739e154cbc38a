// Play: the search for the smallest change that turns a verdict, on a model whose words simply add up.

import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { test } from "node:test";

import { ApiError, sigmoid } from "../../static_site/api.js";
import { changedBy, dropOf, sentenceDropOf, swapsOf, unitsOf } from "../../static_site/play/edits.js";
import { articleFor, opposites, withNot, withoutNot } from "../../static_site/play/opposites.js";
import { MAX_TEXTS, Search } from "../../static_site/play/search.js";

const TOKEN = /[a-z]+(?=n['\u2019]t)|n['\u2019]t|[\p{L}]+|[^\s\p{L}]/giu;
const OPPOSITES = new URL("../../static_site/play/opposites.js", import.meta.url);
const LESSONS = new URL("../../training/recipe/lessons/antonyms.jsonl", import.meta.url);

const logitOf = (text, weights) =>
  [...text.matchAll(TOKEN)].reduce((sum, [word]) => sum + (weights[word.toLowerCase()] ?? 0), 0);

/** Answers as the API does, by a model that adds the words' weights up. */
function answerTo(text, weights, { band = [0.4, 0.6], id = "m", measured = 32 } = {}) {
  const probability = sigmoid(logitOf(text, weights));
  const sentiment = probability >= band[1] ? "positive" : probability <= band[0] ? "negative" : "uncertain";
  let [at, pairs] = [0, 0];
  const words = [...text.matchAll(TOKEN)].map((match) => {
    // Offsets count code points, and those of two units lie between the words or in them.
    pairs += text.slice(at, match.index).match(/[\ud800-\udbff]/g)?.length ?? 0;
    const start = match.index - pairs;
    at = match.index;
    return { start, end: start + Array.from(match[0]).length, contribution: weights[match[0].toLowerCase()] ?? 0 };
  });
  const strongest = words.toSorted((one, other) => Math.abs(other.contribution) - Math.abs(one.contribution));
  for (const word of strongest.slice(0, measured)) word.effect = word.contribution;
  const sentences = [...text.matchAll(/[^.!?]+[.!?]*\s*/g)].map(({ 0: part, index }) => ({
    start: index,
    end: index + part.length,
    contribution: logitOf(part, weights),
    without: sigmoid(logitOf(text, weights) - logitOf(part, weights)),
  }));
  const reason = sentiment === "uncertain" ? "unclear" : null;
  return { text, probability, sentiment, reason, words, sentences, bias: 0, warnings: [], model: { id, uncertain: band } };
}

/** A search in a text, and the batches that it has asked. */
function searchOf(text, weights, goal, options = {}) {
  const batches = [];
  const ask = async (texts) => {
    batches.push(texts);
    return texts.map((one) => answerTo(one, weights, options));
  };
  return { search: new Search(answerTo(text, weights, options), goal, ask), batches };
}

const edited = (text, from, make) => {
  const answer = answerTo(text, {});
  const units = unitsOf(answer);
  const index = units.findIndex((unit) => unit.text === from);
  return changedBy(Array.from(text), [make(Array.from(text), units[index], index)]).text;
};

test("one swap is found where one is enough, and its text reads well", async () => {
  const weights = { painful: -2, witty: 2, lovely: 1 };
  const { search } = searchOf("The music is lovely but this is a painful film.", weights, "positive");
  const way = await search.next();
  assert.equal(way.change.text, "The music is lovely but this is a witty film.");
  assert.deepEqual(way.edits.map(({ from, to }) => [from, to]), [["painful", "witty"]]);
  assert.equal(way.change.answer.sentiment, "positive");
});

test("one word comes before two, and a swap before a word left out", async () => {
  const weights = { boring: -1.2, interesting: 1.2, bad: -0.5, good: 0.5 };
  const first = await searchOf("A boring film. It is bad.", weights, "positive").search.next();
  assert.deepEqual(first.edits.map(({ kind, to }) => [kind, to]), [["swap", "interesting"]]);
  assert.equal(first.change.text, "An interesting film. It is bad.");
});

test("of equal ways, those that read well come first, and then the surest", async () => {
  const { search } = searchOf("A film, not a good one.", { not: -2, film: -2.5, good: 3.5 }, "positive");
  const words = [await search.next(), await search.next()].map(({ edits }) => edits.map(({ from }) => from));
  assert.deepEqual(words, [["not"], ["film"]]);
});

test("a pair is found where no single word is enough", async () => {
  const weights = { grim: -2.5, bleak: -2.5, fine: 1.5, sound: 1.2 };
  const { search } = searchOf("A grim tale and a bleak end, but fine sound.", weights, "positive");
  const way = await search.next();
  assert.deepEqual(way.edits.map(({ from }) => from).sort(), ["bleak", "grim"]);
});

test("what is found is never larger than leaving out by the ranking", async () => {
  let seed = 7;
  const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
  for (let round = 0; round < 60; round += 1) {
    const words = Array.from({ length: 4 + Math.floor(random() * 60) }, (_, at) => `w${"abcdefghij"[at % 10]}${"klmnopqrst"[Math.floor(at / 10)]}`);
    const weights = Object.fromEntries(words.map((word) => [word, (random() - 0.55) * 2]));
    const text = `${words.join(" ")}.`;
    const answer = answerTo(text, weights);
    if (answer.sentiment !== "negative") continue;
    const ranked = answer.words.filter(({ contribution }) => contribution < 0).sort((one, other) => one.contribution - other.contribution);
    let [left, size] = [logitOf(text, weights), 0];
    while (size < ranked.length && sigmoid(left) < 0.6) left -= ranked[size++].contribution;
    const { search } = searchOf(text, weights, "positive");
    const way = await search.next();
    if (sigmoid(left) >= 0.6) assert.ok(way && way.edits.length <= size, `round ${round}: ${way?.edits.length} against ${size}`);
  }
});

test("few texts are asked in few batches, whatever the review", async () => {
  const weights = Object.fromEntries(Array.from({ length: 26 * 10 }, (_, at) => [`w${String.fromCharCode(97 + (at % 26), 97 + Math.floor(at / 26))}`, -0.4]));
  const text = `${Object.keys(weights).join(" ")} dull bad awful boring.`;
  const { search, batches } = searchOf(text, { ...weights, dull: -1, bad: -1 }, "positive");
  assert.equal(await search.next(), null);
  assert.ok(search.asked > 20 && search.asked <= MAX_TEXTS, String(search.asked));
  assert.equal(search.asked, batches.flat().length);
  assert.ok(batches.length <= 5 && batches.every((batch) => batch.length <= 100));
  assert.equal(new Set(batches.flat()).size, batches.flat().length);
});

test("of a review of 50,000 characters fewer texts are asked, in batches that the API takes", async () => {
  const text = `${"dull and bad ".repeat(3_845)}end.`.slice(0, 50_000);
  const answer = answerTo(text, { dull: -0.01, bad: -0.01 });
  const read = { ...answer, words: [...answer.words.slice(0, 128), ...answer.words.slice(-272)] };
  const batches = [];
  const search = new Search(read, "positive", async (texts) => {
    batches.push(texts);
    return texts.map(() => ({ ...read, probability: 0.1, sentiment: "negative" }));
  });
  assert.equal(await search.next(), null);
  assert.ok(search.asked > 0 && search.asked <= 30, String(search.asked));
  assert.ok(batches.every((batch) => JSON.stringify(batch).length < 1_000_000));
});

test("words that were not read are left alone", async () => {
  const text = "An awful start. Terrible dreadful horrible middle. A dull end.";
  const answer = answerTo(text, { awful: -1, dull: -1, terrible: -9, dreadful: -9, horrible: -9 });
  const read = { ...answer, words: answer.words.filter(({ start }) => start < 16 || start > 50) };
  const touched = new Set();
  const search = new Search(read, "positive", async (texts) => texts.map((one) => {
    if (!one.includes("Terrible dreadful horrible middle.") && text.length - one.length < 20) touched.add(one);
    return { ...answer, probability: 0.1, sentiment: "negative" };
  }));
  await search.next();
  assert.deepEqual([...touched], []);
});

test("words that count together alone are found one by one", async () => {
  // "of" speaks for the goal beside "best", and against it without.
  const text = "The best of films, of all.";
  const logit = (one) => {
    const count = one.match(/of/g)?.length ?? 0;
    return one.includes("best") ? 3 - 0.1 * count : count - 0.5;
  };
  const judge = (one) => {
    const probability = sigmoid(logit(one));
    return { ...answerTo(one, {}), probability, sentiment: probability < 0.4 ? "negative" : "positive" };
  };
  const answer = judge(text);
  for (const word of answer.words) {
    const isBest = text.slice(word.start, word.end) === "best";
    Object.assign(word, { contribution: isBest ? 2 : -0.1, effect: isBest ? 2 : -0.1 });
  }
  const search = new Search(answer, "negative", async (texts) => texts.map(judge));
  const way = await search.next();
  assert.deepEqual(way.edits.map(({ from }) => from).sort(), ["best", "of", "of"]);
});

test("another way changes other words, and none comes twice", async () => {
  const weights = { painful: -1.5, dull: -1.5, awful: -1.5, witty: 1.4, moving: 1.4, wonderful: 1.4, lovely: 3.5 };
  const { search } = searchOf("A painful, dull, awful and lovely film.", weights, "positive");
  const ways = [];
  for (let way = await search.next(); way; way = await search.next()) ways.push(way);
  assert.ok(ways.length >= 3, String(ways.length));
  const words = ways.map(({ edits }) => edits.map(({ from }) => from).sort().join());
  assert.equal(new Set(words).size, words.length);
  for (const [place, { edits }] of ways.entries()) {
    for (const before of ways.slice(0, place)) {
      assert.ok(!before.edits.every(({ from }) => edits.some((edit) => edit.from === from)));
    }
  }
});

test("a sentence is offered apart, as one that is short and enough", async () => {
  const weights = { fine: 2, grim: -1.5, bleak: -1.5, cold: -1.5 };
  const { search } = searchOf("The cast is fine. It is grim and bleak and cold.", weights, "positive");
  const way = await search.next();
  assert.ok(way.edits.every(({ kind }) => kind !== "sentence"));
  assert.equal(search.sentence.change.text, "The cast is fine.");
  assert.equal(search.sentence.edits[0].from, "It is grim and bleak and cold.");
});

test("from can't tell, both sides can be reached", async () => {
  const weights = { good: 1, bad: -1 };
  const text = "A good start and a bad end.";
  const up = await searchOf(text, weights, "positive").search.next();
  const down = await searchOf(text, weights, "negative").search.next();
  assert.equal(up.change.answer.sentiment, "positive");
  assert.equal(down.change.answer.sentiment, "negative");
});

test("a failed batch is asked again, and nothing of it is lost", async () => {
  const weights = { painful: -2, witty: 2 };
  let broken = true;
  const search = new Search(answerTo("A painful film.", weights), "positive", async (texts) => {
    if (broken) throw new ApiError({ code: "too_many_requests", status: 429 });
    return texts.map((one) => answerTo(one, weights));
  });
  await assert.rejects(search.next(), { code: "too_many_requests" });
  broken = false;
  assert.equal((await search.next()).change.text, "A witty film.");
});

test("another model's answer ends the search", async () => {
  const weights = { painful: -2, witty: 2 };
  const search = new Search(answerTo("A painful film.", weights), "positive", async (texts) =>
    texts.map((one) => answerTo(one, weights, { id: "other" })));
  await assert.rejects(search.next(), { code: "other_model" });
});

test("a review of one word is never emptied", async () => {
  const { search, batches } = searchOf("Dreadful", { dreadful: -2, excellent: 2 }, "positive");
  assert.equal((await search.next()).change.text, "Excellent");
  assert.ok(batches.flat().every((text) => /\p{L}/u.test(text)));
});

for (const [text, from, result] of [
  ["This is a dull film.", "dull", "This is a film."],
  ["This is an awful film.", "awful", "This is a film."],
  ["It was dull.", "dull", "It was."],
  ["Sadly, it drags.", "Sadly", "it drags."],
  ["It was bad. Dreadful. I left.", "Dreadful", "It was bad. I left."],
  ["(dull film)", "dull", "(film)"],
  ["It isn\u2019t funny.", "isn\u2019t", "It funny."],
]) {
  test(`leaving out ${from} of \u201c${text}\u201d`, () => assert.equal(edited(text, from, dropOf), result));
}

for (const [text, from, result] of [
  ["It is a witty film.", "witty", "It is a painful film."],
  ["It is a wonderful film.", "wonderful", "It is an awful film."],
  ["An awful film.", "awful", "A wonderful film."],
  ["AN AWFUL FILM", "AWFUL", "A WONDERFUL FILM"],
  ["Awful!", "Awful", "Wonderful!"],
  ["It isn\u2019t funny.", "isn\u2019t", "It is funny."],
  ["You can't miss it.", "can't", "You can miss it."],
  ["A well-made film.", "well-made", "An ill-made film."],
]) {
  test(`swapping ${from} of \u201c${text}\u201d`, () => {
    const made = (...details) => {
      const swaps = swapsOf(...details);
      return swaps.find(({ to }) => result.includes(to)) ?? swaps[0];
    };
    assert.equal(edited(text, from, made), result);
  });
}

test("what is removed and what is put in are told apart, by code points", () => {
  const text = "\u{1f600} A dull film.";
  const points = Array.from(text);
  const units = unitsOf(answerTo(text, {}));
  const index = units.findIndex((unit) => unit.text === "dull");
  const edit = swapsOf(points, units[index], index)[0];
  const { removed, inserted } = changedBy(points, [edit]);
  assert.deepEqual(removed.map(({ start, end }) => points.slice(start, end).join("")), ["dull"]);
  assert.deepEqual(inserted, [{ at: 8, text: edit.to }]);
});

test("a sentence goes with the space beside it", () => {
  const text = "One is here. Two is here. Three.";
  const drop = (start, end) => changedBy(Array.from(text), [sentenceDropOf(Array.from(text), { start, end })]).text;
  assert.equal(drop(0, 12), "Two is here. Three.");
  assert.equal(drop(13, 25), "One is here. Three.");
  assert.equal(drop(26, 32), "One is here. Two is here.");
});

test("n't and articles follow English", () => {
  assert.deepEqual(["isn't", "Won\u2019t", "can't", "cannot", "ain't", "ant"].map(withoutNot), ["is", "Will", "can", "can", null, null]);
  assert.equal(withNot("Is", true), "Isn\u2019t");
  assert.equal(withNot("can", false), "can't");
  assert.equal(withNot("has", false), null);
  const articles = ["awful", "witty", "honest", "unique", "unimaginative", "one-note", "European"];
  assert.deepEqual(articles.map((word) => articleFor("a", word)), ["an", "a", "an", "a", "an", "a", "a"]);
});

test("opposites work both ways, and all but our own few come from the lessons", () => {
  const source = readFileSync(OPPOSITES, "utf-8");
  const lessons = readFileSync(LESSONS, "utf-8").trim().split("\n").map((line) => JSON.parse(line));
  const known = new Set(lessons.map(({ positive, negative }) => `${positive}/${negative}`));
  const listed = source.match(/const LESSONS = `([^`]*)`/)[1].trim().split(/\s+/);
  assert.ok(listed.length > 400);
  for (const pair of listed) {
    const [praise, complaint] = pair.split("/");
    assert.ok(known.has(pair), pair);
    assert.ok(opposites(praise).includes(complaint) && opposites(complaint).includes(praise), pair);
  }
  assert.ok(statSync(OPPOSITES).size <= 12_000);
});
