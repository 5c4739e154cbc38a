// Keeps the reader's settings on this device: theme, live scoring, shortcuts, history. Never a review.

import * as config from "../config.js";

/**
 * @typedef {object} Settings
 * @property {"system" | "light" | "dark"} theme
 * @property {boolean} live ask while the reader types
 * @property {boolean} shortcuts single keys and Ctrl + Enter
 * @property {boolean} history keep reviews that were read, on this device
 */

const KEY = "verdict.settings";

/** @type {Settings} */
const DEFAULTS = { theme: "system", live: isOnThisMachine(), shortcuts: true, history: false };
const THEMES = ["system", "light", "dark"];

/** The current settings; change() changes them. @type {Readonly<Settings>} */
export let settings = load();

/** @type {((settings: Readonly<Settings>) => void)[]} */
const listeners = [];

/** Calls the listener now and after each change. @param {(settings: Readonly<Settings>) => void} listener */
export function follow(listener) {
  listeners.push(listener);
  listener(settings);
}

/** @param {Partial<Settings>} choice */
export function change(choice) {
  // Keeps other settings that another tab has changed.
  settings = { ...load(), ...choice };
  try {
    localStorage.setItem(KEY, JSON.stringify(settings));
  } catch {
    // Without storage, the choice lasts until the page is left.
  }
  tell();
}

function tell() {
  for (const listener of listeners) listener(settings);
}

// Follows changes in other tabs.
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

/** Returns the stored settings that are valid. @returns {Settings} */
function load() {
  /** @type {any} */
  let stored = {};
  try {
    stored = JSON.parse(localStorage.getItem(KEY) ?? "{}") ?? {};
  } catch {
    // The storage is closed or holds other data.
  }
  const { shortcuts, history } = { ...DEFAULTS, ...stored };
  const live = typeof stored.live === "boolean" ? stored.live : DEFAULTS.live;
  const theme = THEMES.includes(stored.theme) ? stored.theme : DEFAULTS.theme;
  return { theme, live, shortcuts: shortcuts !== false, history: history === true };
}

/** Tells whether the API runs on the reader's own machine, so that typed text stays there. */
function isOnThisMachine() {
  const { hostname } = new URL(config.API_URL || location.href, location.href);
  return hostname === "localhost" || hostname === "[::1]" || hostname.startsWith("127.");
}
