/** A slip for money that is no sale's, on 80 mm paper. */
import { h } from "/static/shared/dom.js";
import { dateTime } from "/static/shared/format.js";
import { state } from "./state.js";
import { t } from "./texts.js";

const row = (label, value, look = "") => h("div", { class: `slip-row ${look}` }, h("span", null, label), h("span", { class: "num" }, value));
const rule = () => h("div", { class: "slip-rule", "aria-hidden": "true" });

/** `total` and the rows before and `after` it are `[label, text]`; a row may be null. */
export function moneySlip({ kind, at, cashier, member, id, rows = [], total, after = [] }) {
  const drawn = (some) => some.filter(Boolean).map(([label, text]) => row(label, text));
  const { context } = state;
  return h("article", { class: "slip" },
    h("h3", { class: "slip-title" }, context.chain_name), h("p", { class: "center" }, context.store.name),
    h("p", { class: "slip-kind" }, kind), rule(),
    row(t("receipt.time"), dateTime(at)), row(t("receipt.terminal"), context.terminal.name), cashier ? row(t("receipt.cashier"), cashier) : null,
    row(t("receipt.member"), member), rule(),
    drawn(rows), row(total[0], total[1], "slip-big"), drawn(after),
    rule(), h("p", { class: "center num" }, id));
}
