// Times the report's figures as the file page computes them, on made-up rows: 1,000 to 100,000.
//
//     node tools/time_report.mjs
//
// Prints milliseconds of processor time: to take all answers, for the first report, and for one after 100 more
// rows. The last column is the longest wait of a filter that is asked meanwhile.

import { Reporter } from "../static_site/rows/report/report.js";
import { Table } from "../static_site/rows/report/table.js";

const SIZES = [1_000, 10_000, 100_000];
const LATE_ROWS = 100;
const ASPECTS = ["music", "plot", "acting", "ending", "price", "look", "script"];
const FILMS = 300;
const DAYS = 700;
const WORDS = Array.from({ length: 3_000 }, (_, place) => `word${place.toString(36)}`);
const SENTIMENTS = ["positive", "negative", "positive", "uncertain"];

let state = 1;

/** Returns a number from 0 to 1, the same ones in each run. */
function random() {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return state / 2 ** 32;
}

const chosen = (list) => list[Math.floor(random() * list.length)];
const pull = (spread) => Math.round((random() - 0.5) * spread * 1e6) / 1e6;

function answer() {
  const pieces = Array.from({ length: 6 + Math.floor(random() * 8) }, () =>
    Array.from({ length: 5 + Math.floor(random() * 15) }, () => chosen(WORDS)).join(" "),
  );
  let at = 0;
  const sentences = pieces.map((piece) => {
    const start = at;
    at += piece.length + 1;
    return { start, end: at - 1, contribution: pull(2), alone: Math.round(random() * 1e6) / 1e6, without: 0.5 };
  });
  const mentions = [{ start: sentences[0].start, end: sentences[0].end }];
  const aspects = ASPECTS.map((name) => [
    name,
    random() < 0.6
      ? { sentiment: "not_mentioned" }
      : { sentiment: chosen(SENTIMENTS), reason: null, contribution: pull(1), mentions },
  ]);
  return {
    sentiment: chosen(SENTIMENTS),
    reason: null,
    probability: random(),
    warnings: [],
    bias: 0.1,
    text: pieces.join(" "),
    sentences,
    aspects: Object.fromEntries(aspects),
    model: { id: "made-up" },
  };
}

function tableOf(rows) {
  const columns = { review: "review", date: "date", group: "film" };
  const table = new Table({ rows, file: { name: "rows.csv", columns }, aspects: { from: "film", names: ASPECTS } });
  table.addRows({
    texts: Array(rows).fill(""),
    dates: Int32Array.from({ length: rows }, () => 20_000 + Math.floor(random() * DAYS)),
    groups: Array.from({ length: rows }, () => `Film ${Math.floor(random() ** 2 * FILMS)}`),
  });
  return table;
}

/** Returns the milliseconds of processor time so far. */
function spent() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Runs a report to its end; returns its milliseconds, and those of its longest slice. */
function timed(steps) {
  const start = spent();
  let [last, longest] = [start, 0];
  for (let done = false; !done; ) {
    ({ done } = steps.next());
    longest = Math.max(longest, spent() - last);
    last = spent();
  }
  return [last - start, longest];
}

console.log(["rows", "take", "first", "again", "slice"].map((name) => name.padStart(9)).join(""));
for (const rows of SIZES) {
  const table = tableOf(rows);
  let taken = 0;
  const take = (from, to) => {
    for (let row = from; row < to; row += 1) {
      const made = answer();
      const start = spent();
      table.take(row, made);
      taken += spent() - start;
    }
  };
  const reporter = new Reporter(table);
  take(0, rows - LATE_ROWS);
  const [first] = timed(reporter.report());
  take(rows - LATE_ROWS, rows);
  const [again, longest] = timed(reporter.report());
  console.log([rows, taken, first, again, longest].map((value) => String(Math.round(value)).padStart(9)).join(""));
}
