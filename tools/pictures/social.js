// Fills the link preview with an answer of the API: the words that decide, and the verdict.

/**
 * @param {{text: string, sentiment: string, words: {start: number, end: number, effect?: number}[]}} answer with the
 *   words that glow
 * @param {string} verdict in words
 * @param {string} sureness in words
 */
function fill({ text, sentiment, words }, verdict, sureness) {
  const points = Array.from(text);
  const inOrder = words.sort((one, other) => one.start - other.start);
  let at = 0;
  const pieces = inOrder.flatMap(({ start, end, effect = 0 }) => {
    const mark = document.createElement("mark");
    mark.className = "glow";
    mark.textContent = points.slice(start, end).join("");
    mark.dataset.sign = effect < 0 ? "minus" : "plus";
    const before = points.slice(at, start).join("");
    at = end;
    return [before, mark];
  });
  const byId = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));
  byId("answer").dataset.sentiment = sentiment;
  byId("review").append(...pieces, points.slice(at).join(""));
  byId("verdict").textContent = verdict;
  byId("sureness").textContent = sureness;
}
