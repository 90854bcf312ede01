/** 我的订单: newest first, narrowed by where they stand. */
import { fill, h } from "../../shared/dom.js";
import { dayTime, money, time } from "../../shared/format.js";
import { endless } from "../endless.js";
import { picture } from "../goods.js";
import { pictureAt } from "../goods_words.js";
import { glyph } from "../icons.js";
import { emptyState, skeletonRows } from "../parts.js";
import { LISTED, afterWord, deliveryWord, stateWord } from "../order_words.js";
import { t } from "../texts.js";

const PICTURES = 4;
const AFTER = "after"; // what was asked after buying, not a state of orders
const EVENTS = /^order_|^after_sale$|^refund_paid$|^caught_up$/;

let last = ""; // what was listed before one looked at an order

export function ordersScreen(app) {
  const asked = location.hash.split("?")[1] || "";
  const back = ["order", "after-sale"].includes(app.route());
  let status = back ? last : LISTED.includes(asked) ? asked : "";
  const chips = h("div", { class: "row chips scroll-row", role: "group", "aria-label": t("orders.narrow") });
  let list = null;
  const place = h("div", null);
  const lost = app.orders.undecided() && h("a", { class: "notice undecided", href: "#/checkout" }, glyph("clock", 20), h("span", { class: "grow" }, t("orders.undecided")), glyph("next", 18));
  const node = h("div", { class: "page stack orders" }, chips, lost, place);

  function drawChips() {
    fill(chips, LISTED.map((name) => h("button", { type: "button", class: "chip", "aria-pressed": String(name === status), onclick: () => narrow(name) }, t(`orders.tab_${name || "all"}`))));
  }

  function narrow(name) {
    list?.leave(node.parentElement);
    status = name;
    drawChips();
    chips.querySelector('[aria-pressed="true"]').focus({ preventScroll: true });
    open(false);
  }

  function open(resume) {
    list = endless({
      place: `orders ${status}`,
      enough: 4,
      fetch: (cursor) => (status === AFTER ? app.orders.afterSales(cursor) : app.orders.list(status ? { status } : {}, cursor)),
      wait: () => h("div", { class: "card flush" }, skeletonRows(4)),
      draw: (items) => h("ul", { class: "stack" }, items.map((order) => h("li", null, status === AFTER ? request(order) : card(order)))),
      nothing: () => h("div", { class: "card" }, status
        ? emptyState({ icon: "box", title: t("orders.empty_of", { name: t(`orders.tab_${status}`) }), action: t("orders.tab_all"), onAction: () => narrow("") })
        : emptyState({ icon: "box", title: t("orders.empty"), hint: t("orders.empty_hint"), action: t("goods.to_mall"), onAction: () => app.go("mall") })),
    });
    fill(place, list.node);
    list.reload({ quiet: resume && list.resume() });
  }

  function card(order) {
    return h(
      "a",
      { class: "card order-card", href: `#/order?${encodeURIComponent(order.id)}` },
      h("span", { class: "row between" },
        h("span", { class: "clip strong" }, app.mall.storeName(order.store_id)),
        h("span", { class: `small ${order.status === "awaiting_payment" ? "danger" : "brand"}` }, stateWord(order))),
      h("span", { class: "order-pictures" },
        order.lines.slice(0, PICTURES).map((line) => picture(pictureAt(line.picture))),
        order.lines.length === 1 && h("span", { class: "grow clip" }, order.lines[0].name, h("span", { class: "tiny muted block" }, order.lines[0].spec))),
      h("span", { class: "row between" },
        h("span", { class: "tiny muted num" }, order.pay_until ? t("order.pay_before", { time: time(order.pay_until) }) : `${dayTime(order.placed_at)} · ${deliveryWord(order)}`),
        h("span", { class: "num" }, h("span", { class: "small muted" }, t("orders.pieces", { count: order.pieces })), " ", h("span", { class: "strong" }, money(order.due_fen)))),
    );
  }

  function request(one) {
    return h(
      "a",
      { class: "card order-card", href: `#/after-sale?${encodeURIComponent(one.id)}` },
      h("span", { class: "row between" }, h("span", { class: "clip strong" }, app.mall.storeName(one.store_id)), h("span", { class: "small brand" }, afterWord(one))),
      h("span", { class: "row between" },
        h("span", null, t(`after.kind_${one.kind}`), h("span", { class: "tiny muted num block" }, `${dayTime(one.asked_at)} · ${one.reason}`)),
        h("span", { class: "small muted num" }, t("orders.pieces", { count: one.lines.reduce((sum, { qty }) => sum + qty, 0) }))),
      one.pictures?.length > 0 && h("span", { class: "order-pictures" }, one.pictures.slice(0, PICTURES).map((shot) => picture(shot))),
    );
  }

  const stop = app.events.listen((type) => {
    if (EVENTS.test(type)) list.reload({ quiet: true });
  });
  const stopBack = app.seen.onBack(() => list.reload({ quiet: true }));
  drawChips();
  app.mall.stores().then(() => list.items().length && list.redraw(), () => undefined);
  open(back);
  return {
    title: t("orders.title"),
    node,
    parent: "me",
    shown: (scroller) => { if (back) list.shown(scroller); },
    leave() {
      last = status;
      stop();
      stopBack();
      list.leave(node.parentElement);
    },
  };
}
