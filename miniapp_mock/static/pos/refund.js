/** Refunds: find the receipt, choose what comes back, give it back once, say what the till pays out. */
import { fill, h } from "/static/shared/dom.js";
import { dateTime, money, parseYuan } from "/static/shared/format.js";
import * as api from "./api.js";
import * as attempts from "./attempts.js";
import { picture } from "./icons.js";
import { announce, dismiss, notify, trouble } from "./notices.js";
import { orderDay } from "./numbers.js";
import { refundReceiptOf } from "./receipt.js";
import { refundResult } from "./refund_result.js";
import { sendShown } from "./retry_dialog.js";
import { articleOf } from "./search.js";
import { change, state } from "./state.js";
import { t } from "./texts.js";
import { countAside } from "./undecided.js";
import * as views from "./views.js";

const REASONS = ["quality", "unwanted", "wrong", "other"];
const OPEN = new Set(["completed", "partly_refunded"]);

const place = h("main", { class: "refund", id: "refund" });
let sale = null;
let names = new Map();
let draft = null;

const freshDraft = () => ({ mode: "lines", qty: new Map(), amount: "", reason: "", more: "" });

/** An order number typed whole, or only its last digits for this terminal's day. */
export function wholeOrderNo(text) {
  const typed = text.trim();
  return /^\d{1,5}$/.test(typed) ? `${state.context.terminal.id}-${orderDay()}-${typed.padStart(4, "0")}` : typed;
}

/** Whether a scanned text looks like one of this chain's order numbers. */
export const isOrderNo = (text) => /-\d{6}-\d{4,}$/.test(text);

const leftQty = (line) => line.qty - (line.refunded_qty || 0);
const leftFen = () => sale.payable_fen - (sale.refunded_fen || 0);

/** What the chosen pieces are worth; the server has the last word on the last fen. */
function chosenFen() {
  if (draft.mode === "amount") return parseYuan(draft.amount) || 0;
  const fen = sale.lines.reduce((sum, line) => {
    const before = line.refunded_qty || 0;
    const upTo = (qty) => Math.floor((line.payable_fen * qty) / line.qty);
    return sum + upTo(before + (draft.qty.get(line.line_no) || 0)) - upTo(before);
  }, 0);
  return Math.min(fen, leftFen());
}

async function find(text) {
  const orderNo = wholeOrderNo(text);
  if (!orderNo) return;
  dismiss();
  try {
    sale = await api.findSale(orderNo);
    draft = freshDraft();
    names = new Map();
    redraw();
    announce(`${t("receipt.order")} ${sale.order_no}，${money(sale.payable_fen)}`);
    await nameLines();
  } catch (error) {
    sale = null;
    redraw();
    if (error.status === 404) notify(t("refund.not_found"), { bad: true });
    else trouble(error, { text: t("common.retry"), run: () => find(text) });
  }
}

/** The answer names articles by sku only. */
async function nameLines() {
  const wanted = sale;
  for (const { sku } of sale.lines) {
    const article = await articleOf(sku).catch(() => null);
    if (sale !== wanted) return;
    if (article) names.set(sku, article.name);
  }
  drawSale();
}

const nameOf = (line) => line.name || names.get(line.sku) || line.sku;

function stepper(line) {
  const chosen = draft.qty.get(line.line_no) || 0;
  const set = (qty) => {
    draft.qty.set(line.line_no, Math.max(0, Math.min(leftQty(line), qty)));
    drawSale();
  };
  return h("div", { class: "stepper" },
    h("button", {
      class: "icon-button", type: "button", dataset: { keep: `less-${line.line_no}` }, "aria-label": `${t("basket.less")} ${nameOf(line)}`, disabled: chosen === 0, onclick: () => set(chosen - 1),
    }, picture("minus")),
    h("output", { class: "num strong" }, chosen),
    h("button", { class: "icon-button", type: "button", dataset: { keep: `more-${line.line_no}` }, "aria-label": `${t("basket.more")} ${nameOf(line)}`, disabled: chosen >= leftQty(line), onclick: () => set(chosen + 1) }, picture("plus")));
}

function lineRow(line) {
  return h("li", { class: "cell refund-line", dataset: { on: draft.qty.get(line.line_no) ? "yes" : "no" } },
    h("span", { class: "num muted line-no" }, line.line_no),
    h("div", { class: "grow" },
      h("p", { class: "strong clip" }, nameOf(line)),
      h("p", { class: "tiny muted num" }, t("refund.line_of", { qty: line.qty, amount: money(line.payable_fen) }), line.refunded_qty ? ` · ${t("refund.already", { count: line.refunded_qty })}` : "")),
    stepper(line));
}

function choice(group, value, text, checked, onchange) {
  return h("label", { class: "choice" },
    h("input", { type: "radio", name: group, value, checked, dataset: { keep: `${group}-${value}` }, onchange }),
    h("span", null, text),
  );
}

function amountField() {
  const input = h("input", {
    class: "input big num", id: "refund-amount", dataset: { keep: "amount" }, inputmode: "decimal", autocomplete: "off", maxlength: "12", value: draft.amount,
  });
  input.addEventListener("input", () => { draft.amount = input.value; drawAside(); });
  return h("div", { class: "field refund-amount" },
    h("label", { for: "refund-amount" }, t("refund.amount")),
    input,
    h("p", { class: "small muted num" }, t("refund.amount_max", { max: money(leftFen()), amount: money(leftFen()) })),
  );
}

const middle = h("section", { class: "card refund-sale" });
const aside = h("section", { class: "card refund-side" });

/** Redraw a part and keep the focus on the same control. */
function refill(part, ...children) {
  const keep = part.contains(document.activeElement) ? document.activeElement.dataset.keep : null;
  const scroll = part.querySelector(".refund-lines")?.scrollTop ?? 0;
  fill(part, children);
  const lines = part.querySelector(".refund-lines");
  if (lines) lines.scrollTop = scroll;
  if (!keep) return;
  const again = part.querySelector(`[data-keep="${keep}"]`);
  (again?.disabled ? again.parentElement.querySelector("button:not(:disabled)") : again)?.focus();
}

function drawSale() {
  if (!sale) {
    refill(
      middle,
      h("div", { class: "empty" },
        picture("receipt", 56),
        h("p", { class: "strong" }, t("refund.empty")),
        h("p", { class: "small" }, t("refund.hint")),
      ),
    );
    return drawAside();
  }
  const all = () => { for (const line of sale.lines) draft.qty.set(line.line_no, leftQty(line)); drawSale(); };
  const mode = (value) => () => { draft.mode = value; drawSale(); document.getElementById("refund-amount")?.focus(); };
  refill(middle,
    h("div", { class: "row between refund-head" },
      h("div", null,
        h("p", { class: "strong num" }, sale.order_no),
        h("p", { class: "small muted num" }, sale.at ? `${dateTime(sale.at)} · ` : "", t("result.paid", { amount: money(sale.payable_fen) })),
      ),
      h("span", { class: `pill ${OPEN.has(sale.status) ? "brand" : "danger"}` }, t(`status.${sale.status}`))),
    OPEN.has(sale.status) ? [
      h("div", { class: "row between refund-mode" },
        h("div", { class: "choices", role: "radiogroup", "aria-label": t("refund.title") },
          choice("refund-mode", "lines", t("refund.by_lines"), draft.mode === "lines", mode("lines")), choice("refund-mode", "amount", t("refund.by_amount"), draft.mode === "amount", mode("amount"))),
        draft.mode === "lines" ? h("button", { class: "button compact", type: "button", dataset: { keep: "all" }, onclick: all }, t("refund.all")) : null),
      draft.mode === "lines" ? h("ul", { class: "cells refund-lines" }, sale.lines.map(lineRow)) : amountField(),
    ] : h("div", { class: "empty" }, picture("receipt", 56), h("p", { class: "strong" }, t("refund.closed", { status: t(`status.${sale.status}`) }))));
  return drawAside();
}

function drawAside() {
  if (!sale || !OPEN.has(sale.status)) return refill(aside);
  const more = h("input", {
    class: "input", maxlength: "120", autocomplete: "off", dataset: { keep: "more" }, placeholder: t("refund.reason_other"), "aria-label": t("refund.reason_other"), value: draft.more,
  });
  more.addEventListener("input", () => { draft.more = more.value; });
  return refill(aside,
    h("h2", null, t("refund.reason")),
    h("div", { class: "choices reasons", role: "radiogroup", "aria-label": t("refund.reason") },
      REASONS.map((reason) => choice("reason", reason, t(`reason.${reason}`), draft.reason === reason, () => { draft.reason = reason; drawAside(); }))),
    more,
    h("div", { class: "refund-paid" }, h("p", { class: "small muted" }, t("refund.paid_by")),
      sale.tenders.map((tender) => h("div", { class: "row between small" }, h("span", null, t(`tender.${tender.type}`)), h("span", { class: "num" }, money(tender.amount_fen))))),
    h("span", { class: "grow" }),
    h("div", { class: "row between refund-total" },
      h("span", { class: "muted" }, t(draft.mode === "amount" ? "refund.sum" : "refund.about")),
      h("output", { class: "total num", id: "refund-sum" }, money(chosenFen())),
    ),
    h("button", { class: "button primary settle", type: "button", id: "refund-do", dataset: { keep: "do" }, "aria-busy": String(state.settling), onclick: give }, h("span", null, t(state.settling ? "refund.doing" : "refund.do")), h("kbd", null, "F9")));
}

function body() {
  const reason = [t(`reason.${draft.reason}`), draft.more.trim()].filter(Boolean).join("：");
  if (draft.mode === "amount") return { amount_fen: parseYuan(draft.amount), reason };
  const lines = sale.lines.filter((line) => draft.qty.get(line.line_no)).map((line) => ({ line_no: line.line_no, qty: draft.qty.get(line.line_no) }));
  return { lines, reason };
}

function ready() {
  const fen = chosenFen();
  if (draft.mode === "amount" && (fen <= 0 || fen > leftFen())) notify(t("refund.amount_wrong", { max: money(leftFen()) }), { bad: true });
  else if (draft.mode === "lines" && ![...draft.qty.values()].some(Boolean)) notify(t("refund.nothing"), { bad: true });
  else if (!draft.reason) notify(t("refund.reason_needed"), { bad: true });
  else return true;
  return false;
}

/** Give it back (F9). */
async function give() {
  if (!sale || state.settling) return;
  dismiss();
  if (!ready()) return;
  const wish = body();
  const lines = (wish.lines || []).map(({ line_no: no, qty }) => {
    const line = sale.lines.find((one) => one.line_no === no);
    return { name: nameOf(line), sku: line.sku, qty, sum: Math.floor((line.payable_fen * qty) / line.qty) };
  });
  const memo = { orderNo: sale.order_no, saleId: sale.id, payable: chosenFen(), lines, reason: wish.reason };
  const attempt = await attempts.begin("refund", `/v1/pos/sales/${encodeURIComponent(sale.id)}/refunds`, wish, memo);
  await carry(attempt, false);
}

async function carry(attempt, resumed) {
  attempts.inHand.add(attempt.key);
  change((now) => { now.settling = true; });
  drawAside();
  try {
    const refund = await sendShown(attempt, { resumed });
    const receipt = refundReceiptOf(
      refund,
      { id: attempt.memo.saleId, order_no: attempt.memo.orderNo },
      attempt.memo.lines,
      attempt.memo.reason,
      state.context,
      state.cashier,
    );
    sale = null;
    views.show("refund", { done: receipt });
    await attempts.end(attempt);
    announce(t("refund.spoken", { amount: money(receipt.payable) }));
  } catch (error) {
    if (error instanceof attempts.PutAside) {
      attempts.inHand.delete(attempt.key);
      notify(t("retry.aside_done", { order: attempt.memo.orderNo }));
    } else {
      await attempts.end(attempt);
      trouble(error, { text: t("refund.find"), run: () => find(attempt.memo.orderNo) });
    }
  } finally {
    change((now) => { now.settling = false; });
    drawAside();
    await countAside();
  }
}

/** Take up a refund whose outcome is not known. */
export const resumeRefund = (attempt) => carry(attempt, true);

const input = h("input", {
  class: "input num", id: "refund-order", autocomplete: "off", spellcheck: "false", maxlength: "64", placeholder: t("refund.order"), "aria-label": t("refund.order"),
});

function redraw() {
  drawSale();
  fill(place,
    h("form", { class: "card refund-find", onsubmit: (event) => { event.preventDefault(); find(input.value); } },
      h("button", { class: "button", type: "button", id: "refund-back", onclick: () => views.show("till") },
        picture("back", 20),
        t("refund.back"),
        h("kbd", null, "Esc"),
      ),
      h("h1", null, t("refund.title")), h("span", { class: "grow" }), input, h("button", { class: "button primary", type: "submit", id: "refund-find" }, t("refund.find"))),
    middle, aside);
}

function enter({ orderNo, done } = {}) {
  if (done) return refundResult(place, done);
  sale = null;
  draft = freshDraft();
  input.value = orderNo || "";
  redraw();
  input.focus();
  return orderNo ? find(orderNo) : undefined;
}

/** Look up a scanned receipt. */
export function scanned(orderNo) {
  views.show("refund", { orderNo });
}

export function build() {
  views.add("refund", place, { enter, leave: dismiss });
  document.addEventListener("keydown", (event) => {
    if (views.current() !== "refund" || document.querySelector("dialog[open]")) return;
    if (event.key === "Escape") views.show("till");
    else if (event.key === "F9") { event.preventDefault(); give(); }
  });
  return place;
}
