// Adds the methods below the first parts once somebody uses the page, and opens the one that a link names.

import { button, element } from "../shared/dom.js";
import { paragraphs } from "../shared/parts.js";
import { section } from "./pieces.js";
import { MODEL as words } from "./strings.js";

const SIGNS = ["pointerover", "pointerdown", "focusin", "keydown", "scroll", "hashchange"];
const used = new Promise((resolve) => {
  for (const sign of SIGNS) addEventListener(sign, resolve, { once: true });
});

/** The methods of the card that is shown, once they are there. @type {Promise<void>} */
let filled = Promise.resolve();

addEventListener("hashchange", () => filled.then(openNamed));

/** The folds that printing has opened. @type {HTMLDetailsElement[]} */
let printed = [];
addEventListener("beforeprint", () => {
  printed = Array.from(document.querySelectorAll("details.fold:not([open])"));
  for (const fold of printed) fold.open = true;
});
addEventListener("afterprint", () => {
  for (const fold of printed) fold.open = false;
});

/** @param {any} card */
export function methods(card) {
  const folds = element("div", "folds");
  // Reading aloud gives no other sign of use.
  folds.append(button("button-plain", words.methodsShow));
  // A link may name a part that is not there yet.
  filled = (location.hash.length > 1 ? Promise.resolve() : used).then(() => fill(folds, card));
  filled.then(openNamed);
  return section("methods", words.methods, [...paragraphs("", words.methodsMean), folds]);
}

/** @param {HTMLElement} folds @param {any} card */
async function fill(folds, card) {
  let drawn;
  try {
    drawn = await import("./methods.js");
  } catch {
    const again = button("button-plain", words.again, () => fill(folds, card).then(openNamed));
    folds.replaceChildren(...paragraphs("", words.methodsUnloaded), again);
    return;
  }
  folds.replaceChildren(...drawn.methodsOf(card));
  folds.dataset.state = "shown";
}

/** Opens the fold that the address names, and goes there. */
function openNamed() {
  const fold = document.getElementById(location.hash.slice(1));
  if (!(fold instanceof HTMLDetailsElement) || !fold.matches(".fold")) return;
  fold.open = true;
  fold.scrollIntoView();
  fold.focus({ preventScroll: true });
}
