/** What the screen shows, in one object; every change goes through `change`, which keeps the basket and redraws once. */
import { freshChoice } from "./tenders.js";

const KEPT = "huiyuan-pos-basket";
const LAST = "huiyuan-pos-last";

/**
 * lines: [{ sku, name, category, barcode, unit_price_fen, qty, cut: null | { kind: "fen" | "rate", value } }]
 * member: { scanToken, expiresAt, entry, name, level, wallet, coupons } once a code was read
 * quote: the server's prices for `quoteOf` (see quotes.js)
 */
export const state = {
  context: null,
  cashier: "",
  lines: [],
  selected: -1,
  orderNo: null,
  member: null,
  reading: false,
  quote: null,
  quoteOf: "",
  choice: freshChoice(),
  settling: false,
  heldCount: 0,
  asideCount: 0,
  toServeCount: 0,
};

const listeners = new Set();
let queued = false;

/** Call `listener(state)` after changes, once a turn; now as well. */
export function onChange(listener) {
  listeners.add(listener);
  listener(state);
}

/** Change the state, keep the basket, redraw. */
export function change(mutate) {
  mutate(state);
  keepBasket();
  if (queued) return;
  queued = true;
  queueMicrotask(() => {
    queued = false;
    for (const listener of listeners) listener(state);
  });
}

function keepBasket() {
  const { lines, selected, orderNo } = state;
  if (lines.length) sessionStorage.setItem(KEPT, JSON.stringify({ lines, selected, orderNo }));
  else sessionStorage.removeItem(KEPT);
}

function readKept(name) {
  try {
    return JSON.parse(sessionStorage.getItem(name) || "null");
  } catch {
    return null;
  }
}

/** Take back the basket of before a reload; the member is scanned anew. */
export function restoreBasket() {
  const kept = readKept(KEPT);
  if (kept) Object.assign(state, kept);
}

/** Keep what the last receipt shows, to print it again. */
export function keepLast(receipt) {
  sessionStorage.setItem(LAST, JSON.stringify(receipt));
}

export const lastReceipt = () => readKept(LAST);

/** The sale is over, or put aside: an empty basket, no member, fresh tenders. */
export function clearSale() {
  change((now) => Object.assign(now, {
    lines: [], selected: -1, orderNo: null, member: null, reading: false, quote: null, quoteOf: "", choice: freshChoice(), settling: false,
  }));
}

/** The member has to show a new code. */
export function dropMember() {
  change((now) => Object.assign(now, { member: null, quote: null, quoteOf: "", choice: freshChoice() }));
}
