/** 充值记录: every recharge with what became of it; ask for one back, and download a month's statement. */
import { fill, h } from "../../shared/dom.js";
import { newKey } from "../../shared/api.js";
import { openDialog } from "../../shared/dialog.js";
import { dayTime, money, parseYuan } from "../../shared/format.js";
import { endless } from "../endless.js";
import { glyph } from "../icons.js";
import { busy, emptyState, field, skeletonRows } from "../parts.js";
import { problemText, t } from "../texts.js";

const UNDER_WAY = ["asked", "frozen", "sent", "stopping"];
const MONTHS = 12;

export function rechargesScreen(app) {
  let shown = null;
  const held = h("p", { class: "small muted num", hidden: true });
  const list = endless({
    fetch: (cursor) => app.api.get("/v1/member/recharges", cursor ? { cursor } : {}),
    wait: () => h("div", { class: "card flush" }, skeletonRows(5)),
    draw: (items) => h("ul", { class: "card flush cells" }, items.map(row)),
    nothing: () => h("div", { class: "card" }, emptyState({ icon: "recharge", title: t("recharges.none"), hint: t("recharges.none_hint"), action: t("recharge.title"), onAction: () => app.go("recharge") })),
  });
  const node = h("div", { class: "page stack" }, held, list.node, statement(app));
  const stop = app.store.watch(["wallet"], () => {
    const fen = app.store.get("wallet")?.stored?.held_fen || 0;
    held.hidden = !fen;
    held.textContent = t("recharges.held", { amount: money(fen) });
    if (shown !== null && shown !== app.store.get("wallet")) list.reload({ quiet: true }); // something came, or went back
    shown = app.store.get("wallet") || null;
  });

  function row(one) {
    const refund = one.refund;
    const open = refund && UNDER_WAY.includes(refund.status);
    const state = refund && (open || one.status === "paid") ? t(`recharges.refund_${refund.status}`) : t(`recharges.${one.status}`);
    const more = [one.bonus_fen > 0 && t("recharges.gift", { amount: money(one.bonus_fen) }), one.refunded_fen > 0 && t("recharges.back", { amount: money(one.refunded_fen) })].filter(Boolean).join(" · ");
    const button = refund?.status === "asked"
      ? h("button", { type: "button", class: "button plain compact", onclick: (event) => withdraw(event.currentTarget, refund) }, t("recharges.withdraw"))
      : !open && one.status === "paid" && one.refunded_fen < one.pay_fen && h("button", { type: "button", class: "button plain compact", onclick: (event) => busy(event.currentTarget, () => ask(one)) }, t("recharges.ask"));
    return h("li", { class: "cell" },
      h("span", { class: "grow stack tight" },
        h("span", { class: "strong num" }, money(one.pay_fen)),
        h("span", { class: "tiny muted num" }, [dayTime(one.at), more].filter(Boolean).join(" · ")),
        h("span", { class: `tiny ${open ? "gold" : "muted"}` }, state, refund?.note && refund.status !== "done" ? `：${refund.note}` : "")),
      button);
  }

  function withdraw(button, refund) {
    return busy(button, async () => {
      try {
        await app.api.post(`/v1/member/recharge-refunds/${encodeURIComponent(refund.id)}/withdraw`, {}, { again: true });
        app.toast(t("recharges.withdrawn"));
      } catch (error) {
        app.toast(problemText(error));
      }
      list.reload();
    });
  }

  async function ask(one) {
    const address = `/v1/member/recharges/${encodeURIComponent(one.id)}`;
    let terms;
    try {
      terms = await app.api.get(`${address}/refund-terms`);
    } catch (error) {
      app.toast(problemText(error));
      return;
    }
    const key = await newKey(app.wx); // one wish, one key
    const amount = field("refund-amount", t("recharges.amount"), h("input", { type: "text", inputmode: "decimal", autocomplete: "off", maxlength: 12, value: (terms.refundable_fen / 100).toFixed(2) }));
    const reason = field("refund-reason", t("recharges.reason"), h("input", { type: "text", maxlength: 200, autocomplete: "off" }));
    const problem = h("p", { class: "field-error center", role: "alert" });
    const submit = h("button", { type: "submit", class: "button primary wide" }, t("recharges.ask"));
    async function send() {
      const fen = parseYuan(amount.input.value);
      amount.mark(fen ? "" : t("recharges.bad_amount"));
      reason.mark(reason.input.value.trim() ? "" : t("recharges.bad_reason"));
      if (!fen || !reason.input.value.trim()) return;
      try {
        await app.api.post(`${address}/refunds`, { amount_fen: fen, reason: reason.input.value.trim() }, { key });
        dialog.close();
        app.toast(t("recharges.sent"));
        list.reload();
      } catch (error) {
        problem.textContent = problemText(error);
      }
    }
    const form = h("form", { class: "sheet-body stack", novalidate: true, onsubmit: (event) => { event.preventDefault(); busy(submit, send); } },
      h("div", { class: "sheet-head" }, h("button", { type: "button", class: "icon-button", "aria-label": t("common.close"), onclick: () => dialog.close() }, glyph("close", 22)), h("h2", { class: "sheet-title" }, t("recharges.ask")), h("span")),
      h("p", { class: "small muted" }, t("recharges.most", { amount: money(terms.refundable_fen) }), terms.bonus_forfeited_fen > 0 && t("recharges.lose", { amount: money(terms.bonus_forfeited_fen) }), terms.withheld_fen > 0 && t("recharges.keep", { amount: money(terms.withheld_fen) })),
      amount.node, reason.node, problem, submit);
    const dialog = openDialog(form, { label: t("recharges.ask") });
  }

  list.reload();
  return {
    title: t("recharges.title"),
    node,
    parent: "recharge",
    refresh: () => list.reload({ quiet: true }),
    leave() {
      stop();
      list.leave(node.parentElement);
    },
  };
}

/** A month's statement of stored value, downloaded. */
function statement(app) {
  const now = new Date(app.api.serverNow() + 8 * 3600 * 1000); // the chain's day
  const months = Array.from({ length: MONTHS }, (_, back) => new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - back, 1)));
  const choice = field("statement-month", t("recharges.month"), h("select", null, months.map((first) => h("option", { value: first.toISOString().slice(0, 7) }, `${first.getUTCFullYear()}年${first.getUTCMonth() + 1}月`))));
  const problem = h("p", { class: "field-error", role: "alert" });
  const button = h("button", { type: "button", class: "button soft wide", onclick: () => busy(button, load) }, t("recharges.download"));
  async function load() {
    fill(problem, "");
    try {
      const [year, month] = choice.input.value.split("-").map(Number);
      const last = String(new Date(Date.UTC(year, month, 0)).getUTCDate()).padStart(2, "0");
      const token = await app.api.accessToken();
      const url = `/v1/member/wallet/statement?from=${choice.input.value}-01&to=${choice.input.value}-${last}&format=pdf`;
      const file = await app.wx.downloadFile({ url, header: { Authorization: `Bearer ${token}` } });
      if (file.statusCode !== 200) throw Object.assign(new Error(t("error.unavailable")), { name: "NetworkError" });
      await app.wx.openDocument({ filePath: file.tempFilePath, fileType: "pdf" });
    } catch (error) {
      problem.textContent = problemText(error);
    }
  }
  return h("section", { class: "card stack" }, h("h2", null, t("recharges.statement")), h("p", { class: "small muted" }, t("recharges.statement_hint")), choice.node, problem, button);
}
