/** SHA-384 on byte arrays, for what is signed blindly. Few blocks are hashed, so it is short instead of fast. Source: FIPS 180-4. */

const WORD = (1n << 64n) - 1n;
const BLOCK = 128;
const ROUND = [];
const START = [];

/** The largest number whose power is no more than `value`. */
function root(value, power) {
  let low = 0n;
  let high = 1n << BigInt(Math.ceil(value.toString(2).length / Number(power)) + 1);
  while (high - low > 1n) {
    const middle = (low + high) >> 1n;
    if (middle ** power <= value) low = middle;
    else high = middle;
  }
  return low;
}

(function constants() {
  // 64 bits of the fractional parts of roots of primes: cube roots of the first 80, square roots of the 9th to the 16th
  for (let candidate = 2; ROUND.length < 80; candidate += 1) {
    let prime = true;
    for (let divisor = 2; divisor * divisor <= candidate; divisor += 1) if (candidate % divisor === 0) prime = false;
    if (!prime) continue;
    if (ROUND.length >= 8 && ROUND.length < 16) START.push(root(BigInt(candidate) << 128n, 2n) & WORD);
    ROUND.push(root(BigInt(candidate) << 192n, 3n) & WORD);
  }
})();

const turn = (word, by) => ((word >> by) | (word << (64n - by))) & WORD;

function compress(state, view, at) {
  const words = [];
  for (let i = 0; i < 16; i += 1) words.push(view.getBigUint64(at + i * 8));
  for (let i = 16; i < 80; i += 1) {
    const a = words[i - 15];
    const b = words[i - 2];
    const s0 = turn(a, 1n) ^ turn(a, 8n) ^ (a >> 7n);
    const s1 = turn(b, 19n) ^ turn(b, 61n) ^ (b >> 6n);
    words.push((words[i - 16] + s0 + words[i - 7] + s1) & WORD);
  }
  let [a, b, c, d, e, f, g, h] = state;
  for (let i = 0; i < 80; i += 1) {
    const s1 = turn(e, 14n) ^ turn(e, 18n) ^ turn(e, 41n);
    const first = (h + s1 + ((e & f) ^ (~e & WORD & g)) + ROUND[i] + words[i]) & WORD;
    const s0 = turn(a, 28n) ^ turn(a, 34n) ^ turn(a, 39n);
    const second = (s0 + ((a & b) ^ (a & c) ^ (b & c))) & WORD;
    h = g; g = f; f = e; e = (d + first) & WORD;
    d = c; c = b; b = a; a = (first + second) & WORD;
  }
  [a, b, c, d, e, f, g, h].forEach((word, i) => { state[i] = (state[i] + word) & WORD; });
}

/** The 48-byte digest of `bytes`. */
export function sha384(bytes) {
  const padded = new Uint8Array(Math.ceil((bytes.length + 17) / BLOCK) * BLOCK);
  padded.set(bytes);
  padded[bytes.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setBigUint64(padded.length - 8, BigInt(bytes.length) * 8n);
  const state = START.slice();
  for (let at = 0; at < padded.length; at += BLOCK) compress(state, view, at);
  const digest = new Uint8Array(48);
  const out = new DataView(digest.buffer);
  state.slice(0, 6).forEach((word, i) => out.setBigUint64(i * 8, word));
  return digest;
}
