// Lays out a long page in parts, each with a title, a main column and a margin.

import { element, listItem } from "./dom.js";

/**
 * @typedef {object} Part
 * @property {string} id its anchor
 * @property {string} title
 * @property {string} [name] its name in the contents, if not its title
 * @property {Node[]} body
 * @property {Node[]} [margin]
 */

/** @param {Node[]} lead what stands first @param {string} contentsTitle @param {Part[]} parts */
export function laidOut(lead, contentsTitle, parts) {
  const page = element("article", "parts");
  page.append(columns("header", "part lead", lead, [contents(contentsTitle, parts)]), ...parts.map(partNode));
  return page;
}

/** Makes paragraphs of the sentences that aren't empty. @param {string} className @param {...string} sentences */
export function paragraphs(className, ...sentences) {
  return sentences.filter((sentence) => sentence !== "").map((sentence) => element("p", className, sentence));
}

/** Makes small print for the margin. @param {...string} sentences */
export function notes(...sentences) {
  return paragraphs("small-print", ...sentences);
}

/** @param {string} text @param {string} href @param {string} [className] */
export function link(text, href, className = "") {
  const node = /** @type {HTMLAnchorElement} */ (element("a", className, text));
  node.href = href;
  return node;
}

/** @param {Part} part */
function partNode({ id, title, body, margin = [] }) {
  const heading = element("h2", "part-title", title);
  heading.id = `${id}-title`;
  const node = columns("section", "part", [heading, ...body], margin);
  node.id = id;
  node.tabIndex = -1;
  node.setAttribute("aria-labelledby", heading.id);
  return node;
}

/** @param {string} tag @param {string} className @param {Node[]} body @param {Node[]} margin */
function columns(tag, className, body, margin) {
  const main = element("div", "part-body");
  main.append(...body);
  const side = element("div", "part-margin margin");
  side.append(...margin);
  const node = element(tag, className);
  node.append(main, side);
  return node;
}

/** @param {string} title @param {Part[]} parts */
function contents(title, parts) {
  const heading = element("h2", "section-title", title);
  heading.id = "contents-title";
  const list = element("ul");
  list.append(...parts.map((part) => listItem(link(part.name ?? part.title, `#${part.id}`))));
  const nav = element("nav", "contents");
  nav.setAttribute("aria-labelledby", heading.id);
  nav.append(heading, list);
  return nav;
}
