// Holds the English words of play and share: changes, cards to guess, the picture of a verdict.

import { STATIC, wholePercent } from "../review/answer_strings.js";
import { MINUS, count } from "../shared/strings.js";

/** @typedef {"positive" | "negative"} Side */
/** @typedef {{kind: string, from: string, to: string}} Edit */

// More words than these are struck through above, and not listed.
const LISTED = 4;

/** @param {string} text */
const quoted = (text) => `\u201c${text}\u201d`;

const NUMBERS = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];
/** @param {number} number */
const inWords = (number) => NUMBERS[number] ?? count(number);
/** @param {number} number @param {string} one @param {string} many */
const several = (number, one, many) => `${inWords(number)} ${number === 1 ? one : many}`;

// Change its mind.

export const MIND = {
  title: STATIC.mindTitle,
  note: STATIC.mindNote,
  find: STATIC.mindFind,
  /** @type {Record<Side, string>} */
  findSide: { positive: "Make it positive", negative: "Make it negative" },
  another: "Another way",
  back: STATIC.putBack,
  use: STATIC.useText,
  sentence: "Leave out that sentence",
  searching: "Searching\u2026",
  noMore: "No other small change turns it.",
  putBack: "Everything is back as it was.",
  notUnderstood: "The model didn\u2019t understand this text, so changing a word tells nothing.",
  noWords: "This text has no word that could be changed.",
};

/**
 * Says what a change does.
 * @param {Edit[]} edits
 * @param {Side} goal
 * @param {number | null} sure the goal's probability; null where it doesn't hold for such a text
 */
export function turned(edits, goal, sure) {
  const result = `and it turns ${goal}${inBrackets(sure)}.`;
  if (edits[0].kind === "sentence") return `Leave out this sentence, ${result}`;
  if (edits.length > LISTED) return `Change ${inWords(edits.length)} words, marked above, ${result}`;
  const swaps = edits.filter(({ to }) => to !== "").map(({ from, to }) => `${quoted(from)} to ${quoted(to)}`);
  const drops = edits.filter(({ to }) => to === "").map(({ from }) => quoted(from));
  if (drops.length === 0) return `Change ${several(swaps.length, "word", "words")}, ${listed(swaps)}, ${result}`;
  if (swaps.length === 0) return `Leave out ${several(drops.length, "word", "words")}, ${listed(drops)}, ${result}`;
  return `Change ${listed(swaps)} and leave out ${listed(drops)}, ${result}`;
}

/** @param {string[]} items one at least */
const listed = (items) => (items.length > 1 ? `${items.slice(0, -1).join(", ")} and ${items.at(-1)}` : items[0]);
/** @param {number | null} sure */
const inBrackets = (sure) => (sure === null ? "" : ` (${wholePercent(sure)})`);

/** @param {string} sentence @param {Side} goal @param {number | null} sure */
export const orSentence = (sentence, goal, sure) =>
  `Or leave out one sentence, and it turns ${goal}${inBrackets(sure)}: ${quoted(sentence)}`;

/**
 * @param {number} tried
 * @param {Side} goal
 * @param {number | null} nearest the goal's best probability, where it holds
 */
export function noWay(tried, goal, nearest) {
  if (tried === 0) return "No change was found that is worth a try.";
  const closest = nearest === null ? "" : ` The nearest leaves it ${wholePercent(nearest)} ${goal}.`;
  return `None of the ${several(tried, "change", "changes")} tried turns it ${goal}.${closest}`;
}

// Fool it.

export const FOOL = {
  title: "Fool it: can you read better than Verdict?",
  intro: "Twelve lines that trip up machines. Say first what you think; then see what Verdict says.",
  honest:
    "We wrote these lines to test the model. It was never trained on them, but its makers had seen them. " +
    "The rates come from other lines, which were held back.",
  guess: "Your guess",
  next: "Next card",
  use: "Use this text",
  again: "Play again",
  retry: "Ask again",
  asking: "Asking Verdict\u2026",
  unloaded: "The cards couldn\u2019t be loaded. Close this part and open it to try again.",
  /** Names the skill that a card tests. @type {Record<string, string>} */
  SKILLS: { sarcasm: "Sarcasm", negation: "Negation", comparison: "Comparison", counterfactual: "Missed chances" },
  /** @type {Record<Side, string>} */
  SIDES: { positive: "Positive", negative: "Negative" },
};

/** @param {number} place @param {number} all @param {string} skill */
export const cardTitle = (place, all, skill) => `Card ${place} of ${all}: ${skill.toLowerCase()}`;

/** @param {string} skill @param {number} rate share right of the cases held back */
export const examRate = (skill, rate) =>
  `In its own exam, Verdict was right for ${Math.round(rate * 100)} in 100 cases of ${skill.toLowerCase()}.`;

/** @param {Side} label @param {boolean} youRight */
export const rightAnswer = (label, youRight) => `${youRight ? "Right" : "Wrong"}: it is ${label}.`;

/**
 * Says what the model made of a card.
 * @param {Side | "uncertain"} sentiment
 * @param {number | null} sure of its side; null where no number holds
 * @param {Side} label
 */
export function itsAnswer(sentiment, sure, label) {
  if (sentiment === "uncertain") return "Verdict can\u2019t tell, which counts as wrong.";
  const said = `Verdict says ${sentiment}${inBrackets(sure)}`;
  return sentiment === label ? `${said}, and is right.` : `${said}, and is wrong.`;
}

/** @param {{you: number, verdict: number, of: number}} score */
export const score = ({ you, verdict, of }) => `You ${you}, Verdict ${verdict}, of ${of}`;

/** @param {{you: number, verdict: number}} score */
export function ending({ you, verdict }) {
  if (you === verdict) return "A draw.";
  return you > verdict ? "You read better than Verdict." : "Verdict read better this time.";
}

/** @param {string} title */
export const fooledNot = (title) => `${title}. The card waits: ask again in a moment.`;

// Share.

export const SHARE = {
  title: "Share this verdict",
  note: "The card is drawn on this device. Nothing is sent.",
  copyImage: "Copy image",
  saveImage: "Save image",
  copyLink: "Copy link",
  imageCopied: "The image is copied.",
  imageSaved: "The image is saved as verdict.png.",
  imageRefused: "This browser refused to copy an image, so it is saved as verdict.png.",
  imageFailed: "The image couldn\u2019t be drawn. Copy the link instead.",
  linkCopied: "The link is copied. It holds the text after the #, and browsers never send that part to a server.",
  linkShown: "Copy the link here. It holds the text after the #, and browsers never send that part to a server.",
  linkFailed: "The link couldn\u2019t be made.",
  stale: "The text has changed. Get its verdict first, then share it.",
  fileName: "verdict.png",
  wordmark: "Verdict",
  changed: "Changed review",
  gap: "\u2026",
  minus: `${MINUS} negative`,
  plus: "positive +",
};

/**
 * Describes the card to those who can't see it.
 * @param {{quote: string, verdict: string, sureness: string, changed: boolean}} card
 */
export const cardAlt = ({ quote, verdict, sureness, changed }) =>
  `A card. ${changed ? `${SHARE.changed}: ` : ""}${quoted(quote)} Verdict: ${verdict}. ${sureness}`;


