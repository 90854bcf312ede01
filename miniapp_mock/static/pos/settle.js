/** Settling: one attempt a sale, kept until its outcome is known, whatever happens to the line or the page. */
import { Problem } from "./api.js";
import * as attempts from "./attempts.js";
import { serverNow } from "./clock.js";
import { local, money } from "/static/shared/format.js";
import { ask } from "./member.js";
import { dismiss, notify, trouble } from "./notices.js";
import * as quotes from "./quotes.js";
import { receiptOf } from "./receipt.js";
import { showResult } from "./result.js";
import { sendShown } from "./retry_dialog.js";
import { change, clearSale, dropMember, state } from "./state.js";
import { takeOrderNo } from "./store.js";
import { edit, freshChoice, press } from "./tenders.js";
import { t, troubleText } from "./texts.js";
import { awaitPhone } from "./waiting.js";

const ABOVE_ALL = 10000;

/** The day of an order number, in the store's zone: `261123`. */
export function orderDay() {
  const { year, month, day } = local(serverNow());
  return [year % 100, month, day].map((part) => String(part).padStart(2, "0")).join("");
}

/** Above every number that this terminal gave out today, also where its counter was lost: from the second of the day. */
function leastFree() {
  const { hour, minute, second } = local(serverNow());
  return ABOVE_ALL + (hour * 60 + minute) * 60 + second;
}

async function takeNumber(least) {
  const orderNo = await takeOrderNo(state.context.terminal.id, orderDay(), least);
  change((now) => { now.orderNo = orderNo; });
}

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
    const payCash = { text: t("pay.top_up_cash"), run: () => change((now) => { now.choice = press(now.choice, "cash", quotes.prices().payable, quotes.limits()); }) };
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
  const before = quotes.prices().payable;
  await quotes.settled();
  if (!state.member || !ready()) return;
  if (quotes.prices().payable !== before) {
    notify(t("pay.price_changed", { amount: money(quotes.prices().payable) }), { bad: true });
    return;
  }
  change((now) => { now.settling = true; });
  try {
    await settleOnce(false);
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
  };
}

async function settleOnce(again) {
  if (!state.orderNo) await takeNumber();
  const attempt = await attempts.begin("sale", "/v1/pos/sales", quotes.saleBody(state.orderNo), { ...memoOf(), orderNo: state.orderNo });
  try {
    await finish(attempt, await sendShown(attempt));
  } catch (error) {
    if (error instanceof attempts.PutAside) return putAside(attempt);
    await attempts.end(attempt);
    if (error.code === "order_exists" && !again) { // the counter was lost once
      await takeNumber(leastFree());
      return settleOnce(true);
    }
    refused(error);
  }
  return undefined;
}

function refused(error) {
  if (!(error instanceof Problem)) throw error;
  if (quotes.needsRescan(error)) {
    dropMember();
    trouble(error, { text: t("member.type"), run: ask });
  } else if (error.code === "insufficient_balance") {
    trouble(error, { text: t("pay.all_cash"), run: () => change((now) => { now.choice = edit({ ...freshChoice(), rest: "cash" }, "cash", null); }) });
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

/** Number of attempts without known outcome, for the header. */
export async function countAside() {
  const rows = await attempts.unfinished();
  change((now) => { now.asideCount = rows.length; });
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
