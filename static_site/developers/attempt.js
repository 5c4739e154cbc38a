// Shows a form to send a request, and the answer: status, headers, time and body.

import { ApiError } from "../api.js";
import { copyButton } from "../shared/copy.js";
import { element } from "../shared/dom.js";
import { diagnose } from "../shared/failure.js";
import { codeBlock, program, redraw } from "./program.js";
import { bodyOf, callOf, filledAsExample, sent } from "./request.js";
import { api } from "../shared/service.js";
import { explainForPage, tryFailed } from "../shared/failure_strings.js";
import { DEVELOPERS as words } from "./strings.js";

/** @typedef {import("./openapi.js").Operation} Operation */
/** @typedef {import("./openapi.js").Parameter} Parameter */
/** @typedef {import("./request.js").Filled} Filled */

// A longer answer is cut, to keep the page fast.
const MAX_SHOWN_CHARACTERS = 200_000;

/** Makes a request's program, and the form to try it. @param {Operation} operation @param {string} keyHeader */
export function attempt(operation, keyHeader) {
  const filled = filledAsExample(operation);
  const more = element("details", "numbers");
  more.append(element("summary", "", words.tryIt), form(operation, filled, keyHeader));
  // The key is not shown.
  const callNow = () => callOf(operation, filled, api.url, keyOf(operation, keyHeader, words.yourKey));
  return [program(operation, api.url, callNow), more];
}

/** @param {Operation} operation @param {Filled} filled @param {string} keyHeader */
function form(operation, filled, keyHeader) {
  const got = element("div", "got");
  const status = element("p", "got-status");
  status.setAttribute("role", "status");
  const node = element("form", "attempt");
  node.append(
    ...operation.parameters.map((parameter) => parameterField(operation, parameter, filled)),
    ...bodyFields(operation, filled),
    element("button", "button", words.send),
    status,
    got,
  );
  node.addEventListener("submit", (event) => {
    event.preventDefault();
    send(operation, filled, keyHeader, { status, got });
  });
  return node;
}

/** @param {Operation} operation @param {Parameter} parameter @param {Filled} filled */
function parameterField({ id }, { name, place, required }, filled) {
  const input = /** @type {HTMLInputElement} */ (element("input", "field"));
  Object.assign(input, {
    id: `${id}-${place}-${name}`,
    value: filled.values[name],
    required,
    autocomplete: "off",
  });
  input.spellcheck = false;
  input.addEventListener("input", () => {
    filled.values[name] = input.value;
    redraw();
  });
  return labelled(words.parameterLabel(name, place), input);
}

/** @param {Operation} operation @param {Filled} filled */
function bodyFields(operation, filled) {
  if (operation.bodies.length === 0) return [];
  const box = /** @type {HTMLTextAreaElement} */ (element("textarea", "code-box"));
  Object.assign(box, { id: `${operation.id}-body`, value: filled.body, rows: 4, spellcheck: false });
  box.addEventListener("input", () => {
    filled.body = box.value;
    redraw();
  });
  return [...exampleField(operation, filled, box), labelled(words.bodyLabel, box)];
}

/** @param {Operation} operation @param {Filled} filled @param {HTMLTextAreaElement} box */
function exampleField({ id, bodies }, filled, box) {
  const examples = bodies.flatMap(({ media, examples }) => examples.map((one) => ({ ...one, media })));
  if (examples.length < 2) return [];
  const select = /** @type {HTMLSelectElement} */ (element("select", "field"));
  select.id = `${id}-example`;
  select.append(...examples.map(({ media, name }) => element("option", "", words.exampleName(media, name))));
  select.addEventListener("change", () => {
    const { media, value } = examples[select.selectedIndex];
    Object.assign(filled, { media, body: bodyOf(value) });
    box.value = filled.body;
    redraw();
  });
  return [labelled(words.exampleLabel, select)];
}

/** @param {string} text @param {HTMLElement} field */
function labelled(text, field) {
  const label = element("label", "labelled");
  label.append(element("span", "section-title", text), field);
  return label;
}

/** @param {Operation} operation @param {string} keyHeader @param {string} shown @returns {Record<string, string>} */
function keyOf({ keyed }, keyHeader, shown) {
  return keyed && api.apiKey ? { [keyHeader]: shown } : {};
}

// --- what came back -----------------------------------------------------------------------------

/**
 * @param {Operation} operation
 * @param {Filled} filled
 * @param {string} keyHeader
 * @param {{status: HTMLElement, got: HTMLElement}} place
 */
async function send(operation, filled, keyHeader, { status, got }) {
  const call = callOf(operation, filled, api.url, keyOf(operation, keyHeader, api.apiKey));
  status.textContent = words.asking;
  got.replaceChildren();
  try {
    const answer = await sent(call, filled.body);
    status.textContent = words.came(answer);
    got.replaceChildren(...answerNodes(operation, answer));
  } catch (error) {
    status.textContent = await reasonOf(error);
  }
}

/** @param {Operation} operation @param {import("./request.js").Got} answer */
function answerNodes({ method, path }, { headers, text }) {
  const said = element("code", "", headers.map(([name, value]) => `${name}: ${value}`).join("\n"));
  const shown = text.length > MAX_SHOWN_CHARACTERS ? `${text.slice(0, MAX_SHOWN_CHARACTERS)}\n\u2026` : text;
  const body = element("code", "", shown === "" ? words.noBody : shown);
  const head = element("div", "snippet-head");
  head.append(element("h3", "section-title", words.rawTitle), copyButton(words.rawTitle, body));
  return [
    head,
    codeBlock(words.rawLabel(method, path), body),
    element("h3", "section-title", words.headersTitle),
    codeBlock(words.headersLabel(method, path), said),
  ];
}

/** Explains why no answer came. @param {unknown} error */
async function reasonOf(error) {
  const timedOut = error instanceof DOMException && error.name === "TimeoutError";
  // The browser refuses forbidden headers and addresses.
  const fault = await diagnose(new ApiError({ code: timedOut ? "timeout" : "unreachable" }), api);
  return tryFailed(explainForPage(fault, api.url, words.notSent));
}
