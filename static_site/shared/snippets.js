// Writes programs that call the API, in curl, Python and JavaScript, for any text.

/**
 * @typedef {object} Call
 * @property {string} method
 * @property {string} url
 * @property {Record<string, string>} [headers]
 * @property {any} [json] a body that goes out as JSON
 * @property {string} [text] a body that goes out as it is
 *
 * @typedef {{curl: string, python: string, javascript: string}} Snippets
 * @typedef {{true: string, false: string, null: string}} Words how a language writes these
 */

const JSON_TYPE = "application/json";
const TIMEOUT_SECONDS = 30;
// A longer value is written over several lines.
const LINE_CHARACTERS = 72;
// Invisible characters would hide what a program does.
const UNSEEN =
  /[\u007f-\u00a0\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202f\u205f-\u206f\ufeff\ufff0-\ufffb]/g;
const SAFE_IN_SHELL = /^[\w@%+=:,./-]+$/;

/** @type {Words} */
const AS_JSON = { true: "true", false: "false", null: "null" };
/** @type {Words} */
const AS_PYTHON = { true: "True", false: "False", null: "None" };

/** Writes programs that ask for a review's verdict. @param {string} apiUrl @param {string} review @returns {Snippets} */
export function snippetsFor(apiUrl, review) {
  return snippetsOf({ method: "POST", url: `${apiUrl}/v1/sentiment`, json: { review } });
}

/** Writes programs for a call. @param {Call} call @returns {Snippets} */
export function snippetsOf(call) {
  /** @type {Record<string, string>} */
  const type = call.json === undefined ? {} : { "Content-Type": JSON_TYPE };
  const whole = { ...call, headers: { ...type, ...call.headers } };
  return { curl: curl(whole), python: python(whole), javascript: javascript(whole) };
}

/**
 * Writes the program by our own module; null if it has no method for the call.
 * @param {string} apiUrl
 * @param {string} operation like "GET /v1/model"
 * @param {any} [json] the body
 * @returns {string | null}
 */
export function moduleSnippet(apiUrl, operation, json) {
  const call = moduleCall(operation, json ?? {});
  if (call === null) return null;
  return [
    'import { Verdict } from "./api.js";',
    "",
    `const verdict = new Verdict(${javascriptText(apiUrl)});`,
    `console.log(await verdict.${call});`,
  ].join("\n");
}

/** @param {string} operation @param {any} json */
function moduleCall(operation, { review, reviews, explain }) {
  const options = explain === undefined ? "" : `, { explain: ${javascriptText(explain)} }`;
  if (operation === "GET /v1/model") return "model()";
  if (operation === "GET /v1/openapi.json") return "openapi()";
  const [name, sent] = operation === "POST /v1/sentiment" ? ["sentiment", review] : ["batch", reviews];
  const known = operation === "POST /v1/sentiment" || operation === "POST /v1/sentiment/batch";
  return known && sent !== undefined ? `${name}(${javascriptText(sent)}${options})` : null;
}

// --- curl ---------------------------------------------------------------------------------------

/** @param {Call & {headers: Record<string, string>}} call */
function curl({ method, url, headers, json, text }) {
  const implied = json === undefined && text === undefined ? "GET" : "POST";
  const asked = method === implied ? "" : method === "HEAD" ? " --head" : ` -X ${shellWord(method)}`;
  // curl would read brackets as a pattern.
  const plain = /[[\]{}]/.test(url) ? " --globoff" : "";
  const lines = [`curl -sS${asked}${plain} ${shellWord(url)}`];
  for (const [name, value] of Object.entries(headers)) lines.push(`-H ${shellWord(`${name}: ${value}`)}`);
  if (text !== undefined) lines.push(`--data-raw ${shellWord(text)}`);
  if (json === undefined) return lines.join(" \\\n  ");
  // No line of JSON is this word, and the shell expands nothing before it.
  return `${[...lines, "--data-binary @- <<'JSON'"].join(" \\\n  ")}\n${literal(json, AS_JSON)}\nJSON`;
}

/** Quotes a text as one shell word. A shell can't hold NUL. @param {string} text */
function shellWord(text) {
  return SAFE_IN_SHELL.test(text) ? text : `'${text.replaceAll("\0", "").replaceAll("'", "'\\''")}'`;
}

// --- Python -------------------------------------------------------------------------------------

/** @param {Call & {headers: Record<string, string>}} call */
function python({ method, url, headers, json, text }) {
  const body = json === undefined ? quoted(text ?? "") : `json.dumps(${literal(json, AS_PYTHON, "    ")})`;
  const hasBody = json !== undefined || text !== undefined;
  const lines = [
    ...(json === undefined ? [] : ["import json"]),
    "from urllib.error import HTTPError",
    "from urllib.request import Request, urlopen",
    "",
    "request = Request(",
    `    ${quoted(url)},`,
    ...(hasBody ? [`    data=${body}.encode(),`] : []),
    ...(Object.keys(headers).length ? [`    headers=${literal(headers, AS_PYTHON, "    ")},`] : []),
    ...(method === (hasBody ? "POST" : "GET") ? [] : [`    method=${quoted(method)},`]),
    ")",
    "try:",
    `    response = urlopen(request, timeout=${TIMEOUT_SECONDS})`,
    "except HTTPError as error:",
    "    response = error  # its body says what was wrong",
    "print(response.status, response.read().decode())",
  ];
  return lines.join("\n");
}

// --- JavaScript ---------------------------------------------------------------------------------

/** @param {Call & {headers: Record<string, string>}} call */
function javascript({ method, url, headers, json, text }) {
  const options = [
    ...(method === "GET" ? [] : [`method: ${quoted(method)}`]),
    ...(Object.keys(headers).length ? [`headers: ${javascriptText(headers, "  ")}`] : []),
    ...(json === undefined ? [] : [`body: JSON.stringify(${javascriptText(json, "  ")})`]),
    ...(text === undefined ? [] : [`body: ${javascriptText(text)}`]),
  ];
  const asked = options.length ? `, {\n  ${options.join(",\n  ")},\n}` : "";
  return [
    `const response = await fetch(${javascriptText(url)}${asked});`,
    "console.log(response.status, await response.text());",
  ].join("\n");
}

/** Writes a value as JavaScript that is also safe within a page's script. @param {any} value @param {string} [indent] */
function javascriptText(value, indent = "") {
  return literal(value, AS_JSON, indent)
    .replace(/<(?=\/script|!--)/gi, "\\u003c")
    .replaceAll('"__proto__": ', '["__proto__"]: ');
}

// --- values -------------------------------------------------------------------------------------

/**
 * Writes a JSON value in a language's syntax, over several lines if it is long.
 * @param {any} value
 * @param {Words} words
 * @param {string} [indent] of the line it stands on
 * @returns {string}
 */
function literal(value, words, indent = "") {
  const line = inLine(value, words);
  if (line.length <= LINE_CHARACTERS || typeof value !== "object" || value === null) return line;
  const inner = `${indent}  `;
  const parts = Array.isArray(value)
    ? value.map((one) => literal(one, words, inner))
    : Object.entries(value).map(([key, one]) => `${quoted(key)}: ${literal(one, words, inner)}`);
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  return `${open}\n${inner}${parts.join(`,\n${inner}`)}\n${indent}${close}`;
}

/** @param {any} value @param {Words} words @returns {string} */
function inLine(value, words) {
  if (typeof value === "string") return quoted(value);
  if (Array.isArray(value)) return `[${value.map((one) => inLine(one, words)).join(", ")}]`;
  if (typeof value === "object" && value !== null) {
    return `{${Object.entries(value)
      .map(([key, one]) => `${quoted(key)}: ${inLine(one, words)}`)
      .join(", ")}}`;
  }
  const said = JSON.stringify(value) ?? "null";
  return Object.hasOwn(words, said) ? words[/** @type {keyof Words} */ (said)] : said;
}

/** Quotes a text so that JSON, Python and JavaScript read it alike. @param {string} text */
function quoted(text) {
  return JSON.stringify(text).replace(
    UNSEEN,
    (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
