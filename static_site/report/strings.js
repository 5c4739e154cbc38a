// Holds the English words of a report. It stands alone, so that a report is one file without the rest of the site.

const REPORT_LANGUAGE = "en-GB";
const REPORT_MINUS = "\u2212";
const wholeNumber = new Intl.NumberFormat(REPORT_LANGUAGE);
const MOST_NAMES = 2;
// A longer name is cut within a sentence.
const NAME_LETTERS = 60;

/** @type {Record<string, Intl.DateTimeFormat>} */
const DATE_FORMS = {
  day: new Intl.DateTimeFormat(REPORT_LANGUAGE, { day: "numeric", month: "short", timeZone: "UTC" }),
  month: new Intl.DateTimeFormat(REPORT_LANGUAGE, { month: "short", year: "numeric", timeZone: "UTC" }),
  whole: new Intl.DateTimeFormat(REPORT_LANGUAGE, {
    day: "numeric",
    month: "short",
    year: "numeric",
    timeZone: "UTC",
  }),
};

/** Writes a whole number: 50,000. @param {number} number */
export const countOf = (number) => wholeNumber.format(number);

/** @param {number} number @param {string} one @param {string} many */
const severalOf = (number, one, many) => `${countOf(number)} ${number === 1 ? one : many}`;

/** @param {number} number */
const reviewsOf = (number) => severalOf(number, "review", "reviews");

/** @param {number} number @param {number} [places] */
function signedNumber(number, places = 0) {
  const size = Math.abs(number).toFixed(places);
  if (Number(size) === 0) return size;
  return (number > 0 ? "+" : REPORT_MINUS) + size;
}

/** Writes a net score in points: +23. @param {number | null} net */
export const netOf = (net) => (net === null ? "\u2013" : signedNumber(net));

/** Writes an effect on the net score: −6.2. @param {number} effect */
export const effectOf = (effect) => signedNumber(effect, 1);

/** Writes an exact effect on the log-odds. @param {number} effect */
export const exactOf = (effect) => signedNumber(effect, 3);

/** Writes a share: 62 %. @param {number} part @param {number} all */
export function portionOf(part, all) {
  if (all === 0) return "\u2013";
  const share = (100 * part) / all;
  if (share > 0 && share < 0.5) return "under 1\u00a0%";
  if (share < 100 && share >= 99.5) return "over 99\u00a0%";
  return `${Math.round(share)}\u00a0%`;
}

/** Writes a date by the unit of its axis. @param {string} date YYYY-MM-DD @param {string} unit day, week, month or whole */
export function dateWords(date, unit) {
  const time = Date.parse(date);
  if (Number.isNaN(time)) return date;
  return (DATE_FORMS[unit === "week" ? "day" : unit] ?? DATE_FORMS.whole).format(time);
}

/** Writes the dates within a text for a reader. @param {string} text */
export const withDates = (text) =>
  text.replace(/\d{4}-\d{2}-\d{2}/g, (/** @type {string} */ date) => dateWords(date, "whole"));

/** Quotes a name of the file. Its direction does not reach the words around it. @param {string} name */
function quotedName(name) {
  const letters = [...name];
  const shown = letters.length > NAME_LETTERS ? `${letters.slice(0, NAME_LETTERS).join("")}\u2026` : name;
  return `\u201c\u2068${shown}\u2069\u201d`;
}

/** @param {string[]} names */
const listedNames = (names) => names.slice(0, MOST_NAMES).map(quotedName).join(" and ");

/** @type {Record<string, string>} */
const UNITS = { day: "day", week: "week", month: "month" };

/** Says why nothing is said of a change, by a notice. The first that applies counts. @type {[string, string][]} */
const NO_CHANGE = [
  ["too_few", "There are too few reviews to say what changed."],
  ["no_date_column", "The file has no dates, so the report can\u2019t say what changed."],
  ["odd_dates", "The dates could not be read, so the report can\u2019t say what changed."],
];

/** @type {Record<string, string>} */
const NOTICE_WORDS = {
  no_date_column: "The file has no column of dates.",
  odd_dates: "Some rows have no readable date. They are left out of the view over time.",
  one_group: "All reviews belong to one group.",
  one_verdict: "All reviews have the same verdict.",
  not_mentioned: "Some aspects are never mentioned.",
  overlap: "Some aspects share most of their clauses.",
  small: "Some groups are small.",
  not_english: "Some reviews don\u2019t look like English, so the model did not understand them.",
  failed: "Some rows could not be judged.",
  too_few: "There are few reviews, so the intervals are wide.",
};

export const REPORT = {
  netScore: "Net score",
  noVerdicts: "No verdicts",
  /** @param {number} rows */
  noVerdictsDeck: (rows) =>
    rows === 0 ? "The file has no rows." : `None of the ${severalOf(rows, "row", "rows")} could be judged.`,
  /** @param {string} name @param {number} judged @param {string} span */
  kicker: (name, judged, span) => [name, reviewsOf(judged), span].filter(Boolean).join(" \u00b7 "),
  /** @param {string} first @param {string} last */
  span: (first, last) => (first === last ? first : `${first} to ${last}`),
  /** @param {{positive: number, negative: number, rows: number}} cell @param {string} net */
  shares: ({ positive, negative, rows }, net) =>
    (positive ? `${portionOf(positive, rows)} of the reviews are positive` : "No review is positive") +
    ` and ${negative ? portionOf(negative, rows) : "none"} negative, which makes a net score of ${net}.`,
  /** @param {string} low @param {string} high @param {string} kind what was drawn anew */
  interval: (low, high, kind) =>
    kind === "groups"
      ? `With other groups of the same kind, it would likely lie between ${low} and ${high}.`
      : `With other reviews of the same kind, it would likely lie between ${low} and ${high}.`,
  /** @type {Record<string, string>} */
  VERDICT: { positive: "Positive", uncertain: "Can\u2019t tell", negative: "Negative" },
  /** @param {number} mixed @param {number} none */
  unsure: (mixed, none) =>
    [
      mixed
        ? `${reviewsOf(mixed)} ${mixed === 1 ? "praises" : "praise"} and ${mixed === 1 ? "complains" : "complain"} alike.`
        : "",
      none ? `${reviewsOf(none)} ${none === 1 ? "gives" : "give"} no opinion.` : "",
    ]
      .filter(Boolean)
      .join(" "),
  sharesLabel: "Shares of the verdicts",

  changeTitle: "What changed",
  differTitle: "How they differ",
  /** @param {string[]} codes of the notices */
  noChange: (codes) =>
    NO_CHANGE.find(([code]) => codes.includes(code))?.[1] ??
    "There are too few reviews on one side to say what changed.",
  /** @param {number} difference @param {string} from @param {string} to */
  changed: (difference, from, to) =>
    Math.round(Math.abs(difference)) === 0
      ? `The net score did not change: it was ${from} and is ${to}.`
      : `The net score ${difference < 0 ? "fell" : "rose"} by ${pointWords(difference)}, from ${from} to ${to}.`,
  /** @param {string} before @param {string} after @param {number} difference @param {string} from @param {string} to */
  differs: (before, after, difference, from, to) =>
    `${quotedName(after)} scores ${pointWords(difference)} ${difference < 0 ? "lower" : "higher"} than ` +
    `${quotedName(before)}: ${to} against ${from}.`,
  /** @param {string} from @param {string} to */
  unclear: (from, to) =>
    from === to
      ? `The net score stayed at ${to}.`
      : `The net score went from ${from} to ${to}. Chance alone could explain that.`,
  /** @param {string} before @param {string} after @param {string} from @param {string} to */
  unclearBetween: (before, after, from, to) =>
    `${quotedName(before)} scores ${from} and ${quotedName(after)} ${to}. Chance alone could explain that.`,
  /** @param {string} name @param {number} effect */
  yetClear: (name, effect) =>
    `One part of it is more than chance: ${quotedName(name)}, with ${effectOf(effect)} points.`,
  /** @param {string} name @param {number} effect @param {string | null} group that most of it comes from */
  mostly: (name, effect, group) =>
    `The largest part is ${quotedName(name)}, with ${effectOf(effect)} points` +
    `${group === null ? "" : `, mostly in ${quotedName(group)}`}.`,
  noPart: "No aspect and no group explains it by itself.",
  /** @param {string} title of the part below */
  seeChange: (title) => `${title} \u2193`,

  timeTitle: "Over time",
  /** @param {string} unit */
  timeDeck: (unit) =>
    `The net score of each ${UNITS[unit] ?? unit}. The lines through the points show what chance could do.`,
  /** @param {string} unit */
  timeBandDeck: (unit) =>
    `The net score of each ${UNITS[unit] ?? unit}. The band shows what chance could do.`,
  /** @param {string} unit */
  timeHint: (unit) => `Choose a ${UNITS[unit] ?? unit} to read its reviews.`,
  /** @param {string} unit @param {number} periods */
  timeLabel: (unit, periods) =>
    `Net score by ${UNITS[unit] ?? unit}, ${severalOf(periods, "point", "points")}. The arrow keys move between them.`,
  timeKey: "The grey columns count the reviews. Hollow points have fewer than 20, and a gap has none.",
  weekOf: "week of",
  before: "before",
  after: "after",
  /** @type {Record<string, string>} */
  UNIT_HEAD: { day: "Day", week: "Week of", month: "Month" },

  movedTitle: "What moved",
  madeTitle: "What makes the difference",
  /** @param {string} difference */
  movedDeck: (difference) => `Each bar is a part of the difference. Together they make ${difference} points.`,
  /** @param {string} label @param {number} rows */
  side: (label, rows) => `${label}, ${reviewsOf(rows)}`,
  /** @type {Record<string, string>} */
  MOVED: { mix: "Mix of groups", rest: "Everything else" },
  moreOften: "mentioned more often",
  lessOften: "mentioned less often",
  harsher: "harsher tone",
  kinder: "kinder tone",
  moreOftenToo: "though mentioned more often",
  lessOftenToo: "though mentioned less often",
  harsherToo: "though in a harsher tone",
  kinderToo: "though in a kinder tone",
  /** @param {string} one @param {string} other */
  andAlso: (one, other) => `${one}, ${other}`,
  /** @param {string} how @param {string} group */
  mostlyIn: (how, group) => `${how}, mostly in ${quotedName(group)}`,
  rest: "what reviews say of no aspect",
  ofGroup: "its reviews changed, beyond all aspects",
  chance: "could be chance",
  /** @param {string[]} more @param {string[]} fewer */
  mix: (more, fewer) =>
    [
      more.length ? `more reviews of ${listedNames(more)}` : "",
      fewer.length ? `fewer of ${listedNames(fewer)}` : "",
    ]
      .filter(Boolean)
      .join(", ") || "the groups have other shares of the reviews",
  mixTitle: "What the mix of groups means",
  mixText:
    "Some groups always score higher than others. When their shares of the reviews shift, the whole moves, even if no " +
    "group changes.",
  /** @param {boolean} fell */
  simpsonTitle: (fell) =>
    fell ? "Each part rose, yet the whole fell" : "Each part fell, yet the whole rose",
  /** @param {boolean} fell @param {string} column */
  simpson: (fell, column) =>
    `Seen by ${quotedName(column)}, each larger group got ${fell ? "better" : "worse"}. Yet the whole ` +
    `${fell ? "fell" : "rose"}, because more of the reviews are now about ${fell ? "low" : "high"} scorers.`,
  /** @param {string} phrase */
  mixNow: (phrase) => `There are ${phrase}.`,
  arithmetic: "The arithmetic",
  arithmeticText:
    "The exact parts are in log-odds of a positive verdict, the scale on which the model adds up words. They add up " +
    "without a remainder.",
  /** @param {string} difference @param {string} low @param {string} high */
  arithmeticSum: (difference, low, high) =>
    `Difference of the mean log-odds: ${difference}, interval ${low} to ${high}.`,
  EXACT_HEAD: ["Part", "Effect", "Interval", "By mention", "By tone", "Mostly from"],

  /** @param {string} column */
  groupsTitle: (column) => `Groups by ${quotedName(column)}`,
  groupsPlain: "Groups",
  groupsDeck: "The net score of each group, highest first. The thin lines show what chance could do.",
  small: "few reviews",
  /** @param {number} groups */
  smallGroups: (groups) => `${severalOf(groups, "group", "groups")} with few reviews`,
  trendsTitle: "The largest groups over time",
  trendsDeck: "Each line runs between \u2212100 and +100; the thin line is zero.",
  /** @param {string} net */
  trend: (net) => `${net} in all`,

  aspectsTitle: "Aspects",
  aspectsDeck:
    "What the reviews speak of, and the net score of what they say about it. What pulls the verdicts down most comes first.",
  /** @param {string} share @param {string} pull */
  aspectNote: (share, pull) => `in ${share} of reviews; ${pull}`,
  /** Says in words how far an aspect pulls a verdict. @param {number} pull */
  pull: (pull) => {
    const size = Math.abs(pull);
    if (size < 0.1) return "hardly moves verdicts";
    const way = pull < 0 ? "down" : "up";
    if (size < 0.5) return `pulls verdicts ${way} a little`;
    return size < 1.2 ? `pulls verdicts ${way}` : `pulls verdicts ${way} hard`;
  },

  sentencesTitle: "In their words",
  sentencesDeck: "The most typical clear sentences. Choose one to read its review.",
  best: "Praise",
  worst: "Complaints",
  /** @param {number} similar */
  similar: (similar) =>
    similar ? `${countOf(similar)} more ${similar === 1 ? "says" : "say"} nearly the same` : "",
  noSentences: "No clear sentence.",

  wordsTitle: "Words that move verdicts",
  /** @param {number} rows */
  wordsDeck: (rows) =>
    `Measured by leaving each word out, in ${reviewsOf(rows)}. Longer bars move the verdict further.`,
  /** Names the drawer of a word's reviews. @param {string} word */
  word: (word) => `Reviews with ${quotedName(word)}`,
  wordsUp: "Towards positive",
  wordsDown: "Towards negative",
  noWords: "None.",

  noticesTitle: "Worth knowing",
  /** @param {string} code @param {unknown} detail */
  notice: (code, detail) => (typeof detail === "string" && detail ? detail : (NOTICE_WORDS[code] ?? "")),

  aboutTitle: "How to read this report",
  /** @type {[string, string][]} */
  ABOUT: [
    [
      "Net score",
      "The share of positive reviews minus the share of negative ones, in points from \u2212100 to +100.",
    ],
    [
      "Interval",
      "Where the number would lie for 95 of 100 such sets of reviews. It measures chance, not the model\u2019s errors.",
    ],
    [
      "Can\u2019t tell",
      "The model is not sure enough. Such reviews count in the whole, but on neither side.",
    ],
    ["Reviews behind a bar", "Up to 20: the most negative ten and the most positive ten."],
  ],
  /** @param {string} kind */
  resampled: (kind) =>
    kind === "groups"
      ? "Intervals draw whole groups anew, 400 times."
      : "Intervals draw reviews anew, 400 times.",
  /** @param {string} id */
  model: (id) => `Read by model ${id}.`,

  asTable: "As a table",
  opens: "Opens its reviews",
  /** @param {number} hidden */
  showAll: (hidden) => `Show ${countOf(hidden)} more`,
  /** @param {string} low @param {string} high */
  between: (low, high) => `between ${low} and ${high}`,
  /** @param {string} low @param {string} high */
  range: (low, high) => `${low}\u00a0to\u00a0${high}`,
  reviews: reviewsOf,
  none: "\u2013",
  TIME_HEAD: ["Net score", "Interval", "Reviews", "Positive", "Can\u2019t tell", "Negative"],
  groupHead: "Group",
  aspectHead: "Aspect",
  ASPECT_HEAD: ["Net score", "Interval", "Reviews", "Share", "Pull (log-odds)"],
  MOVED_HEAD: ["Part", "Points", "Interval", "How"],
  WORD_HEAD: ["Word", "Reviews", "Effect (log-odds)"],

  close: "Close",
  /** @param {number} row */
  row: (row) => `Row ${countOf(row)}`,
  /** @param {number} shown @param {number} all */
  some: (shown, all) =>
    shown < all
      ? `${countOf(shown)} of ${reviewsOf(all)}: the most negative first, the most positive last.`
      : reviewsOf(all),
  missing: "The text of this row is not in the report.",
};

/** @param {number} difference */
function pointWords(difference) {
  return severalOf(Math.round(Math.abs(difference)), "point", "points");
}
