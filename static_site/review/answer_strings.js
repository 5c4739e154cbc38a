// Holds the English words of the review page's answer.

import { LANGUAGE, count, percent, plural, shortPercent } from "../shared/strings.js";
import { AXIS, VERDICTS, isUnderstood, signed, sureness } from "../shared/verdict_strings.js";

/** Fixed texts, by the names of data-string. */
export const STATIC = {
  verdictKicker: "Verdict",
  warningsTitle: "Please note",
  textTitle: "The text",
  textNote:
    "The number after a sentence is its pull. The stronger a word\u2019s tint, the more the verdict depends on it. " +
    "Press a word to remove it, and again to put it back. Arrow keys move between words.",
  sentencesTitle: "Sentence by sentence",
  ...AXIS,
  sumTitle: "How the verdict adds up",
  stale: "You have changed the text above. This verdict is for the text below.",
  whatSureMeans: "How often that is right",
  pin: "Pin to compare",
  share: "Copy a link",
  wrong: "This is wrong",
  wrongNote:
    "What should it be? The service\u2019s operator will keep your text and your answer, to train the model. " +
    "You can undo this while the page is open.",
  sayPositive: "It is positive",
  sayNegative: "It is negative",
  takeBack: "Undo",
  editLabel: "Edit the text. The verdict follows.",
  editCancel: "Stop editing",
  tryTitle: "Try changes",
  flip: "What would flip it?",
  editHere: "Edit this text",
  putBack: "Put all words back",
  useText: "Explain this version",
  beforeAfter: "The verdict before and after",
  allWords: "Pulls of single words, which add up to the verdict",
  allWordsNote: "The model reads each word in context, so a small word may carry its neighbours\u2019 meaning.",
  developersTitle: "For developers: this request in code, and the raw answer",
  wordsTitle: "Strongest words",
  wordsFor: "For",
  wordsAgainst: "Against",
  compareTitle: "Side by side",
  unpin: "Unpin",
  historyTitle: "Earlier on this device",
  historyNone: "Nothing yet. Your reviews will be listed here.",
  forget: "Delete the history",
};

/** Says what a probability means. @param {string} sentiment @param {number} probability */
export function meaning(sentiment, probability) {
  const side = sentiment === "negative" ? "negative" : "positive";
  const share = Math.round((side === "negative" ? 1 - probability : probability) * 100);
  const many = share >= 100 ? "More than 99" : share <= 0 ? "Fewer than 1" : `About ${share}`;
  return `${many} in 100 reviews with this score are ${side}.`;
}

/** Announces an answer to screen readers. @param {import("../shared/verdict_strings.js").Judged} answer */
export const announcement = (answer) =>
  `${STATIC.verdictKicker}: ${VERDICTS[answer.sentiment]}. ${sureness(answer)}`;

/**
 * Explains the sum in words.
 * @param {{bias: number, pull: number, logit: number, sentences: number,
 *   probability: number}} parts
 */
export const sum = ({ bias, pull, logit, sentences, probability }) =>
  `The model starts at ${signed(bias)} (its bias). ` +
  `${sentences === 1 ? "The only sentence adds" : `The ${count(sentences)} sentences add`} ` +
  `${signed(pull)}. The total is ${signed(logit)} (the logit). ` +
  `The logistic function turns that into ${percent(probability)} positive. ` +
  "A total of zero would be 50\u00a0%.";

export const biasRow = "Starting point (bias)";
export const sumRow = "Total (logit)";
/** @param {number} others */
export const otherRows = (others) => `The ${count(others)} weaker sentences`;

/** Says what a sentence is worth by itself. @param {import("../api.js").Sentence} sentence */
export function sentenceApart({ alone, without }) {
  if (alone === undefined) return "";
  const rest = typeof without === "number" ? `, text without it ${percent(without)}` : "";
  return `Alone ${positive(alone)}${rest}.`;
}

// Words.

export const noWords = "None.";
export const notMeasured = "not measured";
/** @param {string} value @param {number | null} without P(positive) without the word; null for a pull */
export const effect = (value, without) => (without === null ? value : `${value}, ${withoutWord(without)} positive`);
/** @param {number} without P(positive) */
export const withoutWord = (without) => `without it ${shortPercent(without)}`;
export const measuredNote =
  "Measured by leaving out one word at a time. The number shows how far the logit falls; below it stands how " +
  "positive the rest is. These numbers don\u2019t add up.";
export const pullsNote = "The model reads each word in context, so a small word may carry its neighbours\u2019 meaning.";
export const weigh = "Measure each word by removing it";
export const weighRest = "Measure the other words too";
/** @param {number} done @param {number} all */
export const weighing = (done, all) => `Measured so far: ${count(done)} of ${plural(all, "word", "words")}.`;

// Trying out.

export const before = "Before";
export const after = "After";
export const flipping = "Searching for the fewest words to remove\u2026";

/** @typedef {import("../shared/verdict_strings.js").Judged} Judged */

/** Writes a change in percentage points. @param {Judged} from @param {Judged} to */
function difference(from, to) {
  const points = (to.probability - from.probability) * 100;
  const size = Math.abs(points).toFixed(1);
  if (size === "0.0") return "almost no change";
  return `${size} points ${points > 0 ? "more" : "less"} positive`;
}

/**
 * @param {Judged} from
 * @param {Judged} to
 * @param {number | null} removed how many words; null when the text was edited
 */
export function changed(from, to, removed) {
  const how = removed === null ? "Edited" : `Without ${plural(removed, "word", "words")}`;
  const stays = from.sentiment === to.sentiment;
  const verdict = stays ? `still ${quoted(to.sentiment)}` : `now ${quoted(to.sentiment)}`;
  if (!isUnderstood(to)) return `${how}: ${verdict}. ${sureness(to)}`;
  return isUnderstood(from) ? `${how}: ${verdict}, ${difference(from, to)}.` : `${how}: ${verdict}.`;
}

/** @param {string} sentiment */
const quoted = (sentiment) => `\u201c${VERDICTS[sentiment]}\u201d`;

/** @param {string[]} words @param {string} sentiment @param {number} tried */
export function flipped(words, sentiment, tried) {
  const named = words.slice(0, 8).map((word) => `\u201c${word}\u201d`);
  const more = words.length > 8 ? ` and ${count(words.length - 8)} more` : "";
  return (
    `Without ${plural(words.length, "word", "words")} it is ${quoted(sentiment)}: ` +
    `${named.join(", ")}${more}. No smaller change among ${plural(tried, "try", "tries")} flips it.`
  );
}

/** @param {number} tried */
export const noFlip = (tried) =>
  tried === 0
    ? "No word supports this verdict, so removing words can\u2019t change it."
    : `None of ${plural(tried, "try", "tries")} changes the verdict.`;

// Side by side.

export const pinned = "Pinned";
export const now = "Now";
/** @param {Judged} answer */
export const pinnedAlone = (answer) =>
  `Pinned: ${quoted(answer.sentiment)}${isUnderstood(answer) ? `, ${positive(answer.probability)}.` : `. ${sureness(answer)}`} ` +
  "Judge another text, or edit this one, to compare the two here.";
/** @param {Judged} from @param {Judged} to @param {boolean} twoModels */
export const compared = (from, to, twoModels) => {
  const more = twoModels ? " Two different models answered." : "";
  if (!isUnderstood(to)) return `Now: ${quoted(to.sentiment)}. ${sureness(to)}${more}`;
  if (!isUnderstood(from)) return `Now: ${quoted(to.sentiment)}. The pinned text was not understood.${more}`;
  const what = difference(from, to);
  const than = what.endsWith("positive") ? " than the pinned one" : "";
  return `Now: ${what}${than}.${more}`;
};
/** @param {number} probability */
export const positive = (probability) => `${percent(probability)} positive`;

// For developers.

export const rawAnswer = "The raw answer";
export const allRoutes = "See all routes, errors and limits";

// Links and history.

export const linkCopied = "Copied. The link holds the text after the #, and browsers never send that part to a server.";
export const linkShown = "Copy it here. The link holds the text after the #, and browsers never send that part to a server.";
/** @param {number} when */
export const moment = (when) =>
  new Date(when).toLocaleString(LANGUAGE, { dateStyle: "medium", timeStyle: "short" });
export const historyFull = "This browser has no room left, so the history was not kept.";
export const forgotten = "History deleted.";

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
  kept: "Saved. Thank you.",
  deleted: "Undone. Your answer is deleted.",
  /** @param {unknown} error */
  failed: (error) =>
    `That failed, and nothing was saved. ${error instanceof Error ? error.message : ""}`.trim(),
};
