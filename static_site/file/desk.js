// Holds a file beside the page: reads it, sends its rows, keeps them, and finds what the page shows of them.
//
// Runs in a worker, so that 100,000 rows never hold up the page.

import { ApiError, Verdict } from "../api.js";
import { guessAspects, guessColumns, guessReportColumns } from "../rows/columns.js";
import { dateOf, orderOf as dateOrderOf } from "../rows/dates.js";
import { fileName, parcelsOf, write } from "../rows/download.js";
import { calibrationOf, compare, histogramOf, sharesOf } from "../rows/figures.js";
import { guessScaleOf, labelOf } from "../rows/labels.js";
import { Refusal, textOf } from "../rows/reading.js";
import { Pace, Sending, isWorthAnotherTry } from "../rows/sending.js";
import { sheetOf } from "../rows/source.js";
import { Keeper, claim, load } from "./keeping.js";
import { orderOf } from "./order.js";
import { reporterOf, rowsByWords } from "./reporter.js";
import { seenRow, wholeRow } from "./seen.js";
import { aspectsIn, datesOf, forgetFailures, groupsOf, jobsOf, judgedBy, labelsOf, workOf } from "./work.js";

/**
 * @typedef {import("../rows/columns.js").Columns} Columns
 * @typedef {import("../rows/columns.js").ReportColumns} ReportColumns
 * @typedef {import("../rows/reading.js").Cell} Cell
 * @typedef {import("../rows/reading.js").Sheet} Sheet
 * @typedef {import("../rows/sending.js").Job} Job
 * @typedef {import("../rows/sending.js").State} State
 * @typedef {import("../rows/source.js").Source} Source
 * @typedef {import("./order.js").Rows} Rows
 * @typedef {import("./work.js").Choice} Choice
 * @typedef {import("./work.js").Work} Work
 * @typedef {{url: string, apiKey: string}} Api
 * @typedef {Omit<Sheet, "rows"> & {count: number, head: Cell[][], guess: Columns & ReportColumns,
 *   scale: import("../rows/labels.js").Scale, list: "film" | "product"}} Head head: the first rows
 * @typedef {{order: import("../rows/dates.js").DateOrder | null, asks: string, against: [number, string][],
 *   unread: number, first: string}} Dates
 *   asks: a cell whose order nothing decides; against: two rows, from 1, that contradict each other;
 *   unread: filled rows that are no date; first: what the first one is read as
 * @typedef {{sent: number, unsent: number, repeated: number, scale: import("../rows/labels.js").Scale,
 *   labels: {positive: number, negative: number, neither: number} | null, dates: Dates | null,
 *   groups: number | null}} Look what the choice of columns comes to
 * @typedef {{name: string, count: number, hasLabels: boolean, hasDates: boolean, hasGroups: boolean,
 *   columns: number, kept: boolean}} Begun
 * @typedef {{code: string, status: number, title: string, detail: string, request_id: string,
 *   retry_after: number | null}} Problem an ApiError as a message
 * @typedef {{phase: import("../rows/sending.js").Phase, error: Problem | null, until: number,
 *   shares: import("../rows/figures.js").Shares, rate: number | null, again: number, batch: boolean,
 *   band: [number, number] | null, models: string[]}} Progress
 *   again: failed rows that another try could help; batch: news of rows, not of the phase
 * @typedef {{form: "csv" | "jsonl", safe: boolean, shown: boolean}} TakeWish shown: only the rows in view
 * @typedef {(name: "progress" | "unkept", detail: any) => void} Tell
 */

const HEAD_ROWS = 5;
// An explained answer is several times as long as its review.
const MOST = { reviews: 100, bytes: 400_000 };
// Progress is told at most this often.
const TELL_MS = 200;

export class Desk {
  /** @type {Sheet | null} */ #sheet = null;
  /** @type {Work | null} */ #work = null;
  /** @type {Rows | null} */ #rows = null;
  /** @type {import("./reporter.js").More} */ #more = { labels: [], dates: [], groups: [] };
  /** @type {Sending | null} */ #sending = null;
  /** @type {Keeper | null} */ #keeper = null;
  /** @type {State} */ #state = { phase: "paused", error: null, until: 0 };
  /** @type {import("../rows/figures.js").Shares | null} */ #shares = null;
  /** The rows in view. @type {Uint32Array} */ #order = new Uint32Array();
  /** Makes reports of the rows so far; null when it must be made anew. @type {ReturnType<typeof reporterOf> | null} */
  #reports = null;
  #pace = new Pace();
  #api = new Verdict();
  #told = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #telling;

  /** @param {Tell} tell @param {any} Papa papaparse */
  constructor(tell, Papa) {
    this.tell = tell;
    this.Papa = Papa;
  }

  // Choosing.

  /** Reads a file. @param {Source} source @param {import("../rows/reading.js").Choice} choice @returns {Promise<Head>} @throws {Refusal} */
  async open(source, choice) {
    const sheet = (this.#sheet = await sheetOf(source, choice, this.Papa));
    const columns = guessColumns(sheet);
    const guess = { ...columns, ...guessReportColumns(sheet, columns) };
    const { rows, ...head } = sheet;
    return {
      ...head,
      count: rows.length,
      head: rows.slice(0, HEAD_ROWS),
      guess,
      scale: scaleFor(sheet, guess),
      list: guessAspects(sheet, guess.review),
    };
  }

  /** Counts what a choice of columns comes to. @param {Choice} choice @param {boolean} rescale guess the scale anew @returns {Look} */
  look(choice, rescale) {
    const sheet = this.#opened();
    const work = workOf(sheet, { ...choice, once: true });
    const sent = work.outcomes.filter((outcome) => outcome === null).length;
    const scale = rescale ? scaleFor(sheet, choice) : choice.scale;
    const { label, date, group } = choice;
    return {
      sent,
      unsent: sheet.rows.length - sent,
      repeated: sent - jobsOf(work).length,
      scale,
      labels: label < 0 ? null : countLabels(sheet, label, scale),
      dates: date < 0 ? null : datesIn(sheet, choice),
      groups: group < 0 ? null : new Set(groupsOf(work)).size,
    };
  }

  #opened() {
    if (this.#sheet === null) throw new Refusal("unreadable");
    return this.#sheet;
  }

  // The run.

  /** Begins the run of the file that was opened. @param {Choice} choice @param {Api} api @returns {Begun} */
  begin(choice, api) {
    return this.#begin(workOf(this.#opened(), choice), api);
  }

  /**
   * Begins the run of the saved file. Returns null when another tab has it.
   * @param {import("./keeping.js").Summary} summary
   * @param {Api} api
   * @returns {Promise<Begun | null>}
   */
  async goOn(summary, api) {
    const release = await claim();
    if (!release) return null;
    try {
      const work = await load(summary);
      this.#keeper = this.#newKeeper(work, release);
      return this.#begin(work, api);
    } catch (error) {
      release();
      throw error;
    }
  }

  /** @param {Work} work @param {Api} api @returns {Begun} */
  #begin(work, { url, apiKey }) {
    const { sheet, choice } = work;
    this.#work = work;
    this.#api = new Verdict(url, { apiKey });
    this.#more = { labels: labelsOf(work), dates: datesOf(work), groups: groupsOf(work) };
    this.#rows = rowsOf(work, this.#more);
    this.#sending = this.#newSending();
    return {
      name: sheet.name,
      count: sheet.rows.length,
      hasLabels: choice.label >= 0,
      hasDates: choice.date >= 0,
      hasGroups: choice.group >= 0,
      columns: sheet.columns.length,
      kept: this.#keeper !== null,
    };
  }

  /** @returns {{work: Work, rows: Rows, sending: Sending}} */
  #begun() {
    if (!this.#work || !this.#rows || !this.#sending) throw new Refusal("unreadable");
    return { work: this.#work, rows: this.#rows, sending: this.#sending };
  }

  resume() {
    this.#pace.reset();
    this.#pace.note(this.#done());
    this.#begun().sending.resume();
  }

  pause() {
    this.#begun().sending.pause();
  }

  cancel() {
    this.#begun().sending.cancel();
  }

  /** Sends failed rows again. */
  retry() {
    for (const row of forgetFailures(this.#begun().work)) this.#keeper?.note(row);
    this.#shares = null;
    this.#reports = null;
    this.#sending = this.#newSending();
    this.resume();
  }

  /** Ends the run for good. A saved file stays saved. */
  async leave() {
    this.#sending?.cancel();
    clearTimeout(this.#telling);
    await this.#keeper?.close();
  }

  #newSending() {
    const work = /** @type {Work} */ (this.#work);
    const jobs = jobsOf(work, rowsByWords(work.sheet.rows.length));
    return new Sending(jobs, {
      ask: (reviews, { signal, words }) =>
        this.#api.batch(reviews, {
          explain: words ? "words" : "sentences",
          aspects: aspectsFor(work.choice),
          signal,
        }),
      onItem: (job, item) => this.#onItem(job, item),
      onBatch: () => this.#onBatch(),
      onState: (state) => this.#onState(state),
      most: MOST,
    });
  }

  /** @param {Job} job @param {import("../api.js").BatchItem} item */
  #onItem({ review, rows }, item) {
    const { work } = this.#begun();
    const outcome = judgedBy(item, review);
    if (item.answer) this.#noteModel(work, item.answer.model);
    for (const row of rows) {
      work.outcomes[row] = outcome;
      this.#keeper?.note(row);
    }
    this.#shares = null;
    this.#reports = null;
  }

  /** @param {Work} work @param {import("../api.js").Answer["model"]} model */
  #noteModel(work, { id, uncertain }) {
    if (uncertain) work.band = uncertain;
    if (!work.models.includes(id)) work.models.push(id);
  }

  #onBatch() {
    this.#pace.note(this.#done());
    this.#keeper?.write();
    const wait = this.#told + TELL_MS - performance.now();
    if (wait <= 0) this.#tellProgress(true);
    else this.#telling ??= setTimeout(() => this.#tellProgress(true), wait);
  }

  /** @param {State} state */
  #onState(state) {
    this.#state = state;
    this.#keeper?.write();
    this.#tellProgress(false);
  }

  /** @param {boolean} batch */
  #tellProgress(batch) {
    clearTimeout(this.#telling);
    this.#telling = undefined;
    this.#told = performance.now();
    const { work } = this.#begun();
    const { phase, error, until } = this.#state;
    /** @type {Progress} */
    const progress = {
      phase,
      error: error && problemOf(error),
      until,
      shares: this.#sharesNow(),
      rate: this.#pace.rate(),
      again: phase === "done" ? work.outcomes.filter(isWorthAnotherTry).length : 0,
      batch,
      band: work.band,
      models: work.models,
    };
    this.tell("progress", progress);
  }

  #sharesNow() {
    return (this.#shares ??= sharesOf(this.#begun().work.outcomes));
  }

  #done() {
    return this.#begun().rows.count - this.#sharesNow().waiting;
  }

  // Results.

  /** @param {import("./order.js").Wish} wish */
  order(wish) {
    const found = orderOf(this.#begun().rows, wish);
    this.#order = found.order;
    return found;
  }

  /** @param {number[]} rows @returns {import("./seen.js").Seen[]} */
  see(rows) {
    const { rows: all } = this.#begun();
    return rows.map((row) => seenRow(all, row));
  }

  /** @param {number} row */
  whole(row) {
    return wholeRow(this.#begun().rows, row);
  }

  figures() {
    const { outcomes } = this.#begun().work;
    const { labels } = this.#more;
    return {
      bins: histogramOf(outcomes),
      calibration: labels.length ? calibrationOf(outcomes, labels) : null,
      comparison: labels.length ? compare(outcomes, labels) : null,
    };
  }

  /** Returns the report as JSON; null while no row is judged. @param {import("./reporter.js").Sides} sides */
  async report(sides) {
    const { positive, negative, uncertain } = this.#sharesNow();
    if (positive + negative + uncertain === 0) return null;
    this.#reports ??= reporterOf(this.#begun().work, this.#more);
    return (await this.#reports)(sides);
  }

  /**
   * Writes the rows of the file, or those in view, with every column.
   * @param {TakeWish} wish
   * @returns {{name: string, parts: Blob[], rows: number}}
   */
  take({ form, safe, shown }) {
    const { work } = this.#begun();
    const rows = shown ? this.#order : null;
    const taken = rows ? selected(work, rows) : work;
    const parcels = parcelsOf({ ...taken, aspects: aspectsIn(work) }, { form, safe });
    const parts = Array.from(parcels, (parcel) => new Blob([write(parcel, this.Papa)]));
    const what = shown ? "verdicts-selection" : "verdicts";
    return { name: fileName(work.sheet.name, form, what), parts, rows: rows?.length ?? work.sheet.rows.length };
  }

  // Saving.

  /** Saves the file on this device. Returns false when another tab has one saved. */
  async keep() {
    const release = await claim();
    if (!release) return false;
    this.#keeper = this.#newKeeper(this.#begun().work, release);
    this.#keeper.start();
    return true;
  }

  /** Deletes the saved file. */
  async unkeep() {
    const keeper = this.#keeper;
    this.#keeper = null;
    await keeper?.stop();
  }

  /** @param {Work} work @param {import("./keeping.js").Release} release */
  #newKeeper(work, release) {
    return new Keeper(work, release, (error) => {
      this.#keeper = null;
      this.tell("unkept", { full: error instanceof DOMException && error.name === "QuotaExceededError" });
    });
  }
}

/** @param {Sheet} sheet @param {{review: number, label: number}} columns */
function scaleFor(sheet, { review, label }) {
  return label < 0 ? "words" : guessScaleOf(sheet, { review, label });
}

/** @param {Sheet} sheet @param {number} label @param {import("../rows/labels.js").Scale} scale */
function countLabels({ rows }, label, scale) {
  const counts = { positive: 0, negative: 0, neither: 0 };
  for (const row of rows) counts[labelOf(row[label], scale) ?? "neither"] += 1;
  return counts;
}

/** @param {Sheet} sheet @param {Choice} choice @returns {Dates} */
function datesIn({ rows }, { date, order: chosen }) {
  const cells = rows.map((row) => row[date]);
  const found = dateOrderOf(cells);
  const says = (/** @type {number} */ row) => textOf(cells[row - 1]);
  const order = found.order ?? chosen;
  const filled = cells.filter((cell) => textOf(cell).trim() !== "");
  const days = filled.map((cell) => dateOf(cell, order ?? "dmy"));
  return {
    order: found.order,
    asks: found.rows.length === 1 ? says(found.rows[0]) : "",
    against: found.rows.length === 2 ? found.rows.map((row) => [row, says(row)]) : [],
    unread: days.filter((day) => day === null).length,
    first: days.find((day) => day !== null) ?? "",
  };
}

/** @param {Choice} choice @returns {import("../api.js").Aspects | undefined} */
function aspectsFor({ aspects }) {
  if (aspects.from === "none") return undefined;
  return aspects.from === "own" ? aspects.own : aspects.from;
}

/**
 * @param {Work} work
 * @param {import("./reporter.js").More} more
 * @returns {Rows}
 */
function rowsOf({ sheet, choice, outcomes }, { labels, dates, groups }) {
  const cell = (/** @type {number} */ row, /** @type {number} */ column) => textOf(sheet.rows[row][column]);
  return {
    count: sheet.rows.length,
    name: (row) => (choice.id < 0 ? String(row + 1) : cell(row, choice.id)),
    review: (row) => cell(row, choice.review) || (sheet.unread < 0 ? "" : cell(row, sheet.unread)),
    outcome: (row) => outcomes[row],
    label: (row) => labels[row] ?? null,
    date: (row) => dates[row] ?? null,
    group: (row) => groups[row] ?? null,
  };
}

/** Returns the file of some rows only. @param {Work} work @param {Uint32Array} rows @returns {Pick<Work, "sheet" | "outcomes">} */
function selected({ sheet, outcomes }, rows) {
  return {
    sheet: { ...sheet, rows: Array.from(rows, (row) => sheet.rows[row]) },
    outcomes: Array.from(rows, (row) => outcomes[row]),
  };
}

/** @param {ApiError} error @returns {Problem} */
function problemOf({ code, status, title, detail, request_id, retry_after }) {
  return { code, status, title, detail, request_id, retry_after };
}
