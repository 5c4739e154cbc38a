// Reads an OpenAPI document: its operations, schemas, limits and errors.

import { at, entries, list, number, rows, text, texts } from "../shared/careful.js";
import { DEVELOPERS as words } from "./strings.js";

/**
 * @typedef {{name: string, type: Type, required: boolean, description: string, limits: Limit[]}} Field
 * @typedef {{name: string, value: string | number}} Limit as the schema calls it
 * @typedef {(string | {schema: string})[]} Type words, and names of schemas
 * @typedef {{name: string, value: any}} Example
 * @typedef {{media: string, type: Type, fields: Field[], examples: Example[]}} Content
 * @typedef {{status: string, description: string, headers: string[], contents: Content[]}} Reply
 * @typedef {Field & {place: string, example: string}} Parameter place: path, query or header
 * @typedef {object} Operation
 * @property {string} id a name for its anchor
 * @property {string} method in capitals
 * @property {string} path
 * @property {string} summary
 * @property {string} description
 * @property {Parameter[]} parameters
 * @property {Content[]} bodies what may be sent
 * @property {Reply[]} replies
 * @property {boolean} keyed whether it may ask for a key
 *
 * @typedef {object} Api
 * @property {string} title
 * @property {string} summary
 * @property {string} description
 * @property {Operation[]} operations
 * @property {{name: string, description: string, type: Type, fields: Field[]}[]} schemas
 * @property {string} keyHeader where a key goes; "" when the document knows of none
 * @property {string[]} codes of problems
 */

const METHODS = ["get", "post", "put", "patch", "delete", "head", "options"];
const PROBLEM = "application/problem+json";
const SCHEMAS = "#/components/schemas/";
// Deeper than any message. Schemas that contain themselves end here.
const MAX_DEPTH = 5;

/** @param {any} document @returns {Api} */
export function described(document) {
  return {
    title: text(document, "info", "title") ?? "",
    summary: text(document, "info", "summary") ?? "",
    description: text(document, "info", "description") ?? "",
    operations: entries(document, "paths").flatMap(([path]) => operationsOf(document, path)),
    schemas: entries(document, "components", "schemas").map(([name, schema]) => ({
      name: text(name) ?? "",
      description: text(resolved(document, schema), "description") ?? "",
      type: typeOf(document, schema),
      fields: fieldsOf(document, schema),
    })),
    keyHeader: keyHeaderOf(document),
    codes: codesOf(document),
  };
}

/**
 * Follows a $ref, and the $refs behind it; undefined for one that leads nowhere or in a circle.
 * @param {any} document
 * @param {any} node
 * @returns {any}
 */
export function resolved(document, node) {
  for (let hops = 0; hops < MAX_DEPTH; hops += 1) {
    const reference = at(node, "$ref");
    if (typeof reference !== "string") return node;
    node = reference.startsWith("#/")
      ? at(document, ...reference.slice(2).split("/").map(unescaped))
      : undefined;
  }
  return undefined;
}

/**
 * Generates an example from a schema.
 * @param {any} document
 * @param {any} schema
 * @param {number} [depth]
 * @returns {any}
 */
export function sampleOf(document, schema, depth = 0) {
  const node = resolved(document, schema);
  const single = ["example", "const", "default"].map((name) => at(node, name));
  const found = [...single, list(node, "examples")[0], list(node, "enum")[0]].find(
    (value) => value !== undefined,
  );
  if (found !== undefined || depth > MAX_DEPTH) return found ?? null;
  const choice = list(node, "oneOf")[0] ?? list(node, "anyOf")[0];
  if (choice !== undefined) return sampleOf(document, choice, depth + 1);
  const kind = [at(node, "type")].flat()[0] ?? (at(node, "properties") ? "object" : "");
  if (kind === "object") return sampleObject(document, node, depth);
  if (kind === "array") return [sampleOf(document, at(node, "items"), depth + 1)];
  return { string: "", integer: 0, number: 0, boolean: false }[/** @type {string} */ (kind)] ?? null;
}

/** @param {any} document @param {any} node @param {number} depth */
function sampleObject(document, node, depth) {
  const required = texts(node, "required");
  const fields = entries(node, "properties").filter(([name]) => required.includes(name));
  return Object.fromEntries(fields.map(([name, schema]) => [name, sampleOf(document, schema, depth + 1)]));
}

// --- operations ---------------------------------------------------------------------------------

/** @param {any} document @param {string} path */
function operationsOf(document, path) {
  const node = resolved(document, at(document, "paths", path));
  const shared = rows(node, "parameters");
  return METHODS.filter((method) => typeof at(node, method) === "object").map((method) =>
    operation(document, { method, path, shared, node: at(node, method) }),
  );
}

/** @param {any} document @param {{method: string, path: string, shared: any[], node: any}} found @returns {Operation} */
function operation(document, { method, path, shared, node }) {
  return {
    id: `${method}${path.replace(/[^A-Za-z0-9]+/g, "-").replace(/-$/, "")}`,
    method: method.toUpperCase(),
    path: text(path) ?? "",
    summary: text(node, "summary") ?? "",
    description: text(node, "description") ?? "",
    parameters: [...shared, ...rows(node, "parameters")].map((one) => parameter(document, one)),
    bodies: contentsOf(document, at(resolved(document, at(node, "requestBody")), "content")),
    replies: entries(node, "responses").map(([status, reply]) => replyOf(document, status, reply)),
    keyed: list(node, "security").some((one) => entries(one).length > 0),
  };
}

/** @param {any} document @param {any} found @returns {Parameter} */
function parameter(document, found) {
  const node = resolved(document, found);
  const schema = resolved(document, at(node, "schema"));
  const example = at(node, "example") ?? at(schema, "example") ?? "";
  return {
    name: text(node, "name") ?? "",
    place: text(node, "in") ?? "",
    type: typeOf(document, at(node, "schema")),
    required: at(node, "required") === true,
    description: text(node, "description") ?? "",
    limits: limitsOf(schema),
    example: typeof example === "object" ? "" : String(example),
  };
}

/** @param {any} document @param {string} status @param {any} found @returns {Reply} */
function replyOf(document, status, found) {
  const node = resolved(document, found);
  return {
    status: text(status) ?? "",
    description: text(node, "description") ?? "",
    headers: entries(node, "headers").map(([name]) => text(name) ?? ""),
    contents: contentsOf(document, at(node, "content")),
  };
}

/** @param {any} document @param {any} content @returns {Content[]} */
function contentsOf(document, content) {
  return entries(content).map(([media, node]) => ({
    media: text(media) ?? "",
    type: typeOf(document, at(node, "schema")),
    fields: fieldsOf(document, at(node, "schema")),
    examples: examplesOf(document, node, media),
  }));
}

/**
 * Returns the document's examples, or else a generated one.
 * @param {any} document
 * @param {any} node
 * @param {string} media
 * @returns {Example[]}
 */
function examplesOf(document, node, media) {
  const given = entries(node, "examples")
    .map(([name, example]) => ({
      name: name.replaceAll("_", " "),
      value: at(resolved(document, example), "value"),
    }))
    .filter(({ value }) => value !== undefined);
  if (given.length > 0) return given;
  const alone = at(node, "example");
  if (alone !== undefined) return [{ name: words.example, value: alone }];
  return media.includes("json")
    ? [{ name: words.madeUp, value: sampleOf(document, at(node, "schema")) }]
    : [];
}

// --- schemas ------------------------------------------------------------------------------------

/**
 * Returns a schema's fields. Nested fields have names with dots.
 * @param {any} document
 * @param {any} schema
 * @param {string} [before] what their names begin with
 * @param {number} [depth]
 * @returns {Field[]}
 */
function fieldsOf(document, schema, before = "", depth = 0) {
  // A named schema is described under its own name.
  const node = depth === 0 ? resolved(document, schema) : schema;
  if (depth > MAX_DEPTH || at(node, "$ref") !== undefined) return [];
  const required = texts(node, "required");
  const own = entries(node, "properties").flatMap(([key, value]) => {
    const name = `${before}${text(key) ?? ""}`;
    return [
      field(document, name, value, required.includes(key)),
      ...fieldsOf(document, value, `${name}.`, depth + 1),
    ];
  });
  const items = at(node, "items");
  const within = `${before.replace(/\.$/, "")}[].`;
  return items === undefined ? own : [...own, ...fieldsOf(document, items, within, depth + 1)];
}

/** @param {any} document @param {string} name @param {any} schema @param {boolean} required @returns {Field} */
function field(document, name, schema, required) {
  const node = resolved(document, schema);
  const description = text(schema, "description") ?? text(node, "description") ?? "";
  return { name, type: typeOf(document, schema), required, description, limits: limitsOf(node) };
}

/** @param {any} document @param {any} schema @param {number} [depth] @returns {Type} */
function typeOf(document, schema, depth = 0) {
  const reference = at(schema, "$ref");
  if (typeof reference === "string" && reference.startsWith(SCHEMAS)) {
    return [{ schema: unescaped(reference.slice(SCHEMAS.length)) }];
  }
  const node = resolved(document, schema);
  if (depth > MAX_DEPTH) return ["\u2026"];
  const inner = (/** @type {any} */ one) => typeOf(document, one, depth + 1);
  const choices = [...list(node, "oneOf"), ...list(node, "anyOf")].filter((one) => entries(one).length > 0);
  if (choices.length > 0) return spread(choices.map(inner), words.or);
  const all = list(node, "allOf");
  if (all.length > 0) return spread(all.map(inner), words.and);
  const values = at(node, "const") === undefined ? list(node, "enum") : [at(node, "const")];
  if (values.length > 0) return [values.map((value) => text(JSON.stringify(value)) ?? "").join(", ")];
  const kinds = [at(node, "type")].flat().filter((kind) => typeof kind === "string");
  if (kinds[0] === "array") return [words.listOf, ...inner(at(node, "items"))];
  return [kinds.map((kind) => text(kind) ?? "").join(words.or) || words.anything];
}

/** @param {Type[]} types @param {string} word @returns {Type} */
function spread(types, word) {
  return types.flatMap((type, place) => (place === 0 ? type : [word, ...type]));
}

/** Returns a value's limits and its default. @param {any} node @returns {Limit[]} */
function limitsOf(node) {
  return Object.keys(words.LIMITS).flatMap((name) => {
    const found = at(node, name);
    const value = typeof found === "string" ? text(found) : number(found);
    return value === null ? [] : [{ name, value }];
  });
}

// --- the rest -----------------------------------------------------------------------------------

/** @param {any} document */
function keyHeaderOf(document) {
  const found = entries(document, "components", "securitySchemes")
    .map(([, scheme]) => resolved(document, scheme))
    .find((scheme) => at(scheme, "type") === "apiKey" && at(scheme, "in") === "header");
  const name = text(found, "name") ?? "";
  return /^[A-Za-z0-9-]+$/.test(name) ? name : "";
}

/** @param {any} document */
function codesOf(document) {
  const problems = entries(document, "components", "responses")
    .map(([, reply]) => resolved(document, at(resolved(document, reply), "content", PROBLEM, "schema")))
    .map((schema) => texts(resolved(document, at(schema, "properties", "code")), "enum"));
  return [...new Set(problems.flat())];
}

/** @param {string} part of a JSON pointer */
function unescaped(part) {
  return part.replaceAll("~1", "/").replaceAll("~0", "~");
}
