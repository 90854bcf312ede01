/** The slip that goes with what is brought to a table, for 80 mm paper: the table and the pieces large, no prices. */
import { h } from "/static/shared/dom.js";
import { dateTime } from "/static/shared/format.js";
import { t } from "./texts.js";

const rule = () => h("div", { class: "slip-rule", "aria-hidden": "true" });
const row = (label, value) => h("div", { class: "slip-row" }, h("span", null, label), h("span", { class: "num" }, value));

/** The slip of one waiting order as an element. */
export function kitchenSlip(order, storeName) {
  return h("article", { class: "slip" },
    h("h3", { class: "slip-spot" }, order.spot),
    h("p", { class: "center" }, storeName),
    rule(),
    row(t("receipt.order"), order.order_id),
    row(t("tables.paid"), dateTime(order.paid_at)),
    row(t("receipt.member"), order.member_name_masked),
    rule(),
    order.lines.map((line) => h("div", { class: "slip-row slip-big" }, h("span", null, [line.name, line.spec].filter(Boolean).join(" ")), h("span", { class: "num" }, `×${line.qty}`))),
    order.note ? [rule(), h("p", { class: "slip-note" }, t("tables.note", { note: order.note }))] : null);
}
