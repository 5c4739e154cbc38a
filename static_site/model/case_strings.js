// Holds the English words of the cases that the model's cards open.

import { capital, withStop } from "../shared/prose_strings.js";
import { count, percent } from "../shared/strings.js";
import { VERDICTS } from "../shared/verdict_strings.js";
import { percentOf, rounded } from "./strings.js";

// As much of a text as names its link.
const NAMED_BY = 80;

/** @param {number} share */
const brief = (share) => `${rounded(100 * share)}\u00a0%`;

export const CASES = {
  dash: "\u2013",
  none: "There is none.",
  VERDICTS,
  /** Signs of the verdicts, as everywhere on the site. @type {Record<string, string>} */
  SIGNS: { positive: "plus", negative: "minus" },
  /** @type {Record<string, string>} */
  OUTCOMES: { right: "Right", wrong: "Wrong" },

  /** @param {string | null} model of the cases */
  otherModel: (model) =>
    `The cases on file belong to ${model === null ? "another model" : `the model ${model}`}, not to the one that answers here.`,

  ownTexts: "Short texts of ours",
  ownMean: "We wrote each of these to test one skill. A seed chose them, so they are neither the best nor the worst.",
  reviews: "Film reviews",
  reviewsMean:
    "These reviews belong to their writers, so only their numbers stand here. A seed chose them from the development split.",
  REVIEWS_HEAD: ["Number", "Label", "It said"],

  levelsMean: "The surer it is, the more often it should be right. A seed chose the examples.",
  /** @param {number} from @param {number} to how sure */
  level: (from, to) => {
    if (from === 0.5) return `Less than ${brief(to)} sure: \u201cCan\u2019t tell\u201d`;
    return to === 1 ? `${brief(from)} sure, or more` : `${rounded(100 * from)} to ${brief(to)} sure`;
  },
  /** @param {number} all @param {number} right reviews */
  levelRight: (all, right) =>
    all === 0
      ? "No development review is here."
      : `It was right for ${count(right)} of ${count(all)} development reviews: ${percentOf(right / all)}.`,

  skillsMean:
    "Each rate comes from cases that were held back. The cases below are from the other half, which may be shown. " +
    "\u201cCan\u2019t tell\u201d counts by its likelier side.",
  /** @param {string} asks @param {number} held */
  skill: (asks, held) => {
    const rate = `It gets ${percentOf(held)} of the held-back cases right.`;
    return asks === "" ? rate : `${withStop(capital(asks))} ${rate}`;
  },

  /** @param {string | null} verdict @param {number | null} probability of positive */
  says: (verdict, probability) => {
    const name = VERDICTS[verdict ?? ""] ?? CASES.dash;
    if (probability === null) return name;
    if (verdict === "uncertain") return `${name}: ${percent(probability)} positive`;
    return `${name}, ${percent(verdict === "negative" ? 1 - probability : probability)} sure`;
  },
  /** Says what the writer of a case meant. @param {string | null} expect @param {string | null} label */
  expected: (expect, label) => {
    if (expect === "same") return "Both should get the same verdict.";
    if (expect === "order") return "The first should be more positive than the second.";
    if (label === null) return "";
    if (expect === "flip") return `The first is ${label}. The second is the opposite.`;
    return `Meant as ${label}.`;
  },
  look: "See why",
  /** @param {string} said */
  lookAt: (said) => `See why: \u201c${said.length > NAMED_BY ? `${said.slice(0, NAMED_BY)}\u2026` : said}\u201d`,

  toRead: "To read one of these reviews, run this in a copy of the repository. The first run downloads them.",
  /** @param {string} number */
  command: (number) => `python -m training.data.dataset --review ${number}`,
  commandName: "the command that prints a review",
};
