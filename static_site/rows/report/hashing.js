// Draws the replicates' weights and the sample order from integer hashes, as training/report does.

export const REPLICATES = 400;
/** The file itself, with a weight of 1, then its replicates. */
export const DRAWS = 1 + REPLICATES;
// From murmur3's finalizer (A. Appleby, 2011), a golden ratio of 2^32, and FNV-1a of 32 bits.
const GOLDEN = 0x9e3779b9;
const SAMPLE = 0x5bf03635;
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;
// floor(CDF(k) * 2^32) of a Poisson distribution with mean 1, k = 0 to 7.
const THRESHOLDS = Uint32Array.of(
  1580030168, 3160060337, 3950075421, 4213413783, 4279248373, 4292415291, 4294609777, 4294923276,
);

const encoder = new TextEncoder();
const MASKS = Int32Array.from({ length: REPLICATES }, (_, replicate) => mix(replicate + 1));
// Weights by the upper 12 bits of a hash; a bin that holds a threshold is told apart below.
const BIN_SHIFT = 20;
const UNSURE = 255;
const BINS = Uint8Array.from({ length: 1 << (32 - BIN_SHIFT) }, (_, bin) => {
  const first = weightOf(bin << BIN_SHIFT);
  return first === weightOf((bin << BIN_SHIFT) | ((1 << BIN_SHIFT) - 1)) ? first : UNSURE;
});

/** Mixes the bits of a 32-bit integer. @param {number} hash */
function mix(hash) {
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** @param {number} number of a row, from 1 */
export function keyOfRow(number) {
  return mix(number + GOLDEN);
}

/** @param {string} group */
export function keyOfGroup(group) {
  let hash = FNV_OFFSET;
  for (const byte of encoder.encode(group)) hash = Math.imul(hash ^ byte, FNV_PRIME);
  return mix(hash);
}

/** Returns a row's place in the sample order: rows with the smallest come first. @param {number} number from 1 */
export function sampleKey(number) {
  return mix(number ^ SAMPLE);
}

/**
 * Writes the weights of a key: 1, then one a replicate, 0 to 8.
 * @param {number} key
 * @param {Uint8Array} weights
 */
export function drawWeights(key, weights) {
  weights[0] = 1;
  for (let replicate = 0; replicate < REPLICATES; replicate += 1) {
    let hash = key ^ MASKS[replicate];
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    hash ^= hash >>> 16;
    const weight = BINS[hash >>> BIN_SHIFT];
    weights[replicate + 1] = weight === UNSURE ? weightOf(hash) : weight;
  }
}

/** @param {number} hash */
function weightOf(hash) {
  let weight = 0;
  while (weight < THRESHOLDS.length && THRESHOLDS[weight] <= hash >>> 0) weight += 1;
  return weight;
}
