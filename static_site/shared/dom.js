// Small helpers that every page's script uses to find, make and fill elements.

import * as strings from "./strings.js";

/** @param {string} id @returns {HTMLElement} */
export function byId(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}

/** @param {ParentNode} root @param {string} selector @returns {HTMLElement} */
export function find(root, selector) {
  return /** @type {HTMLElement} */ (root.querySelector(selector));
}

/** Makes an element. Its text is never markup. @param {string} tag @param {string} [className] @param {string} [text] */
export function element(tag, className = "", text = "") {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.textContent = text;
  return node;
}

/** @param {string} className @param {string} text @param {() => void} [action] */
export function button(className, text, action) {
  const node = /** @type {HTMLButtonElement} */ (element("button", className, text));
  node.type = "button";
  if (action) node.addEventListener("click", action);
  return node;
}

/** @param {...(Node | string)} children */
export function listItem(...children) {
  const item = element("li");
  item.append(...children);
  return item;
}

/** @param {ParentNode} root @param {string} selector @param {string} text */
export function setText(root, selector, text) {
  find(root, selector).textContent = text;
}

/** Sets a text, and hides its block when empty. @param {ParentNode} root @param {string} block @param {string} selector @param {string} text */
export function setOptionalText(root, block, selector, text) {
  setText(root, selector, text);
  find(root, block).hidden = text === "";
}

/** @param {ParentNode} root @param {string} selector @param {() => void} action */
export function onClick(root, selector, action) {
  find(root, selector).addEventListener("click", action);
}

/** Texts by the names of data-string. @type {Record<string, string>} */
const texts = { ...strings.STATIC };

/** Adds a page's texts to those that data-string can name. @param {Record<string, string>} more */
export function addStrings(more) {
  Object.assign(texts, more);
}

/**
 * Writes texts into the elements whose data-string names them.
 * @param {Document | DocumentFragment | Element} root
 */
export function fillStrings(root) {
  for (const node of root.querySelectorAll("[data-string]")) {
    node.textContent = texts[node.getAttribute("data-string") ?? ""] ?? "";
  }
}

/** Returns a filled copy of a page's template. @param {string} id @returns {DocumentFragment} */
export function copyOf(id) {
  const template = /** @type {HTMLTemplateElement} */ (byId(id));
  const view = /** @type {DocumentFragment} */ (template.content.cloneNode(true));
  fillStrings(view);
  return view;
}

/** Copies a text. Returns false without a clipboard, as on pages without TLS. @param {string} text */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

/**
 * @param {HTMLSelectElement} select
 * @param {[string, string][]} options value and words
 * @param {string} value
 */
export function fillSelect(select, options, value) {
  select.replaceChildren(...options.map(([key, words]) => new Option(words, key)));
  select.value = value;
}

/** @param {ParentNode} root @param {string} selector */
export function selectOf(root, selector) {
  return /** @type {HTMLSelectElement} */ (find(root, selector));
}

/** @param {ParentNode} root @param {string} selector */
export function inputOf(root, selector) {
  return /** @type {HTMLInputElement} */ (find(root, selector));
}
