// Holds every English word of the page for developers: a translation is a copy of this file, and of ../shared/strings.js.

import { joined, sentence } from "../shared/prose_strings.js";
import { count, plural } from "../shared/strings.js";

/** @type {Record<string, (value: string | number) => string>} */
const LIMITS = {
  minLength: (value) => `at least ${value === 1 ? "1 character" : `${limit(value)} characters`}`,
  maxLength: (value) => `at most ${limit(value)} characters`,
  minItems: (value) => `at least ${limit(value)}`,
  maxItems: (value) => `at most ${limit(value)}`,
  minimum: (value) => `${limit(value)} or more`,
  maximum: (value) => `${limit(value)} or less`,
  pattern: (value) => `matches ${value}`,
  format: (value) => `in the form \u201c${value}\u201d`,
  default: (value) => `${JSON.stringify(value)} when left out`,
};

/** @param {string | number} value */
const limit = (value) => (typeof value === "number" ? count(value) : value);

export const DEVELOPERS = {
  loading: "Asking the API for its description\u2026",
  told: "The API\u2019s description is shown.",
  errorKicker: "No description",
  errorTitle: "The API\u2019s description can\u2019t be had",

  kicker: "For developers",
  headline: "One call, one verdict",
  where: "The API is at",
  document: "All below is drawn from its own description, in OpenAPI:",
  ownModule: "This page\u2019s own client is a JavaScript module without dependencies, yours to take:",
  contents: "On this page",
  /** @type {Record<string, string>} */
  PARTS: {
    key: "Keys",
    limits: "Limits",
    errors: "Errors",
    messages: "Messages",
    privacy: "What becomes of a review",
  },

  or: " or ",
  and: " and ",
  listOf: "list of ",
  anything: "anything",
  example: "example",
  madeUp: "made up of the schema",
  LIMITS,
  /** @param {import("./openapi.js").Limit[]} limits */
  limits: (limits) => sentence(limits.map(({ name, value }) => LIMITS[name](value)).join(", ")),

  takes: "What it takes",
  FIELDS_HEAD: ["Name", "Type", "Meaning"],
  needed: "needed",
  /** @param {string} place */
  place: (place) => ({ query: "in the query", path: "in the path", header: "a header" })[place] ?? place,
  /** @param {string[]} media */
  media: (media) => `Taken as ${joined(media.map((one) => `\`${one}\``)).replace(" and ", " or ")}.`,
  answers: "What it answers",
  instead: "Or, when something is wrong:",
  anExample: "An example",
  /** @param {string} method @param {string} path */
  exampleOf: (method, path) => `An answer of ${method} ${path}`,
  /** @param {string} header */
  mayAskKey: (header) => `Where the API is run with keys, this wants ${header}.`,

  language: "Language",
  LANGUAGES: { curl: "curl", python: "Python", javascript: "JavaScript", module: "api.js" },
  /** @param {string} method @param {string} path */
  programLabel: (method, path) => `Program for ${method} ${path}`,

  tryIt: "Try it",
  send: "Send",
  /** @param {string} name @param {string} place */
  parameterLabel: (name, place) => `${name} (${DEVELOPERS.place(place)})`,
  exampleLabel: "Example",
  /** @param {string} media @param {string} name */
  exampleName: (media, name) => `${media}: ${name}`,
  bodyLabel: "Body",
  asking: "Asking\u2026",
  /** @param {import("./request.js").Got} answer */
  came: ({ status, reason, ms, bytes }) =>
    `${status}${reason ? ` ${reason}` : ""} after ${Math.round(ms)} ms, ${plural(bytes, "byte", "bytes")}`,
  notSent: "Nothing came back",
  noBody: "(no body)",
  rawTitle: "The raw answer",
  headersTitle: "Its headers, as far as a page may see them",
  /** @param {string} method @param {string} path */
  rawLabel: (method, path) => `Raw answer of ${method} ${path}`,
  /** @param {string} method @param {string} path */
  headersLabel: (method, path) => `Headers of the answer of ${method} ${path}`,

  /** @param {string} header */
  keyMeans: (header) =>
    `Whoever runs the API may ask for keys; then it answers 401 without one. A key goes into the header \`${header}\`. ` +
    "What you write here goes out with what this site asks, and is kept until this tab is closed.",
  keyLabel: "Your key",
  yourKey: "YOUR-KEY",

  limitsMean: "What a request may hold. More is refused with 413 or 400, and the answer says which limit it was.",
  limitsTable: "By field",
  LIMITS_HEAD: ["Route", "Field", "Limit"],
  errorsMean:
    "An error never looks like a verdict. It is a problem in the form of RFC 9457: a status, a code for programs, and a " +
    "sentence that says what was wrong and what to send instead. It never repeats the review.",
  errorsTable: "By status",
  ERRORS_HEAD: ["Status", "When"],
  errorsNote:
    "429, 502, 503 and 504 may pass by themselves: wait as long as Retry-After says, then send the same again. The others won\u2019t.",
  codes: "Codes",
  /** @param {string} name */
  fieldsOf: (name) => `Fields of ${name}`,

  /** @param {string} url */
  privacy: (url) =>
    `A review is read, answered and gone: no log line, no store and no error holds its words. What you try on this page goes to ${url} ` +
    "and nowhere else, without cookies, and only when you press Send.",
};
