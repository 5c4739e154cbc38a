// Fills the link preview with an answer of the API: each sentence with its contribution, and the verdict.

const MINUS = "\u2212";

/**
 * @param {{text: string, sentiment: string, sentences: {start: number, end: number, contribution: number}[]}} answer
 * @param {string} verdict in words
 * @param {string} sureness in words
 */
function fill({ text, sentiment, sentences }, verdict, sureness) {
  const points = Array.from(text);
  const strongest = Math.max(...sentences.map(({ contribution }) => Math.abs(contribution)));
  const marks = sentences.flatMap(({ start, end, contribution }) => {
    const mark = document.createElement("mark");
    mark.className = "pull";
    mark.textContent = points.slice(start, end).join("").trim();
    mark.dataset.sign = contribution < 0 ? "minus" : "plus";
    mark.dataset.number = `${contribution < 0 ? MINUS : "+"}${Math.abs(contribution).toFixed(2)}`;
    mark.style.setProperty("--share", String(Math.abs(contribution) / strongest));
    return [mark, " "];
  });
  document.getElementById("answer").dataset.sentiment = sentiment;
  document.getElementById("review").append(...marks);
  document.getElementById("verdict").textContent = verdict;
  document.getElementById("sureness").textContent = sureness;
}
