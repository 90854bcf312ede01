/**
 * The server's clock, from its Date headers. A header says only the second, but each answer bounds the difference of the two
 * clocks from both sides; the bounds of many answers together leave a few milliseconds.
 */
let low = -Infinity;
let high = Infinity;

/** Milliseconds to add to this machine's clock to have the server's. */
export function offset() {
  return Number.isFinite(low) ? Math.round((low + high) / 2) : 0;
}

/** Milliseconds since 1970 by the server's clock. */
export function serverNow() {
  return Date.now() + offset();
}

/** Learn from an answer: its Date header, and this machine's time when the request left and when the answer came. */
export function observe(dateHeader, sentMs, gotMs) {
  const second = Date.parse(dateHeader || "");
  if (!Number.isFinite(second)) return;
  const least = second - gotMs;
  const most = second + 1000 - sentMs;
  low = Math.max(low, least);
  high = Math.min(high, most);
  if (low > high) { // one of the clocks was set
    low = least;
    high = most;
  }
}
