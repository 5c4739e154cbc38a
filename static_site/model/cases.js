// Shows cases that the published model got right, and cases that it got wrong.

import { amount, at, rows, share, text } from "../shared/careful.js";
import { copyButton } from "../shared/copy.js";
import { element, listItem } from "../shared/dom.js";
import { link, paragraphs } from "../shared/parts.js";
import { linkTo } from "../shared/share.js";
import { table } from "../shared/tables.js";
import { CASES as words } from "./case_strings.js";
import { weakest } from "./figures.js";

/** @typedef {import("../shared/careful.js").Row} Row */

const OUTCOMES = ["right", "wrong"];

/** @type {Promise<any> | null} */
let loading = null;

/**
 * Returns what a card opens.
 * @param {"right" | "promises" | "fooled"} id
 * @param {any} card of the model that answers here
 * @returns {Promise<Node[]>}
 * @throws {Error} the file can't be loaded
 */
export async function casesOf(id, card) {
  const file = await loaded();
  const model = text(file, "model");
  if (model === null || model !== text(card, "id")) return paragraphs("", words.otherModel(model));
  return { right: ofAccuracy, promises: ofCalibration, fooled: ofSkills }[id](file, card);
}

/** The next call retries a failed load. @returns {Promise<any>} */
function loaded() {
  loading ??= fetchCases().catch((error) => {
    loading = null;
    throw error;
  });
  return loading;
}

async function fetchCases() {
  const answer = await fetch(new URL("./cases.json", import.meta.url));
  if (!answer.ok) throw new Error(`cases.json: status ${answer.status}`);
  return answer.json();
}

/** @param {any} file */
function ofAccuracy(file) {
  return [
    heading(words.ownTexts),
    ...paragraphs("", words.ownMean),
    columns((outcome) => [texts(rows(file, "texts", outcome))]),
    heading(words.reviews),
    ...paragraphs("", words.reviewsMean),
    columns((outcome) => [reviewTable(words.OUTCOMES[outcome], rows(file, "reviews", outcome))], false),
    ...howToRead(file),
  ];
}

/** @param {any} file */
function ofCalibration(file) {
  return [
    ...paragraphs("", words.levelsMean),
    ...rows(file, "levels").flatMap((level) => {
      const [from, to] = [share(level, "from"), share(level, "to")];
      const [all, right] = [amount(level, "reviews"), amount(level, "reviews_right")];
      if (from === null || to === null || all === null || right === null) return [];
      return [
        heading(words.level(from, to)),
        ...paragraphs("", words.levelRight(all, right)),
        columns((outcome) => [
          texts(rows(level, "texts", outcome)),
          reviewTable(words.reviews, rows(level, "examples", outcome)),
        ]),
      ];
    }),
    ...howToRead(file),
  ];
}

/** @param {any} file @param {any} card */
function ofSkills(file, card) {
  return [
    ...paragraphs("", words.skillsMean),
    ...weakest(card).flatMap(({ key, name, asks, held }) => {
      const found = at(file, "skills", key);
      if (found === undefined) return [];
      return [
        heading(name),
        ...paragraphs("", words.skill(asks, held)),
        columns((outcome) => [texts(rows(found, outcome))]),
      ];
    }),
  ];
}

/** @param {string} title */
const heading = (title) => element("h4", "cases-title", title);

/**
 * Sets right and wrong cases side by side.
 * @param {(outcome: string) => Node[]} drawn
 * @param {boolean} [titled]
 */
function columns(drawn, titled = true) {
  const node = element("div", "outcomes");
  for (const outcome of OUTCOMES) {
    const column = element("div", "outcome");
    column.dataset.outcome = outcome;
    if (titled) column.append(element("h5", "outcome-title", words.OUTCOMES[outcome]));
    column.append(...drawn(outcome));
    node.append(column);
  }
  return node;
}

/** @param {Row[]} cases */
function texts(cases) {
  if (cases.length === 0) return element("p", "small-print", words.none);
  const list = element("ul", "case-list");
  list.append(...cases.map(caseItem));
  return list;
}

/** @param {Row} row */
function caseItem(row) {
  const item = listItem(...rows(row, "texts").flatMap(oneText));
  item.append(element("p", "small-print", words.expected(text(row, "expect"), text(row, "label"))));
  return item;
}

/** @param {Row} row a text and its answer */
function oneText(row) {
  const said = text(row, "text");
  if (said === null) return [];
  const answer = element("p", "case-answer");
  answer.append(saysOf(row), " ", look(said));
  return [element("blockquote", "case-text", said), answer];
}

/** @param {Row} row */
function saysOf(row) {
  const node = element("span", "says", words.says(text(row, "verdict"), share(row, "probability")));
  node.dataset.sign = words.SIGNS[text(row, "verdict") ?? ""] ?? "zero";
  return node;
}

/** Links to the review page with this text in its box. @param {string} said */
function look(said) {
  const node = link(words.look, "index.html");
  node.setAttribute("aria-label", words.lookAt(said));
  // Without packed links, as in an old browser, the link leads to the empty page.
  linkTo(said).then(
    (href) => {
      node.href = href;
    },
    () => {},
  );
  return node;
}

/** @param {string} caption @param {Row[]} found */
function reviewTable(caption, found) {
  if (found.length === 0) return element("p", "small-print", words.none);
  const lines = found.map((row) => [
    text(row, "id") ?? words.dash,
    words.VERDICTS[text(row, "label") ?? ""] ?? words.dash,
    saysOf(row),
  ]);
  return table(caption, words.REVIEWS_HEAD, lines);
}

/** Names the command that prints a development review. @param {any} file */
function howToRead(file) {
  const [first] = rows(file, "reviews", "wrong");
  const id = text(first, "id");
  if (id === null) return [];
  const code = element("code", "", words.command(id));
  const command = element("p", "command");
  command.append(code);
  return [...paragraphs("", words.toRead), command, copyButton(words.commandName, code)];
}
