// Copies a text on the page, or selects it where the browser forbids copying.

import { button, copyText } from "./dom.js";
import * as strings from "./strings.js";

// How long the button shows the result.
const SAID_MS = 3_000;

/** @param {string} name what is copied, for those who hear the button's name @param {HTMLElement} node holds the text */
export function copyButton(name, node) {
  const copy = button("button-plain button-small", strings.copy, async () => {
    const done = await copyText(node.textContent ?? "");
    if (!done) getSelection()?.selectAllChildren(node);
    copy.textContent = done ? strings.copied : strings.marked;
    setTimeout(() => {
      copy.textContent = strings.copy;
    }, SAID_MS);
  });
  copy.setAttribute("aria-label", `${strings.copy}: ${name}`);
  copy.setAttribute("aria-live", "polite");
  return copy;
}
