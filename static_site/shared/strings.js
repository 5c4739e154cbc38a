// Holds the English words that every page has: a translation is a copy of this file, of examples.js, and of each
// *strings.js.

export const LANGUAGE = "en";
export const MINUS = "\u2212";

const whole = new Intl.NumberFormat(LANGUAGE);

/** A whole number: 50,000. @param {number} number */
export const count = (number) => whole.format(number);

/** A probability as people say it: 97.3 %, never a rounded 0 or 100. @param {number} probability */
export function percent(probability) {
  if (probability > 0.999) return "more than 99.9\u00a0%";
  if (probability < 0.001) return "less than 0.1\u00a0%";
  return `${(probability * 100).toFixed(1)}\u00a0%`;
}

/** @param {number} number @param {string} one @param {string} many */
export const plural = (number, one, many) => `${count(number)} ${number === 1 ? one : many}`;

/** The pages, in the order of the masthead: file and name. @type {Record<string, string>} */
export const PAGES = {
  "index.html": "A review",
  "file.html": "A file",
  "model.html": "The model",
  "compare.html": "Two models",
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

/** Texts that stand in the pages as they are: an element's data-string names its key. */
export const STATIC = {
  pages: "Pages",
  settings: "Settings",
  theme: "Look",
  retry: "Try again",
  keyLabel: "Your key, kept until this tab is closed",
  keySend: "Try with this key",
  giveUp: "Stop trying",
};

/** What a button that copies a text says. */
export const copy = "Copy";
export const copied = "Copied";
export const marked = "Marked: now copy it";

export const stillLoading = "Still waiting. The model may be waking up.";

/** What to do when a part of the page can't be loaded: as explanations of failure_strings.js. */
export const offline = {
  title: "This device is offline",
  advice: "Your text is still here. Connect to the network, then try again.",
};
export const unloaded = {
  title: "A part of this page couldn\u2019t be loaded",
  advice: "Your text is still here. Try again in a moment; if it stays so, copy your text and reload the page.",
};
