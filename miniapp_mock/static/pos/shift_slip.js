/** An X or a Z on 80 mm paper. */
import { h } from "/static/shared/dom.js";
import { dateTime, money } from "/static/shared/format.js";
import { t } from "./texts.js";

const row = (label, value, look = "") => h("div", { class: `slip-row ${look}` }, h("span", null, label), h("span", { class: "num" }, value));
const rule = () => h("div", { class: "slip-rule", "aria-hidden": "true" });
const counted = (label, { count, fen }) => (count ? row(`${label} ×${count}`, money(fen)) : null);
const signed = (fen) => (fen > 0 ? `+${money(fen)}` : money(fen));

function tenderRows(one) {
  const name = t(`slip.tender.${one.tender}`);
  const moved = one.in_fen || one.out_fen ? row(name, one.out_fen ? `${money(one.in_fen)} − ${money(one.out_fen)}` : money(one.in_fen)) : null;
  if (one.expected_fen === null || one.expected_fen === undefined) return moved;
  return [
    moved, row(`${name}${t("slip.expected")}`, money(one.expected_fen)),
    one.counted_fen === null || one.counted_fen === undefined ? null : [
      row(`${name}${t("slip.counted")}`, money(one.counted_fen)), row(`${name}${t("slip.difference")}`, signed(one.difference_fen), "slip-big"),
    ],
  ];
}

/** The slip as an element. `kind` is "x" or "z". */
export function shiftSlip({ kind, number, at, shift, figures, context }) {
  return h("article", { class: "slip" },
    h("h3", { class: "slip-title" }, context.chain_name), h("p", { class: "center" }, context.store.name),
    h("p", { class: "slip-kind" }, t(`slip.${kind}`)), rule(),
    row(t("slip.number"), `${kind.toUpperCase()}${number}`), row(t("receipt.terminal"), context.terminal.name), row(t("receipt.cashier"), shift.cashier),
    row(t("shift.open"), dateTime(shift.opened_at)), row(t("receipt.time"), dateTime(at)), rule(),
    counted(t("slip.sales"), figures.sales), figures.discount_fen ? row(t("slip.discount"), money(figures.discount_fen)) : null,
    counted(t("slip.refunds"), figures.refunds), counted(t("slip.recharges"), figures.recharges), counted(t("slip.reversals"), figures.recharge_reversals),
    counted(t("slip.gift_cards"), figures.gift_cards), counted(t("slip.gifts"), figures.gifts),
    counted(t("slip.member_cards"), figures.member_cards), counted(t("slip.member_cards_back"), figures.member_cards_back),
    figures.others?.count ? counted(t("slip.others"), figures.others) : null,
    row(t("slip.float"), money(figures.float_fen)), figures.pay_in_fen ? row(t("slip.pay_in"), money(figures.pay_in_fen)) : null,
    figures.pay_out_fen ? row(t("slip.pay_out"), money(figures.pay_out_fen)) : null,
    figures.outside.map((one) => row(`${t("slip.outside")} ${t(`slip.tender.${one.tender}`)}`, money(one.amount_fen))), rule(),
    figures.tenders.map(tenderRows), rule(),
    figures.cashiers.map((one) => row(one.cashier, money(one.sales_fen - one.refunds_fen))),
    kind === "z" ? h("p", { class: "slip-sign" }, t("slip.sign")) : null);
}
