/** 充值: choose an offer or an amount, pay with WeChat, see the result. */
import { fill, h } from "../../shared/dom.js";
import { newKey } from "../../shared/api.js";
import { count, money, parseYuan, shortMoney } from "../../shared/format.js";
import { glyph } from "../icons.js";
import { busy, skeleton, trouble } from "../parts.js";
import { problemText, t } from "../texts.js";
import { rechargeResult } from "./recharge_result.js";

const OWN = "own";

export function rechargeScreen(app) {
  const balance = h("span", { class: "num strong" });
  const list = h("div", { class: "offers", role: "radiogroup", "aria-label": t("recharge.choose") });
  const problem = h("p", { class: "field-error center", role: "alert" });
  const submit = h("button", { type: "submit", class: "button primary wide" });
  const own = h("input", { class: "input num own-input", type: "text", inputmode: "decimal", autocomplete: "off", maxlength: 12, placeholder: t("recharge.own_hint"), "aria-label": t("recharge.own") });
  const ownRow = h("div", { class: "own-row", hidden: true }, h("span", { class: "own-sign" }, "¥"), own, h("p", { class: "tiny muted" }, t("recharge.own_note")));
  const stage = h("div", null);
  let offers = [];
  let choice = "";
  let intent = null; // { what, key }: the same wish keeps its key until it went through

  const form = h(
    "form",
    { class: "page stack recharge", novalidate: true, onsubmit: (event) => { event.preventDefault(); busy(submit, pay); } },
    h("div", { class: "card row between" }, h("span", { class: "muted" }, t("recharge.balance")), balance),
    h("h2", { class: "section-head" }, t("recharge.choose")),
    list,
    ownRow,
    h("div", { class: "foot-bar stack tight" }, problem, submit, h("p", { class: "tiny muted center" }, t("recharge.note")), h("a", { class: "button plain wide", href: "#/recharges" }, t("recharges.title"))),
  );
  fill(stage, form);

  function amount() {
    if (choice === OWN) return parseYuan(own.value);
    return offers.find((offer) => offer.id === choice)?.pay_fen ?? null;
  }

  function drawSubmit() {
    const fen = amount();
    fill(submit, fen ? t("recharge.submit", { amount: shortMoney(fen) }) : t("recharge.submit_none"));
    submit.disabled = !fen && choice !== OWN;
  }

  function choose(id) {
    choice = id;
    problem.textContent = "";
    ownRow.hidden = id !== OWN;
    if (id === OWN) own.focus();
    drawSubmit();
  }

  function offerCard(id, title, note, badge) {
    return h(
      "label",
      { class: "offer" },
      h("input", { type: "radio", name: "offer", value: id, checked: id === choice, onchange: () => choose(id) }),
      h("span", { class: "offer-body" }, badge && h("span", { class: "offer-badge" }, badge), h("span", { class: "offer-title num" }, title), h("span", { class: "tiny offer-note num" }, note)),
    );
  }

  function gift(offer) {
    const amountText = shortMoney(offer.bonus_fen);
    if (offer.bonus_fen > 0 && offer.points > 0) return t("recharge.gift_both", { amount: amountText, count: count(offer.points) });
    if (offer.bonus_fen > 0) return t("recharge.gift", { amount: amountText });
    return offer.points > 0 ? t("recharge.gift_points", { count: count(offer.points) }) : t("recharge.no_gift", { amount: shortMoney(offer.pay_fen) });
  }

  async function load() {
    fill(list, Array.from({ length: 4 }, () => h("div", { class: "offer" }, h("span", { class: "offer-body" }, skeleton("w50", "w70")))));
    try {
      offers = (await app.api.get("/v1/member/recharge-offers")).items || [];
    } catch (error) {
      fill(list, h("div", { class: "offers-wide card" }, trouble(error, load)));
      return;
    }
    const best = offers.reduce((top, offer) => (!top || offer.bonus_fen * top.pay_fen > top.bonus_fen * offer.pay_fen ? offer : top), null);
    choice = best ? best.id : OWN;
    fill(list, offers.map((offer) => offerCard(offer.id, shortMoney(offer.pay_fen), gift(offer), offer.first_only ? t("recharge.first") : "")), offerCard(OWN, t("recharge.own"), t("recharge.own_note"), ""));
    if (!offers.length) choose(OWN);
    drawSubmit();
  }

  async function pay() {
    const fen = amount();
    if (!fen) {
      problem.textContent = t("recharge.bad_amount");
      own.focus();
      return;
    }
    problem.textContent = "";
    const body = choice === OWN ? { amount_fen: fen } : { offer_id: choice };
    const what = JSON.stringify(body);
    try {
      if (!intent || intent.what !== what) intent = { what, key: await newKey(app.wx) };
      const order = await app.api.post("/v1/member/recharges", body, { key: intent.key });
      intent = null;
      await app.wx.requestPayment({ ...order.pay_params, outTradeNo: order.out_trade_no });
      result = rechargeResult(app, order, () => app.go("home"));
      fill(stage, result.node);
    } catch (error) {
      if (error.errMsg) {
        if (/cancel/.test(error.errMsg)) app.toast(t("recharge.cancelled"));
        else problem.textContent = error.errMsg.replace(/^requestPayment:fail\s*/, "");
      } else if (Number.isInteger(error.problem?.possible_fen)) problem.textContent = t("recharge.limit", { amount: money(error.problem.possible_fen) });
      else problem.textContent = choice === OWN && error.code === "validation_failed" ? t("recharge.bad_range") : problemText(error);
    }
  }

  let result = null;
  own.addEventListener("input", drawSubmit);
  const stop = app.store.watch(["wallet"], () => fill(balance, money(app.store.get("wallet")?.stored?.total_fen)));
  drawSubmit();
  load();
  return {
    title: t("recharge.title"),
    node: stage,
    leave() {
      stop();
      result?.leave();
    },
  };
}
