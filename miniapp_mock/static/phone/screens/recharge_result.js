/** After the cashier: asks until the recharge is paid, and shows what it brought. */
import { fill, h } from "../../shared/dom.js";
import { count, money } from "../../shared/format.js";
import { glyph } from "../icons.js";
import { fact } from "../parts.js";
import { t } from "../texts.js";

const POLL_MS = 1000;
const PATIENCE_MS = 45000;

/** `{ node, leave() }`; `done()` when the member has seen it. */
export function rechargeResult(app, order, done) {
  const node = h("div", { class: "page stack" });
  const until = Date.now() + PATIENCE_MS;
  let timer = null;
  let over = false;
  const stopListening = app.events.listen((type, data) => {
    if (type === "recharged" && (!data.id || data.id === order.id)) check();
  });
  show("checking");
  check();

  async function check() {
    clearTimeout(timer);
    if (over) return;
    let state = null;
    try {
      state = await app.api.get(`/v1/member/recharges/${encodeURIComponent(order.id)}`);
    } catch {
      // asked again below
    }
    if (over) return;
    if (state && state.status !== "pending") finish(state);
    else {
      if (Date.now() > until) show("slow");
      timer = setTimeout(check, Date.now() > until ? POLL_MS * 5 : POLL_MS);
    }
  }

  function finish(state) {
    over = true;
    stopListening();
    if (state.status !== "paid") {
      show("closed");
      return;
    }
    app.wx.vibrateShort();
    const balance = h("span", { class: "strong" }, "…");
    show("paid", state, balance);
    app.refresh().then(() => fill(balance, money(app.store.get("wallet")?.stored?.total_fen)), () => undefined);
  }

  function show(kind, state, balance) {
    const icon = { checking: "clock", slow: "clock", closed: "alert", paid: "check" }[kind];
    fill(
      node,
      h("section", { class: "card result", role: "status" },
        h("span", { class: `done-mark ${kind === "paid" ? "" : "calm"} ${kind === "checking" ? "pulse" : ""}` }, glyph(icon, 34)),
        h("h2", { class: "result-title" }, t(`result.${kind}`)),
        state ? h("p", { class: "big-amount num" }, money(state.pay_fen)) : h("p", { class: "muted small" }, t(`result.${kind}_hint`)),
        state && h("dl", { class: "facts" },
          fact(t("result.amount"), money(state.pay_fen)),
          state.bonus_fen > 0 && fact(t("result.bonus"), `+${money(state.bonus_fen)}`, { look: "brand" }),
          state.points > 0 && fact(t("result.points"), `+${count(state.points)}`, { look: "gold" }),
          fact(t("result.balance"), balance))),
      kind !== "checking" && h("div", { class: "stack" },
        kind === "paid" && h("button", { type: "button", class: "button primary wide", onclick: () => app.go("code") }, t("result.show_code")),
        h("button", { type: "button", class: "button wide", onclick: done }, t("common.done"))),
    );
  }

  return {
    node,
    leave() {
      over = true;
      clearTimeout(timer);
      stopListening();
    },
  };
}
