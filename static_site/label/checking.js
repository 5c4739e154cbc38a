// Finds the labels that the model contradicts.

/**
 * @typedef {import("./labelling.js").Labelling} Labelling
 * @typedef {import("./labelling.js").Side} Side
 * @typedef {import("../rows/sending.js").Outcome} Outcome
 * @typedef {{agrees: number, against: number, uncertain: number, failed: number}} Tally
 */

/**
 * Returns the rows whose label the model contradicts, its surest first. "Can't tell" contradicts nothing.
 * @param {Labelling} labelling
 * @param {Map<number, Outcome>} outcomes by row
 */
export function disagreements(labelling, outcomes) {
  return labelling.rows
    .filter((row) => contradicts(labelling.side(row), outcomes.get(row)))
    .sort((one, other) => surenessOf(outcomes.get(other)) - surenessOf(outcomes.get(one)));
}

/**
 * Counts answers by what they say of a label.
 * @param {Labelling} labelling
 * @param {Map<number, Outcome>} outcomes
 * @returns {Tally}
 */
export function tallyOf(labelling, outcomes) {
  const tally = { agrees: 0, against: 0, uncertain: 0, failed: 0 };
  for (const [row, outcome] of outcomes) {
    const side = labelling.side(row);
    if (outcome.error !== undefined) tally.failed += 1;
    else if (outcome.sentiment === "uncertain") tally.uncertain += 1;
    else if (side) tally[outcome.sentiment === side ? "agrees" : "against"] += 1;
  }
  return tally;
}

/** @param {Side | null} side @param {Outcome | undefined} outcome */
function contradicts(side, outcome) {
  if (!side || !outcome || outcome.error !== undefined) return false;
  return outcome.sentiment !== "uncertain" && outcome.sentiment !== side;
}

/** How sure the model is of its side, 0.5..1; 0 without one. @param {Outcome | undefined} outcome */
function surenessOf(outcome) {
  if (!outcome || outcome.error !== undefined) return 0;
  return outcome.sentiment === "positive" ? outcome.probability : 1 - outcome.probability;
}
