// Holds the English words of the review page once there is an answer.

import { LANGUAGE, count, percent, plural } from "../shared/strings.js";
import { AXIS, VERDICTS, signed, sureness } from "../shared/verdict_strings.js";

/** Texts that stand in the page as they are: an element's data-string names its key. */
export const STATIC = {
  verdictKicker: "The verdict",
  warningsTitle: "Please note",
  textTitle: "What it read",
  textNote:
    "After each sentence stands its pull; the tint of a word is the word\u2019s own. " +
    "Press a word to take it out, and again to put it back. Arrow keys go from word to word.",
  sentencesTitle: "Sentence by sentence",
  ...AXIS,
  sumTitle: "How it adds up",
  stale: "The text above has changed since. This is the verdict on the text below.",
  whatSureMeans: "What that is worth",
  pin: "Pin, to compare",
  share: "Copy a link to this",
  wrong: "This is wrong",
  wrongNote:
    "What should it be? Your text and your word on it are then kept by whoever runs this service, to teach the model. " +
    "You can take it back as long as this page is open.",
  sayPositive: "It is positive",
  sayNegative: "It is negative",
  takeBack: "Take that back",
  editLabel: "Change the text here; the verdict follows.",
  editCancel: "Back to the marks",
  tryTitle: "Try it",
  flip: "What would flip it?",
  editHere: "Edit the text here",
  putBack: "Put all words back",
  useText: "Read this version in full",
  beforeAfter: "The verdict before and after",
  allWords: "Every word and its pull, as a list",
  developersTitle: "For developers: this review from a program, and the raw answer",
  wordsTitle: "The strongest words",
  wordsNote: "A word is read in its place: a small one may carry what stands around it.",
  weigh: "Weigh each by taking it out",
  wordsFor: "For",
  wordsAgainst: "Against",
  compareTitle: "Side by side",
  unpin: "Unpin",
  historyTitle: "Earlier on this device",
  historyNone: "Nothing yet. What you have read will be listed here.",
  forget: "Delete the history",
};

/** What the probability means. @param {string} sentiment @param {number} probability */
export function meaning(sentiment, probability) {
  const side = sentiment === "negative" ? "negative" : "positive";
  const share = Math.round((side === "negative" ? 1 - probability : probability) * 100);
  const many = share >= 100 ? "More than 99" : share <= 0 ? "Fewer than 1" : `About ${share}`;
  return `${many} in 100 reviews with this score are ${side}.`;
}

/**
 * What a screen reader is told when the answer comes.
 * @param {string} sentiment
 * @param {number} probability
 */
export const announcement = (sentiment, probability) =>
  `${STATIC.verdictKicker}: ${VERDICTS[sentiment]}. ${sureness(sentiment, probability)}`;

/**
 * The bias line, in words.
 * @param {{bias: number, pull: number, logit: number, sentences: number,
 *   probability: number}} parts
 */
export const sum = ({ bias, pull, logit, sentences, probability }) =>
  `Before it reads a word, the model stands at ${signed(bias)} (its bias). ` +
  `${sentences === 1 ? "The one sentence adds" : `The ${count(sentences)} sentences add`} ` +
  `${signed(pull)}, which makes ${signed(logit)} (the logit). ` +
  `The logistic curve turns that into a probability of ${percent(probability)} for positive; ` +
  "a logit of zero would be 50\u00a0%.";

export const biasRow = "Start (bias)";
export const sumRow = "Together (logit)";
/** @param {number} others */
export const otherRows = (others) => `The ${count(others)} weaker sentences`;

/** What a screen reader says of a word in the text. @param {string} word @param {number} contribution */
export const wordLabel = (word, contribution) => `${word} ${signed(contribution)}`;
export const noWords = "None.";

// Trying out.

export const before = "Before";
export const after = "After";
export const flipping = "Looking for the smallest removal that changes the verdict\u2026";

/** @typedef {{sentiment: string, probability: number}} Scored */

/** Such a change, in points of a hundred. @param {Scored} from @param {Scored} to */
function difference(from, to) {
  const points = (to.probability - from.probability) * 100;
  const size = Math.abs(points).toFixed(1);
  if (size === "0.0") return "no change to speak of";
  return `${size} points ${points > 0 ? "more" : "less"} positive`;
}

/**
 * @param {Scored} from
 * @param {Scored} to
 * @param {number | null} removed how many words; null when the text was edited
 */
export function changed(from, to, removed) {
  const how = removed === null ? "Edited" : `Without ${plural(removed, "word", "words")}`;
  const stays = from.sentiment === to.sentiment;
  const verdict = stays ? `still ${quoted(to.sentiment)}` : `now ${quoted(to.sentiment)}`;
  return `${how}: ${verdict}, ${difference(from, to)}.`;
}

/** @param {string} sentiment */
const quoted = (sentiment) => `\u201c${VERDICTS[sentiment]}\u201d`;

/** @param {string[]} words @param {string} sentiment @param {number} tried */
export function flipped(words, sentiment, tried) {
  const named = words.slice(0, 8).map((word) => `\u201c${word}\u201d`);
  const more = words.length > 8 ? ` and ${count(words.length - 8)} more` : "";
  return (
    `Without ${plural(words.length, "word", "words")} it is ${quoted(sentiment)}: ` +
    `${named.join(", ")}${more}. That is the smallest of ${plural(tried, "removal", "removals")} tried.`
  );
}

/** @param {number} tried */
export const noFlip = (tried) =>
  tried === 0
    ? "There is no word whose removal could change the verdict."
    : `None of ${plural(tried, "removal", "removals")} tried changes the verdict.`;

/** @param {number} done @param {number} all */
export const weighing = (done, all) => `Taken out so far: ${count(done)} of ${plural(all, "word", "words")}.`;
export const weighed =
  "Each number is by how much the logit falls when that word alone is taken out. They don\u2019t add up, " +
  "but come closer to what the verdict hangs on.";
export const unweigh = "Back to the pulls that add up";

// Side by side.

export const pinned = "Pinned";
export const now = "Now";
/** @param {Scored} answer */
export const pinnedAlone = ({ sentiment, probability }) =>
  `Pinned: ${quoted(sentiment)}, ${percentPositive(probability)}. ` +
  "Read another text, or change this one, and both will stand here.";
/** @param {Scored} from @param {Scored} to @param {boolean} twoModels */
export const compared = (from, to, twoModels) => {
  const what = difference(from, to);
  const than = what.endsWith("positive") ? " than the pinned one" : "";
  return `Now: ${what}${than}.${twoModels ? " They are of two different models." : ""}`;
};
/** @param {number} probability */
export const percentPositive = (probability) => `${percent(probability)} positive`;

// For developers.

export const rawAnswer = "The raw answer";
export const allRoutes = "All routes, errors and limits";

// Links and history.

export const linkCopied = "Copied. The text is in the link itself, after the #, which is never sent to a server.";
export const linkShown = "Copy it from here. The text is in the link itself, after the #, which is never sent to a server.";
/** @param {number} when */
export const moment = (when) =>
  new Date(when).toLocaleString(LANGUAGE, { dateStyle: "medium", timeStyle: "short" });
export const historyFull = "This browser has no room for it: nothing was kept.";
export const forgotten = "The history is deleted.";

/** @param {{id: string, vocabulary?: string}} model @param {string} requestId */
export function smallPrint(model, requestId) {
  const parts = [`Model ${model.id}`];
  if (model.vocabulary) parts.push(`vocabulary ${model.vocabulary}`);
  if (requestId) parts.push(`request ${requestId}`);
  return parts.join(", ");
}

// --- a reader's correction ----------------------------------------------------------------------

export const CORRECT = {
  sending: "Sending\u2026",
  kept: "Kept. Thank you.",
  deleted: "Taken back: it is deleted.",
  /** @param {unknown} error */
  failed: (error) =>
    `That did not work, and nothing is kept of it. ${error instanceof Error ? error.message : ""}`.trim(),
};
