// Draws a probability as a bar from the middle, with a needle and the band of "can't tell".

import { element, find } from "./dom.js";
import { percent } from "./strings.js";
import { probabilityLabel, signed } from "./verdict_strings.js";

/** @typedef {"plus" | "minus" | "zero"} Sign */
/** @typedef {Pick<import("../api.js").Answer, "probability" | "model">} Scored */

/** Makes a meter for drawMeter() to fill. */
export function newMeter() {
  const meter = element("div", "meter");
  meter.setAttribute("role", "meter");
  meter.setAttribute("aria-valuemin", "0");
  meter.setAttribute("aria-valuemax", "1");
  const track = element("span", "track");
  track.append(element("span", "band"), element("span", "fill"), element("span", "needle"));
  meter.append(track);
  return meter;
}

/** @param {HTMLElement} meter @param {Scored} answer */
export function drawMeter(meter, { probability, model }) {
  meter.setAttribute("aria-label", probabilityLabel);
  meter.setAttribute("aria-valuenow", String(probability));
  meter.setAttribute("aria-valuetext", percent(probability));
  meter.dataset.sign = signOf(probability - 0.5);
  meter.style.setProperty("--share", String(Math.abs(probability - 0.5) * 2));
  meter.style.setProperty("--at", String(probability));
  drawBand(find(meter, ".band"), model.uncertain);
}

/** @param {HTMLElement} band @param {[number, number] | undefined} uncertain */
function drawBand(band, uncertain) {
  band.hidden = uncertain === undefined;
  if (uncertain === undefined) return;
  band.style.setProperty("--from", String(uncertain[0]));
  band.style.setProperty("--to", String(uncertain[1]));
}

/** Returns a pull's sign; none for a pull shown as 0.00. @param {number} contribution @returns {Sign} */
export function signOf(contribution) {
  if (signed(contribution) === signed(0)) return "zero";
  return contribution > 0 ? "plus" : "minus";
}
