// Holds the English words of the page for developers.

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
  format: (value) => `format \u201c${value}\u201d`,
  default: (value) => `default ${JSON.stringify(value)}`,
};

/** @param {string | number} value */
const limit = (value) => (typeof value === "number" ? count(value) : value);

export const DEVELOPERS = {
  loading: "Loading the API\u2019s description\u2026",
  told: "The API\u2019s description is shown.",
  errorKicker: "No description",
  errorTitle: "The API\u2019s description can\u2019t be loaded",

  kicker: "For developers",
  headline: "One call, one verdict",
  where: "The API is at",
  document: "This page is made from its OpenAPI document:",
  ownModule: "This site\u2019s own client is a JavaScript module without dependencies. You are free to use it:",
  contents: "On this page",
  /** @type {Record<string, string>} */
  PARTS: {
    key: "Keys",
    limits: "Limits",
    errors: "Errors",
    messages: "Messages",
    privacy: "What happens to a review",
  },

  or: " or ",
  and: " and ",
  listOf: "list of ",
  anything: "anything",
  example: "example",
  madeUp: "generated from the schema",
  LIMITS,
  /** @param {import("./openapi.js").Limit[]} limits */
  limits: (limits) => sentence(limits.map(({ name, value }) => LIMITS[name](value)).join(", ")),

  takes: "Request",
  FIELDS_HEAD: ["Name", "Type", "Meaning"],
  needed: "required",
  /** @param {string} place */
  place: (place) => ({ query: "in the query", path: "in the path", header: "a header" })[place] ?? place,
  /** @param {string[]} media */
  media: (media) => `Accepts ${joined(media.map((one) => `\`${one}\``)).replace(" and ", " or ")}.`,
  answers: "Answer",
  instead: "If something is wrong:",
  anExample: "Example",
  /** @param {string} method @param {string} path */
  exampleOf: (method, path) => `An answer of ${method} ${path}`,
  /** @param {string} header */
  mayAskKey: (header) => `If the API uses keys, this route needs ${header}.`,

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
  asking: "Sending\u2026",
  /** @param {import("./request.js").Got} answer */
  came: ({ status, reason, ms, bytes }) =>
    `${status}${reason ? ` ${reason}` : ""} after ${Math.round(ms)} ms, ${plural(bytes, "byte", "bytes")}`,
  notSent: "No answer",
  noBody: "(no body)",
  rawTitle: "The raw answer",
  headersTitle: "Headers that a page may read",
  /** @param {string} method @param {string} path */
  rawLabel: (method, path) => `Raw answer of ${method} ${path}`,
  /** @param {string} method @param {string} path */
  headersLabel: (method, path) => `Answer headers of ${method} ${path}`,

  /** @param {string} header */
  keyMeans: (header) =>
    `If the API\u2019s operator requires keys, requests without one get 401. Put your key into the header \`${header}\`. ` +
    "This site sends a key that you enter here, and keeps it until you close this tab.",
  keyLabel: "Your key",
  yourKey: "YOUR-KEY",

  limitsMean: "A request beyond a limit gets 413 or 400, and the answer names the limit.",
  limitsTable: "By field",
  LIMITS_HEAD: ["Route", "Field", "Limit"],
  errorsMean:
    "An error never looks like a verdict. It is a problem as in RFC 9457: a status, a code for programs, and a sentence. " +
    "The sentence says what was wrong and what to send instead. It never repeats the review.",
  errorsTable: "By status",
  ERRORS_HEAD: ["Status", "When"],
  errorsNote:
    "429, 502, 503 and 504 are temporary: wait as long as Retry-After says, then send the same request. " +
    "After any other error, change the request first.",
  codes: "Codes",
  /** @param {string} name */
  fieldsOf: (name) => `Fields of ${name}`,

  /** @param {string} url */
  privacy: (url) =>
    `The API reads a review, answers and forgets it: no log, store or error holds its words. This page sends what you try only to ${url}, ` +
    "without cookies, and only when you press Send.",
};
