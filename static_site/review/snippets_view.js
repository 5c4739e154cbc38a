// Shows the request in code, and the raw answer. Loaded on demand.

import { allRoutes, rawAnswer } from "./answer_strings.js";
import { copyButton } from "../shared/copy.js";
import { element } from "../shared/dom.js";
import { snippetsFor } from "../shared/snippets.js";

/**
 * @param {HTMLElement} box
 * @param {string} url the API's
 * @param {string} review
 * @param {import("../api.js").Answer} answer
 */
export function drawSnippets(box, url, review, answer) {
  const { curl, python, javascript } = snippetsFor(url, review);
  const link = /** @type {HTMLAnchorElement} */ (element("a", "", allRoutes));
  link.href = "developers.html";
  box.replaceChildren(
    snippet("curl", curl),
    snippet("Python", python),
    snippet("JavaScript", javascript),
    snippet(rawAnswer, JSON.stringify(answer, null, 2)),
    link,
  );
}

/** @param {string} name @param {string} code */
function snippet(name, code) {
  const figure = element("figure", "snippet");
  const caption = element("figcaption", "snippet-head");
  const block = element("pre", "code");
  block.tabIndex = 0;
  block.setAttribute("aria-label", name);
  block.setAttribute("role", "region");
  block.append(element("code", "", code));
  caption.append(element("span", "section-title", name), copyButton(name, block));
  figure.append(caption, block);
  return figure;
}
