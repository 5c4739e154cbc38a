// Holds the English words of the model's page.

import { capital, joined, sentence, withStop } from "../shared/prose_strings.js";
import { LANGUAGE, MINUS, count, plural } from "../shared/strings.js";

const longDate = new Intl.DateTimeFormat(LANGUAGE, { dateStyle: "long", timeZone: "UTC" });

/** @param {number} number @param {number} places */
const decimal = (number, places) => number.toFixed(places);

/** Writes a measured share: 93.22 %. @param {number} share @param {number} [places] */
const percentOf = (share, places = 1) => `${(100 * share).toFixed(places)}\u00a0%`;

/** @param {number} share */
const inHundred = (share) => String(Math.min(Math.round(100 * share), share < 1 ? 99 : 100));

/** Rounds to three significant digits. @param {number} number */
const rounded = (number) => String(Number(number.toPrecision(3)));

/** @param {number} difference of two shares */
const points = (difference) => (difference < 0 ? MINUS : "") + Math.abs(100 * difference).toFixed(1);

/** @param {number} number */
const signed = (number) => (number < 0 ? MINUS : "") + Math.abs(number);

/** @param {number} spent */
const minutes = (spent) => `${spent < 10 ? spent.toFixed(1) : Math.round(spent)} min`;

export const MODEL = {
  loading: "Loading the model\u2019s card\u2026",
  told: "The model\u2019s card is shown.",
  errorKicker: "No card",
  errorTitle: "The model\u2019s card can\u2019t be loaded",
  dash: "\u2013",
  decimal,
  percentOf,
  capital,
  sentence,
  signed,
  minutes,

  /** @param {string} created */
  date: (created) => longDate.format(Date.parse(created)),
  /** @param {string | null} id @param {string | null} date */
  kicker: (id, date) => `Model${id ? ` ${id}` : ""}${date ? `, created on ${date}` : ""}`,
  /** @param {number} right */
  headline: (right) => `Right for ${inHundred(right)} reviews in\u00a0100`,
  unjudged: "Not evaluated yet",
  howToJudge:
    "This model\u2019s card has no accuracy. \u201cmake evaluate\u201d measures it and adds it to the card.",
  /** @param {string} split @param {number | null} reviews @param {number} right */
  leadAccuracy: (split, reviews, right) =>
    `On ${reviews === null ? "reviews" : `${count(reviews)} reviews`} ${MODEL.UNSEEN[split]}, ` +
    `it is right for ${percentOf(right, 2)}.`,
  /** @param {number} coverage @param {number} outright */
  leadOutright: (coverage, outright) =>
    `For ${percentOf(1 - coverage)} it says \u201cCan\u2019t tell\u201d. Of its positive and negative verdicts, ` +
    `${percentOf(outright, 2)} are right.`,
  /** @param {{name: string, held: number}[]} weakest @param {number | null} all @param {number | null} sentences */
  leadWrong: (weakest, all, sentences) => {
    const [worst, ...next] = weakest.map(({ name, held }) => `${name.toLowerCase()} (${percentOf(held)} right)`);
    const said = `Its weakest point is ${worst}, followed by ${joined(next)}.`;
    if (all === null || sentences === null) return said;
    return (
      `Short texts are harder. It is right for ${percentOf(sentences)} of single sentences and for ${percentOf(all)} ` +
      `of hard cases written to fool it. ${said}`
    );
  },
  contents: "On this page",

  /** @type {Record<string, string>} */
  UNSEEN: {
    test: "never used to make it",
    development: "of films that its training never saw",
  },
  /** @type {Record<string, string>} */
  SPLITS: { test: "Test", development: "Development" },
  /** @type {Record<string, string>} */
  SPLIT_NOTES: {
    test: "The test split was used once, when the model was finished.",
    development:
      "Training never saw the films of the development split. But it guided choices, so its figures are slightly too good.",
  },

  /** The parts' titles. @type {Record<string, string>} */
  PARTS: {
    limits: "Uses and limits",
    adapted: "Adapted to your texts",
    accuracy: "How often it is right",
    reliability: "What a calibrated 0.8 means",
    "risk-coverage": "Accuracy without the least sure reviews",
    errors: "What it gets wrong",
    behaviour: "One skill at a time",
    opinion: "Mixed reviews, and none at all",
    languages: "Other languages",
    planted: "A bad sentence in a good review",
    faithfulness: "Can you trust its reasons?",
    peers: "Compared with alternatives",
    seeds: "How much is luck",
    ablation: "What each ingredient adds",
    training: "How it was trained, and the cost",
    data: "Training data",
    speed: "Size and speed",
    identity: "Identity",
  },

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
    "A probability describes many reviews, not one. A calibrated 0.8 means: of all reviews with 0.8, " +
    "eight in ten are positive. A 0.2 means: two in ten are positive. " +
    "A model whose probabilities come true like this is called calibrated.",
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
    `To check this, the ${split} reviews are sorted by how sure the verdict is, into ${groups} groups of equal size. ` +
    "Each dot is a group. On the dashed line, the model is right as often as it says. Above the line it is right more often, " +
    "below it less often. Vertical lines show where 95\u00a0% of calibrated groups would lie.",
  /** @param {number} sure @param {number} right */
  nearest: (sure, right) =>
    `The group nearest to 0.8 was ${percentOf(sure)} sure on average and right for ${percentOf(right)}.`,
  /** @param {[number, number]} band */
  bandMeans: (band) =>
    `With a probability ${MODEL.between(band)}, the hatched part, the verdict is \u201cCan\u2019t tell\u201d.`,
  wholeReviews:
    "All this was measured on whole reviews. A text of a few words has a calibration of its own, fitted on single " +
    "sentences, and its answer carries a warning.",
  /** @param {string} split */
  reliabilityTable: (split) => `How sure and how often right, ${split} split`,
  /** @param {number} error @param {number | null} chance */
  calibrationError: (error, chance) =>
    `The expected calibration error (ECE) is ${percentOf(error, 2)}: the mean gap between how sure and how often right.` +
    (chance === null ? "" : ` A perfectly calibrated model would show ${percentOf(chance, 2)} by chance.`),
  /** @param {number} error */
  leans: (error) => `For the probability of positive, which also reveals a bias to one side, it is ${percentOf(error, 2)}.`,
  /** @param {number} long @param {number} short temperatures */
  temperatures: (long, short) =>
    `Its sums are divided by a temperature: ${long} for a long review, ${short} for a text of a few words. ` +
    "Both were fitted on the development split.",

  /** @param {number} part @param {number} right */
  passes: (part, right) =>
    "You can let a person read the reviews on which the model is least sure. The others are right more often: " +
    `of the surest ${percentOf(part, 0)}, ${percentOf(right, 2)} are right.`,
  surestOf: "surest reviews, %",
  /** @param {string} split */
  riskLabel: (split) =>
    `Plot: how often the verdict is right on the surest of the ${split} reviews. A table with the numbers follows.`,
  /** @param {string} split */
  riskTable: (split) => `Accuracy on the surest reviews, ${split} split`,

  errorsMean: "Share of wrong verdicts, by length of the review and by its number of negators:",
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
  negators: "Tokens are words and punctuation marks. Negators are words such as \u201cnot\u201d, \u201cnever\u201d or \u201chardly\u201d.",

  behaviourMeans:
    "A whole review gives many clues; a short case gives one. So each case tests a single skill. " +
    "The held-back half guided no choice. The open half helped to write lessons for the model, so its figures are higher.",
  behaviourTable: "Share of cases that are right, by skill",
  BEHAVIOUR_HEAD: ["", "Held back", "Open"],
  fewCases: "Each half has a few dozen cases a skill at most, so a few points may be chance.",
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

  opinionMeans:
    "Some texts praise and complain about equally, and some give no opinion. \u201cCan\u2019t tell\u201d comes with such a reason. " +
    "The table compares the reasons with labels set by hand.",
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
    "Precision is how often a given reason is right. Recall is how many of the labelled texts get it. F1 is their harmonic mean.",

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
    "Each of these reviews joins five labelled sentences. None, one or two of them have the other label. A sentence\u2019s pull " +
    "should have its own sign, not that of the verdict.",
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
    "The pulls add up to the verdict. But does the verdict depend on the words with the strongest pulls? Without these words the " +
    "probability should fall far. With only these words it should hardly fall." +
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
    "An answer names the measured effects of the words with the strongest pulls: how far the logit falls without each. " +
    "Occlusion measures every word, which costs one reading a word. The pulls need a single reading.",

  peersMean: "Other programs on the same reviews and cases, each with its own text processing:",
  peersTable: "Comparison",
  PEERS_HEAD: ["", "Accuracy", "ECE", "Short cases", "Contrast", "Single sentences", "ms a review", "MB"],
  peersNote: "Each program\u2019s calibration error includes its own temperature, fitted like ours. MB counts files without packages.",
  /** @param {string} machine */
  measuredOn: (machine) => `Measured on ${machine}.`,

  /** @param {number} trainings */
  seedsMean: (trainings) =>
    `The last training stage, repeated with ${trainings ? `${count(trainings)} ` : ""}different random seeds, ` +
    "gives models that differ by luck alone. A smaller difference means nothing.",
  seedsTable: "Spread of repeated trainings",
  SEEDS_HEAD: ["", "Mean", "Standard deviation, points", "Lowest", "Highest"],
  /** @type {Record<string, string>} */
  SEED_FIGURES: {
    development_accuracy: "Accuracy, development",
    development_ece: "ECE, development",
    test_accuracy: "Accuracy, test",
    test_ece: "ECE, test",
    behaviour_held: "Held-back short cases",
    sentences_held: "Held-back single sentences",
  },

  ablationMeans: "Each row is a shortened last training stage without one ingredient. Compare these rows only with each other.",
  ablationTable: "Accuracy without the ingredient",
  ABLATION_HEAD: ["Without", "Development", "Held-back short cases", "Held-back single sentences"],
  everything: "(nothing left out)",
  /** @param {number} epochs */
  ablationNote: (epochs) => `Each row is one training of ${plural(epochs, "epoch", "epochs")}.`,

  /** @param {string} architecture */
  architecture: (architecture) => `Architecture: ${withStop(architecture)}`,
  /** @param {number} spent @param {string | null} machine @param {number | null} energy */
  cost: (spent, machine, energy) =>
    `The whole recipe took ${decimal(spent / 60, 1)} hours${machine === null ? "" : ` on ${machine}`}` +
    `${energy === null ? "" : ` and about ${rounded(energy)} kWh`}.`,
  /** @param {string} how */
  how: (how) => `The cost is ${withStop(how)}`,
  madeBy: "Made by",
  printedBy: "Printed by",
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
  teachersMean: "The model learned from the answers of larger models, its teachers. None of them is served:",
  teachersTable: "Teachers",
  TEACHERS_HEAD: ["Teacher", "Weight", "Accuracy alone, development"],
  optionsTable: "Settings of the last training stage",
  OPTIONS_HEAD: ["Setting", "Value"],

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
