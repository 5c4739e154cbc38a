// Keeps the rows with the lowest and highest values.

/** Holds so many rows of either end. Of rows with equal values, those that came first are kept. */
export class Extremes {
  /** @param {number} most */
  constructor(most) {
    this.low = new End(most, 1);
    this.high = new End(most, -1);
  }

  /** @param {number} row @param {number} value */
  add(row, value) {
    this.low.add(row, value);
    this.high.add(row, value);
  }

  /** Returns the lowest, then the highest, none twice. */
  both() {
    return [...new Set([...this.low.rows, ...this.high.rows])];
  }
}

class End {
  /** The most extreme first. @type {number[]} */ rows = [];
  /** @type {number[]} */ values = [];

  /** @param {number} most @param {1 | -1} turn 1 for the lowest first */
  constructor(most, turn) {
    this.most = most;
    this.turn = turn;
  }

  /** @param {number} row @param {number} value */
  add(row, value) {
    const { rows, values, turn } = this;
    let place = values.length;
    if (place === this.most) {
      if (turn * value >= turn * values[place - 1]) return;
      rows.length = values.length = place -= 1;
    }
    while (place > 0 && turn * values[place - 1] > turn * value) place -= 1;
    rows.splice(place, 0, row);
    values.splice(place, 0, value);
  }
}
