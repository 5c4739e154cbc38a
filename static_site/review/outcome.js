// Shows the result of a request: an answer and its actions, or an error.

import { STATIC, announcement, linkCopied, linkShown } from "./answer_strings.js";
import { drawAnswer } from "./answer.js";
import { Board, startBoards } from "./board.js";
import { markText } from "./box.js";
import { arrived, explained } from "./late.js";
import { addStrings, byId, copyText, fillStrings, find, onClick, setOptionalText, setText } from "../shared/dom.js";
import { api } from "../shared/service.js";
import { follow, settings } from "../shared/settings.js";
import { endCurrent, endsWithState, isShown, result, show } from "./states.js";

/** @typedef {import("./effects.js").Explained} Explained */
/** @typedef {{review: string, answer: Explained}} Answered */
/**
 * @typedef {object} Form
 * @property {(options?: {quietly?: boolean}) => void} read judges the text in the box
 * @property {(text: string) => void} useText puts a text into the box and judges it
 * @property {(text: string) => boolean} isOurs tells whether a text is the example that the page opens on
 */

const PLAY_STYLE = "play/play.css";
// With live reading, says after so long that the verdict is outdated.
const STALE_MS = 1_500;
// Signs that somebody uses the page. Before them, nothing is loaded that the answer doesn't need.
const SIGNS = ["pointerover", "pointerdown", "focusin", "keydown", "scroll"];

const review = /** @type {HTMLTextAreaElement} */ (byId("review"));

const used = new Promise((resolve) => {
  for (const sign of SIGNS) addEventListener(sign, resolve, { once: true, capture: true, passive: true });
});

/** @type {ReturnType<typeof setTimeout> | undefined} */
let staleTimer;
/** @type {Form} */
let form;
/** The last answer; on screen only in the answer state. @type {Answered | null} */
let latest = null;
/** The comparison, once something was pinned. @type {typeof import("./compare.js") | null} */
let comparison = null;
/**
 * What plays with the answer on screen; changed: the board shows another change.
 * @type {{end: () => void, changed?: () => void}[]}
 */
let played = [];
/** The module for errors, once there was one. @type {typeof import("./fault.js") | null} */
let fault = null;
/** The guessing game, once a page. @type {Promise<void> | null} */
let fool = null;
/** The history, once it is wanted. @type {Promise<typeof import("./history_view.js")> | null} */
let history = null;

/** @param {Form} used */
export function start(used) {
  form = used;
  addStrings(STATIC);
  fillStrings(byId("form"));
  startBoards();
  startBar();
  review.addEventListener("input", onInput);
  follow((now) => {
    if (now.history) loadHistory().catch(() => {});
  });
}

function onInput() {
  markStale();
  if (isShown("error")) endCurrent();
}

/** Shows the slim bar while the verdict is out of sight. */
function startBar() {
  const bar = byId("bar");
  new IntersectionObserver(([{ isIntersecting, boundingClientRect }]) => {
    bar.toggleAttribute("data-shown", !isIntersecting && boundingClientRect.top < 0);
  }).observe(result);
}

// An answer.

/** @param {Answered} answered @param {boolean} quietly */
export function showAnswer(answered, quietly) {
  const { answer } = answered;
  const open = [...document.querySelectorAll("#rest-place > * > details[open]")].map(({ id }) => id);
  show("answer", (view) => drawAnswer(view, answer), quietly);
  latest = answered;
  const readable = markText(answered.review, answer);
  const onChange = () => played.forEach((part) => part.changed?.());
  const board = new Board(answer, { api, useText: form.useText, readable, onChange });
  endsWithState({ end: () => leave(board) });
  fault?.waitIsOver();
  addParts(board, answered);
  onClick(document, "#pin", () => pin(answered));
  onClick(document, "#share", () => share(answered.review));
  onOpen("#aspects", (box) => showAspects(box, answered));
  onOpen("#arithmetic", (box) => showArithmetic(box, answer));
  onOpen("#developers", (box) => showSnippets(box, answered));
  for (const id of open) byId(id).setAttribute("open", "");
  markStale();
  comparison?.showComparison(answered);
  remember(answered);
  setText(document, "#status", announcement(answer));
}

/** Adds, once somebody uses the page, what is loaded late. @param {Board} board @param {Answered} answered */
async function addParts(board, answered) {
  await used;
  fool ??= mountFool();
  // The words for errors, so that they are there when the network is not.
  import("./fault.js").catch(() => {});
  if (latest !== answered || !isShown("answer")) return;
  mountPlay(board, answered);
  letCorrect(answered);
}

/** Ends what the answer has under way. @param {Board} board */
function leave(board) {
  for (const part of played) part.end();
  played = [];
  board.end();
}

function showStale() {
  if (isShown("answer")) byId("stale").hidden = false;
}

/** Marks the verdict as outdated when the text has changed. */
function markStale() {
  if (latest === null || !isShown("answer")) return;
  const stale = review.value !== latest.review;
  // With live reading the next verdict is close, so at first only the colour fades.
  clearTimeout(staleTimer);
  byId("stale").hidden = !stale || settings.live;
  if (stale && settings.live) staleTimer = setTimeout(showStale, STALE_MS);
  byId("answer").toggleAttribute("data-stale", stale);
  for (const place of ["sentences-place", "rest-place"]) byId(place).toggleAttribute("data-stale", stale);
  /** @type {HTMLButtonElement} */ (byId("leave-out")).disabled = stale || latest.answer.words.length === 0;
}

/** Fills a part whenever it is opened. @param {string} selector @param {(box: HTMLElement) => void} fill */
function onOpen(selector, fill) {
  const part = /** @type {HTMLDetailsElement} */ (find(document, selector));
  part.addEventListener("toggle", () => part.open && fill(find(part, ".more-body")));
}

/** @param {HTMLElement} box @param {Explained} answer */
async function showArithmetic(box, answer) {
  const problem = find(box, "#arithmetic-problem");
  await filled(problem, async () => {
    const { drawArithmetic } = await arrived(import("./arithmetic.js"));
    drawArithmetic(box, answer);
    problem.textContent = "";
  });
}

/** Asks what the text says of a film's aspects, and shows it. @param {HTMLElement} box @param {Answered} answered */
function showAspects(box, { review: text, answer }) {
  return filled(box, async () => {
    const { drawAspects } = await arrived(import("./aspects.js"));
    if (box.childElementCount > 0) return;
    const { aspects } = await api.sentiment(text, { explain: "none", aspects: "film" });
    drawAspects(box, answer, aspects ?? {});
  });
}

/** Shows the part for developers. @param {HTMLElement} box @param {Answered} answered */
function showSnippets(box, { review: text, answer }) {
  return filled(box, async () => {
    const { drawSnippets } = await arrived(import("./snippets_view.js"));
    drawSnippets(box, api.url, text, answer);
  });
}

/**
 * Fills a box by a module loaded on demand, or says why not.
 * @param {HTMLElement} box
 * @param {() => Promise<void>} fill
 */
async function filled(box, fill) {
  try {
    await fill();
  } catch (error) {
    const { title, advice } = await explained(error, api.url);
    box.textContent = `${title}. ${advice}`;
  }
}

/** @param {Answered} answered */
async function letCorrect(answered) {
  const view = find(document, "#rest-part");
  try {
    const { offerCorrection } = await import("./correct.js");
    await offerCorrection(view, answered, api);
  } catch {
    // Without the module there is no correction. The verdict stays.
  }
}

/** @param {Answered} answered */
async function pin(answered) {
  const status = byId("share-status");
  await filled(status, async () => {
    const loaded = await arrived(import("./compare.js"));
    if (comparison === null) loaded.startComparison();
    comparison = loaded;
    comparison.pin(answered);
    status.textContent = "";
  });
}

/** @param {string} text */
async function share(text) {
  await filled(byId("share-status"), async () => {
    const link = await linkFor(text);
    const copied = await copyText(link);
    setText(document, "#share-status", copied ? linkCopied : linkShown);
    setOptionalText(document, "#share-link", "#share-link code", copied ? "" : link);
  });
}

/** @param {string} text */
async function linkFor(text) {
  const { linkTo } = await arrived(import("../shared/share.js"));
  return linkTo(text);
}

/** @param {Answered} answered */
async function remember(answered) {
  if (!settings.history || form.isOurs(answered.review)) return;
  const loaded = await loadHistory().catch(() => null);
  loaded?.remember(answered);
}

function loadHistory() {
  history ??= import("./history_view.js").then((loaded) => {
    loaded.startHistory(form.useText);
    return loaded;
  });
  history.catch(() => {
    history = null;
  });
  return history;
}

// An error.

/** Shows an error in place of the answer. @param {unknown} error @param {boolean} quietly @param {AbortSignal} signal */
export async function showFault(error, quietly, signal) {
  fault = await arrived(import("./fault.js"));
  await fault.showFault(error, quietly, signal, form);
  if (isShown("error")) comparison?.showComparison(null);
}

// Play: modules of its own, without which an answer stands as well.

/** Gives the board and the answer to the parts that play with them. @param {Board} board @param {Answered} answered */
async function mountPlay(board, { review: text, answer }) {
  const host = byId("play");
  let pressed = false;
  onClick(host, "#mind-first", () => (pressed = true));
  const [mind, card] = await Promise.all([late(import("../play/mind.js")), late(import("../play/share.js"))]);
  if (latest?.answer !== answer || !isShown("answer")) return;
  const focused = host.contains(document.activeElement);
  played = [
    mind?.mountMind(host, boardFor(board)),
    card?.mountShare(byId("share-part"), shared(board, text)),
  ].filter((part) => part !== undefined);
  // The card has a link of its own.
  byId("share").hidden = card !== null;
  host.hidden = mind === null;
  const first = /** @type {HTMLElement | null} */ (host.querySelector("button:not([hidden])"));
  if (focused) first?.focus({ preventScroll: true });
  if (pressed) first?.click();
}

/** Returns what the card shows. @param {Board} board @param {string} text */
function shared(board, text) {
  return { review: text, answer: board.answer(), link: () => linkFor(text), change: () => board.change() };
}

/** Returns what play may do with a board. @param {Board} board */
function boardFor(board) {
  return {
    answer: () => board.answer(),
    ask: (/** @type {string[]} */ texts, /** @type {AbortSignal} */ signal) => board.ask(texts, signal),
    preview: (/** @type {import("./board.js").Change | null} */ change) => board.preview(change),
    useText: form.useText,
  };
}

async function mountFool() {
  const fool = await late(import("../play/fool.js"));
  fool?.mountFool(byId("fool"), {
    ask: (/** @type {string} */ text, /** @type {AbortSignal} */ signal) => api.sentiment(text, { signal }),
    useText: form.useText,
    card: () => api.model(),
  });
}

/**
 * Returns a module, or null where it can't be loaded: the answer stands without it.
 * @template Module
 * @param {Promise<Module>} module
 */
async function late(module) {
  const loaded = await module.catch(() => null);
  if (loaded && !document.querySelector(`link[href="${PLAY_STYLE}"]`)) {
    const link = /** @type {HTMLLinkElement} */ (document.createElement("link"));
    link.rel = "stylesheet";
    link.href = PLAY_STYLE;
    document.head.append(link);
  }
  return loaded;
}
