// The first step: choose, drop or paste a file, or continue with a saved one.

import { MAX_BATCH_REVIEWS } from "../api.js";
import { copyOf, element, find, onClick, setText } from "../shared/dom.js";
import { EXAMPLES } from "../shared/examples.js";
import { FILE } from "./strings.js";
import { ROWS } from "../rows/strings.js";
import { MAX_FILE_BYTES, MAX_ROWS, Refusal } from "../rows/reading.js";

/**
 * @typedef {import("../rows/reader.js").Source} Source
 * @typedef {{url: string, onSource: (source: Source) => void, onRefusal: (refusal: Refusal) => void}} Wiring
 */

// A longer text would slow the box down, so it is taken at once, like a file.
const LARGE_PASTE_CHARACTERS = 100_000;

/** @param {Wiring} wiring @param {Refusal | null} refusal why the last file was not read */
export function chooseView(wiring, refusal) {
  const view = copyOf("choose-template");
  find(view, "#facts").append(...factsOf(wiring.url));
  if (refusal) showRefusal(view, refusal);
  listenForFile(view, wiring);
  listenForPaste(view, wiring);
  return view;
}

/**
 * Offers the file saved on this device.
 * @param {ParentNode} view
 * @param {import("./keeping.js").Summary} summary
 * @param {{onGoOn: () => void, onForget: () => void}} wiring
 */
export function offerKept(view, { sheet, count, done }, { onGoOn, onForget }) {
  find(view, "#kept").hidden = false;
  setText(view, "#kept-text", FILE.kept(sheet.name, done, count));
  setText(view, "#go-on", FILE.goOn(done === count));
  onClick(view, "#go-on", onGoOn);
  onClick(view, "#forget-kept", onForget);
}

/**
 * Takes files dropped anywhere on the page.
 * @param {HTMLElement} page
 * @param {Wiring} wiring
 * @param {() => boolean} isOpen
 */
export function listenForDrops(page, wiring, isOpen) {
  const mark = (/** @type {boolean} */ over) => page.toggleAttribute("data-over", over && isOpen());
  document.addEventListener("dragover", (event) => {
    // Without this the browser would leave the page to show the file.
    event.preventDefault();
    mark(true);
  });
  document.addEventListener("dragleave", ({ relatedTarget }) => mark(relatedTarget !== null));
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    mark(false);
    if (isOpen()) takeFiles(event.dataTransfer?.files, wiring);
  });
}

/** @param {string} url */
function factsOf(url) {
  const limits = { rows: MAX_ROWS, bytes: MAX_FILE_BYTES, batch: MAX_BATCH_REVIEWS };
  return FILE.facts(url, limits).flatMap(([term, words]) => [
    element("dt", "", term),
    element("dd", "", words),
  ]);
}

/** @param {ParentNode} view @param {Refusal} refusal */
function showRefusal(view, { code, numbers }) {
  const { title, advice } = ROWS.refusal(code, numbers);
  const block = find(view, "#refusal");
  block.hidden = false;
  block.dataset.code = code;
  setText(view, "#refusal-title", title);
  setText(view, "#refusal-advice", advice);
}

/** @param {ParentNode} view @param {Wiring} wiring */
function listenForFile(view, wiring) {
  const input = /** @type {HTMLInputElement} */ (find(view, "#file"));
  onClick(view, "#choose-file", () => input.click());
  input.addEventListener("change", () => takeFiles(input.files, wiring));
}

/** @param {ParentNode} view @param {Wiring} wiring */
function listenForPaste(view, wiring) {
  const box = /** @type {HTMLTextAreaElement} */ (find(view, "#pasted"));
  find(view, "#paste-form").addEventListener("submit", (event) => {
    event.preventDefault();
    wiring.onSource({ name: "", text: box.value });
  });
  onClick(view, "#use-examples", () => wiring.onSource({ name: "", text: examples() }));
  box.addEventListener("paste", (event) => {
    const { files, text } = pastedIn(event);
    if (files.length === 0 && text.length < LARGE_PASTE_CHARACTERS) return;
    event.preventDefault();
    if (files.length > 0) takeFiles(files, wiring);
    else wiring.onSource({ name: "", text });
  });
}

/** Returns the review page's examples as JSON lines. */
function examples() {
  return EXAMPLES.map(({ name, review }) => JSON.stringify({ id: name, review })).join("\n");
}

/** @param {ClipboardEvent} event @returns {{files: ArrayLike<File>, text: string}} */
function pastedIn({ clipboardData }) {
  return { files: clipboardData?.files ?? [], text: clipboardData?.getData("text/plain") ?? "" };
}

/** @param {ArrayLike<File> | null | undefined} files @param {Wiring} wiring */
function takeFiles(files, { onSource, onRefusal }) {
  if (!files || files.length === 0) return;
  if (files.length > 1) return onRefusal(new Refusal("several"));
  onSource({ name: files[0].name, file: files[0] });
}
