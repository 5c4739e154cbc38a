// Runs the page for two models: sends one text to both, and shows where their answers differ.

import { ApiError, MAX_REVIEW_CHARACTERS, countCharacters } from "../api.js";
import { addStrings, byId, button, element, find, listItem, onClick } from "../shared/dom.js";
import { EXAMPLES } from "../shared/examples.js";
import { explain } from "../shared/failure_strings.js";
import { startShortcuts } from "../shared/shortcuts.js";
import * as formWords from "../shared/form_strings.js";
import { api, beside } from "../shared/service.js";
import { showPage, startShell } from "../shared/shell.js";
import { hasList, inWords, listOf } from "./apart.js";
import { Side } from "./sides.js";
import { BOTH, SIDES, STATIC } from "./strings.js";

const page = byId("page");
const review = /** @type {HTMLTextAreaElement} */ (byId("review"));
const status = byId("status");

/** @type {Side[]} */
let sides = [];
/** The text that both judged last. */
let asked = "";
/** The part for a whole file, once a file was chosen. @type {import("./file.js").WholeFile | null} */
let wholeFile = null;

addStrings({ ...formWords.STATIC, ...STATIC });
startShell("compare.html");
if (beside) start(beside);
else byId("none").hidden = false;
showPage();

/** @param {import("../api.js").Verdict} second */
function start(second) {
  byId("form").hidden = byId("examples-part").hidden = byId("both").hidden = byId("file-part").hidden = false;
  sides = [api, second].map((one, place) => new Side(place, one, onChange));
  byId("sides").append(...sides.map(({ root }) => root));
  byId("apart-head").append(element("span", "", BOTH.sentence), ...SIDES.map((name) => element("span", "", name)));
  byId("privacy").textContent = BOTH.privacy(api.url, second.url);
  review.placeholder = formWords.STATIC.placeholder;
  byId("examples").append(...EXAMPLES.map(exampleItem));
  listen(second);
  showLength();
}

/** @param {import("../api.js").Verdict} second */
function listen(second) {
  byId("form").addEventListener("submit", (event) => {
    event.preventDefault();
    read();
  });
  review.addEventListener("input", onInput);
  onClick(document, "#stop", stop);
  startShortcuts(review, read);
  byId("file").addEventListener("change", () => takeFile(second));
  // On return, browsers restore the text.
  addEventListener("pageshow", showLength);
}

// One text.

function read() {
  const text = review.value;
  if (refuse(text)) return;
  asked = text;
  status.textContent = formWords.loading(countCharacters(text));
  for (const side of sides) side.ask(text);
  markStale();
  const result = byId("both");
  if (result.getBoundingClientRect().top > window.innerHeight * 0.6) result.scrollIntoView({ block: "start" });
}

/** Refuses a text that both would refuse. @param {string} text */
function refuse(text) {
  const code = text.trim() === "" ? "empty" : countCharacters(text) > MAX_REVIEW_CHARACTERS ? "too_long" : "";
  byId("refusal").hidden = code === "";
  if (code === "") return false;
  const { title, advice } = explain(new ApiError({ code }), api.url);
  byId("refusal").textContent = `${title}. ${advice}`;
  review.setAttribute("aria-invalid", "true");
  review.focus();
  return true;
}

function stop() {
  for (const side of sides) side.stop();
  onChange();
  status.textContent = BOTH.stopped;
  byId("send").focus();
}

/** Redraws after a side's change. */
function onChange() {
  const waiting = sides.some(({ state }) => state === "loading");
  const over = sides.some(({ state }) => state === "answer" || state === "error");
  byId("stop-row").hidden = !waiting;
  page.dataset.state = waiting ? "loading" : over ? "told" : "empty";
  const [first, second] = sides.map(({ answer }) => answer);
  byId("sum").hidden = waiting || !over;
  byId("apart").hidden = waiting || !first || !second || !hasList(first, second);
  if (!waiting && over) tell(first, second);
}

/** @param {import("../api.js").Answer | null} first @param {import("../api.js").Answer | null} second */
function tell(first, second) {
  byId("sum-title").textContent = BOTH.title([first, second]);
  const words = first && second ? inWords(first, second) : [BOTH.onlyOne];
  byId("sum-words").replaceChildren(...words.map((sentence) => element("p", "", sentence)));
  byId("apart-list").replaceChildren(...(first && second ? listOf(first, second) : []));
  status.textContent = BOTH.announcement([first, second]);
}

function onInput() {
  review.removeAttribute("aria-invalid");
  byId("refusal").hidden = true;
  showLength();
  markStale();
}

/** Marks the verdicts as outdated when the text has changed. */
function markStale() {
  byId("stale").hidden = page.dataset.state !== "told" || review.value === asked;
  byId("stale").textContent = BOTH.stale;
}

function showLength() {
  const length = countCharacters(review.value);
  byId("length").textContent = formWords.lengthOf(length, MAX_REVIEW_CHARACTERS);
  byId("length").toggleAttribute("data-over", length > MAX_REVIEW_CHARACTERS);
}

/** @param {string} text */
function useText(text) {
  review.value = text;
  onInput();
  read();
}

/** @param {(typeof EXAMPLES)[number]} example */
function exampleItem({ name, label, note, review: text }) {
  const choice = button("", label, () => useText(text));
  choice.dataset.example = name;
  return listItem(choice, " ", element("span", "", note));
}

// A whole file; its modules are loaded on choice.

/** @param {import("../api.js").Verdict} second */
async function takeFile(second) {
  const file = /** @type {HTMLInputElement} */ (byId("file")).files?.[0];
  if (!file) return;
  byId("file-refusal").hidden = true;
  try {
    const { WholeFile } = await import("./file.js");
    wholeFile?.end();
    wholeFile = new WholeFile(find(document, "#file-part"), [api, second], { say, onWhy: showWhy });
  } catch (error) {
    console.warn(error);
    byId("file-refusal").textContent = BOTH.noFilePart;
    byId("file-refusal").hidden = false;
    return;
  }
  await wholeFile.open(file);
}

/** @param {string} words */
function say(words) {
  status.textContent = words;
}

/** Explains a row of the file above. @param {string} text */
function showWhy(text) {
  useText(text);
  find(document, "#both-title").focus({ preventScroll: true });
  byId("both").scrollIntoView({ block: "start" });
}
