// Runs the page for developers: the API's description, programs to copy, and requests to try.

import { startPage } from "../shared/asking.js";
import { attempt } from "./attempt.js";
import { element, listItem } from "../shared/dom.js";
import { described } from "./openapi.js";
import { laidOut, link, notes, paragraphs } from "../shared/parts.js";
import { codeBlock, redraw } from "./program.js";
import { meaning, messageId, prose, typeNode } from "./prose.js";
import { bodyOf } from "./request.js";
import { api, useKey } from "../shared/service.js";
import { DEVELOPERS as words } from "./strings.js";
import { table } from "../shared/tables.js";

/** @typedef {import("./openapi.js").Api} Api */
/** @typedef {import("./openapi.js").Operation} Operation */
/** @typedef {import("../shared/parts.js").Part} Part */

const DOCUMENT = "/v1/openapi.json";

startPage({ file: "developers.html", words, ask: () => api.openapi(), tell });

/** @param {any} document */
function tell(document) {
  const description = described(document);
  const { operations, keyHeader } = description;
  const parts = [
    ...operations.map((operation) => operationPart(operation, keyHeader)),
    ...keyPart(keyHeader),
    ...limitsPart(description),
    ...errorsPart(description),
    ...messagesPart(description),
    privacyPart(description),
  ];
  const page = laidOut(lead(description), words.contents, parts);
  redraw();
  return page;
}

/** @param {Api} description */
function lead({ summary }) {
  const where = element("p", "deck", `${words.where} `);
  where.append(element("code", "", api.url), `. ${words.document} `, link(DOCUMENT, `${api.url}${DOCUMENT}`), ".");
  const own = element("p", "deck", `${words.ownModule} `);
  own.append(link("api.js", "api.js"), ".");
  const headline = element("h2", "headline", words.headline);
  return [element("p", "kicker", words.kicker), headline, ...prose("deck", summary), where, own];
}

// --- operations ---------------------------------------------------------------------------------

/** @param {Operation} operation @param {string} keyHeader @returns {Part} */
function operationPart(operation, keyHeader) {
  const { method, path, summary, description, keyed } = operation;
  const route = element("p", "route");
  route.append(element("span", "method", method), " ", element("code", "", path));
  return {
    id: operation.id,
    name: `${method} ${path}`,
    title: summary || `${method} ${path}`,
    body: [route, ...prose("", description), ...takes(operation), ...attempt(operation, keyHeader)],
    margin: [
      ...answers(operation),
      ...notes(keyed && keyHeader ? words.mayAskKey(keyHeader) : ""),
    ],
  };
}

/** @param {Operation} operation */
function takes({ parameters, bodies }) {
  const fields = [
    ...parameters.map((one) => ({ ...one, where: words.place(one.place) })),
    ...(bodies[0]?.fields ?? []).map((one) => ({ ...one, where: "" })),
  ];
  const others = bodies.map(({ media }) => media);
  return [
    ...(fields.length
      ? [
          table(
            words.takes,
            words.FIELDS_HEAD,
            fields.map((field) => fieldRow(field, field.where)),
          ),
        ]
      : []),
    ...(others.length > 1 ? prose("small-print takes", words.media(others)) : []),
  ];
}

/** @param {import("./openapi.js").Field} field @param {string} [where] */
function fieldRow(field, where = "") {
  const name = element("span", "named");
  name.append(element("code", "", field.name));
  const note = [where, field.required ? words.needed : ""].filter((one) => one !== "").join(", ");
  if (note) name.append(" ", element("span", "small-print", note));
  return [name, typeNode(field.type), meaning(field)];
}

/** Describes the answer, with links to the errors. @param {Operation} operation */
function answers({ replies, method, path }) {
  const list = element("dl", "answers");
  for (const reply of replies.filter(({ status }) => !isError(status))) {
    const said = element("dd", "", reply.description);
    for (const { media, type } of reply.contents) {
      const line = element("span", "small-print", `${media}: `);
      line.append(typeNode(type));
      said.append(line);
    }
    list.append(element("dt", "", reply.status), said);
  }
  const failed = element("p", "small-print", `${words.instead} `);
  const errors = replies.filter(({ status }) => isError(status));
  failed.append(...errors.flatMap(({ status }) => [link(status, `#error-${status}`), " "]));
  return [element("h3", "section-title", words.answers), list, ...examples(replies, method, path), failed];
}

/** @param {import("./openapi.js").Reply[]} replies @param {string} method @param {string} path */
function examples(replies, method, path) {
  const found = replies
    .filter(({ status }) => !isError(status))
    .flatMap(({ contents }) => contents.flatMap((content) => content.examples));
  return found
    .filter(({ name }) => name !== words.madeUp)
    .slice(0, 1)
    .map(({ value }) => {
      const more = element("details", "numbers");
      const code = element("code", "", bodyOf(value));
      more.append(element("summary", "", words.anExample), codeBlock(words.exampleOf(method, path), code));
      return more;
    });
}

/** @param {string} status */
const isError = (status) => !/^[123]/.test(status);

// --- what holds for all -------------------------------------------------------------------------

/** @param {string} keyHeader @returns {Part[]} */
function keyPart(keyHeader) {
  if (keyHeader === "") return [];
  const input = /** @type {HTMLInputElement} */ (element("input", "field"));
  Object.assign(input, { value: api.apiKey, autocomplete: "off", spellcheck: false });
  input.addEventListener("input", () => {
    useKey(input.value.trim());
    redraw();
  });
  const label = element("label", "labelled");
  label.append(element("span", "section-title", words.keyLabel), input);
  return [
    { id: "key", title: words.PARTS.key, body: [...prose("", words.keyMeans(keyHeader)), label] },
  ];
}

/** @param {Api} api @returns {Part[]} */
function limitsPart({ operations }) {
  const lines = operations.flatMap(limitRows);
  if (lines.length === 0) return [];
  const body = [...paragraphs("", words.limitsMean), table(words.limitsTable, words.LIMITS_HEAD, lines)];
  return [{ id: "limits", title: words.PARTS.limits, body }];
}

/** @param {Operation} operation */
function limitRows({ id, method, path, parameters, bodies }) {
  return [...parameters, ...(bodies[0]?.fields ?? [])].flatMap(({ name, limits }) => {
    const bounds = limits.filter((limit) => /^(min|max)/.test(limit.name));
    if (bounds.length === 0) return [];
    const route = link(`${method} ${path}`, `#${id}`);
    return [[route, element("code", "", name), meaning({ description: "", limits: bounds })]];
  });
}

/** @param {Api} api @returns {Part[]} */
function errorsPart({ operations, codes }) {
  /** @type {Map<string, Set<string>>} */
  const found = new Map();
  for (const { status, description } of operations.flatMap(({ replies }) => replies)) {
    if (isError(status)) found.set(status, (found.get(status) ?? new Set()).add(description));
  }
  if (found.size === 0) return [];
  const lines = [...found.keys()].sort().map((status) => {
    const description = [...(found.get(status) ?? [])].join("; ");
    return [statusNode(status), meaning({ description, limits: [] })];
  });
  return [
    {
      id: "errors",
      title: words.PARTS.errors,
      body: [
        ...paragraphs("", words.errorsMean),
        table(words.errorsTable, words.ERRORS_HEAD, lines),
        ...codeList(codes),
      ],
      margin: notes(words.errorsNote),
    },
  ];
}

/** @param {string} status */
function statusNode(status) {
  const node = element("span", "", status);
  node.id = `error-${status}`;
  return node;
}

/** @param {string[]} codes */
function codeList(codes) {
  if (codes.length === 0) return [];
  const list = element("ul", "codes");
  list.append(...codes.map((code) => listItem(element("code", "", code))));
  return [element("h3", "section-title", words.codes), list];
}

/** @param {Api} api @returns {Part[]} */
function messagesPart({ schemas }) {
  if (schemas.length === 0) return [];
  const body = schemas.flatMap((schema) => {
    const title = element("h3", "message-title", schema.name);
    title.id = messageId(schema.name);
    const lines = schema.fields.map((field) => fieldRow(field));
    const what = lines.length
      ? [table(words.fieldsOf(schema.name), words.FIELDS_HEAD, lines)]
      : [typeNode(schema.type)];
    return [title, ...prose("", schema.description), ...what];
  });
  return [{ id: "messages", title: words.PARTS.messages, body }];
}

/** @param {Api} description @returns {Part} */
function privacyPart({ description }) {
  return {
    id: "privacy",
    title: words.PARTS.privacy,
    body: [...prose("", description), ...paragraphs("", words.privacy(api.url))],
  };
}
