// Turns the form's fields into a call: for a program, or sent from here.

/** @typedef {import("./openapi.js").Operation} Operation */
/** @typedef {{values: Record<string, string>, media: string, body: string}} Filled values: of the parameters, by name */
/**
 * @typedef {object} Got
 * @property {number} status
 * @property {string} reason the status in words, where the connection carries it
 * @property {[string, string][]} headers that the API lets a page see
 * @property {string} text
 * @property {number} bytes
 * @property {number} ms until all of it was there
 */

const TIMEOUT_MS = 30_000;
const JSON_MEDIA = "application/json";

/** @param {Operation} operation @returns {Filled} as the document's first example says */
export function filledAsExample(operation) {
  const values = Object.fromEntries(operation.parameters.map(({ name, example }) => [name, example]));
  const [first] = operation.bodies;
  return { values, media: first?.media ?? "", body: first ? bodyOf(first.examples[0]?.value) : "" };
}

/** Writes an example as a person would. @param {any} value */
export function bodyOf(value) {
  if (value === undefined) return "";
  return typeof value === "string" ? value : JSON.stringify(value, null, 2);
}

/**
 * @param {Operation} operation
 * @param {Filled} filled
 * @param {string} apiUrl
 * @param {Record<string, string>} key its header and itself, if there is one
 * @returns {import("../shared/snippets.js").Call}
 */
export function callOf(operation, filled, apiUrl, key) {
  const headers = { ...headersOf(operation, filled), ...key };
  const call = { method: operation.method, url: urlOf(operation, filled, apiUrl), headers };
  if (operation.bodies.length === 0) return call;
  const json = filled.media === JSON_MEDIA ? parsed(filled.body) : undefined;
  if (json !== undefined) return { ...call, json };
  return { ...call, headers: { "Content-Type": filled.media, ...call.headers }, text: filled.body };
}

/**
 * Sends the request. Throws the errors of fetch.
 * @param {import("../shared/snippets.js").Call} call
 * @param {string} body as the reader wrote it
 * @returns {Promise<Got>}
 */
export async function sent({ method, url, headers = {}, json, text }, body) {
  /** @type {Record<string, string>} */
  const type = json === undefined ? {} : { "Content-Type": JSON_MEDIA };
  const begun = performance.now();
  const response = await fetch(url, {
    method,
    headers: { ...type, ...headers },
    ...(json === undefined && text === undefined ? {} : { body }),
    cache: "no-store",
    credentials: "omit",
    referrerPolicy: "no-referrer",
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const bytes = await response.arrayBuffer();
  return {
    status: response.status,
    reason: response.statusText,
    headers: [...response.headers],
    text: new TextDecoder().decode(bytes),
    bytes: bytes.byteLength,
    ms: performance.now() - begun,
  };
}

/** @param {Operation} operation @param {Filled} filled @param {string} apiUrl */
function urlOf({ path, parameters }, { values }, apiUrl) {
  const query = new URLSearchParams();
  for (const { name, place } of parameters) {
    if (place === "query" && values[name]) query.append(name, values[name]);
  }
  const named = path.replace(
    /\{([^}]+)\}/g,
    (braced, name) => encodeURIComponent(values[name] ?? "") || braced,
  );
  return `${apiUrl}${named}${query.size ? `?${query}` : ""}`;
}

/** @param {Operation} operation @param {Filled} filled */
function headersOf({ parameters }, { values }) {
  const headers = parameters.filter(({ name, place }) => place === "header" && values[name]);
  return Object.fromEntries(headers.map(({ name }) => [name, values[name]]));
}

/** @param {string} body @returns {any} undefined when it isn't JSON */
function parsed(body) {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
