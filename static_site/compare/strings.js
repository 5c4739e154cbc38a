// Holds the English words of the page for two models.

import { joined } from "../shared/prose_strings.js";
import { MINUS, count, plural, shortPercent } from "../shared/strings.js";
import { VERDICTS, headlineOf, isCalibrated, isUnderstood, sureness, tooShort } from "../shared/verdict_strings.js";

/** Fixed texts, by the names of data-string. */
export const STATIC = {
  bothTitle: "Compare two models",
  bothDeck: "Both models judge the same text. See where they differ before you switch.",
  bothNoneTitle: "Only one model is running",
  bothNoneDeck:
    "This page compares your model with another one, for example one that you adapted to your own texts. " +
    "To start both, name their folders:",
  bothNoneDeployed:
    "On AWS, a site compares its model with the model of another stage. Deploy it with that stage\u2019s API address:",
  bothSend: "Compare",
  bothStop: "Stop waiting",
  bothResultKicker: "Side by side",
  bothApartTitle: "Sentence by sentence",
  bothApartNote:
    "How many points each sentence adds to the probability of positive. A minus means that the text is more positive without it.",
  bothFileTitle: "Compare on a whole file",
  bothFileDeck:
    "See the reviews on which the models differ, the largest difference first. " +
    "If your file has labels, see which model is right more often.",
  bothFileLabel: "A file of reviews: CSV, TSV, JSON lines, or one review per line",
  bothReview: "Column with the reviews",
  bothLabel: "Column with your labels (optional)",
  bothScale: "What the labels mean",
  bothPause: "Pause",
  bothCancel: "Cancel the rest",
  bothShow: "Show",
  bothGridHelp: "Arrow keys move between rows. Enter explains both verdicts above.",
  bothSafe: "Safe for spreadsheets",
  bothSafeNote: "A text that begins with = + - @, a tab or a line break gets a \u2019 in front, so it can\u2019t run as a formula.",
  bothTake: "Download these rows as CSV",
  bothRowsTitle: "All reviews",
};

/** Names the two models in their order. */
export const SIDES = ["First model", "Second model"];
const sides = ["the first model", "the second model"];
const subjects = ["The first model", "The second model"];

/** @param {Answer} answer */
const quoted = (answer) => `\u201c${headlineOf(answer)}\u201d`;

// A quoted sentence is cut to this length.
const NAMED_CHARACTERS = 90;

/** @param {string} text */
function named(text) {
  const short = text.length > NAMED_CHARACTERS ? `${text.slice(0, NAMED_CHARACTERS).trimEnd()}\u2026` : text.replace(/[.,;:]+$/, "");
  return `\u201c${short}\u201d`;
}

/** Writes a share as signed percentage points: +12.3, \u22120.4, 0.0. @param {number} share */
export function points(share) {
  const size = (Math.abs(share) * 100).toFixed(1);
  if (size === "0.0") return size;
  return (share > 0 ? "+" : MINUS) + size;
}

/** @typedef {import("../api.js").Answer} Answer */

export const BOTH = {
  /** @param {string} first @param {string} second */
  privacy: (first, second) =>
    `Your text goes to ${first} and ${second} when you press \u201cCompare\u201d, and nowhere else. Nobody stores it.`,
  empty: "No verdict yet",
  /** Says where a side answers, and whether the other pages use it. @type {((url: string) => string)[]} */
  AT: [(url) => `at ${url}, used by the other pages`, (url) => `at ${url}`],
  reading: "Reading\u2026",
  stopped: "Stopped. No verdict.",
  stale: "You have changed the text. These verdicts are for the earlier version.",
  noVerdict: "No verdict",
  retry: "Try again",
  keySend: "Use this key",
  /** Starts both models. */
  command: "make run MODEL=my-model BESIDE=training/endpoint/model",

  /** Sums up both results. @param {(Answer | null)[]} answers */
  title: ([first, second]) => {
    if (!first && !second) return "Neither model answered";
    if (!first || !second) return `Only ${sides[first ? 0 : 1]} answered`;
    if (quoted(first) === quoted(second)) return `Both say ${quoted(first)}`;
    return `They differ: ${quoted(first)} and ${quoted(second)}`;
  },
  /** Says how sure a model is. A short text has a leaning without a number. @param {Answer} answer */
  sure: (answer) => (isCalibrated(answer) || answer.sentiment === "uncertain" ? sureness(answer) : tooShort),
  short: "The text is so short that its probabilities say little, so none are compared.",
  notUnderstood: "The text was not understood, so there are no probabilities to compare.",
  onlyOne: "There is nothing to compare until the other model answers.",
  /** @param {Answer} first @param {Answer} second */
  gap: (first, second) => {
    const points = (second.probability - first.probability) * 100;
    const size = Math.abs(points).toFixed(1);
    if (size === "0.0") return "Both give the same probability.";
    return `The second model is ${size} points ${points > 0 ? "more" : "less"} positive.`;
  },
  /** @param {string} text @param {number} first @param {number} second */
  mostApart: (text, first, second) =>
    `They differ most on ${named(text)}: it adds ${points(first)} points for the first and ${points(second)} for the second.`,
  /** @param {string} id */
  sameModel: (id) =>
    `Both addresses serve the same model, ${id}, so there is nothing to compare. Start a second model with BESIDE.`,
  otherVocabulary: "Their vocabularies differ, so one model may not know a word that the other reads.",
  otherSentences: "They split the text into different sentences, so each model has its own list.",
  /** @param {(Answer | null)[]} answers */
  announcement: (answers) => `${BOTH.title(answers)}.`,

  sentence: "Sentence",
  none: "\u2013",
  /** Names the model of an effect. @param {number} side */
  effectOn: (side) => `${SIDES[side]}:`,

  noFilePart: "Part of this page couldn\u2019t be loaded. Check your connection, then choose the file again.",
  noColumn: "None",
  /** @param {number} rows */
  send: (rows) => `Compare on ${plural(rows, "review", "reviews")}`,
  /** @param {number} rows @param {string} out */
  judged: (rows, out) =>
    `${plural(rows, "review goes", "reviews go")} to both models.${out ? ` ${BOTH.out(out)}` : ""}`,
  /** @param {string} reasons */
  out: (reasons) => `Left out: ${reasons}.`,
  /** Says why rows are left out, in this order. @type {Record<string, string>} */
  REASONS: {
    empty: "without a text",
    not_json: "unreadable",
    too_long: "longer than 50,000 characters",
    unlabelled: "without a label",
    between: "labelled neither positive nor negative",
    conflicting: "with two different labels",
    duplicates: "that repeat another row",
    unread: "refused by a model",
  },
  /** @param {Record<string, number>} counts */
  leftOut: (counts) =>
    joined(
      Object.entries(BOTH.REASONS)
        .filter(([reason]) => counts[reason] > 0)
        .map(([reason, words]) => `${count(counts[reason])} ${words}`),
    ),
  nothingToRead: "No row can be sent.",
  progressLabel: "Reviews judged by both",
  /** @param {number} done @param {number} all */
  progress: (done, all) => `${count(done)} of ${plural(all, "review", "reviews")} judged by both`,
  /** Names the model that failed. @param {number} side @param {string} title */
  trouble: (side, title) => `${SIDES[side]}: ${title}`,
  giveKey: "Compare a text above and enter the key there. Then continue.",
  sameModelStopped: "Stopped.",
  /** @param {string} id */
  changed: (side) => `The ${side} changed during the run, so its figures mix two models.`,
  /** @param {number} side */
  learned: (side) => `${subjects[side]} was trained on this file, so its figures look better than they are.`,

  /** @param {number} number @param {number} all */
  differ: (number, all) =>
    number === 0
      ? `They agree on ${all === 1 ? "the only review" : `all ${count(all)} reviews`}`
      : `They differ on ${count(number)} of ${plural(all, "review", "reviews")}`,
  unlabelledDeck: "They differ where one is above 50\u00a0% and the other below. Only labels can show which one is right.",
  /** @param {number} lost @param {number} won @param {number} p */
  better: (lost, won, p) =>
    p >= 0.05 ? "Neither is clearly right more often" : `${subjects[won > lost ? 1 : 0]} is right more often`,
  /** Explains McNemar's exact test. @param {number} lost @param {number} won @param {number} p */
  mcnemar: (lost, won, p) =>
    `Only the first model is right on ${plural(lost, "review", "reviews")}, only the second on ${count(won)}. If both were equally good, ` +
    `a difference this large would occur with probability ${probability(p)} (McNemar\u2019s exact test).`,
  figuresCaption: "Share of the reviews that both models judged",
  right: "Right (unsure verdicts count by their likelier side)",
  /** @param {string} share @param {number} low @param {number} high */
  interval: (share, low, high) => `${share} (${(low * 100).toFixed(1)} to ${(high * 100).toFixed(1)})`,
  intervalNote:
    "The numbers in brackets are 95\u00a0% intervals. The command \u201cverdict compare\u201d also prints the calibration error.",
  model: "Model",

  /** @type {Record<string, string>} */
  SHOW: {
    sides: "On different sides of 50\u00a0%",
    verdicts: "With different verdicts",
    all: "All, largest difference first",
  },
  /** @param {number} shown @param {number} all */
  shown: (shown, all) => `${count(shown)} of ${plural(all, "review", "reviews")}`,
  /** @type {Record<string, string>} */
  GRID: { row: "Row", first: "First", second: "Second", apart: "Difference", label: "Label", review: "Review" },
  gridLabel: "Reviews and both verdicts",
  noRows: "No reviews match.",
  /** @param {import("../shared/verdict_strings.js").Judged} answer */
  cell: (answer) => `${VERDICTS[answer.sentiment]}${isUnderstood(answer) ? `, ${shortPercent(answer.probability)}` : ""}`,
  /** @param {number | null} difference */
  apart: (difference) => (difference === null ? BOTH.none : (difference * 100).toFixed(1)),
  apartNote: "\u201cDifference\u201d is the gap between the two probabilities of positive, in percentage points.",
  detailEmpty: "No review selected",
  detailHint: "Select a review to read it here.",
  /** @param {number} row */
  detail: (row) => `Row ${count(row)}`,
  /** @param {string} label */
  yourLabel: (label) => `Your label: ${VERDICTS[label]}`,
  /** @param {number} hidden characters */
  cut: (hidden) => `\u2026 and ${plural(hidden, "more character", "more characters")}.`,
  why: "Explain both verdicts above",
  /** @param {string} name */
  taken: (name) => `${name} is in your downloads.`,
  /** @param {string} name */
  fileName: (name) =>
    `${name.replace(/\.[^.]*$/, "").replace(/[^\p{L}\p{N} ._-]/gu, "_").replace(/^\.+/, "").slice(0, 60) || "reviews"}-differ.csv`,
};

/** @param {number} p */
function probability(p) {
  return p < 0.0001 ? "less than 0.0001" : String(Number(p.toPrecision(2)));
}
