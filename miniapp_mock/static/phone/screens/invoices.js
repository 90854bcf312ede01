/** 我的发票: what was asked for, newest first. */
import { h } from "../../shared/dom.js";
import { dayTime, money } from "../../shared/format.js";
import { endless } from "../endless.js";
import { emptyState, skeletonRows } from "../parts.js";
import { t } from "../texts.js";

export function invoicesScreen(app) {
  const list = endless({
    fetch: (cursor) => app.orders.invoices(cursor),
    wait: () => h("div", { class: "card flush" }, skeletonRows(4)),
    draw: (items) => h("ul", { class: "card flush cells" }, items.map((one) => h("li", null, h("a", { class: "cell invoice-cell", href: `#/invoice?${encodeURIComponent(one.order_id)}` },
      h("span", { class: "grow address-text" }, h("span", { class: "clip" }, one.title), h("span", { class: "tiny muted num" }, `${dayTime(one.asked_at)} · ${t(`invoice.kind_${one.kind}`)}`)),
      h("span", { class: "address-text invoice-sum" }, h("span", { class: "strong num" }, money(one.amount_fen)), h("span", { class: `tiny ${one.status === "rejected" ? "danger" : "brand"}` }, t(`invoice.state_${one.status}`))))))),
    nothing: () => h("div", { class: "card" }, emptyState({ icon: "list", title: t("invoice.none"), hint: t("invoice.none_hint"), action: t("orders.title"), onAction: () => app.go("orders") })),
  });
  list.reload();
  const node = h("div", { class: "page stack" }, list.node);
  return { title: t("invoice.list"), node, parent: "me", leave: () => list.leave(node.parentElement) };
}
