/** Attempts put aside: they go on in the background, and the header leads to them. */
import { h } from "/static/shared/dom.js";
import { money, time } from "/static/shared/format.js";
import * as api from "./api.js";
import * as attempts from "./attempts.js";
import * as errands from "./errands.js";
import { button, openDialog } from "./dialogs.js";
import { isUp, watch } from "./line.js";
import { notify } from "./notices.js";
import { print, receiptOf } from "./receipt.js";
import { resumeRefund } from "./refund.js";
import { resume } from "./settle.js";
import { keepLast, state } from "./state.js";
import { t, troubleText } from "./texts.js";
import { countAside } from "./undecided.js";

const EVERY_MS = 8000;

/** Take up an attempt in front of the cashier. */
export function takeUp(attempt) {
  if (attempt.kind === "refund") return resumeRefund(attempt);
  return errands.is(attempt) ? errands.resume(attempt) : resume(attempt);
}

/** What an attempt is called in the list. */
function nameOf({ kind, memo }) {
  if (memo.what) return memo.what;
  return kind === "refund" ? t("aside.refund") : t("aside.sale", { amount: money(memo.payable) });
}

/** The list of what is still open. */
export async function openList() {
  const rows = await attempts.unfinished();
  const dialog = openDialog({
    title: t("aside.title"),
    body: rows.length
      ? h("ul", { class: "cells" }, rows.map((row) => h("li", { class: "cell" },
        h("div", { class: "grow" },
          h("p", { class: "strong num" }, row.memo.orderNo),
          h("p", { class: "small muted num" }, `${time(row.begunAt)} · ${nameOf(row)}`)),
        button(t("aside.open"), () => { dialog.close(); takeUp(row); }, "compact soft"))))
      : h("p", { class: "empty" }, t("aside.empty")),
  });
}

/** One try, without a word to the cashier unless it decides. */
async function tryOnce(attempt) {
  attempts.inHand.add(attempt.key);
  const once = new AbortController();
  try {
    const answer = await attempts.send(attempt, { signal: once.signal, resumed: true, onWait: () => once.abort() });
    await decided(attempt, answer);
  } catch (error) {
    if (error instanceof attempts.PutAside) return;
    await attempts.end(attempt);
    notify(t("aside.refused", { order: attempt.memo.orderNo, reason: troubleText(error).title }), { bad: true });
  } finally {
    attempts.inHand.delete(attempt.key);
  }
}

async function decided(attempt, answer) {
  const order = attempt.memo.orderNo;
  if (errands.is(attempt)) return errands.done(attempt);
  if (attempt.kind === "refund") {
    await attempts.end(attempt);
    return notify(t("aside.refund_done", { order }), { stays: true });
  }
  const sale = answer.status === "awaiting_confirmation" ? await api.getSale(answer.id) : answer;
  if (sale.status === "awaiting_confirmation") return undefined;
  await attempts.end(attempt);
  if (["rejected", "expired", "cancelled"].includes(sale.status)) return notify(
    t("aside.refused", { order, reason: t(`status.${sale.status}`) }),
    { bad: true },
  );
  const receipt = receiptOf(sale, attempt.memo, state.context);
  keepLast(receipt);
  return notify(
    t("aside.done", { order, amount: money(sale.payable_fen) }),
    { stays: true, action: { text: t("result.print"), run: () => print(receipt) } },
  );
}

let busy = false;

async function round() {
  if (busy || state.settling || !isUp()) return;
  busy = true;
  try {
    for (const attempt of await attempts.unfinished()) await tryOnce(attempt);
    await countAside();
  } finally {
    busy = false;
  }
}

/** Go on with what is put aside, every few seconds and as soon as the line is back. */
export function start() {
  countAside();
  setInterval(round, EVERY_MS);
  watch(round);
}
