// shared/share.js puts a review into a link and takes the same review out of it, or none.

import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateRawSync } from "node:zlib";

import { linkTo, reviewOf } from "../../static_site/shared/share.js";

globalThis.location = { href: "https://verdict.example/site/file.html?fresh" };

const packed = (bytes) => `#review=${deflateRawSync(bytes).toString("base64url")}`;

for (const text of ["", "good", "Caf\u00e9 \u{1f600} <b>&amp;</b> % + / = #", "line\r\nline\t\0", "good film ".repeat(5_000)]) {
  test(`a link holds a review: ${JSON.stringify(text.slice(0, 30))}`, async () => {
    const { href, origin, pathname, hash } = new URL(await linkTo(text));
    assert.deepEqual([origin, pathname], ["https://verdict.example", "/site/index.html"]);
    assert.match(hash, /^#review=[A-Za-z0-9_-]*$/);
    assert.equal(await reviewOf(new URL(href).hash), text);
  });
}

for (const [why, hash] of [
  ["no fragment", ""],
  ["another name", "#text=abc"],
  ["no base64", "#review=%%%"],
  ["nothing packed", "#review=AAAA"],
  ["no UTF-8", packed(Buffer.from([0xff, 0xfe, 0xff]))],
  ["more than the longest review", packed(Buffer.alloc(4 * 50_000 + 1, "a"))],
]) {
  test(`a link holds none: ${why}`, async () => assert.equal(await reviewOf(hash), null));
}
