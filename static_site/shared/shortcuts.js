// Handles the keys of a review form: Ctrl + Enter sends it, a slash moves to its box.

import { byId } from "./dom.js";
import { follow, settings } from "./settings.js";
import { shortcut } from "./form_strings.js";

/**
 * Turns the keys and their hints on or off, as the settings say.
 * @param {HTMLElement} review the box
 * @param {() => void} read sends what is in it
 */
export function startShortcuts(review, read) {
  follow(showShortcut);
  document.addEventListener("keydown", (event) => onKey(event, review, read));
}

/** @param {Readonly<import("./settings.js").Settings>} now */
function showShortcut({ shortcuts }) {
  byId("shortcut").textContent = shortcuts ? shortcut(/Mac|iPhone|iPad/.test(navigator.platform)) : "";
  if (shortcuts) byId("send").setAttribute("aria-keyshortcuts", "Control+Enter Meta+Enter");
  else byId("send").removeAttribute("aria-keyshortcuts");
}

/** @param {KeyboardEvent} event @param {HTMLElement} review @param {() => void} read */
function onKey(event, review, read) {
  // During composition, keys belong to the input method.
  if (!settings.shortcuts || event.isComposing || event.altKey) return;
  const withModifier = event.ctrlKey || event.metaKey;
  const typing = event.target instanceof Element && event.target.matches("input, textarea, select");
  if (event.key === "Enter" && withModifier && event.target === review) read();
  else if (event.key === "/" && !withModifier && !typing) review.focus();
  else return;
  event.preventDefault();
}
