// Draws a report from its JSON: in one HTML file, which training/report/page.py writes, and on the file page.

import { barChart } from "./bars.js";
import { drawerOf } from "./drawer.js";
import { frontPart } from "./front.js";
import { movedPart } from "./moved.js";
import {
  FEW_REVIEWS,
  fold,
  foldedTable,
  heading,
  make,
  opener,
  opening,
  partOf,
  press,
  theirs,
} from "./pieces.js";
import { REPORT, countOf, exactOf, netOf, portionOf } from "./strings.js";
import { cellWords, timePart } from "./time.js";
import { trendsOf } from "./trends.js";

/** @typedef {import("./pieces.js").Context} Context */
/**
 * @typedef {object} Options
 * @property {(rows: number[], title: string) => void} [onOpen] opens rows by their numbers; without it a drawer does
 * @property {number} [level] of the report's own heading, 1 by default
 */

const MOST_GROUP_BARS = 14;

/**
 * Draws a report into an element, in place of what is there.
 * @param {any} report
 * @param {HTMLElement} root
 * @param {Options} [options]
 */
export function render(report, root, { onOpen, level = 1 } = {}) {
  root.replaceChildren();
  root.classList.add("report");
  const open = onOpen
    ? (/** @type {import("./pieces.js").Chosen} */ { rows, title }) => onOpen(rows, title)
    : drawerOf(report, root, level + 1);
  /** @type {Context} */
  const context = { report, open, level: level + 1 };
  root.prepend(frontPart(context), ...partsOf(context));
  openForPrint(root);
}

/** @param {Context} context */
function partsOf(context) {
  const { over_time: time, comparison, groups, aspects, sentences, words, overall } = context.report;
  if (overall.net === null) return [];
  return [
    time && time.periods.length > 1 ? timePart(context) : null,
    comparison ? movedPart(context) : null,
    groups && groups.length > 1 ? groupsPart(context) : null,
    aspects && aspects.some((/** @type {any} */ aspect) => aspect.net !== null) ? aspectsPart(context) : null,
    sentences && sentences.best.length + sentences.worst.length > 0 ? sentencesPart(context) : null,
    words && words.up.length + words.down.length > 0 ? wordsPart(context) : null,
    aboutPart(context),
  ].filter((part) => part !== null);
}

/** @param {Context} context */
function groupsPart(context) {
  const { groups, file } = context.report;
  const column = file.columns.group;
  return partOf(
    context,
    "groups",
    column ? REPORT.groupsTitle(column) : REPORT.groupsPlain,
    REPORT.groupsDeck,
    ...groupCharts(context),
    foldedTable(
      REPORT.asTable,
      [REPORT.groupHead, ...REPORT.TIME_HEAD],
      groups.map((/** @type {any} */ group) => [
        opener(group.name, opening(context, group.name, group)),
        ...cellWords(group),
      ]),
    ),
    trendsOf(context),
  );
}

/**
 * Draws the groups. Of many, those with few reviews would fill both ends by chance, so they are folded.
 * @param {Context} context
 */
function groupCharts(context) {
  const groups = context.report.groups;
  const chart = (/** @type {any[]} */ list, /** @type {number} */ most) =>
    barChart(
      list.map((group) => ({
        name: group.name,
        note: [REPORT.reviews(group.rows), group.small ? REPORT.small : ""].filter(Boolean).join(", "),
        value: group.net,
        interval: group.interval,
        open: opening(context, group.name, group),
        faint: group.small,
      })),
      { write: netOf, most, middle: true },
    );
  const small = groups.filter((/** @type {any} */ group) => group.small);
  if (groups.length <= MOST_GROUP_BARS || small.length === 0 || small.length === groups.length) {
    return [chart(groups, MOST_GROUP_BARS)];
  }
  const large = groups.filter((/** @type {any} */ group) => !group.small);
  return [chart(large, MOST_GROUP_BARS), fold(REPORT.smallGroups(small.length), chart(small, small.length))];
}

/** @param {Context} context */
function aspectsPart(context) {
  const aspects = context.report.aspects.filter((/** @type {any} */ aspect) => aspect.net !== null);
  return partOf(
    context,
    "aspects",
    REPORT.aspectsTitle,
    REPORT.aspectsDeck,
    barChart(
      aspects.map((/** @type {any} */ aspect) => ({
        name: aspect.name,
        note: REPORT.aspectNote(portionOf(aspect.share, 1), REPORT.pull(aspect.pull)),
        value: aspect.net,
        interval: aspect.interval,
        open: opening(context, aspect.name, aspect),
        faint: aspect.rows < FEW_REVIEWS,
      })),
      { write: netOf },
    ),
    foldedTable(
      REPORT.asTable,
      [REPORT.aspectHead, ...REPORT.ASPECT_HEAD],
      aspects.map((/** @type {any} */ aspect) => [
        opener(aspect.name, opening(context, aspect.name, aspect)),
        ...cellWords(aspect).slice(0, 3),
        portionOf(aspect.share, 1),
        exactOf(aspect.pull),
      ]),
    ),
  );
}

/** @param {Context} context */
function sentencesPart(context) {
  const { best, worst } = context.report.sentences;
  const column = (/** @type {string} */ title, /** @type {string} */ sign, /** @type {any[]} */ list) => {
    const node = make("div", "report-column", heading(context.level + 1, "report-side-title", title));
    if (list.length === 0) node.append(make("p", "report-small", REPORT.noSentences));
    else
      node.append(make("ul", "report-quotes", ...list.map((one) => make("li", "", quoteOf(context, one)))));
    node.dataset.sign = sign;
    return node;
  };
  return partOf(
    context,
    "sentences",
    REPORT.sentencesTitle,
    REPORT.sentencesDeck,
    make("div", "report-columns", column(REPORT.best, "plus", best), column(REPORT.worst, "minus", worst)),
  );
}

/** @param {Context} context @param {{text: string, row: number, similar: number}} sentence */
function quoteOf({ open }, { text, row, similar }) {
  const note = [REPORT.row(row), REPORT.similar(similar)].filter(Boolean).join(" \u00b7 ");
  const title = REPORT.row(row);
  return press(
    "report-quote",
    () => open({ title, rows: [row], all: 1 }),
    theirs("span", "report-quote-text", text),
    make("span", "report-bar-note", note),
  );
}

/** @param {Context} context */
function wordsPart(context) {
  const { up, down, rows } = context.report.words;
  const most = Math.max(
    ...[...up, ...down].map((/** @type {{effect: number}} */ { effect }) => Math.abs(effect)),
  );
  const column = (
    /** @type {string} */ title,
    /** @type {any[]} */ list,
    /** @type {"minus" | undefined} */ side,
  ) =>
    make(
      "div",
      "report-column",
      heading(context.level + 1, "report-side-title", title),
      list.length === 0
        ? make("p", "report-small", REPORT.noWords)
        : barChart(
            list.map((word) => ({
              name: word.word,
              note: REPORT.reviews(word.rows),
              value: Math.abs(word.effect),
              interval: null,
              open: opening(context, REPORT.word(word.word), word),
              side,
            })),
            { write: () => "", ends: [0, most], most: list.length },
          ),
    );
  const part = partOf(
    context,
    "words",
    REPORT.wordsTitle,
    REPORT.wordsDeck(rows),
    make(
      "div",
      "report-columns",
      column(REPORT.wordsUp, up, undefined),
      column(REPORT.wordsDown, down, "minus"),
    ),
    foldedTable(
      REPORT.asTable,
      REPORT.WORD_HEAD,
      [...up, ...down].map((word) => [
        opener(word.word, opening(context, REPORT.word(word.word), word)),
        countOf(word.rows),
        exactOf(word.effect),
      ]),
    ),
  );
  return part;
}

/** @param {Context} context */
function aboutPart(context) {
  const { resampled, model } = context.report;
  const list = make("dl", "report-about-list");
  for (const [term, words] of REPORT.ABOUT)
    list.append(make("div", "", make("dt", "", term), make("dd", "", words)));
  const small = [REPORT.resampled(resampled), model?.id ? REPORT.model(model.id) : ""]
    .filter(Boolean)
    .join(" ");
  return partOf(context, "about", REPORT.aboutTitle, "", list, make("p", "report-small", small));
}

/** Opens every fold while printing, since paper can't be pressed. @param {HTMLElement} root */
function openForPrint(root) {
  /** @type {Element[]} */
  let opened = [];
  const shown = new AbortController();
  const listen = (/** @type {string} */ event, /** @type {() => void} */ action) =>
    addEventListener(event, () => (root.isConnected ? action() : shown.abort()), { signal: shown.signal });
  listen("beforeprint", () => {
    opened = [...root.querySelectorAll("details:not([open])")];
    for (const one of opened) one.setAttribute("open", "");
  });
  listen("afterprint", () => {
    for (const one of opened) one.removeAttribute("open");
  });
}
