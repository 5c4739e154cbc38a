// Holds the English words of the review page's answer.

import { LANGUAGE, count, plural } from "../shared/strings.js";
import {
  AXIS,
  LEANINGS,
  REASONS,
  VERDICTS,
  headlineOf,
  isCalibrated,
  isUnderstood,
  sureness,
  tooShort,
} from "../shared/verdict_strings.js";

/** @typedef {import("../shared/verdict_strings.js").Judged & {warnings: {code: string}[]}} Judged */

/** Fixed texts, by the names of data-string. */
export const STATIC = {
  stale: "You have changed the text. This verdict is for the text before.",
  whatSureMeans: "How often that is right",
  sentencesTitle: "Sentence by sentence",
  sentencesNote:
    "Press a sentence to leave it out. Its bar shows how far the verdict falls without it. " +
    "What is most negative comes first.",
  before: "This is about the text before the change.",
  ...AXIS,
  wordsNote: "Press a word to leave it out, and again to put it back. Arrow keys move between words.",
  putBack: "Put back",
  useText: "Keep this version",
  readNote: "The model read your text like this, without its markup.",
  mindTitle: "How firm is it?",
  mindNote: "Find the smallest change that turns the verdict: words left out, or swapped for their opposites.",
  mindFind: "Change its mind",
  pin: "Pin to compare",
  share: "Copy a link",
  wrong: "This is wrong",
  wrongNote:
    "What should it be? The service\u2019s operator will keep your text and your answer, to train the model. " +
    "You can undo this while the page is open.",
  sayPositive: "It is positive",
  sayNegative: "It is negative",
  takeBack: "Undo",
  aspectsTitle: "What it says of story, acting, music",
  arithmetic: "The arithmetic",
  developersTitle: "For developers: this request in code, and the raw answer",
  compareTitle: "Side by side",
  unpin: "Unpin",
  historyTitle: "Earlier on this device",
  historyNone: "Nothing yet. Your reviews will be listed here.",
  forget: "Delete the history",
};

// Numbers.

/** Writes a probability as a whole number from 1 to 99. @param {number} probability */
const whole = (probability) => Math.min(99, Math.max(1, Math.round(probability * 100)));

/** Writes a probability as 97 %, never as 0 or 100. @param {number} probability */
export function wholePercent(probability) {
  if (probability > 0.99) return "over 99\u00a0%";
  return probability < 0.01 ? "under 1\u00a0%" : `${whole(probability)}\u00a0%`;
}

/** @param {number} probability */
export const positive = (probability) => `${wholePercent(probability)} positive`;

/** @param {string} text */
const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** Writes a probability by itself: "Over 99 % positive". @param {number} probability */
export const positiveAlone = (probability) => capital(positive(probability));

/** @param {Judged} answer */
const ofItsSide = ({ sentiment, probability }) => (sentiment === "negative" ? 1 - probability : probability);

// The verdict.

/** Says how sure the verdict is, or why there is none. @param {Judged} answer */
export function sure(answer) {
  if (answer.sentiment === "uncertain") return sureness(answer);
  if (!isCalibrated(answer)) return REASONS[uncalibrated(answer)] ?? tooShort;
  return `${capital(wholePercent(ofItsSide(answer)))} sure.`;
}

/** @param {Judged} answer */
const uncalibrated = ({ warnings }) => warnings.find(({ code }) => REASONS[code] && code !== "mixed")?.code ?? "";

/** Says what a probability means. @param {Judged} answer */
export function meaning(answer) {
  if (!isCalibrated(answer)) return "";
  const side = answer.sentiment === "negative" ? "negative" : "positive";
  const share = Math.round(ofItsSide(answer) * 100);
  const many = share >= 100 ? "More than 99" : share <= 0 ? "Fewer than 1" : `About ${share}`;
  return `${many} in 100 reviews with this score are ${side}.`;
}

/** Announces an answer to screen readers. @param {Judged} answer */
export const announcement = (answer) => `Verdict: ${headlineOf(answer)}. ${sure(answer)}`;

/** @param {string} text */
const quote = (text) => `\u201c${text}\u201d`;

/**
 * Says why, in one line; "" where nothing stands out.
 * @param {Judged} answer
 * @param {import("./effects.js").Reasons} reasons
 */
export function why(answer, { cause, against, agreed = false }) {
  const { sentiment } = answer;
  if (agreed) return `${headlineOf(answer)}: every sentence speaks for it.`;
  if (cause === "") return "";
  if (sentiment === "uncertain") return `${quote(cause)} speaks for it, ${quote(against)} against it.`;
  const main = `${headlineOf(answer)}, mainly because of ${quote(cause)}.`;
  if (against === "") return main;
  const what = sentiment === "negative" ? "praise" : "complaint";
  return `${main} The ${what} in ${quote(against)} doesn\u2019t outweigh it.`;
}

/** Says what a warning means for the reader, by its code. @type {Record<string, string>} */
export const NOTES = {
  truncated: "The text is long: only its beginning and its end were read. The part left out is struck through.",
  mixed: "It clearly praises and clearly complains. The verdict is the side that weighs more.",
  too_short: `${tooShort} Fewer than eight words leave much open.`,
};

// Sentences and words.

/**
 * Says what a sentence is worth.
 * @param {{alone?: number, contribution: number}} sentence alone: P(positive) of it by itself
 * @param {number} now P(positive) of the text
 * @param {number | null} without P(positive) of the text without it; null when it has no other sentence
 */
export function sentenceWorth({ alone, contribution }, now, without) {
  const own = alone === undefined ? "" : `On its own ${positive(alone)}.`;
  if (without === null) return own;
  const toItsSide = whole(now) !== whole(without) && (without - now) * contribution > 0;
  const others = toItsSide ? ": the others then weigh more" : "";
  return `${own} Without it, ${becomes(now, without)} positive${others}.`.trim();
}

/** Writes "90 becomes 97 %", or that nothing changes. @param {number} from @param {number} to */
function becomes(from, to) {
  if (whole(from) === whole(to)) return `it stays at ${wholePercent(to)}`;
  return `${wholePercent(from).replace("\u00a0%", "")} becomes ${wholePercent(to)}`;
}

/** @param {number} others */
export const showAll = (others) => `Show ${plural(others, "more sentence", "more sentences")}`;

/**
 * Says what a word does, for its tip.
 * @param {number | null} now P(positive); null where no number holds
 * @param {number | null} without P(positive) without the word; null where not measured
 */
export const wordTip = (now, without) =>
  now === null || without === null ? "" : `without it, ${becomes(now, without)} positive`;

/** @param {string} word @param {string} tip */
export const wordLine = (word, tip) => `${quote(word)}: ${tip}.`;

// Changes.

/** Answers a press that would leave the last word out. */
export const oneStays = "At least one word must stay.";

/** @param {string} title of the error */
export const changeFailed = (title) => `${title}. The verdict is unchanged. Try again in a moment.`;

/** Says what the verdict was before a change. @param {Judged} answer */
export const was = (answer) => `Before: ${headlineOf(answer).toLowerCase()}. ${sure(answer)}`;

/** @typedef {{out: string, put: string}} Edited what is left out, what is put in, or both for a swap */

/** Says what was changed. @param {Edited[]} edits */
export function changed(edits) {
  const named = edits.slice(0, 4);
  const swaps = named.filter(({ out, put }) => out && put).map(({ out, put }) => `${quote(put)} for ${quote(out)}`);
  const added = named.filter(({ out }) => !out).map(({ put }) => quote(put));
  const left = named.filter(({ put }) => !put).map(({ out }) => quote(out));
  if (edits.length > 4) left.push(plural(edits.length - 4, "more change", "more changes"));
  const parts = [
    swaps.length > 0 && `with ${swaps.join(", ")}`,
    added.length > 0 && `with ${added.join(", ")} added`,
    left.length > 0 && `without ${left.join(", ")}`,
  ].filter((part) => part !== false);
  const line = parts.join(", ");
  return `${line[0].toUpperCase()}${line.slice(1)}.`;
}

// Side by side.

export const pinned = "Pinned";
export const now = "Now";
/** @param {Judged} answer */
export const pinnedAlone = (answer) =>
  `Pinned: ${quote(headlineOf(answer))}` +
  `${isCalibrated(answer) ? `, ${positive(answer.probability)}.` : `. ${sure(answer)}`} ` +
  "Judge another text, or edit this one, to compare the two here.";
/** @param {Judged} from @param {Judged} to @param {boolean} twoModels */
export const compared = (from, to, twoModels) => {
  const more = twoModels ? " Two different models answered." : "";
  if (!isCalibrated(to)) return `Now: ${quote(headlineOf(to))}. ${sure(to)}${more}`;
  if (!isUnderstood(from)) return `Now: ${quote(headlineOf(to))}. The pinned text was not understood.${more}`;
  if (!isCalibrated(from)) return `Now: ${quote(headlineOf(to))}. The pinned text is too short to compare.${more}`;
  return `Now: ${difference(from, to)}.${more}`;
};

/** Writes a change in percentage points. @param {Judged} from @param {Judged} to */
function difference(from, to) {
  const points = Math.round((to.probability - from.probability) * 100);
  if (points === 0) return "almost no change";
  const size = plural(Math.abs(points), "point", "points");
  return `${size} ${points > 0 ? "more" : "less"} positive than the pinned one`;
}

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
/** Names an entry's verdict. @param {import("./history.js").Entry} entry */
export const entryVerdict = ({ sentiment, short }) => (short ? LEANINGS[sentiment] : undefined) ?? VERDICTS[sentiment];
/** @param {import("./history.js").Entry} entry */
export function entryNote({ sentiment, reason = null, probability, short }) {
  if (sentiment === "uncertain") return sureness({ sentiment, reason, probability });
  return short ? tooShort : positiveAlone(probability);
}

/** @param {{id: string, vocabulary?: string}} model @param {string} requestId */
export function smallPrint(model, requestId) {
  const parts = [`Model ${model.id}`];
  if (model.vocabulary) parts.push(`vocabulary ${model.vocabulary}`);
  if (requestId) parts.push(`request ${requestId}`);
  return parts.join(", ");
}

// A reader's correction.

export const CORRECT = {
  sending: "Sending\u2026",
  kept: "Saved. Thank you.",
  deleted: "Undone. Your answer is deleted.",
  /** @param {unknown} error */
  failed: (error) =>
    `That failed, and nothing was saved. ${error instanceof Error ? error.message : ""}`.trim(),
};
