/** Settling: one attempt a sale, kept until its outcome is known, whatever happens to the line or the page. */
import { Problem } from "./api.js";
import { askOverride } from "./authorise.js";
import * as attempts from "./attempts.js";
import { money } from "/static/shared/format.js";
import * as gifts from "./gifts.js";
import { ask } from "./member.js";
import { dismiss, notify, trouble } from "./notices.js";
import { leastFree, takeNumber } from "./numbers.js";
import * as quotes from "./quotes.js";
import { receiptOf } from "./receipt.js";
import { showResult } from "./result.js";
import { sendShown } from "./retry_dialog.js";
import { change, clearSale, dropMember, state } from "./state.js";
import { edit, freshChoice, press, withGifts } from "./tenders.js";
import { t, troubleText } from "./texts.js";
import { countAside } from "./undecided.js";
import { awaitPhone } from "./waiting.js";

/** What is missing before a sale may be settled: says so, and leads there. */
function ready() {
  if (!state.lines.length) {
    notify(t("basket.first"));
    return false;
  }
  if (!state.member) {
    notify(t("member.needed"));
    ask();
    return false;
  }
  const { remaining } = quotes.shares();
  if (remaining > 0) {
    const payCash = { text: t("pay.top_up_cash"), run: () => change((now) => { now.choice = press(now.choice, "cash", quotes.prices().due, quotes.limits()); }) };
    notify(t("pay.choose", { amount: money(remaining) }), { bad: true, action: payCash });
    return false;
  }
  return true;
}

/** Settle the basket (F9). */
export async function settle() {
  if (state.settling || state.reading) return;
  dismiss();
  if (!ready()) return;
  const before = quotes.prices().due;
  await quotes.settled();
  if (!state.member || !ready()) return;
  if (quotes.prices().due !== before) {
    notify(t("pay.price_changed", { amount: money(quotes.prices().due) }), { bad: true });
    return;
  }
  const missing = state.quote?.override;
  const override = missing ? await askOverride(missing) : null;
  if ((missing && !override) || !state.member) return;
  change((now) => { now.settling = true; });
  try {
    await settleOnce(false, override);
  } finally {
    change((now) => { now.settling = false; });
  }
}

/** What the till must remember of a sale to show its result, also after a reload. */
function memoOf() {
  const { change: back } = quotes.shares();
  return {
    lines: state.lines, cashGiven: state.choice.cashGiven, change: back, cashier: state.cashier, payable: quotes.prices().payable,
    member: { name: state.member.name, level: state.member.level, entry: state.member.entry },
    coupons: Object.fromEntries(quotes.couponsShown().shown.map((coupon) => [coupon.id, coupon.title])),
    gifts: Object.fromEntries(state.choice.gifts.map((gift) => [gift.id, gift.title.slice(-4)])),
  };
}

async function settleOnce(again, override) {
  if (!state.orderNo) await takeNumber();
  const attempt = await attempts.begin("sale", "/v1/pos/sales", { ...quotes.saleBody(state.orderNo), ...(override ? { override } : {}) }, { ...memoOf(), orderNo: state.orderNo });
  try {
    await finish(attempt, await sendShown(attempt));
  } catch (error) {
    if (error instanceof attempts.PutAside) return putAside(attempt);
    await attempts.end(attempt);
    if (error.code === "order_exists" && !again) { // the counter was lost once
      await takeNumber(leastFree());
      return settleOnce(true, override);
    }
    if (error.code === "override_required" && error.missing && !override) { // the prices were asked for before the cut
      const given = await askOverride(error.missing);
      if (given) return settleOnce(again, given);
    } else refused(error);
  }
  return undefined;
}

function refused(error) {
  if (!(error instanceof Problem)) throw error;
  if (quotes.needsRescan(error)) {
    dropMember();
    trouble(error, { text: t("member.type"), run: ask });
  } else if (error.couponId) {
    quotes.dropCoupons([error.couponId]);
    quotes.refresh();
    trouble(error);
  } else if (error.code.startsWith("gift_card_")) {
    change((now) => { now.choice = withGifts(now.choice, []); });
    trouble(error, { text: t("gift.again"), run: () => gifts.open() });
  } else if (error.code === "insufficient_balance") {
    trouble(error, { text: t("pay.all_cash"), run: () => change((now) => { now.choice = edit({ ...freshChoice(), coupons: now.choice.coupons, rest: "cash" }, "cash", null); }) });
  } else if (error.code === "tenders_mismatch") {
    quotes.refresh();
    trouble(error, { text: t("pay.all_stored"), run: () => change((now) => { now.choice = freshChoice(); }) });
  } else trouble(error);
}

function putAside(attempt) {
  attempts.inHand.delete(attempt.key);
  clearSale();
  notify(t("retry.aside_done", { order: attempt.memo.orderNo }));
  return countAside();
}

/** The server answered: show the receipt, or wait for the phone first. Throws nothing. */
async function finish(attempt, answer) {
  let sale = answer;
  if (sale.status === "awaiting_confirmation") {
    await attempts.note(attempt, { saleId: sale.id });
    sale = await awaitPhone(sale, attempt.memo);
  }
  await conclude(attempt, sale);
}

async function conclude(attempt, sale) {
  const mine = state.orderNo === attempt.memo.orderNo;
  if (["rejected", "expired", "cancelled"].includes(sale.status)) {
    await attempts.end(attempt);
    if (mine) {
      change((now) => { now.orderNo = null; }); // the member must show a new code, and the sale gets a new number
      dropMember();
    }
    notify(t(`wait.${sale.status}`), { detail: t("wait.again"), bad: sale.status !== "cancelled" });
    return;
  }
  const receipt = receiptOf(sale, attempt.memo, state.context);
  if (mine) clearSale();
  await showResult(receipt);
  await attempts.end(attempt);
}

/** Take up an attempt that was cut short by a reload, or put aside; shows what became of it. */
export async function resume(attempt) {
  attempts.inHand.add(attempt.key);
  change((now) => { now.settling = true; });
  try {
    await finish(attempt, await sendShown(attempt, { resumed: true }));
  } catch (error) {
    if (error instanceof attempts.PutAside) attempts.inHand.delete(attempt.key);
    else {
      await attempts.end(attempt);
      notify(t("aside.refused", { order: attempt.memo.orderNo, reason: troubleText(error).title }), { bad: true });
    }
  } finally {
    change((now) => { now.settling = false; });
    await countAside();
  }
}
