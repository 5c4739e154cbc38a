// Holds every English word of the model's page: a translation is a copy of this file, and of ../shared/strings.js.

import { capital, joined, sentence, withStop } from "../shared/prose_strings.js";
import { LANGUAGE, MINUS, count, plural } from "../shared/strings.js";

const longDate = new Intl.DateTimeFormat(LANGUAGE, { dateStyle: "long", timeZone: "UTC" });

/** @param {number} number @param {number} places */
const decimal = (number, places) => number.toFixed(places);

/** A measured share: 93.22 %. @param {number} share @param {number} [places] */
const percentOf = (share, places = 1) => `${(100 * share).toFixed(places)}\u00a0%`;

/** @param {number} share */
const inHundred = (share) => String(Math.min(Math.round(100 * share), share < 1 ? 99 : 100));

/** As many digits as say something. @param {number} number */
const rounded = (number) => String(Number(number.toPrecision(3)));

/** @param {number} difference of two shares */
const points = (difference) => (difference < 0 ? MINUS : "") + Math.abs(100 * difference).toFixed(1);

/** @param {number} spent */
const minutes = (spent) => `${spent < 10 ? spent.toFixed(1) : Math.round(spent)} min`;

export const MODEL = {
  loading: "Asking for the model\u2019s card\u2026",
  told: "The model\u2019s card is shown.",
  errorKicker: "No card",
  errorTitle: "The model\u2019s card can\u2019t be had",
  dash: "\u2013",
  decimal,
  percentOf,
  capital,
  sentence,
  minutes,

  /** @param {string} created */
  date: (created) => longDate.format(Date.parse(created)),
  /** @param {string | null} id @param {string | null} date */
  kicker: (id, date) => `The model${id ? ` ${id}` : ""}${date ? `, made on ${date}` : ""}`,
  /** @param {number} right */
  headline: (right) => `Right for ${inHundred(right)} reviews in\u00a0100`,
  unjudged: "Not judged yet",
  howToJudge:
    "This model\u2019s card holds no accuracy. \u201cmake evaluate\u201d measures it and writes it there.",
  /** @param {string} split @param {number | null} reviews @param {number} right */
  leadAccuracy: (split, reviews, right) =>
    `Shown ${reviews === null ? "reviews" : `${count(reviews)} reviews`} ${MODEL.UNSEEN[split]}, ` +
    `it takes the right side for ${percentOf(right, 2)} of them.`,
  /** @param {number} coverage @param {number} outright */
  leadOutright: (coverage, outright) =>
    `It may also pass, and says for ${percentOf(1 - coverage)} that it can\u2019t tell; of what it calls positive or ` +
    `negative outright, ${percentOf(outright, 2)} is right.`,
  /** @param {{name: string, held: number}[]} weakest @param {number | null} all @param {number | null} sentences */
  leadWrong: (weakest, all, sentences) => {
    const [worst, ...next] = weakest.map(({ name, held }) => `${name.toLowerCase()} (${percentOf(held)} right)`);
    const said = `It is easily fooled by ${worst}, and often by ${joined(next)}.`;
    if (all === null || sentences === null) return said;
    return (
      `Short texts are harder. On single sentences it is right for ${percentOf(sentences)}, on cases written to ` +
      `trip it up for ${percentOf(all)}. ${said}`
    );
  },
  contents: "On this page",

  /** @type {Record<string, string>} */
  UNSEEN: {
    test: "that took no part in its making",
    development: "of films that its training never saw",
  },
  /** @type {Record<string, string>} */
  SPLITS: { test: "Test", development: "Development" },
  /** @type {Record<string, string>} */
  SPLIT_NOTES: {
    test: "The test split was looked at once, when the model was done.",
    development:
      "The development split is of films that training never saw. But choices were made by it, so its figures flatter a little.",
  },

  /** The parts' titles. @type {Record<string, string>} */
  PARTS: {
    limits: "What it is for, and what not",
    adapted: "What it was adapted to",
    accuracy: "How often it is right",
    reliability: "What a calibrated 0.8 means",
    "risk-coverage": "When it may pass on the hard ones",
    errors: "What it gets wrong",
    behaviour: "One thing at a time",
    languages: "Other languages",
    faithfulness: "Whether its reasons hold",
    peers: "Beside what you might take instead",
    seeds: "How much is luck",
    ablation: "What each part of the recipe is worth",
    training: "How it was made, and the cost",
    data: "What it learned from",
    speed: "How big and how fast it is",
    identity: "Its identity",
  },

  /** @param {number} rows @param {number} reviews @param {string | null} labels what the labels mean */
  adaptedRows: (rows, reviews, labels) =>
    `Of ${count(rows)} rows it learned from ${count(reviews)}${labels ? `; the label is ${labels}` : ""}.`,
  adaptedTable: "Before and after, on reviews that the judged fit had not seen",
  ADAPTED_HEAD: ["", "Before", "After", "Difference, and where it lies 95 times in\u00a0100"],
  /** @type {Record<string, string>} */
  ADAPTED_MEASURES: { accuracy: "Accuracy", ece: "Calibration error (ECE)" },
  /** @param {number} difference @param {number | null} low @param {number | null} high */
  adaptedGap: (difference, low, high) =>
    `${points(difference)} points` + (low === null || high === null ? "" : ` (${points(low)} to ${points(high)})`),
  /** @param {string} base */
  adaptedFrom: (base) => `The base is ${base}: its network stays, the head over it is fitted anew.`,
  /** @param {string} how */
  adaptedJudged: (how) => `Judged: ${how}.`,
  /** @param {string} hash */
  adaptedFile: (hash) => `The labelled file\u2019s SHA-256 is ${hash}; none of its texts is kept.`,

  notFor: "Not for",
  limits: "Limits",

  accuracyMeans:
    "Accuracy counts every review, by the side of one half on which its probability lies, even where the model " +
    "would rather not say.",
  /** @param {string} split @param {number} positive @param {number} negative */
  mistaken: (split, positive, negative) =>
    `In the ${split} split, ${count(positive)} negative reviews passed for positive, and ${count(negative)} positive ` +
    "ones for negative.",
  accuracyTable: "Figures by split",
  /** The rows of that table, by the card's names. @type {Record<string, string>} */
  MEASURES: {
    reviews: "Reviews",
    accuracy: "Right, of all (accuracy)",
    coverage: "Called positive or negative outright",
    accuracy_outright: "Of these, right",
    accuracy_positive: "\u201cPositive\u201d is right for",
    accuracy_negative: "\u201cNegative\u201d is right for",
    accuracy_of_surest_90: "Right for the surest 90\u00a0%",
    ece: "Calibration error (ECE)",
    ece_by_chance: "The same, by chance alone",
    ece_worst_quarter: "The same, worst quarter by length",
    ece_positive: "Calibration error of P(positive)",
  },

  calibrated:
    "A probability is a promise about many reviews, not about one. When the model says 0.8, it promises this: of all " +
    "the reviews that get 0.8, eight in ten are positive, and two are not. And 0.2 is the same promise for the other " +
    "side. A model that keeps its promises is called calibrated.",
  saysSure: "says it is so sure, %",
  isRight: "right of them, %",
  ofReviews: "of the reviews",
  keepsPromise: "promise kept",
  cantTell: "can\u2019t tell",
  /** @param {string} split @param {number} groups */
  reliabilityLabel: (split, groups) =>
    `Plot: how often the verdict is right against how sure it is, for ${groups} groups of ${split} reviews. ` +
    "The numbers follow in a table.",
  /** @param {string} split @param {number} groups */
  reliabilityRead: (split, groups) =>
    `The check: the ${split} reviews, sorted by how sure the verdict on each was, in ${groups} groups of equal size. ` +
    "Each dot is a group. On the dashed line it is right as often as it says; above, more often; below, less. An upright " +
    "line is the room that chance has around a kept promise, 95 times in 100.",
  /** @param {number} sure @param {number} right */
  nearest: (sure, right) =>
    `The group nearest to 0.8 was ${percentOf(sure)} sure on average, and right for ${percentOf(right)}.`,
  /** @param {[number, number]} band */
  bandMeans: (band) =>
    `With a probability ${MODEL.between(band)} it says \u201ccan\u2019t tell\u201d: that is the hatched part.`,
  wholeReviews:
    "All this was measured on whole reviews. Of a text of a few words the same score promises less, and the answer " +
    "carries a warning.",
  /** @param {string} split */
  reliabilityTable: (split) => `How sure and how often right, ${split} split`,
  /** @param {number} error @param {number | null} chance */
  calibrationError: (error, chance) =>
    `Expected calibration error (ECE), the mean distance between how sure and how often right: ${percentOf(error, 2)}.` +
    (chance === null ? "" : ` Perfect promises would show ${percentOf(chance, 2)} by chance.`),
  /** @param {number} error */
  leans: (error) => `That of P(positive), which also shows a lean to one side: ${percentOf(error, 2)}.`,
  /** @param {number} divisor @param {number} before */
  temperature: (divisor, before) =>
    `Its logits are divided by a temperature of ${divisor}, fitted on the development split. Without, the error would ` +
    `be ${percentOf(before, 2)}.`,

  /** @param {number} part @param {number} right */
  passes: (part, right) =>
    "Whoever can have a person read the hard ones need not take every verdict. Leave the least sure aside, and the rest " +
    `is right more often: the surest ${percentOf(part, 0)} for ${percentOf(right, 2)}.`,
  surestOf: "the surest of the reviews, %",
  /** @param {string} split */
  riskLabel: (split) =>
    `Plot: how often the verdict is right on the surest of the ${split} reviews. The numbers follow in a table.`,
  /** @param {string} split */
  riskTable: (split) => `How often right on the surest, ${split} split`,

  errorsMean: "Wrong verdicts in four groups of reviews each, by length and by how many negators they hold:",
  /** @type {Record<string, string>} */
  ERROR_KEY: {
    plus: "A solid bar: negative reviews, called positive (+).",
    minus: "A hatched bar: positive reviews, called negative (\u2212).",
  },
  /** @param {string} split */
  byLength: (split) => `By length, ${split} split`,
  /** @param {string} split */
  byNegation: (split) => `By negation, ${split} split`,
  reviews: "Reviews",
  noNegator: "No negator",
  wrong: "Called wrongly",
  /** @param {number} positive @param {number} negative */
  sides: (positive, negative) =>
    `: ${percentOf(positive)} negative and called positive, ${percentOf(negative)} positive and called negative`,
  /** @param {number} from @param {number} to */
  tokens: (from, to) => `${count(from)} to ${count(to)} tokens`,
  /** @param {string} name @param {number} from @param {number} to */
  negatorRange: (name, from, to) =>
    `${capital(name)}: ${decimal(from, 1)} to ${decimal(to, 1)} in 100 tokens`,
  negators: "Tokens are words and signs. Negators are words such as \u201cnot\u201d, \u201cnever\u201d or \u201chardly\u201d.",

  behaviourMeans:
    "Whole reviews repeat themselves; a short text has one thing to go by. So the model sits an exam of short cases, " +
    "each about one thing. Half of them were never used for a choice. The open half, which lessons were written by, shows " +
    "how much that flatters.",
  behaviourTable: "Right, by what is asked",
  BEHAVIOUR_HEAD: ["", "Held back", "Open"],
  fewCases: "One thing has a few dozen cases at most in each half, so a few points are chance.",
  /** What each is called and asks, by the card's names. @type {Record<string, {name: string, asks: string}>} */
  CAPABILITIES: {
    overall: { name: "All short cases but sarcasm", asks: "" },
    "single sentences": { name: "Single sentences", asks: "cut from development reviews and labelled by hand" },
    negation: { name: "Negation", asks: "one \u201cnot\u201d turns what follows: a thriller that fails to thrill" },
    negated_negation: { name: "Double negation", asks: "two that cancel: you can\u2019t fault it" },
    contrast: { name: "Contrast", asks: "but, although, still: one clause outweighs the other" },
    comparison: { name: "Comparison", asks: "better or worse than something that is itself judged" },
    intensity_order: { name: "Strength", asks: "of two praises or two complaints, the stronger gets the stronger score" },
    expectation: { name: "Expectation", asks: "what was hoped or feared, against what was found" },
    reported_opinion: { name: "What others say", asks: "other people\u2019s verdict, then the writer\u2019s" },
    quotation: { name: "Quotation", asks: "titles and blurbs in quotation marks don\u2019t decide" },
    question: { name: "Questions", asks: "rhetorical ones, and those that the writer answers" },
    counterfactual: { name: "What could have been", asks: "could have, if only, would have" },
    names_and_countries: { name: "Names and countries", asks: "another name, gender, country or religion changes nothing" },
    typos: { name: "Typing errors", asks: "slips of spelling and keyboard change nothing" },
    format: { name: "Format", asks: "markup, spaces, capitals and punctuation change nothing" },
    plot_then_verdict: { name: "Plot, then verdict", asks: "much neutral plot around one sentence of judgement" },
    ratings: { name: "Ratings", asks: "figures, stars and grades" },
    slang_and_emoji: { name: "Slang and emoji", asks: "this movie slaps; mid at best; a thumb down" },
    short: { name: "A word or three", asks: "the shortest of reviews" },
    recommendation: { name: "Advice", asks: "save your money; see it twice" },
    sarcasm: { name: "Sarcasm", asks: "says the reverse of what it means; not in the overall rate" },
  },

  languagesMean:
    "It learned English alone. Text in another language gets a verdict too, but should come with a warning. This is how " +
    "often it did, for sentences of our own.",
  /** @param {number} reviews @param {number} flagged */
  flagged: (reviews, flagged) =>
    `${flagged === 0 ? "None" : percentOf(flagged, 2)} of ${count(reviews)} English reviews got that warning by mistake.`,
  languagesTable: "Noticed, by script",
  eachLanguage: "Each language",
  LANGUAGES_HEAD: ["", "Sentences", "Noticed"],
  /** @param {string} script @param {number | null} languages */
  script: (script, languages) => {
    const name = { latin: "in Latin letters", other: "in other scripts" }[script] ?? script;
    return languages === null ? name : `${plural(languages, "language", "languages")} ${name}`;
  },

  /** @param {number | null} reviews */
  faithfulnessMeans: (reviews) =>
    "The pulls add up to the verdict; but are the words they name what it hangs on? Take the strongest away, and the " +
    "probability should fall far; keep them alone, and it should hardly fall" +
    `${reviews === null ? "" : `. Measured on ${count(reviews)} reviews`}.`,
  faithfulnessTable: "By how many points the verdict\u2019s probability falls",
  FAITHFULNESS_HEAD: ["Strongest by", "Taken away", "Kept alone"],
  /** @type {Record<string, string>} */
  RANKINGS: { contributions: "Its pulls", occlusion: "Occlusion", random: "Chance" },
  /** @param {number} mean @param {number | null} error */
  fall: (mean, error) => points(mean) + (error === null ? "" : ` \u00b1\u00a0${points(error)}`),
  /** @param {number} strongest @param {number} anyOne */
  withoutSentence: (strongest, anyOne) =>
    `Without the sentence that is said to pull most, the probability falls by ${points(strongest)} points; without one ` +
    `taken by chance, by ${points(anyOne)}.`,
  rankings:
    "Occlusion takes each word out in turn and reads the review anew, which costs a reading for each word. The pulls " +
    "come with the one reading.",

  peersMean: "Other programs on the same reviews and cases, each by its own way with text:",
  peersTable: "Side by side",
  PEERS_HEAD: ["", "Accuracy", "ECE", "Short cases", "Contrast", "Single sentences", "ms a review", "MB"],
  peersNote: "The others\u2019 calibration error is after a temperature of their own, fitted as ours was. MB is files without packages.",
  /** @param {string} machine */
  measuredOn: (machine) => `Measured on ${machine}.`,

  /** @param {number} trainings */
  seedsMean: (trainings) =>
    `${trainings ? `The last training, repeated from ${count(trainings)} different starts,` : "The last training, repeated from different starts,"} ` +
    "gives models that differ by luck alone. A difference smaller than this means nothing.",
  seedsTable: "The spread of repeated trainings",
  SEEDS_HEAD: ["", "Mean", "Standard deviation, points", "Least", "Most"],
  /** @type {Record<string, string>} */
  SEED_FIGURES: {
    development_accuracy: "Accuracy, development",
    development_ece: "ECE, development",
    test_accuracy: "Accuracy, test",
    test_ece: "ECE, test",
    behaviour_held: "Short cases held back",
    sentences_held: "Single sentences held back",
  },

  ablationMeans: "The last training, shortened, without one of its ingredients each. The rows compare with each other only.",
  ablationTable: "Right, without it",
  ABLATION_HEAD: ["Without", "Development", "Short cases held back", "Single sentences held back"],
  everything: "(everything is there)",
  /** @param {number} epochs */
  ablationNote: (epochs) => `One training each, of ${plural(epochs, "epoch", "epochs")}.`,

  /** @param {string} architecture */
  architecture: (architecture) => `What it is made of: ${withStop(architecture)}`,
  /** @param {number} spent @param {string | null} machine @param {number | null} energy */
  cost: (spent, machine, energy) =>
    `Its whole recipe took ${decimal(spent / 60, 1)} hours${machine === null ? "" : ` on ${machine}`}` +
    `${energy === null ? "" : `, and some ${rounded(energy)} kWh`}.`,
  /** @param {string} how */
  how: (how) => `The cost is ${withStop(how)}`,
  madeBy: "Made by",
  printedBy: "Printed by",
  stagesTable: "What each stage took",
  STAGES_HEAD: ["Stage", "Time"],
  /** A stage's name in the card, with the number of a teacher or of a seed. @param {string} key */
  stage: (key) => {
    const [name, number = ""] = key.split(/-(?=\d+$)/);
    const known = {
      pretrained: "Word vectors and language models",
      "pretrained-wide": "The same, wider, for the teachers",
      teacher: `Teacher ${number}, a wider network`,
      transformer: "A teacher that is a small transformer, fine-tuned",
      taught: "The teachers\u2019 answers to unlabelled text",
      student: "The model itself, taught by them",
    };
    return Object.hasOwn(known, name) ? known[/** @type {keyof typeof known} */ (name)] : key.slice(0, 60);
  },
  teachersMean: "It was taught by others, whose answers it learned to give; none of them is served:",
  teachersTable: "The teachers",
  TEACHERS_HEAD: ["Teacher", "Weight", "Accuracy alone, development"],
  optionsTable: "Settings of the last training",
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
  developmentSplit: (how) => `Those for choices, the development split, are ${withStop(how)}`,
  /** @param {string[]} parts */
  leftOut: (parts) => `Left out, since they are test reviews too: ${joined(parts)}.`,
  /** @param {string} licence */
  dataLicence: (licence) => `The data\u2019s licence: ${withStop(licence)}`,
  /** @param {string} licence */
  modelLicence: (licence) => `The model\u2019s own: ${licence.toUpperCase()}.`,
  /** @param {string} hash */
  archive: (hash) => `The archive\u2019s SHA-256: ${hash}`,

  /** @param {number} bytes */
  size: (bytes) => `The model is one file of ${decimal(bytes / 1e6, 1)} MB.`,
  /** @param {number} median @param {{tokens: number | null, p95: number | null, network: number | null}} more */
  inProcess: (median, { tokens, p95, network }) =>
    `A review${tokens === null ? "" : ` of ${count(tokens)} tokens`} takes ${decimal(median, 2)} ms from its text to its explained answer` +
    `${p95 === null ? "" : `, and ${decimal(p95, 2)} ms or less 95 times in 100`}` +
    `${network === null ? "" : `; the network alone takes ${decimal(network, 2)} ms`}.`,
  /** @param {number} median @param {{reviews: number | null, p95: number | null}} more */
  overHttp: (median, { reviews, p95 }) =>
    `Over HTTP, with all that is around it, an answer takes ${decimal(median, 1)} ms` +
    `${p95 === null ? "" : `, and ${decimal(p95, 1)} ms or less 95 times in 100`}` +
    `${reviews === null ? "" : ` (${count(reviews)} reviews)`}.`,

  /** @param {[number, number]} band */
  between: ([low, high]) => `from ${rounded(low)} to ${rounded(high)}`,
  /** @type {Record<string, string>} */
  FACTS: {
    id: "Model",
    created: "Made on",
    onnx_sha256: "SHA-256 of its file",
    vocabulary: "Vocabulary",
    vocabulary_size: "Words and signs it knows",
    max_tokens: "Tokens it reads at most",
    temperature: "Temperature",
    uncertain: "Can\u2019t tell",
  },
  raw: "All of this is what GET /v1/model answers.",
  numbers: "The numbers",
};
