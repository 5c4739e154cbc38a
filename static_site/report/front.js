// Draws a report's first screen: the net score, the shares, and one sentence on what changed.

import { heading, make, press, signOf, theirs } from "./pieces.js";
import { groupOf, movedTitle, partName, strongest } from "./moved.js";
import { REPORT, countOf, dateWords, netOf, portionOf } from "./strings.js";

/** @typedef {import("./pieces.js").Context} Context */

/** @type {("positive" | "uncertain" | "negative")[]} */
const VERDICT_ORDER = ["positive", "uncertain", "negative"];

/** @param {Context} context */
export function frontPart(context) {
  const { report, level } = context;
  const { file, overall } = report;
  const front = make("header", "report-front");
  front.append(theirs("p", "report-kicker", REPORT.kicker(file.name, file.judged, spanOf(report))));
  if (overall.net === null || overall.rows === 0) {
    front.append(
      heading(level - 1, "report-title report-title-quiet", REPORT.noVerdicts),
      make("p", "report-lead", REPORT.noVerdictsDeck(file.rows)),
      ...notices(context),
    );
    return front;
  }
  const score = make("span", "report-score", netOf(overall.net));
  score.dataset.sign = signOf(Math.round(overall.net));
  const title = heading(
    level - 1,
    "report-title",
    make("span", "report-score-label", REPORT.netScore),
    " ",
    score,
  );
  const main = make("div", "report-front-main", title, ...leads(report), ...shares(context));
  const side = make("div", "report-front-side", ...change(context), ...notices(context));
  front.append(make("div", "report-front-columns", main, side));
  return front;
}

/** Returns the span of the periods in words. @param {any} report */
function spanOf({ over_time: time }) {
  if (!time || time.periods.length === 0) return "";
  const unit = time.unit === "month" ? "month" : "whole";
  return REPORT.span(dateWords(time.first, unit), dateWords(time.last, unit));
}

/** @param {any} report */
function leads({ overall, resampled }) {
  const { net, interval } = overall;
  const words = [REPORT.shares(overall, netOf(net))];
  if (interval) words.push(REPORT.interval(netOf(interval[0]), netOf(interval[1]), resampled));
  return [make("p", "report-lead", words.join(" "))];
}

/** @param {Context} context */
function shares({ report, open }) {
  const { overall } = report;
  const bar = make("div", "report-share-bar");
  bar.setAttribute("aria-hidden", "true");
  const legend = make("ul", "report-shares");
  legend.setAttribute("aria-label", REPORT.sharesLabel);
  for (const verdict of VERDICT_ORDER) {
    const rows = overall.examples.filter(
      (/** @type {number} */ row) => report.rows?.[row]?.sentiment === verdict,
    );
    const name = REPORT.VERDICT[verdict];
    const action = rows.length ? () => open({ title: name, rows, all: overall[verdict] }) : null;
    const segment = make("span", "report-share");
    segment.dataset.verdict = verdict;
    segment.style.flexGrow = String(overall[verdict]);
    if (action) segment.addEventListener("click", action);
    if (overall[verdict] > 0) bar.append(segment);
    const item = press(
      "report-share-item",
      action,
      make("span", "report-share-name", name),
      make("span", "report-share-value", portionOf(overall[verdict], overall.rows)),
      make("span", "report-share-count", countOf(overall[verdict])),
    );
    item.dataset.verdict = verdict;
    legend.append(make("li", "", item));
  }
  const { mixed, no_opinion: none } = overall;
  const unsure = mixed || none ? [make("p", "report-small", REPORT.unsure(mixed, none))] : [];
  return [bar, legend, ...unsure];
}

/** @param {Context} context */
function change(context) {
  const title = context.report.comparison?.kind === "groups" ? REPORT.differTitle : REPORT.changeTitle;
  const node = make("section", "report-change", heading(context.level, "report-side-title", title));
  const [first, ...others] = changeWords(context.report);
  node.append(
    theirs("p", "report-change-first", first),
    ...others.map((words) => theirs("p", "report-change-more", words)),
  );
  if (context.report.comparison) {
    const link = /** @type {HTMLButtonElement} */ (
      press(
        "report-link",
        () => goTo(node, "#report-moved"),
        REPORT.seeChange(movedTitle(context.report.comparison)),
      )
    );
    node.append(link);
  }
  return [node];
}

/** Moves the reader and the focus to another part. A link's hash would change the page's address. @param {HTMLElement} from @param {string} selector */
function goTo(from, selector) {
  const target = /** @type {HTMLElement | null} */ (from.closest(".report")?.querySelector(selector));
  target?.focus({ preventScroll: true });
  target?.scrollIntoView();
}

/** Returns sentences, the most important first. @param {any} report @returns {string[]} */
function changeWords(report) {
  const { comparison, notices: list } = report;
  if (!comparison)
    return [REPORT.noChange((list ?? []).map((/** @type {{code: string}} */ { code }) => code))];
  const { kind, before, after, net } = comparison;
  const [from, to] = [netOf(before.net), netOf(after.net)];
  const fell = net.difference < 0;
  if (isChance(net.interval)) {
    const clear = strongest(report, fell) ?? strongest(report, !fell);
    return [
      kind === "groups"
        ? REPORT.unclearBetween(before.label, after.label, from, to)
        : REPORT.unclear(from, to),
      ...(clear ? [REPORT.yetClear(partName(clear), clear.net_effect)] : []),
    ];
  }
  const first =
    kind === "groups"
      ? REPORT.differs(before.label, after.label, net.difference, from, to)
      : REPORT.changed(net.difference, from, to);
  if (comparison.simpson) return [first, REPORT.simpson(fell, report.file.columns.group ?? "")];
  const part = strongest(report, fell);
  return part
    ? [first, REPORT.mostly(partName(part), part.net_effect, groupOf(part))]
    : [first, REPORT.noPart];
}

/** Tells whether an interval holds zero. @param {[number, number] | null} interval */
function isChance(interval) {
  return !interval || (interval[0] <= 0 && interval[1] >= 0);
}

/** @param {Context} context */
function notices({ report, level }) {
  const words = (report.notices ?? [])
    .map((/** @type {{code: string, detail: unknown}} */ { code, detail }) => REPORT.notice(code, detail))
    .filter(Boolean);
  if (words.length === 0) return [];
  const list = make(
    "ul",
    "report-notice-list",
    ...words.map((/** @type {string} */ text) => theirs("li", "", text)),
  );
  return [make("section", "report-notices", heading(level, "report-side-title", REPORT.noticesTitle), list)];
}
