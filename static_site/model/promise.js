// Shows what was promised of a model on the reader's own rows: the receipt on its card.

import { amount, at, share, text } from "../shared/careful.js";
import { notes, paragraphs } from "../shared/parts.js";
import { orEmpty, section } from "./pieces.js";
import { MODEL as words } from "./strings.js";

/** @param {any} card @returns {Node[]} empty without a promise on the card */
export function promised(card) {
  const receipt = at(card, "promise");
  const [wrong, sure, threshold] = ["wrong", "sure", "threshold"].map((name) => share(receipt, name));
  const [answered, rows] = [share(receipt, "answered_share"), amount(receipt, "rows")];
  if (wrong === null || sure === null || threshold === null || answered === null || rows === null) return [];
  const body = paragraphs(
    "",
    words.promised(wrong, threshold, rows, answered),
    words.promisedHolds(sure),
  );
  const origins = notes(
    orEmpty(amount(receipt, "errors"), (errors) => words.promisedCounts(errors, amount(receipt, "answered"))),
    orEmpty(text(receipt, "date"), words.promisedOn),
    orEmpty(text(receipt, "file", "sha256"), words.adaptedFile),
  );
  return [section("promise", words.promise, [...body, ...origins])];
}
