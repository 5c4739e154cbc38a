// Holds every English word that the page's script shows: a translation is a copy of this file.

export const LANGUAGE = "en";
export const MINUS = "\u2212";

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

/** "a, b and c" @param {string[]} parts */
export const joined = (parts) => new Intl.ListFormat(LANGUAGE, { type: "conjunction" }).format(parts);

/** @param {string} text */
export const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** The card's own words begin small and end without a stop. @param {string} text */
export const withStop = (text) => text + (/[.!?\u2026]$/.test(text) ? "" : ".");

/** @param {string} text */
export const sentence = (text) => capital(withStop(text));

// --- every page ---------------------------------------------------------------------------------

/** The pages, in the order of the masthead: file and name. @type {Record<string, string>} */
export const PAGES = {
  "index.html": "A review",
  "file.html": "A file",
  "model.html": "The model",
  "label.html": "Labels",
  "developers.html": "For developers",
};

export const skip = "Skip to the page itself";

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

export const knowsNone = "It knows none of these words, so it doesn\u2019t say.";

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
export const tryFailed = ({ title }) => `${title}. Nothing has changed above; try again in a moment.`;

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
export const copy = "Copy";
export const copied = "Copied";
export const marked = "Marked: now copy it";

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
  other_model: () => ({
    title: "Another model answers now",
    advice: "Read the review again, so that before and after are of the same model.",
  }),
  offline: () => ({
    title: "This device is offline",
    advice: "Your text is still here. Connect to the network, then try again.",
  }),
  refused_origin: (_, url) => ({
    title: "The API\u2019s answer can\u2019t be read here",
    advice:
      `${url} is there, but gave this page nothing to read. Either the connection broke: try again. Or it doesn\u2019t ` +
      `accept ${globalThis.location?.origin ?? "this page"}: whoever runs it can name the pages that it answers by CORS_ORIGIN.`,
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

// --- a reader's correction ----------------------------------------------------------------------

export const CORRECT = {
  sending: "Sending\u2026",
  kept: "Kept. Thank you.",
  deleted: "Taken back: it is deleted.",
  /** @param {unknown} error */
  failed: (error) =>
    `That did not work, and nothing is kept of it. ${error instanceof Error ? error.message : ""}`.trim(),
};
