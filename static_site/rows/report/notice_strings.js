// Holds the sentences that a report opens with: what its reader should know before the figures.

/**
 * @typedef {{code: string, detail: string}} Notice
 * @typedef {object} Facts
 * @property {number} judged rows
 * @property {number} failed rows
 * @property {number} notUnderstood rows
 * @property {number} undated judged rows
 * @property {string | null} date the column of dates
 * @property {string | null} group the column of groups
 * @property {number} allGroups
 * @property {number} mostGroups how many are listed at most
 * @property {boolean} isGrouped
 * @property {number} small groups with few rows
 * @property {number} fewRows what is few
 * @property {string | null} only the one verdict of all rows
 * @property {string[]} unmentioned aspects
 * @property {[string, string, number][]} overlaps two aspects, and the clauses that they share
 * @property {boolean} isTooFew a comparison is wanted, and a side has few rows
 */

const number = new Intl.NumberFormat("en-US");

/** @param {Facts} facts @returns {Notice[]} */
export function noticesOf(facts) {
  /** @type {[string, string | false][]} */
  const found = [
    ["failed", facts.failed > 0 && `${rows(facts.failed)} could not be judged and ${are(facts.failed)} left out.`],
    ["not_english", facts.notUnderstood > 0 && notUnderstood(facts)],
    [
      "no_date_column",
      facts.date === null && "No column of dates was found, so nothing is shown over time.",
    ],
    ["odd_dates", facts.date !== null && facts.undated > 0 && undated(facts.undated)],
    [
      "one_group",
      facts.group !== null &&
        !facts.isGrouped &&
        `The column ${quoted(facts.group)} holds fewer than two groups.`,
    ],
    [
      "many_groups",
      facts.allGroups > facts.mostGroups &&
        `The ${facts.mostGroups} groups with most rows are listed, of ${number.format(facts.allGroups)} groups.`,
    ],
    ["small", facts.small > 0 && small(facts)],
    ["one_verdict", facts.only !== null && `All rows are ${facts.only}, so nothing can be compared.`],
    ["not_mentioned", facts.unmentioned.length > 0 && `Nobody mentions ${listed(facts.unmentioned)}.`],
    ...facts.overlaps.map(overlap),
    [
      "too_few",
      facts.isTooFew && `Each side of a comparison needs ${facts.fewRows} rows, so nothing is compared.`,
    ],
  ];
  return found.flatMap(([code, detail]) => (detail === false ? [] : [{ code, detail }]));
}

/** @param {Facts} facts */
function notUnderstood({ notUnderstood: count, judged }) {
  const share = (Math.floor((1000 * count) / judged + 0.5) / 10).toFixed(1);
  return (
    `${rows(count)} (${share} %) ${are(count)} not English or without a known word, and counted as uncertain.`
  );
}

/** @param {number} count */
function undated(count) {
  const have = count === 1 ? "has" : "have";
  return `${rows(count)} ${have} no readable date, and ${are(count)} left out over time.`;
}

/** @param {Facts} facts */
function small({ small: count, fewRows }) {
  const one = count === 1;
  const groups = `${number.format(count)} ${one ? "group has" : "groups have"}`;
  return `${groups} under ${fewRows} rows; read ${one ? "it" : "them"} with care.`;
}

/** @param {[string, string, number]} pair @returns {[string, string]} */
function overlap([one, other, clauses]) {
  return [
    "overlap",
    `The aspects ${quoted(one)} and ${quoted(other)} share ${number.format(clauses)} clauses, over half of ` +
      "those of one; they divide what these say.",
  ];
}

/** @param {number} count */
function rows(count) {
  return `${number.format(count)} ${count === 1 ? "row" : "rows"}`;
}

/** @param {number} count */
function are(count) {
  return count === 1 ? "is" : "are";
}

/** @param {string[]} names */
function listed(names) {
  const shown = names.map(quoted);
  return [shown.slice(0, -1).join(", "), shown[shown.length - 1]].filter(Boolean).join(" and ");
}

/** @param {string} name */
function quoted(name) {
  return `\u201c${name}\u201d`;
}
