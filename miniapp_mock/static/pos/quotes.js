/** What the basket costs: computed here at once, then by the server's quote, of which only the latest counts. */
import * as api from "./api.js";
import * as entitlements from "./entitlements.js";
import { notify, trouble } from "./notices.js";
import { priceBasket, saleLines } from "./prices.js";
import { change, dropMember, onChange, state } from "./state.js";
import { allocate, giftsWorth, saleTenders } from "./tenders.js";
import { t } from "./texts.js";

const DELAY_MS = 180;
const RESCAN = new Set(["code_invalid", "code_expired", "code_used", "scan_invalid", "scan_expired", "scan_used"]);

let asked = "";
let asking = null;
let timer = null;
let answer = Promise.resolve();

/** Whether a refusal means that the member must show a new code. */
export const needsRescan = (error) => RESCAN.has(error.code) && !error.of;

/** What the prices depend on. */
const basketKey = () => JSON.stringify([state.member?.scanToken, saleLines(state.lines)]);

/** The quote of this basket, if it came. */
const currentQuote = () => (state.quote && state.quoteOf === basketKey() ? state.quote : null);

/**
 * The prices on the screen: `{ pieces, total, cut, member, payable, coupon, due, earned, phone }`; `coupon` is what the chosen
 * coupons take of `payable`, `due` what they leave; `exact` once the server agreed.
 */
export function prices() {
  const local = priceBasket(state.lines, entitlements.discountBp());
  const quote = currentQuote();
  if (!quote) return { ...local, coupon: 0, due: local.payable, exact: false, earned: null, phone: false };
  const member = quote.total_fen - local.cut - quote.payable_fen;
  const coupon = usedCoupons(quote).reduce((sum, used) => sum + used.amount_fen, 0);
  return {
    pieces: local.pieces, cut: local.cut, total: quote.total_fen, member, payable: quote.payable_fen, coupon, due: quote.payable_fen - coupon,
    exact: couponsAgreed(quote), earned: quote.points_earned ?? null, phone: Boolean(quote.confirmation_required),
  };
}

/** The chosen coupons that a quote counted in, with what they take. */
const usedCoupons = (quote) => quote.coupons.filter((coupon) => coupon.used && state.choice.coupons.includes(coupon.id));

/** Whether a quote was asked with just the coupons that are chosen now. */
const couponsAgreed = (quote) =>
  quote.coupons.filter((coupon) => coupon.used).length === state.choice.coupons.length && usedCoupons(quote).length === state.choice.coupons.length;

/** The member's coupons as they are known: on this basket, on the one before it, or as they were at the scan. */
export function couponsShown() {
  if (!state.member) return { shown: [], suggestion: null };
  const before = state.lines.length ? state.quote : null;
  return { shown: before?.coupons ?? state.member.coupons, suggestion: currentQuote()?.suggestion ?? null };
}

/** How many fen a number of the member's points pays. */
export const pointsValue = (points) => Math.max(0, Math.floor((points * pointValueBp()) / 10000));

/** What one point pays, in 1/10000 fen. */
const pointValueBp = () => state.context?.limits?.point_value_fen_bp ?? 10000;

/** The member's balances in fen, by tender; without a member nothing of theirs can pay. */
export function limits() {
  const { member } = state;
  if (!member) return { stored: 0, points: 0, rebate: 0, gift_card: 0 };
  return {
    stored: member.wallet.stored?.total_fen ?? 0,
    points: pointsValue(member.wallet.points?.available ?? 0),
    rebate: member.wallet.rebate_fen ?? 0,
    gift_card: giftsWorth(state.choice.gifts),
    pointsStep: Math.max(1, Math.floor(pointValueBp() / 10000)), // whole points only
  };
}

/** The tenders as they stand. */
export const shares = () => allocate(prices().due, state.choice, limits());

/** A sale's body as it stands; while something is missing or not known yet, cash takes what is left. */
export function saleBody(orderNo) {
  const split = shares();
  const quote = currentQuote();
  const known = !state.choice.coupons.length || (quote && couponsAgreed(quote));
  const coupons = state.choice.coupons.map((id) => ({ type: "coupon", coupon_id: id }));
  const others = split.remaining || !known ? [{ type: "cash" }] : saleTenders(split, state.choice);
  const tenders = [...coupons, ...others];
  const body = { scan_token: state.member.scanToken, code_entry: state.member.entry, order_no: orderNo, lines: saleLines(state.lines), tenders };
  if (state.cashier) body.cashier = state.cashier;
  return body;
}

/** Resolves when no quote is under way. */
export async function settled() {
  clearTimeout(timer);
  follow(0);
  await answer;
}

/** Ask again, whatever was asked before. */
export function refresh() {
  asked = "";
  follow(0);
}

/** Show a quote; coupons that it was asked with and does not count in are chosen no more. */
function take(quote, key, body) {
  const named = new Set(body.tenders.map((tender) => tender.coupon_id));
  const gone = quote.coupons.filter((coupon) => named.has(coupon.id) && !coupon.used);
  change((now) => {
    Object.assign(now, { quote, quoteOf: key });
    if (gone.length) dropCoupons(gone.map((coupon) => coupon.id));
  });
  if (gone.length) notify(t("coupons.dropped", { title: gone[0].title }), { detail: gone[0].detail, bad: true });
}

/** Do without these coupons. */
export function dropCoupons(ids) {
  change((now) => { now.choice = { ...now.choice, coupons: now.choice.coupons.filter((id) => !ids.includes(id)) }; });
}

async function ask(body, key) {
  asking?.abort();
  asking = new AbortController();
  const mine = asking;
  try {
    const quote = await api.quote(body, mine.signal);
    if (!mine.signal.aborted) take(quote, key, body);
  } catch (error) {
    if (mine.signal.aborted) return;
    asked = "";
    if (error.status === undefined) return; // the line; the banner says so
    if (needsRescan(error)) dropMember();
    trouble(error, needsRescan(error) ? { text: t("member.scan"), run: () => {} } : { text: t("common.retry"), run: refresh });
  }
}

function follow(delayMs) {
  if (!state.member || !state.lines.length || state.settling) {
    clearTimeout(timer);
    asking?.abort();
    asked = "";
    return;
  }
  const body = saleBody(state.orderNo || "quote");
  const wish = JSON.stringify(body);
  if (wish === asked) return;
  asked = wish;
  clearTimeout(timer);
  const send = () => { answer = ask(body, basketKey()); };
  if (delayMs) timer = setTimeout(send, delayMs);
  else send();
}

export function start() {
  onChange(() => follow(DELAY_MS));
}
