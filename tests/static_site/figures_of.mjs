// Prints what the page of two models makes of a labelled file: rows, labels, counts and figures.
// Takes {"name", "text", "probabilities"} as JSON; probabilities holds both models' for each row of the file.

import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

import { judge, readByBoth, rowsOf } from "../../static_site/compare/rows.js";
import { guessColumns } from "../../static_site/rows/columns.js";
import { guessScaleOf } from "../../static_site/rows/labels.js";
import { readText } from "../../static_site/rows/reading.js";

const Papa = createRequire(import.meta.url)("../../static_site/vendor/papaparse/papaparse.min.js");
const { name, text, probabilities } = JSON.parse(readFileSync(0, "utf-8"));

const sheet = readText(name, text, {}, Papa);
const { review, label } = guessColumns(sheet);
const scale = guessScaleOf(sheet, { review, label });
const { rows, counts } = rowsOf(sheet, { review, label, scale });
const pairs = rows.map(({ number }) => probabilities[number - 1].map((probability) => ({ probability })));
const { accuracies, ...rest } = judge(readByBoth(rows, pairs));
console.log(
  JSON.stringify({
    scale,
    rows: rows.map((row) => row.number - 1),
    labels: rows.map((row) => (row.label === "positive" ? 1 : 0)),
    counts,
    accuracies: accuracies.map(({ right }) => right),
    ...rest,
  }),
);
