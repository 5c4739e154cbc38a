// Draws a verdict as a picture to share, by canvas, on the device.

import { SHARE } from "./strings.js";

/** @typedef {import("./quote.js").Piece} Piece */
/** @typedef {import("./quote.js").Kind} Kind */
/** @typedef {{x: number, width: number, text: string, kind: Kind}} Placed */
/**
 * @typedef {object} Look colours and fonts of the theme
 * @property {string} paper
 * @property {string} ink
 * @property {string} soft
 * @property {string} hairline
 * @property {string} plus
 * @property {string} minus
 * @property {string} serif
 * @property {string} display
 * @property {string} sans
 */
/** @typedef {{probability: number, band: [number, number] | undefined}} Needle */
/** @typedef {{left: number, top: number, width: number, height: number}} Box */
/**
 * @typedef {object} Card
 * @property {(fits: (pieces: Piece[]) => boolean) => Piece[]} quote returns what fits
 * @property {string} verdict
 * @property {"positive" | "negative" | "uncertain"} sentiment
 * @property {string} sureness
 * @property {Needle | null} meter null where it means nothing
 * @property {boolean} changed
 * @property {string} address "" for none
 */

export const WIDTH = 1200;
export const HEIGHT = 630;
const MARGIN = 64;
const INNER = WIDTH - 2 * MARGIN;
const RIGHT = WIDTH - MARGIN;
// The quote's box, and its font sizes, from a short review to a long one.
const QUOTE = { top: 128, bottom: 398 };
const SIZES = [46, 40, 35, 31, 28];
const LINE = 1.42;
// More characters than the smallest size can hold.
const MOST_CHARACTERS = 2_000;
const METER = { top: 540, height: 26 };

/**
 * Draws a card. Returns the words of the quote.
 * @param {HTMLCanvasElement} canvas
 * @param {Card} card
 * @param {Look} look
 */
export function drawCard(canvas, card, look) {
  canvas.width = WIDTH;
  canvas.height = HEIGHT;
  const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  pen.fillStyle = look.paper;
  pen.fillRect(0, 0, WIDTH, HEIGHT);
  drawHead(pen, card, look);
  const pieces = drawQuote(pen, card, look);
  drawVerdict(pen, card, look);
  if (card.meter) drawMeter(pen, card.meter, look);
  return pieces.map(({ text }) => text).join("").trim();
}

/** @param {CanvasRenderingContext2D} pen @param {Card} card @param {Look} look */
function drawHead(pen, { address, changed }, look) {
  write(pen, SHARE.wordmark, MARGIN, 80, { font: `600 44px ${look.display}`, colour: look.ink });
  const words = [changed ? SHARE.changed : "", address].filter((part) => part !== "").join(", ");
  const font = `24px ${look.sans}`;
  const shown = shortened(pen, words, font, INNER - 240);
  write(pen, shown, RIGHT, 78, { font, colour: look.soft, align: "right" });
  pen.fillStyle = look.ink;
  pen.fillRect(MARGIN, 98, INNER, 2);
  pen.fillRect(MARGIN, 103, INNER, 2);
}

/**
 * Draws the quote in the largest size that shows all of it.
 * @param {CanvasRenderingContext2D} pen
 * @param {Card} card
 * @param {Look} look
 */
function drawQuote(pen, card, look) {
  const room = QUOTE.bottom - QUOTE.top;
  const linesOf = (/** @type {Piece[]} */ pieces, /** @type {number} */ size) => {
    const measure = (/** @type {string} */ text, /** @type {Kind} */ kind) => {
      pen.font = fontOf(kind, size, look);
      return pen.measureText(text).width;
    };
    return wrapped(inQuotes(pieces), measure, INNER);
  };
  // A text that is far too long is not measured at all.
  const fits = (/** @type {number} */ size) => (/** @type {Piece[]} */ pieces) =>
    pieces.reduce((sum, { text }) => sum + text.length, 0) <= MOST_CHARACTERS &&
    linesOf(pieces, size).length * size * LINE <= room;
  const pieces = card.quote(fits(SIZES[SIZES.length - 1]));
  const size = SIZES.find((one) => fits(one)(pieces)) ?? SIZES[SIZES.length - 1];
  const lines = linesOf(pieces, size);
  const top = QUOTE.top + (room - lines.length * size * LINE) / 2;
  lines.forEach((line, place) => {
    const base = top + (place + 0.5) * size * LINE + size * 0.34;
    for (const placed of line) drawWord(pen, placed, base, size, look);
  });
  return pieces;
}

/** @param {Piece[]} pieces @returns {Piece[]} */
function inQuotes(pieces) {
  const trimmed = pieces.map((piece) => ({ ...piece }));
  if (trimmed.length === 0) return [];
  trimmed[0].text = trimmed[0].text.trimStart();
  const last = trimmed[trimmed.length - 1];
  last.text = last.text.trimEnd();
  return [{ text: "\u201c", kind: "plain" }, ...trimmed, { text: "\u201d", kind: "plain" }];
}

/**
 * Places words in lines. A word that is wider than a line is broken.
 * @param {Piece[]} pieces
 * @param {(text: string, kind: Kind) => number} measure
 * @param {number} width
 * @returns {Placed[][]}
 */
export function wrapped(pieces, measure, width) {
  /** @type {Placed[][]} */
  const lines = [[]];
  const space = measure(" ", "plain");
  let x = 0;
  for (const { spaced, parts } of wordsOf(pieces, measure, width)) {
    const long = parts.reduce((sum, part) => sum + measure(part.text, part.kind), 0);
    const gap = spaced && x > 0 ? space : 0;
    if (x > 0 && x + gap + long > width) {
      lines.push([]);
      x = 0;
    } else x += gap;
    for (const part of parts) {
      const wide = measure(part.text, part.kind);
      lines[lines.length - 1].push({ ...part, x, width: wide });
      x += wide;
    }
  }
  return lines;
}

/**
 * Groups pieces into words, which a line keeps together.
 * @param {Piece[]} pieces
 * @param {(text: string, kind: Kind) => number} measure
 * @param {number} width
 */
function wordsOf(pieces, measure, width) {
  /** @type {{spaced: boolean, parts: Piece[]}[]} */
  const words = [];
  let spaced = true;
  for (const { text, kind } of pieces) {
    for (const part of text.split(/(\s+)/).filter((one) => one !== "")) {
      if (part.trim() === "") {
        spaced = true;
        continue;
      }
      // An inserted word stands apart from the one that it replaces.
      for (const fitting of broken(part, (one) => measure(one, kind), width)) {
        const apart = spaced || kind === "inserted" || fitting !== part;
        if (apart) words.push({ spaced: spaced || kind === "inserted", parts: [{ text: fitting, kind }] });
        else words[words.length - 1].parts.push({ text: fitting, kind });
        spaced = false;
      }
    }
  }
  return words;
}

/**
 * Breaks a word that no line holds.
 * @param {string} word
 * @param {(text: string) => number} measure
 * @param {number} width
 */
function broken(word, measure, width) {
  if (measure(word) <= width) return [word];
  const points = Array.from(word);
  const size = Math.max(1, Math.floor((points.length * width) / measure(word)) - 1);
  const pieces = [];
  for (let at = 0; at < points.length; at += size) pieces.push(points.slice(at, at + size).join(""));
  return pieces;
}

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {Placed} placed
 * @param {number} base
 * @param {number} size
 * @param {Look} look
 */
function drawWord(pen, { x, width, text, kind }, base, size, look) {
  const left = MARGIN + x;
  const box = { left, top: base - size * 0.86, width, height: size * 1.14 };
  if (kind === "plus" || kind === "minus") drawGlow(pen, kind, box, look);
  const colour = kind === "removed" ? look.soft : look.ink;
  write(pen, text, left, base, { font: fontOf(kind, size, look), colour });
  pen.fillStyle = look.ink;
  if (kind === "removed") pen.fillRect(left, base - size * 0.3, width, 3);
}

/** @param {Kind} kind @param {number} size @param {Look} look */
function fontOf(kind, size, look) {
  return `${kind === "inserted" ? "italic 700 " : ""}${size}px ${look.serif}`;
}

/**
 * Marks a word: a tint and a solid line for plus, a hatch and a dashed line for minus.
 * @param {CanvasRenderingContext2D} pen
 * @param {"plus" | "minus"} kind
 * @param {Box} box
 * @param {Look} look
 */
function drawGlow(pen, kind, { left, top, width, height }, look) {
  pen.save();
  pen.globalAlpha = kind === "plus" ? 0.24 : 0.34;
  if (kind === "plus") {
    pen.fillStyle = look.plus;
    pen.fillRect(left, top, width, height);
  } else hatch(pen, { left, top, width, height }, look.minus, 8, 3);
  pen.restore();
  pen.fillStyle = look[kind];
  for (let at = 0; at < width; at += kind === "plus" ? width : 14) {
    pen.fillRect(left + at, top + height, kind === "plus" ? width : Math.min(9, width - at), 3);
  }
}

/** @param {CanvasRenderingContext2D} pen @param {Card} card @param {Look} look */
function drawVerdict(pen, { verdict, sentiment, sureness }, look) {
  const font = `600 84px ${look.display}`;
  write(pen, verdict, MARGIN, 492, { font, colour: look.ink });
  pen.font = font;
  const width = pen.measureText(verdict).width;
  const colour = { positive: look.plus, negative: look.minus, uncertain: look.soft }[sentiment];
  drawRule(pen, sentiment, { left: MARGIN, top: 514, width }, colour);
  const small = `italic 34px ${look.serif}`;
  const left = MARGIN + width + 36;
  write(pen, shortened(pen, sureness, small, RIGHT - left), left, 490, { font: small, colour: look.ink });
}

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {string} sentiment
 * @param {{left: number, top: number, width: number}} line
 * @param {string} colour
 */
function drawRule(pen, sentiment, { left, top, width }, colour) {
  const [dash, step] = { negative: [22, 32], uncertain: [5, 12] }[sentiment] ?? [width, width];
  pen.fillStyle = colour;
  for (let at = 0; at < width; at += step) pen.fillRect(left + at, top, Math.min(dash, width - at), 5);
}

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {Needle} meter
 * @param {Look} look
 */
function drawMeter(pen, { probability, band }, look) {
  const { top, height } = METER;
  const at = (/** @type {number} */ share) => MARGIN + share * INNER;
  pen.fillStyle = look.hairline;
  pen.fillRect(MARGIN, top + height / 2 - 1, INNER, 2);
  const unsure = band && { left: at(band[0]), top, width: (band[1] - band[0]) * INNER, height };
  if (unsure) hatch(pen, unsure, look.soft, 9, 1.5);
  const [left, right] = [Math.min(at(0.5), at(probability)), Math.max(at(0.5), at(probability))];
  const fill = { left, top: top + 6, width: right - left, height: height - 12 };
  pen.fillStyle = look.plus;
  if (probability >= 0.5) pen.fillRect(fill.left, fill.top, fill.width, fill.height);
  else hatch(pen, fill, look.minus, 8, 4);
  pen.fillStyle = look.soft;
  pen.fillRect(at(0.5) - 1, top - 4, 2, height + 8);
  pen.fillStyle = look.ink;
  pen.fillRect(at(probability) - 3, top - 6, 6, height + 12);
  const font = `22px ${look.sans}`;
  write(pen, SHARE.minus, MARGIN, top + height + 34, { font, colour: look.soft });
  write(pen, SHARE.plus, RIGHT, top + height + 34, { font, colour: look.soft, align: "right" });
}

/**
 * Fills a box with slanted lines.
 * @param {CanvasRenderingContext2D} pen
 * @param {Box} box
 * @param {string} colour
 * @param {number} step
 * @param {number} thick
 */
function hatch(pen, { left, top, width, height }, colour, step, thick) {
  pen.save();
  pen.beginPath();
  pen.rect(left, top, width, height);
  pen.clip();
  pen.strokeStyle = colour;
  pen.lineWidth = thick;
  pen.beginPath();
  for (let at = left - height; at < left + width + height; at += step) {
    pen.moveTo(at, top + height);
    pen.lineTo(at + height, top);
  }
  pen.stroke();
  pen.restore();
}

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {string} text
 * @param {number} x
 * @param {number} y
 * @param {{font: string, colour: string, align?: CanvasTextAlign}} how
 */
function write(pen, text, x, y, { font, colour, align = "left" }) {
  pen.font = font;
  pen.fillStyle = colour;
  pen.textAlign = align;
  pen.fillText(text, x, y);
  pen.textAlign = "left";
}

/**
 * Shortens a line at its end.
 * @param {CanvasRenderingContext2D} pen
 * @param {string} text
 * @param {string} font
 * @param {number} width
 */
function shortened(pen, text, font, width) {
  pen.font = font;
  let points = Array.from(text);
  if (pen.measureText(text).width <= width) return text;
  const cut = () => `${points.join("")}\u2026`;
  while (points.length > 0 && pen.measureText(cut()).width > width) points = points.slice(0, -1);
  return cut();
}
