// Holds one of the two models: sends it a text, and shows its state, answer or error.

import { ApiError } from "../api.js";
import { button, element, find } from "../shared/dom.js";
import { diagnose } from "../shared/failure.js";
import { detailOf, errorSmallPrint, explain } from "../shared/failure_strings.js";
import { drawMeter, newMeter } from "../shared/meter.js";
import { useKey } from "../shared/service.js";
import { STATIC, percent, stillLoading } from "../shared/strings.js";
import {
  AXIS,
  OTHER_WARNING,
  WARNINGS,
  band,
  headlineOf,
  isCalibrated,
  probabilityLabel,
} from "../shared/verdict_strings.js";
import { BOTH, SIDES } from "./strings.js";

/** @typedef {import("../api.js").Answer} Answer */
/** @typedef {import("../api.js").Verdict} Verdict */
/** @typedef {"empty" | "loading" | "answer" | "error"} State */

const STILL_LOADING_MS = 4_000;

export class Side {
  /** Its answer to the last text; null without a verdict. @type {Answer | null} */
  answer = null;
  /** @type {State} */
  state = "empty";
  #text = "";
  #request = new AbortController();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #slow;

  /**
   * @param {number} place 0 or 1
   * @param {Verdict} api
   * @param {() => void} onChange called after each change of state
   */
  constructor(place, api, onChange) {
    this.place = place;
    this.api = api;
    this.onChange = onChange;
    this.root = element("article", "side");
    this.root.id = `side-${place + 1}`;
    this.root.setAttribute("aria-labelledby", `side-${place + 1}-title`);
    const title = element("h3", "kicker", SIDES[place]);
    title.id = `side-${place + 1}-title`;
    title.tabIndex = -1;
    this.root.append(title, element("p", "side-model small-print"), element("div", "side-body"));
    this.show("empty", element("p", "headline headline-quiet", BOTH.empty));
  }

  /** Requests a verdict. A newer call ends an older one. @param {string} text */
  async ask(text) {
    this.stop();
    const request = (this.#request = new AbortController());
    this.#text = text;
    this.answer = null;
    this.#showLoading();
    try {
      const answer = await this.api.sentiment(text, { signal: request.signal });
      if (!request.signal.aborted) this.#showAnswer(answer);
    } catch (error) {
      const fault = await diagnose(error instanceof ApiError ? error : pageFault(error), this.api);
      if (!request.signal.aborted) this.#showError(fault);
    }
  }

  /** Ends the request under way. */
  stop() {
    clearTimeout(this.#slow);
    this.#request.abort();
    if (this.state === "loading") this.show("empty", element("p", "headline headline-quiet", BOTH.stopped));
  }

  /** @param {State} state @param {...Node} nodes */
  show(state, ...nodes) {
    clearTimeout(this.#slow);
    const body = find(this.root, ".side-body");
    // A focused button that disappears would lose the focus.
    if (body.contains(document.activeElement)) find(this.root, ".kicker").focus({ preventScroll: true });
    this.state = state;
    this.root.dataset.state = state;
    delete this.root.dataset.sentiment;
    delete this.root.dataset.code;
    this.root.removeAttribute("data-grey");
    body.replaceChildren(...nodes);
    this.#showModel();
  }

  #showModel() {
    const id = this.answer ? `${this.answer.model.id}, ` : "";
    find(this.root, ".side-model").textContent = id + BOTH.AT[this.place](this.api.url);
  }

  #showLoading() {
    const words = element("p", "headline headline-quiet", BOTH.reading);
    const progress = element("div", "progress");
    progress.setAttribute("aria-hidden", "true");
    this.show("loading", words, progress);
    this.#slow = setTimeout(() => {
      words.textContent = stillLoading;
    }, STILL_LOADING_MS);
    this.onChange();
  }

  /** @param {Answer} answer */
  #showAnswer(answer) {
    this.answer = answer;
    const { sentiment, probability, warnings, model } = answer;
    const calibrated = isCalibrated(answer);
    this.show(
      "answer",
      element("p", "side-verdict", headlineOf(answer)),
      element("p", "deck", BOTH.sure(answer)),
      ...(calibrated ? [meterOf(answer), scale(probability)] : []),
      element("p", "small-print", model.uncertain && calibrated ? band(model.uncertain) : ""),
      ...notes(warnings),
    );
    this.root.dataset.sentiment = sentiment;
    this.root.toggleAttribute("data-grey", !calibrated);
    this.onChange();
  }

  /** @param {ApiError} error */
  #showError(error) {
    const { title, advice, command, retry = true } = explain(error, this.api.url);
    const alert = element("div");
    alert.setAttribute("role", "alert");
    alert.append(
      element("p", "kicker", BOTH.noVerdict),
      element("p", "headline headline-error", title),
      element("p", "deck", advice),
    );
    if (command) alert.append(commandBlock());
    const detail = detailOf(error);
    if (detail) alert.append(element("p", "api-detail", detail));
    this.show(
      "error",
      alert,
      ...(error.status === 401 ? [this.#keyForm()] : []),
      ...(retry ? [button("button-plain", BOTH.retry, () => this.ask(this.#text))] : []),
      element("p", "small-print", errorSmallPrint(error)),
    );
    this.root.dataset.code = error.code;
    this.onChange();
  }

  #keyForm() {
    const form = element("form", "compose-row");
    const input = /** @type {HTMLInputElement} */ (element("input", "key-field"));
    Object.assign(input, { type: "password", autocomplete: "off", required: true });
    const label = element("label", "", `${STATIC.keyLabel} `);
    label.append(input);
    const send = /** @type {HTMLButtonElement} */ (button("button-plain", BOTH.keySend));
    send.type = "submit";
    form.append(label, send);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      useKey(input.value.trim(), this.api);
      this.ask(this.#text);
    });
    return form;
  }
}

/** @param {Answer} answer */
function meterOf(answer) {
  const meter = newMeter();
  drawMeter(meter, answer);
  return meter;
}

/** @param {number} probability */
function scale(probability) {
  const line = element("p", "scale");
  const middle = element("span", "scale-middle", `${probabilityLabel}: `);
  const number = element("data", "", percent(probability));
  number.setAttribute("value", String(probability));
  middle.append(number);
  line.append(element("span", "", AXIS.axisMinus), element("span", "", AXIS.axisPlus), middle);
  return line;
}

/** @param {import("../api.js").Warning[]} warnings */
function notes(warnings) {
  if (warnings.length === 0) return [];
  const list = element("dl", "warnings");
  for (const { code, detail } of warnings) {
    const item = element("div", "warning");
    item.append(element("dt", "", WARNINGS[code] ?? OTHER_WARNING), element("dd", "", detail));
    list.append(item);
  }
  return [list];
}

function commandBlock() {
  const line = element("p", "command");
  line.append(element("code", "", BOTH.command));
  return line;
}

/** Turns an error of our own into an ApiError. @param {unknown} error */
function pageFault(error) {
  console.error(error);
  return new ApiError({ code: "page_fault" });
}
