// The start of the labelling page: drop or choose a file, paste texts, or take the samples.

import { byId, onClick, setOptionalText, setText } from "../shared/dom.js";
import { SAMPLES } from "./samples.js";
import { LABEL as words } from "./strings.js";

/**
 * @typedef {import("../rows/reader.js").Source} Source
 * @typedef {Source & {sample?: boolean}} Texts
 * @typedef {{code: string, numbers: Record<string, any>}} Refused why texts were not taken
 * @typedef {{isOpen: () => boolean, onTexts: (texts: Texts) => void,
 *   onRefusal: (refusal: Refused) => void}} Wiring
 * @typedef {"" | "over" | "several" | "wrong"} Drag what hangs over the page
 */

// A longer text would slow the box down, so it is taken at once, like a file.
const LARGE_PASTE_CHARACTERS = 100_000;
// Kinds of files that a browser names before they are dropped, and that hold no table.
const WRONG_KIND = /^(?:image|audio|video|font)\/|pdf|zip|officedocument|ms-excel\.|msword/;

/** @param {Wiring} wiring */
export function listenForTexts(wiring) {
  const input = /** @type {HTMLInputElement} */ (byId("file"));
  input.addEventListener("change", () => {
    takeFiles(input.files, wiring);
    // So that the same file can be chosen again.
    input.value = "";
  });
  listenForPaste(wiring);
  const samples = { name: "samples", text: SAMPLES.join("\n"), sample: true };
  onClick(document, "#use-samples", () => wiring.onTexts(samples));
  listenForDrops(wiring);
}

/** Shows why texts were not taken; null shows nothing. @param {Refused | null} refusal */
export function showRefusal(refusal) {
  const block = byId("refusal");
  block.hidden = refusal === null;
  if (!refusal) return;
  const { title, advice } = words.refusal(refusal.code, refusal.numbers);
  block.dataset.code = refusal.code;
  setText(block, "#refusal-title", title);
  setText(block, "#refusal-advice", advice);
  block.scrollIntoView({ block: "nearest" });
}

/** @param {Wiring} wiring */
function listenForPaste(wiring) {
  const box = /** @type {HTMLTextAreaElement} */ (byId("pasted"));
  const complain = (/** @type {string} */ text) =>
    setOptionalText(document, "#paste-refusal", "#paste-refusal", text);
  byId("paste-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const empty = box.value.trim() === "";
    complain(empty ? words.noPaste : "");
    if (empty) box.focus();
    else wiring.onTexts({ name: "", text: box.value });
  });
  box.addEventListener("input", () => complain(""));
  box.addEventListener("paste", (event) => {
    const files = event.clipboardData?.files ?? [];
    const text = event.clipboardData?.getData("text/plain") ?? "";
    if (files.length === 0 && text.length < LARGE_PASTE_CHARACTERS) return;
    event.preventDefault();
    if (files.length > 0) takeFiles(files, wiring);
    else wiring.onTexts({ name: "", text });
  });
}

/** Takes files dropped anywhere on the page. @param {Wiring} wiring */
function listenForDrops(wiring) {
  const mark = (/** @type {Drag} */ drag) => {
    byId("drop").dataset.drag = drag;
    setText(document, "#drop-words", words.DROP[drag]);
  };
  document.addEventListener("dragover", (event) => {
    if (!holdsFiles(event)) return;
    // Without this the browser would leave the page to show the file.
    event.preventDefault();
    if (wiring.isOpen()) mark(dragOf(event));
  });
  document.addEventListener("dragleave", ({ relatedTarget }) => relatedTarget === null && mark(""));
  document.addEventListener("drop", (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    mark("");
    if (wiring.isOpen()) takeFiles(event.dataTransfer?.files, wiring);
  });
  mark("");
}

/** @param {DragEvent} event */
function holdsFiles({ dataTransfer }) {
  return dataTransfer?.types.includes("Files") ?? false;
}

/** @param {DragEvent} event @returns {Drag} */
function dragOf({ dataTransfer }) {
  const files = [...(dataTransfer?.items ?? [])].filter(({ kind }) => kind === "file");
  if (files.length > 1) return "several";
  return files.some(({ type }) => WRONG_KIND.test(type)) ? "wrong" : "over";
}

/** @param {ArrayLike<File> | null | undefined} files @param {Wiring} wiring */
function takeFiles(files, { onTexts, onRefusal }) {
  if (!files || files.length === 0) return;
  if (files.length > 1) return onRefusal({ code: "several", numbers: {} });
  onTexts({ name: files[0].name, file: files[0] });
}
