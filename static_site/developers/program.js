// Shows a request as a program, in the language chosen for the whole page.

import { copyButton } from "../shared/copy.js";
import { element } from "../shared/dom.js";
import { moduleSnippet, snippetsOf } from "../shared/snippets.js";
import { DEVELOPERS as words } from "./strings.js";

/** @typedef {import("./openapi.js").Operation} Operation */
/** @typedef {import("../shared/snippets.js").Call} Call */
/** @typedef {"curl" | "python" | "javascript" | "module"} Language module: JavaScript by the page's own api.js */

/** @type {Language} */
let language = "curl";
/** @type {(() => void)[]} */
const drawings = [];

/** Rewrites every program on the page. */
export function redraw() {
  for (const draw of drawings) draw();
}

/** @param {Operation} operation @param {string} apiUrl @param {() => Call} callNow what the reader filled in */
export function program(operation, apiUrl, callNow) {
  const label = words.programLabel(operation.method, operation.path);
  const code = element("code");
  drawings.push(() => {
    code.textContent = written(operation, apiUrl, callNow());
  });
  const head = element("div", "snippet-head");
  head.append(languages(operation), copyButton(label, code));
  const figure = element("div", "snippet");
  figure.append(head, codeBlock(label, code));
  return figure;
}

/** Makes a block that scrolls by keyboard. @param {string} label @param {HTMLElement} code */
export function codeBlock(label, code) {
  const block = element("pre", "code");
  block.tabIndex = 0;
  block.setAttribute("role", "region");
  block.setAttribute("aria-label", label);
  block.append(code);
  return block;
}

/** @param {Operation} operation @param {string} apiUrl @param {Call} call */
function written({ method, path }, apiUrl, call) {
  if (language !== "module") return snippetsOf(call)[language];
  return moduleSnippet(apiUrl, `${method} ${path}`, call.json) ?? snippetsOf(call).javascript;
}

/** @param {Operation} operation */
function languages({ id, method, path }) {
  const group = element("fieldset", "languages");
  group.append(element("legend", "visually-hidden", words.language));
  const hasModule = moduleSnippet("", `${method} ${path}`, { review: "", reviews: [] }) !== null;
  const names = /** @type {Language[]} */ (Object.keys(words.LANGUAGES)).filter(
    (name) => name !== "module" || hasModule,
  );
  const inputs = names.map((name) => input(id, name));
  // Plain JavaScript, where our module has no method.
  const shown = () => (language === "module" && !hasModule ? "javascript" : language);
  drawings.push(() => inputs.forEach((one) => (one.checked = one.value === shown())));
  group.append(...inputs.map((one) => labelled(one)));
  return group;
}

/** @param {string} id @param {Language} name */
function input(id, name) {
  const node = /** @type {HTMLInputElement} */ (element("input"));
  Object.assign(node, { type: "radio", name: `${id}-language`, value: name });
  node.addEventListener("change", () => {
    language = name;
    redraw();
  });
  return node;
}

/** @param {HTMLInputElement} input */
function labelled(input) {
  const node = element("label", "language");
  node.append(input, element("span", "", words.LANGUAGES[/** @type {Language} */ (input.value)]));
  return node;
}
