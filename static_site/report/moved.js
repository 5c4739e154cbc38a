// Draws what moved the net score between two sides: the parts of the difference, and what each is.

import { barChart } from "./bars.js";
import { fold, foldedTable, heading, make, opener, partOf, rangeWords, signOf, theirs } from "./pieces.js";
import { REPORT, effectOf, exactOf, netOf, withDates } from "./strings.js";

/**
 * @typedef {import("./pieces.js").Context} Context
 * @typedef {object} Moved a part of the difference
 * @property {string} name
 * @property {"aspect" | "mix" | "group" | "rest"} kind
 * @property {boolean} clear chance alone hardly makes it
 * @property {number} effect on the log-odds
 * @property {[number, number]} interval
 * @property {number} net_effect points
 * @property {[number, number]} net_interval
 * @property {number} often
 * @property {number} tone
 * @property {{name: string, effect: number}[]} groups
 * @property {number[]} rows
 */

// A part of an effect this many times the other is named alone.
const FAR_LARGER = 4;
const MOST_PARTS = 8;
const MOST_GROUPS = 3;
// A group with this share of an aspect's effect is named.
const MOSTLY = 0.6;

/** @param {Context} context */
export function movedPart(context) {
  const { comparison } = context.report;
  const moved = sortedParts(context.report);
  const part = partOf(context, "moved", movedTitle(comparison), "", sidesOf(comparison));
  if (comparison.simpson) part.append(simpsonNote(context));
  part.append(
    make("p", "report-deck", REPORT.movedDeck(effectOf(comparison.net.difference))),
    barChart(
      moved.map((one) => ({
        name: partName(one),
        note: isClear(one) ? howWords(context.report, one) : REPORT.chance,
        value: one.net_effect,
        interval: one.net_interval,
        open: openingOf(context, one),
        faint: !isClear(one),
      })),
      { write: effectOf, axis: netOf, most: MOST_PARTS },
    ),
  );
  const mix = moved.find(({ kind }) => kind === "mix");
  if (mix && isClear(mix) && !comparison.simpson) part.append(mixNote(context, mix));
  part.append(
    foldedTable(
      REPORT.asTable,
      REPORT.MOVED_HEAD,
      moved.map((one) => [
        opener(partName(one), openingOf(context, one)),
        effectOf(one.net_effect),
        rangeWords(one.net_interval, effectOf),
        howWords(context.report, one),
      ]),
    ),
    arithmeticOf(context),
  );
  return part;
}

/** @param {{kind: string}} comparison */
export const movedTitle = ({ kind }) => (kind === "groups" ? REPORT.madeTitle : REPORT.movedTitle);

/** Returns the parts, that with the largest effect on the net score first. The rest is last. @param {any} report @returns {Moved[]} */
function sortedParts({ moved }) {
  const isRest = (/** @type {Moved} */ { kind }) => Number(kind === "rest");
  return [...(moved ?? [])].sort(
    (one, other) => isRest(one) - isRest(other) || Math.abs(other.net_effect) - Math.abs(one.net_effect),
  );
}

/** Returns the largest part that goes the whole's way and is more than chance. @param {any} report @param {boolean} fell */
export function strongest(report, fell) {
  return sortedParts(report).find(
    (part) => isClear(part) && part.kind !== "rest" && part.net_effect < 0 === fell,
  );
}

/** @param {Moved} part */
export const partName = ({ kind, name }) => REPORT.MOVED[kind] ?? name;

/** Tells whether chance alone hardly makes a part. @param {Moved} part */
const isClear = ({ clear }) => clear;

/** @param {Context} context @param {Moved} part */
function openingOf({ open }, part) {
  if (!part.rows || part.rows.length === 0) return null;
  return () => open({ title: partName(part), rows: part.rows, all: part.rows.length });
}

/** @param {any} report @param {Moved} part */
function howWords(report, part) {
  if (part.kind === "rest") return REPORT.rest;
  if (part.kind === "group") return REPORT.ofGroup;
  if (part.kind === "mix") {
    const { more, fewer } = mixWords(report, part);
    return REPORT.mix(more, fewer);
  }
  const [how, group] = [aspectWords(report, part), groupOf(part)];
  return group === null ? how : REPORT.mostlyIn(how, group);
}

/** Returns the group that most of an aspect's effect comes from, if one. @param {Moved} part @returns {string | null} */
export function groupOf({ kind, effect, groups }) {
  const [first, second] = groups;
  return kind === "aspect" && second && first.effect / effect >= MOSTLY ? first.name : null;
}

/** Says whether an aspect is mentioned more often, or in another tone. @param {any} report @param {Moved} part */
function aspectWords({ aspects }, { name, effect, often, tone }) {
  const pull = (aspects ?? []).find((/** @type {{name: string}} */ one) => one.name === name)?.pull ?? 0;
  const mention = often * pull > 0 ? REPORT.moreOften : REPORT.lessOften;
  const manner = tone < 0 ? REPORT.harsher : REPORT.kinder;
  if (Math.abs(tone) > FAR_LARGER * Math.abs(often)) return manner;
  if (Math.abs(often) > FAR_LARGER * Math.abs(tone)) return mention;
  if (often * tone >= 0) {
    return Math.abs(tone) >= Math.abs(often)
      ? REPORT.andAlso(manner, mention)
      : REPORT.andAlso(mention, manner);
  }
  // They pull apart: what the effect came with goes first.
  if (tone * effect > 0)
    return REPORT.andAlso(manner, often * pull > 0 ? REPORT.moreOftenToo : REPORT.lessOftenToo);
  return REPORT.andAlso(mention, tone < 0 ? REPORT.harsherToo : REPORT.kinderToo);
}

/**
 * Returns which groups have more reviews on the later side, and which fewer, as far as they move the whole the way
 * that the mix does. A group that scores below the whole lowers it by having more reviews.
 * @param {any} report
 * @param {Moved} mix
 */
function mixWords({ groups, overall }, mix) {
  /** @type {{more: string[], fewer: string[]}} */
  const found = { more: [], fewer: [] };
  for (const { name, effect } of mix.groups) {
    const group = (groups ?? []).find((/** @type {{name: string}} */ one) => one.name === name);
    if (!group || group.net === null || effect * mix.effect <= 0) continue;
    found[effect * (group.net - overall.net) > 0 ? "more" : "fewer"].push(name);
  }
  return found;
}

/** Shows both sides' net scores beside each other. @param {any} comparison */
function sidesOf({ before, after }) {
  const one = (/** @type {{label: string, rows: number, net: number | null}} */ side) => {
    const score = make("span", "report-side-net", netOf(side.net));
    score.dataset.sign = signOf(side.net === null ? null : Math.round(side.net));
    return make(
      "li",
      "report-side",
      score,
      theirs("span", "report-side-label", REPORT.side(withDates(side.label), side.rows)),
    );
  };
  const arrow = make("li", "report-arrow", "\u2192");
  arrow.setAttribute("aria-hidden", "true");
  return make("ol", "report-sides", one(before), arrow, one(after));
}

/** @param {Context} context */
function simpsonNote({ report, level }) {
  const fell = report.comparison.net.difference < 0;
  const mix = sortedParts(report).find(({ kind }) => kind === "mix");
  const { more, fewer } = mix ? mixWords(report, mix) : { more: [], fewer: [] };
  return make(
    "div",
    "report-note",
    heading(level + 1, "report-note-title", REPORT.simpsonTitle(fell)),
    theirs("p", "", REPORT.simpson(fell, report.file.columns.group ?? "")),
    more.length || fewer.length ? theirs("p", "", REPORT.mixNow(REPORT.mix(more, fewer))) : null,
  );
}

/** @param {Context} context @param {Moved} mix */
function mixNote({ report, level }, mix) {
  const { more, fewer } = mixWords(report, mix);
  return make(
    "div",
    "report-note",
    heading(level + 1, "report-note-title", REPORT.mixTitle),
    make("p", "", REPORT.mixText),
    more.length || fewer.length ? theirs("p", "", REPORT.mixNow(REPORT.mix(more, fewer))) : null,
  );
}

/** @param {Context} context */
function arithmeticOf({ report }) {
  const { logit } = report.comparison;
  const rows = sortedParts(report).map((one) => [
    theirs("span", "", partName(one)),
    exactOf(one.effect),
    rangeWords(one.interval, exactOf),
    one.kind === "aspect" ? exactOf(one.often) : REPORT.none,
    one.kind === "aspect" ? exactOf(one.tone) : REPORT.none,
    theirs(
      "span",
      "",
      one.groups
        .slice(0, MOST_GROUPS)
        .map(({ name, effect }) => `${name} ${exactOf(effect)}`)
        .join("; "),
    ),
  ]);
  const [low, high] = (logit.interval ?? [logit.difference, logit.difference]).map(exactOf);
  const node = foldedTable(REPORT.arithmetic, REPORT.EXACT_HEAD, rows);
  node
    .querySelector("summary")
    ?.after(
      make(
        "p",
        "report-small",
        `${REPORT.arithmeticText} ${REPORT.arithmeticSum(exactOf(logit.difference), low, high)}`,
      ),
    );
  return node;
}
