// Writes and reads a review in a link's fragment, which browsers never send to a server.

import { MAX_REVIEW_CHARACTERS } from "../api.js";

const NAME = "review";

// The longest review takes four bytes a character. linkTo() writes no more.
const MAX_BYTES = 4 * MAX_REVIEW_CHARACTERS;

/** Returns a link that holds the review. @param {string} review @returns {Promise<string>} */
export async function linkTo(review) {
  const packed = await through(new CompressionStream("deflate-raw"), new TextEncoder().encode(review));
  const url = new URL("index.html", location.href);
  url.hash = `${NAME}=${toBase64Url(packed)}`;
  return url.href;
}

/**
 * Returns the review in a link's fragment; null without a readable one.
 * @param {string} hash
 * @returns {Promise<string | null>}
 */
export async function reviewOf(hash) {
  const packed = new URLSearchParams(hash.replace(/^#/, "")).get(NAME);
  if (packed === null) return null;
  try {
    const bytes = await through(new DecompressionStream("deflate-raw"), fromBase64Url(packed));
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

/**
 * @param {CompressionStream | DecompressionStream} stream
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @returns {Promise<Uint8Array>} at most MAX_BYTES, because a short link can unpack to very much
 */
async function through(stream, bytes) {
  const reader = new Blob([bytes]).stream().pipeThrough(stream).getReader();
  const parts = [];
  let length = 0;
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    length += part.value.length;
    if (length > MAX_BYTES) throw new RangeError("too long");
    parts.push(part.value);
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

/** @param {Uint8Array} bytes */
function toBase64Url(bytes) {
  const text = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** @param {string} text */
function fromBase64Url(text) {
  const bytes = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(bytes, (character) => character.charCodeAt(0));
}
