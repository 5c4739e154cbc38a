// Draws the labelling page as its state has it: the text to label, the label to check, and the download.

import { byId, element, listItem, setOptionalText, setText } from "../shared/dom.js";
import { api } from "../shared/service.js";
import { settings } from "../shared/settings.js";
import { fileName } from "../rows/download.js";
import { disagreements } from "./checking.js";
import { LABEL as words } from "./strings.js";

/**
 * @typedef {import("./labelling.js").Labelling} Labelling
 * @typedef {import("./labelling.js").Label} Label
 * @typedef {import("./labelling.js").Side} Side
 * @typedef {import("../rows/sending.js").Outcome} Outcome
 * @typedef {import("./asking.js").Asking} Asking
 * @typedef {{queue: number[], at: number, base: number}} Check
 *   queue: rows to check; at: the place of the one on screen; base: the steps made before
 * @typedef {object} Desk the texts at work
 * @property {Labelling} labelling
 * @property {string} source names the texts on screen
 * @property {string} name the file's; empty for pasted texts
 * @property {number} row on screen; -1 for none
 * @property {Check | null} check
 * @property {Set<number>} kept rows whose label was checked and kept
 * @property {Asking | null} asking
 * @property {Map<number, Outcome>} doubts labels that the file itself doubts, by row
 * @property {import("../rows/reading.js").Note[]} notes
 * @typedef {"label" | "done" | "check" | "checked"} Mode
 */

/** Endings of downloads, by the format that was read. CSV for all others. @type {Record<string, string>} */
const ENDINGS = { jsonl: "jsonl", tab: "tsv" };

/** @param {Desk} desk @returns {Mode} */
export function modeOf({ row, check }) {
  if (check) return row < 0 ? "checked" : "check";
  return row < 0 ? "done" : "label";
}

/** @param {Desk} desk */
export function endingOf({ labelling }) {
  return ENDINGS[labelling.sheet.format] ?? "csv";
}

/** Names the download: reviews-labelled.csv. @param {Desk} desk */
export function downloadName(desk) {
  const plain = desk.name.replace(new RegExp(`-${words.suffix}(?=\\.[^.]*$)`), "");
  return fileName(plain, endingOf(desk), words.suffix);
}

/** The rows that the model contradicts, and that nobody has checked. @param {Desk} desk */
export function unchecked({ labelling, asking, doubts, kept }) {
  const outcomes = asking?.outcomes.size ? asking.outcomes : doubts;
  return disagreements(labelling, outcomes).filter((row) => !kept.has(row));
}

/** @param {Desk} desk */
export function draw(desk) {
  const mode = modeOf(desk);
  byId("page").dataset.mode = mode;
  setText(document, "#kicker", words.kicker(desk.source, desk.labelling.total));
  byId("notes").replaceChildren(...desk.notes.map((note) => listItem(words.NOTES[note.code](note))));
  drawTitle(desk, mode);
  drawCard(desk, mode);
  drawButtons(desk, mode);
  drawAsk(desk, mode);
  drawDownload(desk);
}

/** @param {Desk} desk @param {Mode} mode */
function drawTitle(desk, mode) {
  const { labelling, kept } = desk;
  const queue = desk.check?.queue ?? [];
  const changed = queue.filter((row) => !kept.has(row)).length;
  const titles = {
    label: words.question,
    done: words.allDone(labelling.done, labelling.total),
    check: words.checkQuestion,
    checked: words.allChecked(queue.length, changed),
  };
  const decks = {
    label: "",
    done: words.doneDeck(labelling.count("skipped"), labelling.fresh),
    check: "",
    checked: labelling.fresh ? words.checkedDeck(downloadName(desk)) : "",
  };
  setText(document, "#work-title", titles[mode]);
  setOptionalText(document, "#work-deck", "#work-deck", decks[mode]);
}

/** @param {Desk} desk @param {Mode} mode */
function drawCard({ labelling, row, check, asking, doubts }, mode) {
  const shown = mode === "label" || mode === "check";
  byId("desk").hidden = !shown;
  const [done, skipped] = [labelling.done, labelling.count("skipped")];
  const progress = /** @type {HTMLProgressElement} */ (byId("progress"));
  progress.max = check ? check.queue.length : Math.max(labelling.total, 1);
  progress.value = check ? check.at : done + skipped;
  const counts = words.progress(done, skipped, labelling.total);
  setText(document, "#counter", check ? words.checkProgress(check.at, check.queue.length) : counts);
  setText(document, "#text", shown ? labelling.text(row) : "");
  byId("text").scrollTop = 0;
  byId("sides").hidden = mode !== "check";
  if (mode === "check") drawSides(labelling, row, asking?.outcomes.get(row) ?? doubts.get(row));
}

/**
 * Shows the label beside the model's verdict.
 * @param {Labelling} labelling
 * @param {number} row
 * @param {Outcome | undefined} outcome
 */
function drawSides(labelling, row, outcome) {
  const side = labelling.side(row);
  setText(document, "#said-name", labelling.isChanged(row) ? words.youSaid : words.fileSays);
  setText(document, "#said", side ? words.BUTTONS[side][0] : "");
  byId("said").dataset.side = side ?? "";
  if (!outcome || outcome.error !== undefined) return;
  setText(document, "#predicted", words.predicted(outcome));
  byId("predicted").dataset.side = outcome.sentiment;
}

/** @param {Desk} desk @param {Mode} mode */
function drawButtons(desk, mode) {
  const { labelling, row, check } = desk;
  const label = mode === "check" ? labelling.side(row) : null;
  for (const id of ["positive", "negative", "skip", "undo"]) nameButton(id, label);
  byId("skip").hidden = mode !== "label";
  byId("leave-check").hidden = mode !== "check" && !(mode === "checked" && labelling.next >= 0);
  setText(document, "#leave-check", mode === "check" ? words.leaveCheck : words.goOn);
  const skipped = labelling.count("skipped");
  byId("again").hidden = mode !== "done" || skipped === 0;
  setText(document, "#again", words.again(skipped));
  const undoable = labelling.steps.length > (check?.base ?? 0);
  disable("undo", !undoable);
  byId("undo").hidden = row < 0 && !undoable;
}

/** Names a button and its key. @param {string} id @param {Side | null} label that of the row to check */
function nameButton(id, label) {
  const [text, key] = words.BUTTONS[id];
  const isSide = id === "positive" || id === "negative";
  const node = byId(id);
  node.replaceChildren(label && isSide ? words.decide(id, id === label) : text);
  if (settings.shortcuts) {
    node.append(element("span", "key-name", words.key(key)));
    node.setAttribute("aria-keyshortcuts", key);
  } else node.removeAttribute("aria-keyshortcuts");
}

/** @param {Desk} desk @param {Mode} mode */
function drawAsk(desk, mode) {
  const { labelling, asking, kept } = desk;
  byId("ask").hidden = labelling.done === 0 || mode === "check";
  const open = asking ? asking.open : labelling.done;
  const going = asking?.isGoing ?? false;
  const asked = asking !== null && asking.outcomes.size > 0;
  asking?.draw();
  if (!asked && !going) setText(document, "#ask-count", words.askOffer(open, api.url));
  const left = unchecked(desk);
  byId("check").hidden = left.length === 0 || (asking?.isSending ?? false);
  setText(document, "#check", words.check(left.length, kept.size > 0));
  byId("ask-start").hidden = open === 0 || going;
  setText(document, "#ask-start", asked ? words.askMore(open) : words.ask);
}

/** @param {Desk} desk */
function drawDownload(desk) {
  const { labelling } = desk;
  setText(document, "#save", words.save(downloadName(desk)));
  disable("save", labelling.done === 0);
  byId("safe-field").hidden = labelling.sheet.format === "jsonl";
  const { done, fresh, columnName: name, column } = labelling;
  const columns = labelling.sheet.columns.length;
  const note = words.saveNote({ columns, name, adds: column < 0, done, fresh, source: desk.source });
  setText(document, "#save-note", note);
  const next = desk.doubts.size > 0 ? words.nextDoubts(downloadName(desk)) : words.next;
  setText(document, "#save-next", next);
}

/** Marks a button as disabled. It keeps the focus. @param {string} id @param {boolean} off */
function disable(id, off) {
  byId(id).setAttribute("aria-disabled", String(off));
}
