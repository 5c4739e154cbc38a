// Holds every English word that the page's script shows: a translation is a copy of this file.

const LANGUAGE = "en";
const MINUS = "\u2212";

const whole = new Intl.NumberFormat(LANGUAGE);
const twoPlaces = new Intl.NumberFormat(LANGUAGE, {
  minimumFractionDigits: 2,
  maximumFractionDigits: 2,
});

/** A whole number: 50,000. @param {number} number */
export const count = (number) => whole.format(number);

/** A signed pull: +1.24, −0.87, 0.00. @param {number} contribution */
export function signed(contribution) {
  const size = twoPlaces.format(Math.abs(contribution));
  if (size === twoPlaces.format(0)) return size;
  return (contribution > 0 ? "+" : MINUS) + size;
}

/** A probability as people say it: 97.3 %, never a rounded 0 or 100. @param {number} probability */
export function percent(probability) {
  if (probability > 0.999) return "more than 99.9\u00a0%";
  if (probability < 0.001) return "less than 0.1\u00a0%";
  return `${(probability * 100).toFixed(1)}\u00a0%`;
}

/** @param {number} number @param {string} one @param {string} many */
export const plural = (number, one, many) => `${count(number)} ${number === 1 ? one : many}`;

// --- every page ---------------------------------------------------------------------------------

/** The pages, in the order of the masthead: file and name. @type {Record<string, string>} */
export const PAGES = {
  "index.html": "A review",
  "file.html": "A file",
  "model.html": "The model",
  "developers.html": "For developers",
};

/** @type {Record<string, string>} */
export const THEMES = { system: "As the system", light: "Light", dark: "Dark" };

/** @type {{name: "live" | "shortcuts" | "history", label: string, note: string}[]} */
export const SETTINGS = [
  {
    name: "live",
    label: "Read while I type",
    note: "The text is then sent whenever you pause.",
  },
  {
    name: "shortcuts",
    label: "Keyboard shortcuts",
    note: "Ctrl or \u2318 with Enter reads; / goes to the box.",
  },
  {
    name: "history",
    label: "Keep a history on this device",
    note: "In this browser alone. Switched off, it is deleted.",
  },
];

// --- a review -----------------------------------------------------------------------------------

/** Texts that stand in the page as they are: an element's data-string names its key. */
export const STATIC = {
  pages: "Pages",
  settings: "Settings",
  theme: "Look",
  reviewLabel: "Your review",
  placeholder: "Paste or write a film review here.",
  send: "Read the review",
  restore: "Put my own text back",
  examplesTitle: "Or try one of these",
  emptyTitle: "The verdict will stand here",
  emptyBody:
    "With it come how sure the model is, and the pull of every sentence, marked in the text:",
  keyPlus: "A solid line and a plus: this sentence pulls towards positive.",
  keyMinus: "A dashed line and a minus: this one pulls towards negative.",
  keySum: "Added to where the model starts, the pulls make the verdict. Nothing else goes in.",
  stop: "Stop waiting",
  verdictKicker: "The verdict",
  warningsTitle: "Please note",
  textTitle: "What it read",
  textNote:
    "After each sentence stands its pull; the tint of a word is the word\u2019s own. " +
    "Press a word to take it out, and again to put it back. Arrow keys go from word to word.",
  sentencesTitle: "Sentence by sentence",
  axisMinus: "\u2212 negative",
  axisPlus: "positive +",
  sumTitle: "How it adds up",
  stale: "The text above has changed since. This is the verdict on the text below.",
  errorKicker: "No verdict",
  retry: "Try again",
  edit: "Go to the text",
  keyLabel: "Your key, kept until this tab is closed",
  keySend: "Try with this key",
  giveUp: "Stop trying",
  whatSureMeans: "What that is worth",
  pin: "Pin, to compare",
  share: "Copy a link to this",
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

/** @type {Record<string, string>} */
export const VERDICTS = {
  positive: "Positive",
  negative: "Negative",
  uncertain: "Can\u2019t tell",
};

/** @type {Record<string, string>} */
export const WARNINGS = {
  truncated: "Only a part was read",
  too_short: "Very short",
  no_known_words: "No word it knows",
  not_english: "Perhaps not English",
};
export const OTHER_WARNING = "Note";

/** How sure, in one short sentence. @param {string} sentiment @param {number} probability */
export function sureness(sentiment, probability) {
  if (sentiment === "uncertain") return "Not sure enough to say.";
  const share = percent(sentiment === "negative" ? 1 - probability : probability);
  return `${share.charAt(0).toUpperCase()}${share.slice(1)} sure.`;
}

/** What the probability means. @param {string} sentiment @param {number} probability */
export function meaning(sentiment, probability) {
  const side = sentiment === "negative" ? "negative" : "positive";
  const share = Math.round((side === "negative" ? 1 - probability : probability) * 100);
  const many = share >= 100 ? "More than 99" : share <= 0 ? "Fewer than 1" : `About ${share}`;
  return `${many} in 100 reviews with this score are ${side}.`;
}

export const probabilityLabel = "Probability that it is positive";

/** @param {number} length @param {number} limit */
export function lengthOf(length, limit) {
  if (length <= limit) return `${count(length)} of ${count(limit)} characters`;
  const over = plural(length - limit, "character", "characters");
  return `${count(length)} of ${count(limit)} characters: ${over} too many`;
}

/**
 * Where a long review will be cut, as far as the page can count.
 * @param {number} tokens
 * @param {{head: number, tail: number}} limits
 */
export const cutNote = (tokens, { head, tail }) =>
  `About ${count(tokens)} words and signs: it will read the first ${count(head)} and the last ${count(tail)}, ` +
  "and say which part it left out.";

/** @param {boolean} mac */
export const shortcut = (mac) => (mac ? "or \u2318 Enter" : "or Ctrl + Enter");

/**
 * @param {string} url
 * @param {{live: boolean, history: boolean}} settings
 */
export const privacy = (url, { live, history }) =>
  `Only the text in this box is sent, to ${url}, ${live ? "whenever you pause" : "and only when you ask"}. ` +
  (history ? "It is kept in this browser, as you chose, and not there." : "Nothing is stored, here or there.");

/** @param {number} length */
export const loading = (length) => `Reading ${plural(length, "character", "characters")}\u2026`;
/** @param {number} seconds */
export const retryIn = (seconds) => `Try again in ${plural(seconds, "second", "seconds")}`;
/** @param {number} seconds @param {number} waited */
export const waking = (seconds, waited) =>
  seconds <= 0 ? `Trying again\u2026 Waiting for ${count(waited)} seconds so far.` :
  `Trying again by itself in ${plural(seconds, "second", "seconds")}; waiting for ${count(waited)} so far.`;
export const stillLoading = "Still waiting. The model may be waking up.";
export const stopped = "Stopped. There is no verdict.";

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

/** @param {[number, number]} band */
export const band = ([low, high]) =>
  `Between ${Math.round(low * 100)} and ${Math.round(high * 100)}\u00a0% (hatched) it says that it can\u2019t tell.`;

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

/** @param {Explanation} explanation */
export const tryFailed = ({ title, advice }) => `${title}. ${advice}`;

// Side by side.

export const pinned = "Pinned";
export const now = "Now";
/** @param {Scored} answer */
export const pinnedAlone = ({ sentiment, probability }) =>
  `Pinned: ${quoted(sentiment)}, ${percentPositive(probability)}. ` +
  "Read another text, or change this one, and both will stand here.";
/** @param {Scored} from @param {Scored} to */
export const compared = (from, to) => {
  const what = difference(from, to);
  return `Now: ${what}${what.endsWith("positive") ? " than the pinned one" : ""}.`;
};
/** @param {number} probability */
export const percentPositive = (probability) => `${percent(probability)} positive`;

// For developers.

export const rawAnswer = "The raw answer";
export const allRoutes = "All routes, errors and limits";
export const copy = "Copy";
export const copied = "Copied";
export const notCopied = "Select it by hand";

// Links and history.

export const linkCopied = "Copied. The text is in the link itself, after the #, which is never sent to a server.";
export const linkShown = "Copy it from here. The text is in the link itself, after the #, which is never sent to a server.";
/** @param {number} when */
export const moment = (when) =>
  new Date(when).toLocaleString(LANGUAGE, { dateStyle: "medium", timeStyle: "short" });
export const forgotten = "The history is deleted.";

/** @param {{id: string, vocabulary?: string}} model @param {string} requestId */
export function smallPrint(model, requestId) {
  const parts = [`Model ${model.id}`];
  if (model.vocabulary) parts.push(`vocabulary ${model.vocabulary}`);
  if (requestId) parts.push(`request ${requestId}`);
  return parts.join(", ");
}

/**
 * What the API, or our check of its answer, said; "" when nothing.
 * @param {import("./api.js").ApiError} error
 */
export function detailOf({ code, detail }) {
  if (!detail) return "";
  return code === "bad_answer" ? `What is wrong: ${detail}.` : `The API says: ${detail}`;
}

/** @param {import("./api.js").ApiError} error */
export function errorSmallPrint({ status, code, request_id }) {
  const unsent = ["empty", "too_long", "broken_link"].includes(code);
  const parts = [unsent ? "Not sent" : status ? `Status ${status}` : "No HTTP answer", code];
  if (request_id) parts.push(`request ${request_id}`);
  return parts.join(", ");
}

/**
 * @typedef {{title: string, advice: string, command?: string, edit?: boolean,
 *   retry?: boolean, again?: boolean}} Explanation
 *   command: what to type in a terminal; edit: another text is needed, the same won't do;
 *   retry: false when there is nothing yet to try again; again: the page tries by itself.
 */

/** @type {Record<string, (error: import("./api.js").ApiError, url: string) => Explanation>} */
const BY_CODE = {
  empty: () => ({
    title: "There is nothing to read yet",
    advice: "Write or paste a review, or take one of the examples.",
    edit: true,
    retry: false,
  }),
  too_long: () => ({
    title: "The review is too long",
    advice: "It was not sent. Shorten it to 50,000 characters, then try again.",
    edit: true,
  }),
  broken_link: () => ({
    title: "The link holds no review",
    advice: "It may have been cut short on its way. Ask for it again, or paste the text itself.",
    retry: false,
  }),
  unreachable: (_, url) => ({
    title: "The API can\u2019t be reached",
    advice:
      `No answer came from ${url}. This device may be offline, the API may be down, or it may ` +
      "not accept this page\u2019s address. If the API should be on this machine, this starts it:",
    command: "make run",
  }),
  offline: () => ({
    title: "This device is offline",
    advice: "Your text is still here. Connect to the network, then try again.",
  }),
  refused_origin: (_, url) => ({
    title: "The API doesn\u2019t accept this page\u2019s address",
    advice:
      `${url} is there, but its answers may not be read by ${globalThis.location?.origin ?? "this page"}. ` +
      "Whoever runs it can allow that: CORS_ORIGIN names the pages that it answers.",
  }),
  endpoint_waking: () => ({
    title: "The model is waking up",
    advice: "It sleeps when nobody asks, so that it costs nothing, and needs up to a minute to start.",
    again: true,
  }),
  timeout: (_, url) => ({
    title: "The API took too long",
    advice:
      `${url} did not answer in time. It may be busy or just starting: ` +
      "try again in a moment.",
  }),
  page_fault: () => ({
    title: "This page failed to show the answer",
    advice:
      "The fault is the page\u2019s own. Reload it and try again; " +
      "the browser\u2019s console says more.",
  }),
  bad_answer: (_, url) => ({
    title: "The answer can\u2019t be trusted",
    advice:
      `${url} answered with something that this page can\u2019t read as a verdict, ` +
      "so none is shown. " +
      "Try again. If it stays so, page and API may be of different versions: reload the page.",
  }),
};

/** @type {Record<number, (error: import("./api.js").ApiError, url: string) => Explanation>} */
const BY_STATUS = {
  400: () => ({
    title: "The API didn\u2019t accept the request",
    advice: "Page and API may be of different versions: reload the page, then try again.",
  }),
  401: () => ({
    title: "This API asks for a key",
    advice: "Whoever runs it gives keys out. With one you can go on; your text is still here.",
    retry: false,
  }),
  404: (_, url) => ({
    title: "There is no such API",
    advice: `${url} answers, but not as a Verdict of this version. Check the address, or reload the page.`,
  }),
  413: () => ({
    title: "The review is too long",
    advice: "Shorten it to 50,000 characters, then try again.",
    edit: true,
  }),
  422: () => ({
    title: "There is no word to read in it",
    advice: "The model needs at least one word. Add some, then try again.",
    edit: true,
  }),
  429: ({ retry_after }) => ({
    title: "Too many requests for now",
    advice: retry_after
      ? "Your text is still here. The button counts the seconds until the API takes more."
      : "Your text is still here. Wait a moment, then try again.",
  }),
  502: () => ({
    title: "The model failed to answer",
    advice:
      "Your text is still here. Try again in a moment; if it stays so, tell whoever runs the API.",
  }),
  504: () => ({
    title: "The model took too long",
    advice: "Your text is still here. It may be busy or just starting: try again in a moment.",
  }),
  503: () => ({
    title: "The model isn\u2019t answering",
    advice:
      "The API is up, but the endpoint that holds the model is not, or it is still starting. " +
      "If it should be on this machine, this starts it:",
    command: "make run",
    again: true,
  }),
};

/**
 * @param {import("./api.js").ApiError} error
 * @param {string} url
 * @returns {Explanation}
 */
export function explain(error, url) {
  const known = BY_CODE[error.code] ?? BY_STATUS[error.status];
  if (known) return known(error, url);
  if (error.status >= 500) {
    return {
      title: "Something broke on the way to the model",
      advice:
        "Your text is still here. Try again in a moment; if it stays so, " +
        "tell whoever runs the API.",
    };
  }
  return {
    title: "The API refused this",
    advice: "Your text is still here. Reload the page if it was open for long, then try again.",
  };
}

/** @type {{name: string, label: string, note: string, review: string}[]} */
export const EXAMPLES = [
  {
    name: "glowing",
    label: "Glowing",
    note: "an easy one",
    review:
      "I went in expecting little and came out walking on air. The two leads are wonderful " +
      "together, and the script is sharp, warm and funny. The last twenty minutes are the best " +
      "I have seen in years.",
  },
  {
    name: "scathing",
    label: "Scathing",
    note: "another easy one",
    review:
      "What a waste of an evening. The plot makes no sense, the jokes fall flat, and the lead " +
      "looks as bored as I was. I left before the end and don\u2019t regret it.",
  },
  {
    name: "mixed",
    label: "Mixed",
    note: "praise and blame in one",
    review:
      "The photography is gorgeous and the score gave me chills. Sadly the story goes nowhere, " +
      "and the dialogue is painful whenever someone opens their mouth. I loved the first hour " +
      "and checked my watch all through the second.",
  },
  {
    name: "negated",
    label: "Negated",
    note: "good words, turned round",
    review:
      "I can\u2019t say that this is a good film. It isn\u2019t funny, it isn\u2019t clever, and " +
      "nobody in it is worth caring about. It is not even bad enough to be fun.",
  },
  {
    name: "sarcastic",
    label: "Sarcastic",
    note: "this may fool it",
    review:
      "Oh, brilliant, another two hours of men shouting at laptops. I just loved how every twist " +
      "was printed on the poster. Truly a masterpiece, if you enjoy watching paint dry.",
  },
  {
    name: "long",
    label: "A long one",
    note: "its middle is not read",
    review: longReview(),
  },
  {
    name: "html",
    label: "With HTML",
    note: "tags and entities",
    review:
      "<p>A <b>lovely</b> surprise!<br />Small budget &amp; big heart.</p>\n" +
      "<p>The ending is rushed,<br/>but I would <i>gladly</i> see it again.</p>",
  },
  {
    name: "french",
    label: "In French",
    note: "it learned English only",
    review:
      "Un film magnifique, dr\u00f4le et touchant. Les acteurs sont formidables et la musique " +
      "m\u2019a boulevers\u00e9. Je le recommande \u00e0 tout le monde.",
  },
];

/** A review of more words than the model reads. */
function longReview() {
  const plot = [
    "A ferryman finds a letter in a bottle and sets out to return it.",
    "On the first island he meets a clockmaker who has stopped every clock in town.",
    "On the second, two sisters quarrel over a piano that neither can play.",
    "The third is empty but for a lighthouse, and somebody has lit it.",
    "Between the islands there is rowing, and talk about rowing, and rain.",
    "A gull follows the boat and is given a name.",
  ];
  const middle = Array.from({ length: 5 }, () => plot.join(" ")).join(" ");
  return (
    "I had no idea what to expect of this film. " +
    `${middle} ` +
    "And yet the ending is so tender, and so well earned, that I forgave it every slow minute. " +
    "The ferryman is played with great warmth, and the sea has rarely been filmed so well. A quiet joy."
  );
}

// --- pages that tell what the API says of itself ------------------------------------------------

/**
 * What went wrong, where no review is at stake.
 * @param {import("./api.js").ApiError} error
 * @param {string} url
 * @param {string} title
 * @returns {Explanation}
 */
export function explainForPage(error, url, title) {
  const known = ["unreachable", "refused_origin", "timeout", "page_fault"].includes(error.code);
  if (known || [404, 503].includes(error.status)) return explain(error, url);
  if (error.status === 401) return { ...explain(error, url), advice: "Whoever runs it gives keys out." };
  return { title, advice: "Try again in a moment; if it stays so, tell whoever runs the API." };
}

// --- the model's card ---------------------------------------------------------------------------

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

/** "a, b and c" @param {string[]} parts */
const joined = (parts) => new Intl.ListFormat(LANGUAGE, { type: "conjunction" }).format(parts);

/** @param {string} text */
const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** The card's own words begin small and end without a stop. @param {string} text */
const withStop = (text) => text + (/[.!?\u2026]$/.test(text) ? "" : ".");

/** @param {string} text */
const sentence = (text) => capital(withStop(text));

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
    `negative outright, ${percentOf(outright, 2)} is so.`,
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
    identity: "Its papers",
  },

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

// --- for developers -----------------------------------------------------------------------------

/** @type {Record<string, (value: string | number) => string>} */
const LIMITS = {
  minLength: (value) => `at least ${limit(value)} characters`,
  maxLength: (value) => `at most ${limit(value)} characters`,
  minItems: (value) => `at least ${limit(value)}`,
  maxItems: (value) => `at most ${limit(value)}`,
  minimum: (value) => `${limit(value)} or more`,
  maximum: (value) => `${limit(value)} or less`,
  pattern: (value) => `matches ${value}`,
  format: (value) => `in the form \u201c${value}\u201d`,
  default: (value) => `${JSON.stringify(value)} when left out`,
};

/** @param {string | number} value */
const limit = (value) => (typeof value === "number" ? count(value) : value);

export const DEVELOPERS = {
  loading: "Asking the API for its description\u2026",
  told: "The API\u2019s description is shown.",
  errorKicker: "No description",
  errorTitle: "The API\u2019s description can\u2019t be had",

  kicker: "For developers",
  headline: "One call, one verdict",
  where: "The API is at",
  document: "All below is drawn from its own description, in OpenAPI:",
  ownModule: "This page\u2019s own client is a JavaScript module without dependencies, yours to take:",
  contents: "On this page",
  /** @type {Record<string, string>} */
  PARTS: {
    key: "Keys",
    limits: "Limits",
    errors: "Errors",
    messages: "Messages",
    privacy: "What becomes of a review",
  },

  or: " or ",
  and: " and ",
  listOf: "list of ",
  anything: "anything",
  example: "example",
  madeUp: "made up of the schema",
  LIMITS,
  /** @param {import("./openapi.js").Limit[]} limits */
  limits: (limits) => sentence(limits.map(({ name, value }) => LIMITS[name](value)).join(", ")),

  takes: "What it takes",
  FIELDS_HEAD: ["Name", "Type", "Meaning"],
  needed: "needed",
  /** @param {string} place */
  place: (place) => ({ query: "in the query", path: "in the path", header: "a header" })[place] ?? place,
  /** @param {string[]} media */
  media: (media) => `Taken as ${joined(media.map((one) => `\`${one}\``)).replace(" and ", " or ")}.`,
  answers: "What it answers",
  instead: "Or, when something is wrong:",
  anExample: "An example",
  /** @param {string} method @param {string} path */
  exampleOf: (method, path) => `An answer of ${method} ${path}`,
  /** @param {string} header */
  mayAskKey: (header) => `Where the API is run with keys, this wants ${header}.`,

  language: "Language",
  LANGUAGES: { curl: "curl", python: "Python", javascript: "JavaScript", module: "api.js" },
  /** @param {string} method @param {string} path */
  programLabel: (method, path) => `Program for ${method} ${path}`,
  marked: "Marked: now copy it",

  tryIt: "Try it",
  send: "Send",
  /** @param {string} name @param {string} place */
  parameterLabel: (name, place) => `${name} (${DEVELOPERS.place(place)})`,
  exampleLabel: "Example",
  /** @param {string} media @param {string} name */
  exampleName: (media, name) => `${media}: ${name}`,
  bodyLabel: "Body",
  asking: "Asking\u2026",
  /** @param {import("./request.js").Got} answer */
  came: ({ status, reason, ms, bytes }) =>
    `${status}${reason ? ` ${reason}` : ""} after ${Math.round(ms)} ms, ${plural(bytes, "byte", "bytes")}`,
  notSent: "Nothing came back",
  noBody: "(no body)",
  rawTitle: "The raw answer",
  headersTitle: "Its headers, as far as a page may see them",
  /** @param {string} method @param {string} path */
  rawLabel: (method, path) => `Raw answer of ${method} ${path}`,
  /** @param {string} method @param {string} path */
  headersLabel: (method, path) => `Headers of the answer of ${method} ${path}`,

  /** @param {string} header */
  keyMeans: (header) =>
    `Whoever runs the API may ask for keys; then it answers 401 without one. A key goes into the header \`${header}\`. ` +
    "What you write here goes out with what this site asks, and is kept until this tab is closed.",
  keyLabel: "Your key",
  yourKey: "YOUR-KEY",

  limitsMean: "What a request may hold. More is refused with 413 or 400, and the answer says which limit it was.",
  limitsTable: "By field",
  LIMITS_HEAD: ["Route", "Field", "Limit"],
  errorsMean:
    "An error never looks like a verdict. It is a problem in the form of RFC 9457: a status, a code for programs, and a " +
    "sentence that says what was wrong and what to send instead. It never repeats the review.",
  errorsTable: "By status",
  ERRORS_HEAD: ["Status", "When"],
  errorsNote:
    "429, 502, 503 and 504 may pass by themselves: wait as long as Retry-After says, then send the same again. The others won\u2019t.",
  codes: "Codes",
  /** @param {string} name */
  fieldsOf: (name) => `Fields of ${name}`,

  /** @param {string} url */
  privacy: (url) =>
    `A review is read, answered and gone: no log line, no store and no error holds its words. What you try on this page goes to ${url} ` +
    "and nowhere else, without cookies, and only when you press Send.",
};
