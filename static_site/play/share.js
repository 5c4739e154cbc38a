// Shows how to share a verdict: a picture drawn on the device, to copy or save, and a link.

import { HEIGHT, WIDTH, drawCard } from "./card.js";
import { changes, glowingMarks, quoteOf } from "./quote.js";
import { SHARE, cardAlt } from "./strings.js";
import { sure } from "../review/answer_strings.js";
import { button, copyText, element } from "../shared/dom.js";
import { headlineOf, isCalibrated } from "../shared/verdict_strings.js";

/** @typedef {import("./search.js").Explained} Explained */
/** @typedef {import("./search.js").Change} Change */
/**
 * @typedef {object} Shared
 * @property {string} review the text in the box
 * @property {Explained} answer
 * @property {() => Promise<string>} link makes a link that holds the review
 * @property {() => Change | null} [change] the change that is previewed, if one is
 */

const PNG = "image/png";
const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\]|)$/;
const FREE_MS = 60_000;

/** Whether the part stays open from one answer to the next. */
let open = false;

/**
 * Fills an element with the folded part to share. The card is drawn when it is opened.
 * @param {HTMLElement} host
 * @param {Shared} shared
 * @returns {{end: () => void, changed: () => void}} changed() draws the card again, with the change that is shown
 */
export function mountShare(host, shared) {
  const sharing = new Sharing(host, shared);
  return { end: () => sharing.end(), changed: () => sharing.redraw() };
}

class Sharing {
  #watch = new MutationObserver(() => this.redraw());
  #scheme = matchMedia("(prefers-color-scheme: dark)");
  #onScheme = () => this.redraw();

  /** @param {HTMLElement} host @param {Shared} shared */
  constructor(host, shared) {
    this.host = host;
    this.shared = shared;
    this.fold = element("details", "share more");
    this.canvas = /** @type {HTMLCanvasElement} */ (element("canvas", "share-card"));
    this.canvas.setAttribute("role", "img");
    [this.canvas.width, this.canvas.height] = [WIDTH, HEIGHT];
    this.status = element("p", "play-status");
    this.status.setAttribute("role", "status");
    this.link = element("p", "command share-link");
    this.link.append(element("code"));
    this.link.hidden = true;
    const row = element("p", "compose-row");
    row.append(
      button("button-plain", SHARE.copyImage, () => this.#copyImage()),
      button("button-plain", SHARE.saveImage, () => this.#saveImage(SHARE.imageSaved)),
      button("button-plain", SHARE.copyLink, () => this.#copyLink()),
    );
    this.body = element("div", "share-body");
    this.body.append(this.canvas, row, this.status, this.link, element("p", "small-print", SHARE.note));
    this.fold.append(element("summary", "", SHARE.title), this.body);
    this.fold.addEventListener("toggle", () => this.#onToggle());
    // The theme's attribute is the root's; the answer's tells that its text has changed.
    this.#watch.observe(document.documentElement, { attributeFilter: ["data-theme", "data-stale"], subtree: true });
    this.#scheme.addEventListener("change", this.#onScheme);
    this.fold.toggleAttribute("open", open);
    host.replaceChildren(this.fold);
  }

  /** Tells that the answer's time is over. The card follows the page until it is gone from it. */
  end() {
    if (!this.fold.isConnected) this.#stop();
  }

  #stop() {
    this.#watch.disconnect();
    this.#scheme.removeEventListener("change", this.#onScheme);
  }

  // Drawing.

  #onToggle() {
    if (!this.fold.isConnected) return;
    open = this.fold.hasAttribute("open");
    this.redraw();
  }

  /** Draws the card again, if it is on screen. */
  redraw() {
    if (!this.fold.isConnected) this.#stop();
    else if (this.fold.hasAttribute("open")) this.#draw();
  }

  /** Draws the card as the answer stands now. Returns false where there is none to draw. */
  async #draw() {
    if (this.#isStale()) {
      this.canvas.hidden = true;
      this.status.textContent = SHARE.stale;
      return false;
    }
    this.canvas.hidden = false;
    if (this.status.textContent === SHARE.stale) this.status.textContent = "";
    // Without the font's file, the next font of the list draws the headline.
    await document.fonts.load(`600 84px ${lookOf(this.host).display}`).catch(() => []);
    const card = this.#card();
    const quote = drawCard(this.canvas, card, lookOf(this.host));
    const words = { quote, verdict: card.verdict, sureness: card.sureness, changed: card.changed };
    this.canvas.setAttribute("aria-label", cardAlt(words));
    return true;
  }

  /** Tells whether the box holds another text than the answer's. */
  #isStale() {
    return this.host.closest("[data-stale]") !== null;
  }

  /** @returns {import("./card.js").Card} */
  #card() {
    const { answer } = this.shared;
    const change = this.shared.change?.() ?? null;
    const shown = change?.answer ?? answer;
    const marks = change ? changes(change) : glowingMarks(answer);
    const { probability, sentiment, model } = shown;
    // Without a number that holds, neither a percentage nor a needle is drawn.
    const calibrated = isCalibrated(shown);
    return {
      quote: (fits) => quoteOf(answer, marks, fits),
      verdict: headlineOf(shown),
      sentiment,
      sureness: sure(shown),
      meter: calibrated ? { probability, band: model.uncertain } : null,
      changed: change !== null,
      address: addressOf(location),
    };
  }

  // Giving it away.

  async #copyImage() {
    this.#say("", "");
    if (!(await this.#draw())) return;
    try {
      // The promise stays within the press, as some browsers ask.
      await navigator.clipboard.write([new ClipboardItem({ [PNG]: pictureOf(this.canvas) })]);
      this.#say(SHARE.imageCopied, "");
    } catch {
      await this.#saveImage(SHARE.imageRefused);
    }
  }

  /** @param {string} done what to say */
  async #saveImage(done) {
    this.#say("", "");
    if (!(await this.#draw())) return;
    try {
      save(SHARE.fileName, await pictureOf(this.canvas));
      this.#say(done, "");
    } catch {
      this.#say(SHARE.imageFailed, "");
    }
  }

  async #copyLink() {
    this.#say("", "");
    if (this.#isStale()) return this.#say(SHARE.stale, "");
    try {
      const link = await this.shared.link();
      const copied = await copyText(link);
      this.#say(copied ? SHARE.linkCopied : SHARE.linkShown, copied ? "" : link);
    } catch {
      this.#say(SHARE.linkFailed, "");
    }
  }

  /** @param {string} words @param {string} link to be copied by hand; "" for none */
  #say(words, link) {
    this.status.textContent = words;
    this.link.hidden = link === "";
    /** @type {HTMLElement} */ (this.link.firstChild).textContent = link;
  }
}

/** Returns the site's address, and "" for one that only this machine knows. @param {Location} location */
export function addressOf({ hostname, host, pathname }) {
  if (LOOPBACK.test(hostname)) return "";
  return host + pathname.replace(/[^/]*$/, "").replace(/\/$/, "");
}

/**
 * Reads the theme's colours and fonts, which only a styled element knows.
 * @param {HTMLElement} host
 * @returns {import("./card.js").Look}
 */
function lookOf(host) {
  const probe = element("span");
  probe.hidden = true;
  // Else forced colours would make all of them the same.
  probe.style.setProperty("forced-color-adjust", "none");
  host.append(probe);
  const style = getComputedStyle(probe);
  const colour = (/** @type {string} */ name) => {
    probe.style.color = `var(--${name})`;
    return style.color;
  };
  const font = (/** @type {string} */ name) => {
    probe.style.fontFamily = `var(--${name})`;
    return style.fontFamily;
  };
  const look = {
    paper: colour("paper"),
    ink: colour("ink"),
    soft: colour("ink-soft"),
    hairline: colour("hairline"),
    plus: colour("plus"),
    minus: colour("minus"),
    serif: font("serif"),
    display: font("display"),
    sans: font("sans"),
  };
  probe.remove();
  return look;
}

/** @param {HTMLCanvasElement} canvas @returns {Promise<Blob>} */
function pictureOf(canvas) {
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("no picture"))), PNG);
  });
}

/** Downloads a picture. @param {string} name @param {Blob} picture */
function save(name, picture) {
  const url = URL.createObjectURL(picture);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // Freeing the address before the download begins would stop it.
  setTimeout(() => URL.revokeObjectURL(url), FREE_MS);
}
