/** 我的兑换: what was redeemed, and one of it with the code that fetches it. */
import { fill, h, s } from "../../shared/dom.js";
import { date, dateTime, inGroups } from "../../shared/format.js";
import { qrPath } from "../../shared/qr.js";
import { endless } from "../endless.js";
import { busy, emptyState, fact, skeleton, skeletonRows, trouble } from "../parts.js";
import { problemText, t } from "../texts.js";
import { priceOf } from "./gift_shop.js";

const MINE = "/v1/member/gift-redemptions";
const LOOKS = { waiting: "brand", to_send: "brand" };
/** What was redeemed, and how many where it is more than one. */
const nameOf = ({ title, quantity }) => (quantity > 1 ? `${title} ×${quantity}` : title);
const state = (one) => h("span", { class: `pill ${LOOKS[one.status] || ""}`.trim() }, t(`gifts.${one.status}`));

export function giftOrdersScreen(app) {
  const row = (one) => h("li", null, h("a", { class: "cell", href: `#/gift-order?${encodeURIComponent(one.id)}` },
    h("span", { class: "grow" }, h("span", { class: "strong" }, nameOf(one)), h("span", { class: "tiny muted block num" }, `${date(one.at)} · ${priceOf(one)}`)),
    state(one)));
  const list = endless({
    place: "gift-orders",
    fetch: (cursor) => app.api.get(MINE, cursor ? { limit: 20, cursor } : { limit: 20 }),
    wait: () => h("div", { class: "card flush" }, skeletonRows(3)),
    draw: (items) => h("ul", { class: "card flush cells" }, items.map(row)),
    nothing: () => h("div", { class: "card" }, emptyState({ icon: "gift", title: t("gifts.orders_none"), hint: t("gifts.orders_hint"), action: t("gifts.to_shop"), onAction: () => app.go("gift-shop") })),
  });
  list.reload();
  const stop = app.events.listen((type) => { if (type === "gift_handed_over") list.reload({ quiet: true }); });
  return { title: t("gifts.mine"), node: h("div", { class: "page stack" }, list.node), parent: "gift-shop", leave: stop };
}

export function giftOrderScreen(app) {
  const path = `${MINE}/${location.hash.split("?")[1] || ""}`;
  const node = h("div", { class: "page stack" });
  let gone = false;

  async function load() {
    if (!node.childElementCount) fill(node, h("div", { class: "card" }, skeleton("w50", "w30")));
    try {
      const one = await app.api.get(path);
      if (!gone) draw(one);
    } catch (error) {
      if (!gone) fill(node, h("div", { class: "card" }, trouble(error, load)));
    }
  }

  /** The code that the till reads: paper in the dark scheme too. */
  const code = (one) => h("section", { class: "code-card pickup-card", "data-view": "code", "aria-label": t("gifts.code") },
    h("p", { class: "code-hint" }, t("gifts.code_hint")),
    s("svg", { class: "qr", viewBox: "0 0 21 21", "shape-rendering": "crispEdges", role: "img", "aria-label": t("gifts.code_qr") }, s("path", { d: qrPath(one.code), fill: "#000" })),
    h("p", { class: "code-number num", id: "gift-code" }, `${one.code[0]} ${inGroups(one.code.slice(1))}`),
    h("p", { class: "small code-soft" }, `${one.store} · ${t("gifts.due", { date: date(one.due_on) })}`));

  function draw(one) {
    const cancel = h("button", { type: "button", class: "button wide", onclick: () => busy(cancel, () => giveUp(one)) }, t("gifts.cancel"));
    fill(node,
      one.code && code(one),
      h("section", { class: "card stack tight" },
        h("div", { class: "row between" }, h("h2", null, nameOf(one)), state(one)),
        h("dl", { class: "facts" },
          fact(t("gifts.paid"), priceOf(one)),
          fact(t("gifts.store"), one.store),
          fact(t("gifts.parcel"), one.tracking_no && `${one.carrier} ${one.tracking_no}`),
          fact(t("gifts.at"), dateTime(one.at)),
          fact(t("gifts.out_at"), one.status !== "given" && one.out_at && dateTime(one.out_at)),
          fact(t("gifts.ended_at"), one.ended_at && dateTime(one.ended_at)))),
      one.coupon_id && one.status === "given" && h("button", { type: "button", class: "button primary wide", onclick: () => app.go(`coupon?${encodeURIComponent(one.coupon_id)}`) }, t("gifts.to_coupon")),
      ["waiting", "to_send"].includes(one.status) && cancel);
  }

  async function giveUp(one) {
    const sure = await app.wx.showModal({ title: t("gifts.cancel_ask", { title: nameOf(one) }), content: t("gifts.cancel_text"), confirmText: t("gifts.cancel"), cancelText: t("common.back") });
    if (!sure.confirm) return;
    try {
      draw(await app.api.post(`${path}/cancel`, {}));
      app.toast(t("gifts.cancel_done"));
      app.refresh().catch(() => undefined);
    } catch (error) {
      app.toast(problemText(error));
      load();
    }
  }

  const stop = app.events.listen((type) => { if (type === "gift_handed_over") load(); });
  load();
  return { title: t("gifts.order"), node, parent: "gift-orders", leave: () => { gone = true; stop(); } };
}
