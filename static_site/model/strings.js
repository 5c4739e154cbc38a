// Holds the English words of the model's page, without those of the methods and of the cases.

import { capital, sentence } from "../shared/prose_strings.js";
import { LANGUAGE, MINUS, count } from "../shared/strings.js";

const longDate = new Intl.DateTimeFormat(LANGUAGE, { dateStyle: "long", timeZone: "UTC" });

/** @param {number} number @param {number} places */
export const decimal = (number, places) => number.toFixed(places);

/** Writes a measured share: 93.22 %. @param {number} share @param {number} [places] */
export const percentOf = (share, places = 1) => `${(100 * share).toFixed(places)}\u00a0%`;

/** @param {number} share */
const inHundred = (share) => String(Math.min(Math.round(100 * share), share < 1 ? 99 : 100));

/** Rounds to three significant digits. @param {number} number */
export const rounded = (number) => String(Number(number.toPrecision(3)));

/** @param {number} difference of two shares */
export const points = (difference) => (difference < 0 ? MINUS : "") + Math.abs(100 * difference).toFixed(1);

/** @param {number} percent */
const whole = (percent) => `${percent}\u00a0%`;

// A mean gap of this size, and of the next, still counts as a promise kept, or mostly kept.
const KEPT_WITHIN = 0.02;
const MOSTLY_WITHIN = 0.05;
// A skill below this share is a weakness.
const FOOLED_BELOW = 0.75;

export const MODEL = {
  loading: "Loading the model\u2019s card\u2026",
  told: "The model\u2019s card is shown.",
  errorKicker: "No card",
  errorTitle: "The model\u2019s card can\u2019t be loaded",
  dash: "\u2013",
  again: "Try again",
  percentOf,
  capital,
  sentence,
  wholePercent: whole,

  /** @param {string} created */
  date: (created) => longDate.format(Date.parse(created)),
  /** @param {string | null} id @param {string | null} date */
  kicker: (id, date) => `Model${id ? ` ${id}` : ""}${date ? `, created on ${date}` : ""}`,
  headline: "How far to trust it",
  unjudged: "Not evaluated yet",
  howToJudge:
    "This model\u2019s card has no accuracy. \u201cmake evaluate\u201d measures it and adds it to the card.",
  /** @param {string} split @param {number | null} reviews */
  lead: (split, reviews) =>
    `Tested on ${reviews === null ? "film reviews" : `${count(reviews)} film reviews`} ${MODEL.UNSEEN[split]}`,
  /** @type {Record<string, string>} */
  UNSEEN: {
    test: "that it never learned from.",
    development:
      "of films that its training never saw. These reviews guided choices, so the figures are slightly too good.",
  },

  // --- the first cards ---

  /** @param {number} right */
  rightTitle: (right) => `Right for ${inHundred(right)} in\u00a0100`,
  /** @param {string | null} split @param {number | null} reviews */
  rightMeans: (split, reviews) =>
    split === null
      ? "Measured on your reviews, each by a fit that had not seen it."
      : `Of ${reviews === null ? "the reviews" : `${count(reviews)} reviews`}, each counted by its likelier side.`,
  allReviews: "All reviews",
  /** @type {Record<string, string>} */
  RECALL: { positive: "Positive reviews", negative: "Negative reviews" },

  /** @param {number} error the mean gap @param {number} excess how much more it says than comes true */
  promisesTitle: (error, excess) => {
    if (error <= KEPT_WITHIN) return "Keeps its promises";
    if (error <= MOSTLY_WITHIN) return "Mostly keeps its promises";
    return excess > 0 ? "Promises too much" : "Promises too little";
  },
  /** @param {number} error */
  promisesMean: (error) => `Its percentages are off by ${points(error)} points on average.`,
  /** @param {[number, number]} band */
  promisesBand: ([low, high]) =>
    `From ${rounded(100 * low)} to ${rounded(100 * high)}\u00a0% positive, it says \u201cCan\u2019t tell\u201d.`,
  takesASide: "Takes a side",
  rightThen: "Right when it does",

  /** @param {{key: string, name: string, held: number}} weakest */
  fooledTitle: ({ key, name, held }) => {
    const skill = Object.hasOwn(MODEL.FOOLS, key) ? MODEL.FOOLS[key] : name.toLowerCase();
    return `${held < FOOLED_BELOW ? "Fooled by" : "Weakest at"} ${skill}`;
  },
  /** Names the skills whose name does not fit after "Fooled by". @type {Record<string, string>} */
  FOOLS: {
    contrast: "contrasts",
    comparison: "comparisons",
    intensity_order: "degrees of praise",
    expectation: "hopes and fears",
    reported_opinion: "other people\u2019s opinions",
    quotation: "quotations",
    format: "markup and capitals",
    plot_then_verdict: "long plot summaries",
    short: "very short reviews",
  },
  /** @param {number} shown @param {number} all */
  fooledMeans: (shown, all) =>
    shown < all
      ? `The weakest of ${all} skills. Short texts, written to fool it, test each of them.`
      : "Short texts, written to fool it, test each skill.",

  /** @type {Record<string, string>} */
  OPENERS: {
    right: "See what it got right and wrong",
    promises: "See cases by how sure it was",
    fooled: "See what fooled it",
  },
  casesLoading: "Loading the cases\u2026",
  casesUnloaded: "The cases couldn\u2019t be loaded.",

  // --- the sliders ---

  dotsTitle: "Do its percentages come true?",
  dotsMean: "A percentage is about many reviews, never about one. Move the slider to see 100 of them.",
  stated: "Its stated chance that a review is positive",
  /** @param {number} percent @param {number} positive of 100 */
  comesTo: (percent, positive) =>
    `Where it says ${whole(percent)}, ${positive} in 100 are positive${gap(positive - percent)}`,
  /** @type {Record<string, string>} */
  DOTS: { positive: "Positive review", negative: "Negative review" },
  /** @param {string} split @param {number | null} reviews @param {number} groups */
  dotsSource: (split, reviews, groups) =>
    `Measured on ${ofSplit(split, reviews)} in ${groups} groups, with straight lines between the groups. ` +
    "Both sides count together: 20\u00a0% positive is 80\u00a0% negative.",

  thresholdTitle: "What if you keep only the sure answers?",
  thresholdMeans: "The surer an answer has to be, the fewer you keep, and the fewer of them are wrong.",
  least: "Only take answers that are at least this sure",
  /** @param {number} percent @param {number} kept @param {number} wrong shares */
  threshold: (percent, kept, wrong) =>
    `At ${whole(percent)} or more, you keep ${percentOf(kept)} of the answers. Of these, ${percentOf(wrong)} are wrong.`,
  kept: "Answers you keep",
  wrongOfKept: "Wrong among them",
  /** @param {string} split @param {number | null} reviews @param {number} worst */
  thresholdSource: (split, reviews, worst) =>
    `Measured on ${ofSplit(split, reviews)}, with straight lines between the measured points. ` +
    `The lower bar is full at ${percentOf(worst)}, where no answer is left out.`,

  // --- the methods' place ---

  methods: "Methods",
  methodsMean: "How each figure was measured, what else was tested, and how the model was made.",
  methodsShow: "Show the methods",
  methodsUnloaded: "The methods couldn\u2019t be loaded.",
  printedBy: "Printed by",

  // --- an adapted model ---

  adapted: "Adapted to your texts",
  /** @param {number} rows @param {number} reviews @param {string | null} labels what the labels mean */
  adaptedRows: (rows, reviews, labels) =>
    `It learned from ${count(reviews)} of ${count(rows)} rows.${labels ? ` The label is ${labels}.` : ""}`,
  adaptedTable: "Before and after, on reviews held back from the evaluated fit",
  ADAPTED_HEAD: ["", "Before", "After", "Difference, with 95\u00a0% interval"],
  /** @type {Record<string, string>} */
  ADAPTED_MEASURES: { accuracy: "Accuracy", ece: "Calibration error (ECE)" },
  /** @param {number} difference @param {number | null} low @param {number | null} high */
  adaptedGap: (difference, low, high) =>
    `${points(difference)} points` + (low === null || high === null ? "" : ` (${points(low)} to ${points(high)})`),
  /** @param {string} base */
  adaptedFrom: (base) => `The base model is ${base}. Its network is unchanged; its head was fitted again.`,
  /** @param {string} how */
  adaptedJudged: (how) => `Evaluation: ${how}.`,
  /** @param {string} hash */
  adaptedFile: (hash) => `The labelled file\u2019s SHA-256 is ${hash}. None of its texts is stored.`,

  // --- a promise ---

  promise: "A promise, checked on your rows",
  /** @param {number} wrong @param {number} threshold @param {number} rows @param {number} answered */
  promised: (wrong, threshold, rows, answered) =>
    `At most ${exactly(wrong)} of the answers that it gives at ${exactly(threshold)} sureness or more are wrong. ` +
    `This was checked on ${count(rows)} of your rows. It then answers ${percentOf(answered, 0)}.`,
  /** @param {number} sure */
  promisedHolds: (sure) =>
    `It holds with ${exactly(sure)} confidence, for texts like these. Less sure verdicts are not part of it.`,
  /** @param {number} errors @param {number | null} answered */
  promisedCounts: (errors, answered) =>
    `${count(errors)} of ${answered === null ? "the" : count(answered)} answers were wrong on these rows.`,
  /** @param {string} date */
  promisedOn: (date) => `The promise was made on ${date} with \u201cverdict promise\u201d.`,

  /** Names and describes each skill, by the card's names. @type {Record<string, {name: string, asks: string}>} */
  CAPABILITIES: {
    overall: { name: "All short cases except sarcasm", asks: "" },
    "single sentences": { name: "Single sentences", asks: "from development reviews, labelled by hand" },
    negation: { name: "Negation", asks: "one negation reverses the meaning: a thriller that fails to thrill" },
    negated_negation: { name: "Double negation", asks: "two negations cancel: you can\u2019t fault it" },
    contrast: { name: "Contrast", asks: "but, although, still: one clause outweighs the other" },
    comparison: { name: "Comparison", asks: "better or worse than something good or bad" },
    intensity_order: { name: "Strength", asks: "the stronger praise or complaint gets the stronger score" },
    expectation: { name: "Expectation", asks: "hopes and fears against the result" },
    reported_opinion: { name: "Other opinions", asks: "other people\u2019s verdict, then the writer\u2019s" },
    quotation: { name: "Quotation", asks: "quoted titles and blurbs don\u2019t decide" },
    question: { name: "Questions", asks: "rhetorical questions, and questions that the writer answers" },
    counterfactual: { name: "Missed chances", asks: "could have, if only, would have" },
    names_and_countries: { name: "Names and countries", asks: "another name, gender, country or religion changes nothing" },
    typos: { name: "Typing errors", asks: "slips of spelling and keyboard change nothing" },
    format: { name: "Format", asks: "markup, spaces, capitals and punctuation change nothing" },
    plot_then_verdict: { name: "Plot, then verdict", asks: "a neutral plot summary around one sentence of judgement" },
    ratings: { name: "Ratings", asks: "numbers, stars and grades" },
    slang_and_emoji: { name: "Slang and emoji", asks: "this movie slaps; mid at best; a thumb down" },
    short: { name: "One to three words", asks: "the shortest reviews" },
    recommendation: { name: "Advice", asks: "save your money; see it twice" },
    sarcasm: { name: "Sarcasm", asks: "means the opposite of its words; not in the overall rate" },
  },
};

/** Writes a share that somebody chose, with no more decimals than it has. @param {number} share */
function exactly(share) {
  return `${Number((100 * share).toPrecision(6))}\u00a0%`;
}

/** Compares with what was said. @param {number} more */
function gap(more) {
  if (more === 0) return ", just as it says.";
  return `: ${Math.abs(more)} ${more > 0 ? "more" : "fewer"} than it says.`;
}

/** @param {string} split @param {number | null} reviews */
function ofSplit(split, reviews) {
  return `${reviews === null ? "the" : count(reviews)} ${split} reviews`;
}
