// Lets a finger throw a card to the right or left. Up and down still scrolls.

/** @typedef {import("./labelling.js").Side} Side */

// The way that a finger goes before the card counts as thrown: a share of the card, in pixels' bounds.
const SHARE = 0.3;
const [LEAST, MOST] = [64, 140];

/**
 * @param {HTMLElement} card has data-held under a finger, and data-swipe while it would be thrown to a side
 * @param {{isOpen: () => boolean, onSwipe: (side: Side) => void}} wiring
 */
export function listenForSwipes(card, { isOpen, onSwipe }) {
  const still = window.matchMedia("(prefers-reduced-motion: reduce)");
  /** @type {{id: number, x: number} | null} */
  let finger = null;

  /** @param {number} way in pixels, positive to the right */
  const show = (way) => {
    const side = sideOf(way, card.clientWidth);
    if (side) card.dataset.swipe = side;
    else delete card.dataset.swipe;
    card.toggleAttribute("data-held", way !== 0);
    card.style.setProperty("--way", still.matches ? "0px" : `${way}px`);
  };
  const end = () => {
    finger = null;
    show(0);
  };

  card.addEventListener("pointerdown", ({ pointerType, isPrimary, pointerId, clientX }) => {
    if (pointerType !== "mouse" && isPrimary && isOpen()) finger = { id: pointerId, x: clientX };
  });
  card.addEventListener("pointermove", ({ pointerId, clientX }) => {
    if (finger?.id === pointerId) show(clientX - finger.x);
  });
  card.addEventListener("pointerup", ({ pointerId, clientX }) => {
    if (finger?.id !== pointerId) return;
    const side = sideOf(clientX - finger.x, card.clientWidth);
    end();
    if (side) onSwipe(side);
  });
  // The browser takes the finger over to scroll.
  card.addEventListener("pointercancel", end);
}

/** @param {number} way @param {number} width @returns {Side | null} */
function sideOf(way, width) {
  if (Math.abs(way) < Math.min(MOST, Math.max(LEAST, width * SHARE))) return null;
  return way > 0 ? "positive" : "negative";
}
