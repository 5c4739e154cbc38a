// Finds an answer's places in the text that was typed, and again after that text has changed.

/** @typedef {import("../shared/spans.js").Range} Range */
/**
 * @typedef {object} Alignment where the cleaned text's code points stand in the typed text, in UTF-16 units
 * @property {number[]} starts
 * @property {number[]} ends
 */

// What cleaning removes whole (vocab/text.py): scripts, styles, comments and tags.
const MARKUP = /<(script|style)\b[^]*?<\/\1\s*>|<!--[^]*?-->|<\/?[a-z!?][^<>]*>/iy;
// It also removes the number or bullet before an entry of a list.
const MARKER = /(?:[0-9]{1,2}[.)]|[*\u2022\u2023\u25aa\u25cf\u25e6\u00b7])[ \t]+/y;
const ENTITY = /&(#x[0-9a-f]+|#[0-9]+|[a-z][a-z0-9]*);/iy;
const SPACE = /\s/u;
const UNSEEN = /[\p{Cf}\p{Cc}]/u;
/** @type {Record<string, string>} */
const NAMED = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: " " };
// The most code units that one composed character is typed as.
const COMPOSED_UNITS = 3;

/**
 * Aligns the cleaned text of an answer with the text that was sent.
 * @param {string} typed
 * @param {string} cleaned
 * @returns {Alignment | null} null when cleaning changed too much
 */
export function align(typed, cleaned) {
  /** @type {Alignment} */
  const map = { starts: [], ends: [] };
  const same = typed === cleaned;
  let at = 0;
  for (const point of cleaned) {
    const place = same ? { start: at, end: at + point.length } : placeOf(typed, at, point);
    if (place === null) return null;
    map.starts.push(place.start);
    map.ends.push(place.end);
    at = place.end;
  }
  return map;
}

/** Moves a range of code points of the cleaned text into the typed text. @param {Alignment} map @param {Range} range */
export function placed(map, { start, end }) {
  return start < end ? { start: map.starts[start], end: map.ends[end - 1] } : { start: 0, end: 0 };
}

/**
 * Returns the piece of the typed text that became a code point of the cleaned one.
 * @param {string} typed
 * @param {number} from
 * @param {string} point
 * @returns {Range | null}
 */
function placeOf(typed, from, point) {
  const isSpace = SPACE.test(point);
  for (let at = from; at < typed.length; ) {
    const markup = matchAt(MARKUP, typed, at);
    if (markup && isSpace) return { start: at, end: at + markup[0].length };
    if (markup) {
      at += markup[0].length;
      continue;
    }
    const end = endOf(typed, at, point, isSpace);
    if (end > at) return { start: at, end };
    const marker = markerAt(typed, at);
    if (marker > 0) {
      at += marker;
      continue;
    }
    const unit = String.fromCodePoint(typed.codePointAt(at) ?? 0);
    if (!SPACE.test(unit) && !UNSEEN.test(unit)) return null;
    at += unit.length;
  }
  return null;
}

/**
 * Returns where a code point that stands here ends; 0 when another stands here.
 * @param {string} typed
 * @param {number} at
 * @param {string} point
 * @param {boolean} isSpace
 */
function endOf(typed, at, point, isSpace) {
  const entity = matchAt(ENTITY, typed, at);
  if (entity && standsFor(entity[1], point)) return at + entity[0].length;
  if (typed.startsWith(point, at)) return at + point.length;
  if (isSpace && SPACE.test(typed[at])) return at + 1;
  for (let length = 2; length <= COMPOSED_UNITS; length += 1) {
    if (typed.slice(at, at + length).normalize("NFC") === point) return at + length;
  }
  return 0;
}

/** Returns the length of a list's marker that begins a line here; 0 for none. @param {string} text @param {number} at */
function markerAt(text, at) {
  MARKER.lastIndex = at;
  const [marker = ""] = MARKER.exec(text) ?? [];
  return text.slice(text.lastIndexOf("\n", at - 1) + 1, at).trim() === "" ? marker.length : 0;
}

/** @param {string} name of an entity @param {string} point */
function standsFor(name, point) {
  const known = name.startsWith("#") ? numbered(name.slice(1)) : NAMED[name.toLowerCase()];
  // Other names are rare. If the guess is wrong, the text after it doesn't align.
  return known === undefined || known === point || (SPACE.test(known) && SPACE.test(point));
}

/** @param {string} number as 39 or x27 */
function numbered(number) {
  const code = /^x/i.test(number) ? Number.parseInt(number.slice(1), 16) : Number(number);
  return code <= 0x10ffff ? String.fromCodePoint(code) : undefined;
}

/** @param {RegExp} pattern sticky @param {string} text @param {number} at */
function matchAt(pattern, text, at) {
  if (text[at] !== "<" && text[at] !== "&") return null;
  pattern.lastIndex = at;
  return pattern.exec(text);
}

/**
 * Returns a function that moves ranges of a text into its edited version. A range that the edit touched
 * becomes null.
 * @param {string} before
 * @param {string} after
 * @returns {(range: Range) => Range | null}
 */
export function movedBy(before, after) {
  const most = Math.min(before.length, after.length);
  let head = 0;
  while (head < most && before[head] === after[head]) head += 1;
  let tail = 0;
  while (tail < most - head && before[before.length - 1 - tail] === after[after.length - 1 - tail]) tail += 1;
  const shift = after.length - before.length;
  return ({ start, end }) => {
    if (end <= head) return { start, end };
    return start >= before.length - tail ? { start: start + shift, end: end + shift } : null;
  };
}
