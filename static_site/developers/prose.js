// Renders the API's description: code between backticks, types as links to their schemas.

import { element } from "../shared/dom.js";
import { link } from "../shared/parts.js";
import { DEVELOPERS as words } from "./strings.js";

/** @typedef {import("./openapi.js").Type} Type */

/** @param {string} className @param {string} text in which `code` stands between backticks */
export function prose(className, text) {
  if (text === "") return [];
  const node = element("p", className);
  node.append(...marked(text));
  return [node];
}

/** @param {string} text */
export function marked(text) {
  return text.split(/`([^`]+)`/).map((piece, place) => (place % 2 ? element("code", "", piece) : piece));
}

/** @param {Type} type */
export function typeNode(type) {
  const node = element("span", "type");
  node.append(
    ...type.map((piece) =>
      typeof piece === "string" ? piece : link(piece.schema, `#${messageId(piece.schema)}`),
    ),
  );
  return node;
}

/** Returns the anchor of a schema. @param {string} name */
export const messageId = (name) => `message-${name}`;

/**
 * Describes a field and its limits.
 * @param {{description: string, limits: import("./openapi.js").Limit[]}} field
 */
export function meaning({ description, limits }) {
  const node = element("span", "meaning");
  node.append(...marked(description));
  if (limits.length) node.append(element("span", "small-print limits", words.limits(limits)));
  return node;
}
