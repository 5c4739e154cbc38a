// Holds every English word of the page for two models: a translation is a copy of this file, and of ../shared/strings.js.

import { joined } from "../shared/prose_strings.js";
import { count, percent, plural } from "../shared/strings.js";
import { VERDICTS, signed } from "../shared/verdict_strings.js";

/** Texts that stand in the page as they are: an element's data-string names its key. */
export const STATIC = {
  bothTitle: "Two models, one text",
  bothDeck: "Both read what you write here. See where they part before you switch from one to the other.",
  bothNoneTitle: "There is only one model here",
  bothNoneDeck:
    "This page sets two side by side: the one that you use and another, your own say, adapted to your texts. " +
    "Name the folder of each, and both are started:",
  bothNoneDeployed:
    "A site on AWS sets its own model beside that of another stage, where it was deployed with that stage\u2019s API address:",
  bothSend: "Let both read it",
  bothStop: "Stop waiting",
  bothResultKicker: "Side by side",
  bothApartTitle: "Which sentences pulled where",
  bothFileTitle: "A whole file through both",
  bothFileDeck:
    "The reviews on which the two part, the most different first; and with labels, which of the two is right more often.",
  bothFileLabel: "A file of reviews: CSV, TSV, JSON lines, or one a line",
  bothReview: "The reviews are in",
  bothLabel: "Your own labels, if any, are in",
  bothScale: "The labels are",
  bothPause: "Pause",
  bothCancel: "Cancel the rest",
  bothShow: "Show",
  bothGridHelp: "Arrow keys move from row to row; Enter has both models read the review above, and say why.",
  bothSafe: "Safe for spreadsheets",
  bothSafeNote: "Texts that begin with = + - @, a tab or a line break get a \u2019 in front, so that none runs as a formula.",
  bothTake: "Take these rows as CSV",
  bothRowsTitle: "Row by row",
};

/** What the two are called, in their order. */
export const SIDES = ["The first", "The second"];
const sides = ["the first", "the second"];

/** @param {string} sentiment */
const quoted = (sentiment) => `\u201c${VERDICTS[sentiment]}\u201d`;

// A sentence that is named among others is cut to this.
const NAMED_CHARACTERS = 90;

/** @param {string} text */
const named = (text) =>
  `\u201c${text.length > NAMED_CHARACTERS ? `${text.slice(0, NAMED_CHARACTERS).trimEnd()}\u2026` : text}\u201d`;

/** @typedef {import("../api.js").Answer} Answer */

export const BOTH = {
  /** @param {string} first @param {string} second */
  privacy: (first, second) =>
    `Only the text in this box is sent, to ${first} and to ${second}, and only when you ask. Nothing is stored, here or there.`,
  empty: "Its verdict will stand here.",
  /** Where a side answers, and which other pages ask it. @type {((url: string) => string)[]} */
  AT: [(url) => `at ${url}, which the other pages ask`, (url) => `at ${url}, beside it`],
  reading: "Reading\u2026",
  stopped: "Stopped. There is no verdict.",
  stale: "The text above has changed since. This is what both said of the one before.",
  noVerdict: "No verdict",
  retry: "Try again",
  keySend: "Try with this key",
  /** How to have both, for a model that is not there. */
  command: "make run MODEL=my-model BESIDE=training/endpoint/model",

  /** What came of both, in a few words. @param {(Answer | null)[]} answers */
  title: ([first, second]) => {
    if (!first && !second) return "Neither of the two answered";
    if (!first || !second) return `Only ${sides[first ? 0 : 1]} answered`;
    if (first.sentiment === second.sentiment) return `Both say ${quoted(first.sentiment)}`;
    return `They part: ${quoted(first.sentiment)} and ${quoted(second.sentiment)}`;
  },
  onlyOne: "There is nothing to compare as long as the other one gives no verdict.",
  /** @param {Answer} first @param {Answer} second */
  gap: (first, second) => {
    const points = (second.probability - first.probability) * 100;
    const size = Math.abs(points).toFixed(1);
    if (size === "0.0") return "They are equally sure.";
    return `The second is ${size} points ${points > 0 ? "more" : "less"} positive.`;
  },
  /** @param {string} text @param {number} first @param {number} second */
  mostApart: (text, first, second) =>
    `Most apart are their pulls in ${named(text)}: ${signed(first)} and ${signed(second)}.`,
  /** @param {number} first @param {number} second */
  biasApart: (first, second) =>
    `Most apart is where they start, before a word is read: ${signed(first)} and ${signed(second)}.`,
  /** @param {string} id */
  sameModel: (id) =>
    `Both addresses answer with the same model, ${id}, so there is nothing to compare. Start a second one, by BESIDE.`,
  otherVocabulary:
    "They know different words: their vocabularies are not the same, so a word that one reads may be unknown to the other.",
  otherSentences: "They cut the text into other sentences, so each one\u2019s stand by themselves.",
  /** @param {(Answer | null)[]} answers */
  announcement: (answers) => `${BOTH.title(answers)}.`,

  bias: "Start (bias)",
  sum: "Together (logit)",
  sentence: "Sentence",
  none: "\u2013",
  /** What a pull is said to be. @param {number} side */
  pullOf: (side) => `${SIDES[side]}:`,

  noFilePart: "This part of the page could not be loaded. Are you offline? Choose the file again.",
  noColumn: "None",
  /** @param {number} rows */
  send: (rows) => `Let both read ${plural(rows, "review", "reviews")}`,
  /** @param {number} rows @param {string} out */
  judged: (rows, out) =>
    `${plural(rows, "review", "reviews")} to read${out ? `; left out: ${out}` : ""}. Only they are sent, to both.`,
  /** Why rows are left out, in the order in which they are told. @type {Record<string, string>} */
  REASONS: {
    empty: "without a text",
    not_json: "that can\u2019t be read",
    too_long: "longer than 50,000 characters",
    unlabelled: "without a label",
    between: "between the two sides",
    conflicting: "whose text has both labels",
    duplicates: "that repeat another",
    unread: "that one of the two, or both, could not read",
  },
  /** @param {Record<string, number>} counts */
  leftOut: (counts) =>
    joined(
      Object.entries(BOTH.REASONS)
        .filter(([reason]) => counts[reason] > 0)
        .map(([reason, words]) => `${count(counts[reason])} ${words}`),
    ),
  nothingToRead: "There is no row that both could read.",
  progressLabel: "Reviews that both have read",
  /** @param {number} done @param {number} all */
  progress: (done, all) => `${count(done)} of ${plural(all, "review", "reviews")} read by both`,
  /** Which of the two stands in the way. @param {number} side @param {string} title */
  trouble: (side, title) => `${SIDES[side]} of the two: ${title}`,
  giveKey: "Let both read a text above, and give the key there; then go on.",
  sameModelStopped: "Stopped.",
  /** @param {string} id */
  changed: (id) => `The model of ${id} changed on the way, so its figures are of two models.`,
  /** @param {number} side */
  learned: (side) => `${SIDES[side]} has learned from this very file, so its figures flatter it.`,

  /** @param {number} number @param {number} all */
  differ: (number, all) =>
    number === 0
      ? `They are on the same side for ${all === 1 ? "the one review" : `all ${count(all)} reviews`}`
      : `They differ on ${count(number)} of ${plural(all, "review", "reviews")}`,
  unlabelledDeck: "They differ where their probabilities lie on two sides of one half. Which is right, only labels can tell.",
  /** @param {number} lost @param {number} won @param {number} p */
  better: (lost, won, p) =>
    p >= 0.05 ? "Neither is surely right more often" : `${SIDES[won > lost ? 1 : 0]} is right more often`,
  /** McNemar's exact test, in words. @param {number} lost @param {number} won @param {number} p */
  mcnemar: (lost, won, p) =>
    `Only the first is right on ${plural(lost, "review", "reviews")}, only the second on ${count(won)}. Were both as good, ` +
    `so uneven a share would come up with probability ${probability(p)} (McNemar\u2019s exact test).`,
  figuresCaption: "Of the reviews that both have read",
  right: "Right, by the likelier side",
  /** @param {string} share @param {number} low @param {number} high */
  interval: (share, low, high) => `${share} (${(low * 100).toFixed(1)} to ${(high * 100).toFixed(1)})`,
  intervalNote:
    "In brackets 95\u00a0% intervals. \u201cverdict compare\u201d and training/adapt/compare.py give the calibration error too.",
  model: "Model",

  /** @type {Record<string, string>} */
  SHOW: {
    sides: "On different sides of one half",
    verdicts: "With different verdicts",
    all: "All, the most different first",
  },
  /** @param {number} shown @param {number} all */
  shown: (shown, all) => `${count(shown)} of ${plural(all, "review", "reviews")}`,
  /** @type {Record<string, string>} */
  GRID: { row: "Row", first: "First", second: "Second", apart: "Apart", label: "Label", review: "Review" },
  gridLabel: "Reviews and what both models say",
  noRows: "No review is like that.",
  /** @param {string} sentiment @param {number} probability */
  cell: (sentiment, probability) => `${VERDICTS[sentiment]}, ${percent(probability)}`,
  /** @param {number} first @param {number} second */
  apart: (first, second) => (Math.abs(first - second) * 100).toFixed(1),
  apartNote: "\u201cApart\u201d is by how many points of P(positive), the number beside each verdict.",
  detailEmpty: "No review is chosen",
  detailHint: "Choose one to read it here.",
  /** @param {number} row */
  detail: (row) => `Row ${count(row)}`,
  /** @param {string} label */
  yourLabel: (label) => `Your label: ${VERDICTS[label]}`,
  /** @param {number} hidden characters */
  cut: (hidden) => `\u2026 and ${plural(hidden, "more character", "more characters")}.`,
  why: "Let both say why, above",
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
