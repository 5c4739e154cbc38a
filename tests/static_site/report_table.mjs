// Makes the page's table of a golden case of the report.

import { NO_DATE, dayOf } from "../../static_site/rows/report/days.js";
import { Table } from "../../static_site/rows/report/table.js";

/** Returns a case's table, with an answer or an error for each row. */
export function tableOf({ options, rows }) {
  const { name, model, columns, aspects, aspects_from } = options;
  const table = new Table({
    rows: rows.length,
    file: { name, columns },
    aspects: { from: aspects_from, names: aspects },
  });
  table.addRows({
    texts: rows.map(() => ""),
    dates: Int32Array.from(rows, ({ date }) => (date === null ? NO_DATE : dayOf(date))),
    groups: rows.map(({ group }) => group),
  });
  rows.forEach(({ answer, error }, row) => {
    table.take(row, error === undefined ? { ...answer, model: { id: model } } : { error });
    if (answer?.words) table.takeWords(row, answer);
  });
  return table;
}

/** Returns a case's sides to compare, as the page chooses them. */
export function optionsOf({ options: { since, between } }) {
  return { ...(since ? { since } : {}), ...(between ? { between } : {}) };
}
