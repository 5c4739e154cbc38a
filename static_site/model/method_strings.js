// Holds the English words of the methods, below the first parts of the model's page.

import { capital, joined, sentence, withStop } from "../shared/prose_strings.js";
import { MINUS, count, plural } from "../shared/strings.js";
import { decimal, percentOf, points, rounded } from "./strings.js";

/** @param {number} number */
const signed = (number) => (number < 0 ? MINUS : "") + Math.abs(number);

/** @param {number} spent */
const minutes = (spent) => `${spent < 10 ? spent.toFixed(1) : Math.round(spent)} min`;

export const METHODS = {
  dash: "\u2013",
  decimal,
  percentOf,
  capital,
  sentence,
  signed,
  minutes,

  /** The parts' titles. @type {Record<string, string>} */
  PARTS: {
    limits: "Uses and limits",
    accuracy: "How often it is right",
    reliability: "How its percentages were checked",
    "risk-coverage": "How right the surest answers are",
    errors: "What it gets wrong",
    behaviour: "Skill by skill",
    opinion: "Mixed reviews, and texts without an opinion",
    languages: "Other languages",
    planted: "One bad sentence in a good review",
    faithfulness: "Can you trust its reasons?",
    peers: "Compared with other programs",
    training: "How it was trained, and what that cost",
    data: "Training data",
    speed: "Size and speed",
    identity: "Identity",
  },

  /** @type {Record<string, string>} */
  SPLITS: { test: "Test", development: "Development" },
  /** @type {Record<string, string>} */
  SPLIT_NOTES: {
    test: "The test split was used once, when the model was finished.",
    development:
      "Training never saw the films of the development split. But that split guided choices, so its figures are " +
      "slightly too good.",
  },

  notFor: "Not for",
  limits: "Limits",

  accuracyMeans:
    "Accuracy counts every review by its likelier side, even where the verdict is \u201cCan\u2019t tell\u201d.",
  /** @param {string} split @param {number} positive @param {number} negative */
  mistaken: (split, positive, negative) =>
    `In the ${split} split, it called ${count(positive)} negative reviews positive, and ${count(negative)} positive ` +
    "reviews negative.",
  accuracyTable: "Figures by split",
  /** The rows of that table, by the card's names. @type {Record<string, string>} */
  MEASURES: {
    reviews: "Reviews",
    accuracy: "Accuracy, all reviews",
    coverage: "Verdict positive or negative",
    accuracy_outright: "Accuracy of these verdicts",
    accuracy_positive: "Accuracy of \u201cPositive\u201d",
    accuracy_negative: "Accuracy of \u201cNegative\u201d",
    accuracy_of_surest_90: "Accuracy, surest 90\u00a0%",
    ece: "Calibration error (ECE)",
    ece_by_chance: "ECE expected by chance",
    ece_worst_quarter: "ECE, worst quarter by length",
    ece_positive: "Calibration error, probability of positive",
  },

  calibrated:
    "A model is calibrated when its probabilities come true. Of all reviews with a probability of 0.8, " +
    "eight in ten are positive. Of all reviews with 0.2, two in ten are.",
  saysSure: "sure, %",
  isRight: "right, %",
  ofReviews: "of the reviews",
  keepsPromise: "calibrated",
  cantTell: "can\u2019t tell",
  /** @param {string} split @param {number} groups */
  reliabilityLabel: (split, groups) =>
    `Plot: how often the verdict is right against how sure it is, for ${groups} groups of ${split} reviews. ` +
    "A table with the numbers follows.",
  /** @param {string} split @param {number} groups */
  reliabilityRead: (split, groups) =>
    `The plot sorts the ${split} reviews by how sure the verdict is, into ${groups} groups of equal size. ` +
    "Each dot is a group. On the dashed line, the model is right as often as it says. " +
    "Above the line it is right more often, and below it less often. " +
    "Vertical lines show where 95\u00a0% of calibrated groups would lie.",
  /** @param {number} sure @param {number} right */
  nearest: (sure, right) =>
    `The group nearest to 0.8 was ${percentOf(sure)} sure on average and right for ${percentOf(right)}.`,
  /** @param {[number, number]} band */
  bandMeans: (band) =>
    `The hatched part is \u201cCan\u2019t tell\u201d: a probability ${METHODS.between(band)}.`,
  wholeReviews:
    "All of this was measured on whole reviews. A text of a few words has a calibration of its own, " +
    "fitted on single sentences. Its answer carries a warning.",
  /** @param {string} split */
  reliabilityTable: (split) => `How sure and how often right, ${split} split`,
  /** @param {number} error @param {number | null} chance */
  calibrationError: (error, chance) =>
    `The expected calibration error (ECE) is ${percentOf(error, 2)}. ` +
    "It is the mean gap between how sure the model is and how often it is right." +
    (chance === null ? "" : ` A perfectly calibrated model would show ${percentOf(chance, 2)} by chance.`),
  /** @param {number} error */
  leans: (error) =>
    `Measured on the probability of positive, which also shows a bias to one side, it is ${percentOf(error, 2)}.`,
  /** @param {number} long @param {number} short temperatures */
  temperatures: (long, short) =>
    `Its sums are divided by a temperature: ${long} for a long review, ${short} for a text of a few words. ` +
    "Both were fitted on the development split.",

  /** @param {number} part @param {number} right */
  passes: (part, right) =>
    "You can let a person read the reviews on which the model is least sure. " +
    `It is right more often on the others: for ${percentOf(right, 2)} of the surest ${percentOf(part, 0)}.`,
  surestOf: "surest reviews, %",
  /** @param {string} split */
  riskLabel: (split) =>
    `Plot: how often the verdict is right on the surest of the ${split} reviews. ` +
    "A table with the numbers follows.",
  /** @param {string} split */
  riskTable: (split) => `Accuracy on the surest reviews, ${split} split`,

  errorsMean: "The share of wrong verdicts, by the length of a review and by its number of negators.",
  /** @type {Record<string, string>} */
  ERROR_KEY: {
    plus: "Solid bar: negative reviews called positive (+).",
    minus: "Hatched bar: positive reviews called negative (\u2212).",
  },
  /** @param {string} split */
  byLength: (split) => `By length, ${split} split`,
  /** @param {string} split */
  byNegation: (split) => `By negation, ${split} split`,
  reviews: "Reviews",
  noNegator: "No negator",
  wrong: "Wrong",
  /** @param {number} positive @param {number} negative */
  sides: (positive, negative) =>
    `: ${percentOf(positive)} negative but called positive, ${percentOf(negative)} positive but called negative`,
  /** @param {number} from @param {number} to */
  tokens: (from, to) => `${count(from)} to ${count(to)} tokens`,
  /** @param {string} name @param {number} from @param {number} to */
  negatorRange: (name, from, to) =>
    `${capital(name)}: ${decimal(from, 1)} to ${decimal(to, 1)} in 100 tokens`,
  negators:
    "Tokens are words and punctuation marks. " +
    "Negators are words such as \u201cnot\u201d, \u201cnever\u201d or \u201chardly\u201d.",

  behaviourMeans:
    "A whole review gives many clues, and a short case gives one. So each case tests a single skill. " +
    "The held-back half guided no choice. The open half helped to write lessons for the model, " +
    "so its figures are higher.",
  behaviourTable: "Share of cases that are right, by skill",
  BEHAVIOUR_HEAD: ["", "Held back", "Open"],
  fewCases: "A half has at most a few dozen cases for a skill, so a few points may be chance.",

  opinionMeans:
    "Some texts praise as much as they complain, and some give no opinion. " +
    "\u201cCan\u2019t tell\u201d names such a reason. The table compares the reasons with labels set by hand.",
  opinionTable: "Reasons against labels, held-back half",
  OPINION_HEAD: ["", "Texts", "Precision", "Recall", "F1"],
  /** Names the labels, by the card's names. @type {Record<string, string>} */
  OPINIONS: {
    mixed: "Praise and complaint",
    no_opinion: "No opinion",
    clear: "A clear opinion",
    unclear: "Could go either way",
  },
  opinionNote:
    "Precision is how often a given reason is right. Recall is how many of the labelled texts get it. " +
    "F1 is their harmonic mean.",

  languagesMean:
    "The model learned English only. Text in another language should get \u201cCan\u2019t tell\u201d and a warning. " +
    "The table shows how often it did, for sentences written for this test.",
  /** @param {number} reviews @param {number} flagged */
  flagged: (reviews, flagged) =>
    `${flagged === 0 ? "None" : percentOf(flagged, 2)} of ${count(reviews)} English reviews got that warning by mistake.`,
  languagesTable: "Share with a warning, by script",
  eachLanguage: "Each language",
  LANGUAGES_HEAD: ["", "Sentences", "With a warning"],
  /** @param {string} script @param {number | null} languages */
  script: (script, languages) => {
    const name = { latin: "in Latin letters", other: "in other scripts" }[script] ?? script;
    return languages === null ? name : `${plural(languages, "language", "languages")} ${name}`;
  },

  plantedMeans:
    "Each of these reviews joins five labelled sentences. None, one or two of them have the other label. " +
    "A sentence\u2019s pull should have its own sign, not that of the verdict.",
  plantedTable: "Share of sentences and verdicts",
  /** The rows, by their place in the card. @type {Record<string, string>} */
  PLANTED: {
    planted: "Own sign, sentences with the other label",
    agreeing: "Own sign, the other sentences",
    "two_planted.majority": "Two with the other label: the verdict follows the three",
    "two_planted.uncertain": "Two with the other label: can\u2019t tell",
    "two_planted.minority": "Two with the other label: the verdict follows the two",
  },
  /** @param {number} part @param {number | null} error */
  shareAndError: (part, error) => percentOf(part) + (error === null ? "" : ` \u00b1\u00a0${(100 * error).toFixed(1)}`),

  /** @param {number | null} reviews */
  faithfulnessMeans: (reviews) =>
    "The pulls add up to the verdict. But does the verdict depend on the words with the strongest pulls? " +
    "Without these words the probability should fall far. With only these words it should hardly fall." +
    `${reviews === null ? "" : ` Measured on ${count(reviews)} reviews.`}`,
  faithfulnessTable: "Fall of the verdict\u2019s probability, in points",
  FAITHFULNESS_HEAD: ["Words ranked by", "Removed", "Only these kept"],
  /** @type {Record<string, string>} */
  RANKINGS: { contributions: "Its pulls", effects: "Its measured effects", occlusion: "Occlusion", random: "Chance" },
  /** @param {number} mean @param {number | null} error */
  fall: (mean, error) => points(mean) + (error === null ? "" : ` \u00b1\u00a0${points(error)}`),
  /** @param {number} strongest @param {number} anyOne */
  withoutSentence: (strongest, anyOne) =>
    `Without the sentence with the strongest pull, the probability falls by ${points(strongest)} points. Without a random ` +
    `sentence, it falls by ${points(anyOne)}.`,
  rankings:
    "An answer names the measured effects of the words with the strongest pulls. " +
    "Each is how far the score falls without the word. " +
    "Occlusion measures every word, which costs one reading a word. The pulls need a single reading.",

  peersMean: "These programs read the same reviews and cases, each with its own text processing.",
  peersTable: "Comparison",
  PEERS_HEAD: ["", "Accuracy", "ECE", "Short cases", "Contrast", "Single sentences", "ms a review", "MB"],
  peersNote:
    "Each program has its own temperature, fitted like ours, before its calibration error is measured. " +
    "MB counts files without packages.",
  /** @param {string} machine */
  measuredOn: (machine) => `Measured on ${machine}.`,

  /** @param {string} architecture */
  architecture: (architecture) => `Architecture: ${withStop(architecture)}`,
  /** @param {number} spent @param {string | null} machine @param {number | null} energy */
  cost: (spent, machine, energy) =>
    `The whole recipe took ${decimal(spent / 60, 1)} hours${machine === null ? "" : ` on ${machine}`}` +
    `${energy === null ? "" : ` and about ${rounded(energy)} kWh`}.`,
  /** @param {string} how */
  how: (how) => `The cost is ${withStop(how)}`,
  madeBy: "Made by",
  stagesTable: "Time of each stage",
  STAGES_HEAD: ["Stage", "Time"],
  /** Names a stage of the card, with the number of a teacher or a seed. @param {string} key */
  stage: (key) => {
    const [name, number = ""] = key.split(/-(?=\d+$)/);
    const known = {
      pretrained: "Word vectors and language models",
      "pretrained-wide": "Wider ones for the teachers",
      teacher: `Teacher ${number}, a wider network`,
      transformer: "Fine-tuned small transformer, a teacher",
      taught: "The teachers\u2019 answers to unlabelled text",
      student: "The model itself, trained on them",
    };
    return Object.hasOwn(known, name) ? known[/** @type {keyof typeof known} */ (name)] : key.slice(0, 60);
  },
  teachersMean: "The model learned from the answers of larger models, its teachers. None of them is served.",
  teachersTable: "Teachers",
  TEACHERS_HEAD: ["Teacher", "Weight", "Accuracy alone, development"],
  /** @param {string} name */
  dataName: (name) => `Film reviews: the ${name}.`,
  /** @type {Record<string, string>} */
  DATA_SPLITS: {
    train: "for training",
    development: "for choices",
    unsup: "without a label",
    test: "for the test",
  },
  /** @param {string[]} parts */
  dataUsed: (parts) => `It used ${joined(parts)}.`,
  /** @param {string} how */
  developmentSplit: (how) => `The development split, used for choices, is ${withStop(how)}`,
  /** @param {string[]} parts */
  leftOut: (parts) => `Left out because they are also test reviews: ${joined(parts)}.`,
  /** @param {string} licence */
  dataLicence: (licence) => `Licence of the data: ${withStop(licence)}`,
  /** @param {string} licence */
  modelLicence: (licence) => `Licence of the model: ${licence.toUpperCase()}.`,
  /** @param {string} hash */
  archive: (hash) => `SHA-256 of the archive: ${hash}`,

  /** @param {number} bytes */
  size: (bytes) => `The model is one file of ${decimal(bytes / 1e6, 1)} MB.`,
  /** @param {number} median @param {{tokens: number | null, p95: number | null, network: number | null}} more */
  inProcess: (median, { tokens, p95, network }) =>
    `A review${tokens === null ? "" : ` of ${count(tokens)} tokens`} takes ${decimal(median, 2)} ms from text to explained answer` +
    `${p95 === null ? "" : `, and at most ${decimal(p95, 2)} ms in 95 of 100 cases`}` +
    `${network === null ? "" : `. The network alone takes ${decimal(network, 2)} ms`}.`,
  /** @param {number} median @param {{reviews: number | null, p95: number | null}} more */
  overHttp: (median, { reviews, p95 }) =>
    `Over HTTP, an answer takes ${decimal(median, 1)} ms` +
    `${p95 === null ? "" : `, and at most ${decimal(p95, 1)} ms in 95 of 100 cases`}` +
    `${reviews === null ? "" : ` (${count(reviews)} reviews)`}.`,

  /** @param {[number, number]} band */
  between: ([low, high]) => `from ${rounded(low)} to ${rounded(high)}`,
  /** @type {Record<string, string>} */
  FACTS: {
    id: "Model",
    created: "Created on",
    onnx_sha256: "SHA-256 of its file",
    vocabulary: "Vocabulary",
    vocabulary_size: "Known tokens",
    max_tokens: "Tokens read at most",
    temperature: "Temperature, long reviews",
    short_temperature: "Temperature, short texts",
    shift: "Shift, long reviews",
    uncertain: "Can\u2019t tell",
  },
  raw: "All of this comes from GET /v1/model.",
  numbers: "Numbers",
};
