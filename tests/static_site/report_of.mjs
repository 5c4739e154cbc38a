// Prints the report that the page computes of rows with their answers.
// Takes {"options", "rows"} as JSON, as in tests/golden/report.

import { readFileSync } from "node:fs";

import { reportOf } from "../../static_site/rows/report/report.js";
import { optionsOf, tableOf } from "./report_table.mjs";

const given = JSON.parse(readFileSync(0, "utf-8"));
console.log(JSON.stringify(reportOf(tableOf(given), optionsOf(given))));
