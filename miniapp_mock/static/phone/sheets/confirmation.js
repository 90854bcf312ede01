/** The sheet on which a member approves or rejects a waiting payment. */
import { fill, h } from "../../shared/dom.js";
import { openDialog } from "../../shared/dialog.js";
import { countdown, money } from "../../shared/format.js";
import { glyph } from "../icons.js";
import { busy, fact } from "../parts.js";
import { pinPad } from "../pinpad.js";
import { receiptShown } from "./receipt.js";
import { problemText, t } from "../texts.js";

/** What is to pay once the coupons have paid. */
export const leftToPay = (item) => item.payable_fen - (item.coupon_fen || 0);

/** Open it; `closed` resolves with "answered" when this payment needs no further word, `undefined` when it was put off. */
export function confirmationSheet(app, item) {
  const left = h("p", { class: "confirm-left num", role: "timer" });
  const problem = h("p", { class: "field-error center", role: "alert" });
  const area = h("div", { class: "stack" });
  const approve = h("button", { type: "button", class: "button primary wide", autofocus: true, onclick: () => decide("approve") }, t("confirm.approve"));
  const reject = h("button", { type: "button", class: "button plain wide danger-text", onclick: () => decide("reject", undefined, reject) }, t("confirm.reject"));
  const pad = pinPad((pin) => decide("approve", pin));
  const body = h(
    "div",
    { class: "sheet-body stack confirm" },
    h("div", { class: "sheet-head" },
      h("button", { type: "button", class: "icon-button", "aria-label": t("confirm.later"), onclick: () => dialog.close() }, glyph("close", 22)),
      h("h2", { class: "sheet-title" }, t("confirm.title")),
      left),
    h("p", { class: "center muted" }, glyph("shop", 18, "inline-icon"), item.store?.name || ""),
    h("p", { class: "big-amount num" }, money(leftToPay(item))),
    item.coupon_fen > 0 && h("dl", { class: "facts sunk" },
      fact(t("confirm.payable"), money(item.payable_fen)),
      fact(t("confirm.coupons"), money(-item.coupon_fen), { look: "brand" }),
      fact(t("confirm.rest"), money(leftToPay(item)), { look: "strong" })),
    problem,
    area,
  );
  fill(area, approve, reject);
  const dialog = openDialog(body, { label: t("confirm.title"), className: "confirm-sheet" });
  let sending = false;

  function tick() {
    const seconds = (Date.parse(item.expires_at) - app.api.serverNow()) / 1000;
    if (!Number.isFinite(seconds)) return;
    if (seconds <= 0) over(t("confirm.expired"), t("confirm.expired_hint"));
    else left.textContent = t("confirm.left", { time: countdown(seconds) });
  }
  const timer = setInterval(tick, 500);
  tick();
  dialog.closed.then(() => clearInterval(timer));

  /** Nothing can be decided any more. */
  function over(title, hint) {
    clearInterval(timer);
    left.textContent = "";
    problem.textContent = "";
    fill(area, h("p", { class: "center strong" }, title), h("p", { class: "center muted small" }, hint), h("button", { type: "button", class: "button wide", onclick: () => dialog.close("answered") }, t("common.ok")));
    area.querySelector("button").focus();
  }

  function askPin() {
    fill(area, h("p", { class: "center muted small" }, t("confirm.pin")), pad.node, reject);
    pad.clear();
    pad.focus();
  }

  async function decide(decision, pin, button = approve) {
    if (sending) return;
    if (decision === "approve" && pin === undefined && app.store.get("member")?.pin_set === true) {
      askPin();
      return;
    }
    sending = true;
    problem.textContent = "";
    pad.setBusy(true);
    await busy(button, async () => {
      try {
        const body = pin === undefined ? { decision } : { decision, pin };
        const answer = await app.api.post(`/v1/member/confirmations/${encodeURIComponent(item.id)}`, body);
        dialog.close("answered");
        if (decision === "reject") app.toast(t("confirm.rejected"));
        else if (answer?.status !== "awaiting_confirmation") paid();
      } catch (error) {
        refused(error);
      }
    });
    sending = false;
  }

  /** The receipt comes over the live channel; should it not, the member still hears of it. */
  function paid() {
    setTimeout(() => {
      app.refresh().catch(() => undefined);
      if (!receiptShown(item.sale_id)) app.toast(t("confirm.paid"));
    }, 1500);
  }

  function refused(error) {
    if (error.code === "pin_required") return askPin();
    if (error.status === 404 || ["sale_completed", "sale_not_waiting"].includes(error.code)) return over(t("confirm.expired"), t("confirm.expired_hint"));
    problem.textContent = problemText(error);
    if (error.code === "insufficient_balance") {
      problem.textContent = t("confirm.short");
      return fill(area, h("button", { type: "button", class: "button primary wide", onclick: () => { dialog.close(); app.go("recharge"); } }, t("entries.go_recharge")), approve, reject);
    }
    if (error.code === "pin_reset_required") return fill(area, h("button", { type: "button", class: "button primary wide", onclick: () => { dialog.close(); app.go("pin"); } }, t("pin.set")), reject);
    const tries = error.problem?.attempts_left ?? error.problem?.tries_left;
    if (error.code === "pin_invalid" && Number.isFinite(tries)) problem.textContent = t("confirm.wrong_left", { count: tries });
    pad.clear();
    return undefined;
  }

  /** The till took it back, or its time ran out. */
  function gone(cancelled) {
    if (cancelled) over(t("confirm.cancelled"), t("confirm.expired_hint"));
    else over(t("confirm.expired"), t("confirm.expired_hint"));
  }

  return { gone, closed: dialog.closed, close: dialog.close, saleId: item.sale_id };
}
