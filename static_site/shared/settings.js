// Keeps the reader's choices on this device: look, live scoring, shortcuts, history. Never a review.

/**
 * @typedef {object} Settings
 * @property {"system" | "light" | "dark"} theme
 * @property {boolean} live ask while the reader types
 * @property {boolean} shortcuts single keys and Ctrl + Enter
 * @property {boolean} history keep reviews that were read, on this device
 */

const KEY = "verdict.settings";

/** @type {Settings} */
const DEFAULTS = { theme: "system", live: false, shortcuts: true, history: false };
const THEMES = ["system", "light", "dark"];

/** What the reader chose; change it by change(). @type {Readonly<Settings>} */
export let settings = load();

/** @type {((settings: Readonly<Settings>) => void)[]} */
const listeners = [];

/** Calls back now and after each change. @param {(settings: Readonly<Settings>) => void} listener */
export function follow(listener) {
  listeners.push(listener);
  listener(settings);
}

/** @param {Partial<Settings>} choice */
export function change(choice) {
  // Another tab may have chosen meanwhile: its other choices stay.
  settings = { ...load(), ...choice };
  try {
    localStorage.setItem(KEY, JSON.stringify(settings));
  } catch {
    // A browser that stores nothing keeps the choice until the page is left.
  }
  tell();
}

function tell() {
  for (const listener of listeners) listener(settings);
}

// What is chosen in another tab holds here too.
window.addEventListener("storage", ({ key }) => {
  if (key !== KEY && key !== null) return;
  settings = load();
  tell();
});

/** @param {Readonly<Settings>} settings */
export function applyTheme({ theme }) {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

/** What is stored, as far as it can be used. @returns {Settings} */
function load() {
  /** @type {any} */
  let stored = {};
  try {
    stored = JSON.parse(localStorage.getItem(KEY) ?? "{}") ?? {};
  } catch {
    // Closed storage, or somebody else's text in it.
  }
  const { live, shortcuts, history } = { ...DEFAULTS, ...stored };
  const theme = THEMES.includes(stored.theme) ? stored.theme : DEFAULTS.theme;
  return { theme, live: live === true, shortcuts: shortcuts !== false, history: history === true };
}
