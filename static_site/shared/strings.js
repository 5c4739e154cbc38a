// Holds the English words of every page. A translation copies this file, examples.js and each *strings.js.

export const LANGUAGE = "en";
export const MINUS = "\u2212";

const whole = new Intl.NumberFormat(LANGUAGE);

/** Writes a whole number: 50,000. @param {number} number */
export const count = (number) => whole.format(number);

/** Writes a probability where there is little room: <0.1 %. @param {number} probability */
export const shortPercent = (probability) =>
  percent(probability).replace("more than ", ">").replace("less than ", "<");

/** Writes a probability as 97.3 %, never as 0 or 100. @param {number} probability */
export function percent(probability) {
  if (probability > 0.999) return "more than 99.9\u00a0%";
  if (probability < 0.001) return "less than 0.1\u00a0%";
  return `${(probability * 100).toFixed(1)}\u00a0%`;
}

/** @param {number} number @param {string} one @param {string} many */
export const plural = (number, one, many) => `${count(number)} ${number === 1 ? one : many}`;

/** Names the pages, in the masthead's order: so short that they fit on one line of a phone. @type {Record<string, string>} */
export const PAGES = {
  "index.html": "Review",
  "file.html": "File",
  "model.html": "Model",
  "compare.html": "Compare",
  "label.html": "Label",
  "developers.html": "API",
};

export const skip = "Skip to main content";

/** @type {Record<string, string>} */
export const THEMES = { system: "Same as system", light: "Light", dark: "Dark" };

/** @type {{name: "live" | "shortcuts" | "history", label: string, note: string}[]} */
export const SETTINGS = [
  {
    name: "live",
    label: "Read while I type",
    note: "Sends the text whenever you pause.",
  },
  {
    name: "shortcuts",
    label: "Keyboard shortcuts",
    note: "Ctrl or \u2318 with Enter sends the text; / moves to the box.",
  },
  {
    name: "history",
    label: "Keep a history on this device",
    note: "Only in this browser. Switching it off deletes it.",
  },
];

/** Fixed texts, by the names of data-string. */
export const STATIC = {
  pages: "Pages",
  settings: "Settings",
  theme: "Theme",
  retry: "Try again",
  keyLabel: "Your key, kept until you close this tab",
  keySend: "Use this key",
  giveUp: "Stop trying",
};

/** Names a button that copies a text. */
export const copy = "Copy";
export const copied = "Copied";
export const marked = "Selected: copy it now";

export const stillLoading = "Still waiting. The model may be waking up.";

/** Explains that a part of the page can't be loaded, in the form of failure_strings.js. */
export const offline = {
  title: "This device is offline",
  advice: "Your text is safe. Connect to the network, then try again.",
};
export const unloaded = {
  title: "Part of this page couldn\u2019t be loaded",
  advice: "Your text is safe. Try again in a moment. If that fails, copy your text and reload the page.",
};
