// Runs the start of the labelling page. desk.js, loaded later, reads the texts and has them labelled.

import { addStrings, byId, setText } from "../shared/dom.js";
import { showPage, startShell } from "../shared/shell.js";
import { listenForTexts, showRefusal } from "./choosing.js";
import { LABEL as words, STATIC } from "./strings.js";

/** @typedef {import("./choosing.js").Texts} Texts */
/** @typedef {import("./choosing.js").Refused} Refused */

// Signs of use, long before texts come.
const SIGNS = ["pointerover", "pointerdown", "focusin", "keydown", "dragenter"];

/** Counts the texts that came, so that only the last ones count. */
let turn = 0;

start();

function start() {
  addStrings(STATIC);
  startShell("label.html");
  listenForTexts({ isOpen: () => byId("work").hidden, onTexts: take, onRefusal: showRefusal });
  for (const sign of SIGNS) addEventListener(sign, () => loaded().catch(() => {}), { once: true });
  showPage();
}

function loaded() {
  return import("./desk.js");
}

/** @param {Texts} texts */
async function take(texts) {
  const own = (turn += 1);
  showRefusal(null);
  setReading(words.reading(texts.name));
  const refusal = await opened(texts);
  if (own !== turn) return;
  setReading("");
  showRefusal(refusal);
}

/**
 * Opens texts on the desk.
 * @param {Texts} texts
 * @returns {Promise<Refused | null>} why that failed
 */
async function opened(texts) {
  try {
    const { open } = await loaded();
    return await open(texts);
  } catch (error) {
    console.warn(error);
    return { code: "unloaded", numbers: {} };
  }
}

/** Says in the drop zone that texts are being read. @param {string} text */
function setReading(text) {
  byId("choose").setAttribute("aria-busy", String(text !== ""));
  setText(document, "#drop-words", text || words.DROP[""]);
  byId("status").textContent = text;
}
