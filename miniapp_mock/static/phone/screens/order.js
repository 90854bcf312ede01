/** One order: where it stands and what one can do, its parcels or its pick-up code, its goods, and what it cost. */
import { fill, h, s } from "../../shared/dom.js";
import { count, dateTime, inGroups, money } from "../../shared/format.js";
import { qrPath } from "../../shared/qr.js";
import { picture } from "../goods.js";
import { pictureAt } from "../goods_words.js";
import { glyph } from "../icons.js";
import { afterWord, canInvoice, carrierWord, couponSums, deliveryWord, offWord, placeWord, stateHint, stateWord, stepWord, tenderAmount, tenderWord, veiledName, veiledPhone } from "../order_words.js";
import { busy, emptyState, fact, linkCell, skeleton, staleNote, trouble } from "../parts.js";
import { payClock } from "../pay_clock.js";
import { payOrder } from "../paying.js";
import { reviewItem } from "../reviews.js";
import { reviewSheet } from "../sheets/review.js";
import { problemText, t } from "../texts.js";

const CLOSING_MS = 3000; // how often one asks whether an order whose time is over was closed
const DONE = ["received", "completed"];
const MOST = 100;
const STEPS = ["placed_at", "paid_at", "ready_at", "sent_at", "received_at", "ended_at"];

export function orderScreen(app) {
  const id = decodeURIComponent(location.hash.split("?")[1] || "");
  const node = h("div", { class: "page stack order" });
  const foot = h("div", { class: "row grow order-actions" });
  const refusal = h("p", { class: "field-error center", role: "alert" });
  let order = null;
  let shown = "";
  let gone = false;
  let unveiled = false;
  let clock = null;
  let closing = null;

  async function load({ quiet = true } = {}) {
    try {
      const [answer, delivery, asked] = await Promise.all([app.orders.get(id), app.orders.delivery(id), app.orders.afterSalesOf(id), app.mall.stores().catch(() => [])]);
      const [said, invoice] = DONE.includes(answer.status) ? await Promise.all([app.reviews.mine({ order_id: id, limit: MOST }), app.orders.invoice(id)].map((one) => one.catch(() => null))) : [{ items: [] }, null];
      if (gone) return;
      const now = { ...answer, ...timesOf(answer, delivery), parcels: delivery.parcels || [], pickup_code: delivery.pickup?.code, receiver: delivery.receiver, after_sales: asked, said: said?.items || [], invoice };
      const text = JSON.stringify(now);
      if (text === shown) return;
      shown = text;
      order = now;
      draw();
    } catch (error) {
      if (gone || (quiet && order)) return;
      const unknown = emptyState({ icon: "box", title: t("order.unknown"), action: t("orders.title"), onAction: () => app.go("orders", { replace: true }) });
      fill(node, h("div", { class: "card" }, error.status === 404 ? unknown : trouble(error, start)));
    }
  }

  function draw() {
    const focused = document.activeElement?.id;
    stopClock();
    if (order.status === "awaiting_payment" && order.pay_until) clock = payClock(app, order.pay_until, timeOver);
    fill(node,
      order.stale_at && staleNote(order.stale_at),
      head(),
      refusal,
      order.pickup_code && pickup(),
      order.receiver && receiver(order.receiver),
      order.parcels.map(parcel),
      goods(),
      order.after_sales.length > 0 && h("section", { class: "card flush cells" }, order.after_sales.map((one) => linkCell({ icon: "undo", text: t(`after.kind_${one.kind}`), value: afterWord(one), onclick: () => app.go(`after-sale?${encodeURIComponent(one.id)}`) }))),
      DONE.includes(order.status) && afterwards(),
      h("section", { class: "card stack tight" }, h("h2", null, t("checkout.sums")), sums()),
      facts());
    drawActions();
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  }

  /** Nobody pays any more; the server closes it in a moment, or says that the money came. */
  function timeOver() {
    if (gone) return;
    drawActions();
    closing = setInterval(() => load(), CLOSING_MS);
  }

  function stopClock() {
    clock?.stop();
    clearInterval(closing);
    clock = closing = null;
  }

  function head() {
    return h("section", { class: "hero order-head" },
      h("div", { class: "hero-rings", "aria-hidden": "true" }),
      h("div", { role: "status" }, h("p", { class: "order-state" }, stateWord(order)), h("p", { class: "small hero-soft" }, stateHint(order))),
      clock?.node,
      h("ol", { class: "order-times" }, STEPS.filter((name) => order[name]).map((name) => h("li", { class: "small num hero-soft" }, h("span", null, t(`order.${name}`)), h("span", null, dateTime(order[name]))))));
  }

  /** The code that the till reads: paper in the dark scheme too. */
  function pickup() {
    const code = order.pickup_code;
    return h("section", { class: "code-card pickup-card", "data-view": "code", "aria-label": t("order.pickup_code") },
      h("p", { class: "code-hint" }, t("order.pickup_hint")),
      s("svg", { class: "qr", viewBox: "0 0 21 21", "shape-rendering": "crispEdges", role: "img", "aria-label": t("order.pickup_qr") }, s("path", { d: qrPath(code), fill: "#000" })),
      h("p", { class: "code-number num", id: "pickup-digits" }, inGroups(code)),
      h("p", { class: "small code-soft" }, app.mall.storeName(order.store_id)));
  }

  /** Whom it is sent to, veiled until the member wants to see it. */
  function receiver(to) {
    const look = h("button", { type: "button", id: "look-receiver", class: "link small", "aria-expanded": String(unveiled), onclick: () => { unveiled = !unveiled; draw(); } }, t(unveiled ? "order.veil" : "order.unveil"));
    return h("section", { class: "card row", "aria-label": t("order.receiver") }, glyph("pin", 22, "cell-icon"),
      h("div", { class: "grow" },
        h("p", { class: "row address-who" }, h("span", { class: "strong clip" }, unveiled ? to.name : veiledName(to.name)), h("span", { class: "num" }, unveiled ? to.phone : veiledPhone(to.phone))),
        h("p", { class: "small muted" }, placeWord(to), unveiled ? to.street : " ****")),
      look);
  }

  function parcel(one) {
    const copy = h("button", { type: "button", class: "link small", onclick: () => app.wx.setClipboardData({ data: one.tracking_no }).then(() => app.toast(t("entry.copied")), () => undefined) }, t("entry.copy"));
    return h("section", { class: "card stack tight parcel" },
      h("div", { class: "row" }, glyph("truck", 22, "cell-icon"), h("h2", { class: "grow" }, carrierWord(one.carrier)), h("span", { class: "tiny muted num" }, dateTime(one.sent_at))),
      h("p", { class: "row between" }, h("span", { class: "num" }, one.tracking_no), copy));
  }

  function goods() {
    return h("section", { class: "card flush" },
      h("div", { class: "cart-store checkout-store" }, glyph("shop", 20, "cell-icon"), h("h2", { class: "clip grow" }, app.mall.storeName(order.store_id)), h("span", { class: "pill" }, deliveryWord(order))),
      h("ul", { class: "cart-lines" }, order.lines.map((line) => h("li", null, h("a", { class: "checkout-line", href: `#/product?${encodeURIComponent(line.product_id)}` },
        picture(pictureAt(line.picture)),
        h("span", { class: "cart-text" }, h("span", { class: "cart-name" }, line.name), h("span", { class: "tiny muted num" }, [line.spec, `×${line.qty}`].filter(Boolean).join(" · ")),
          line.steps.map((step) => h("span", { class: "tiny brand num" }, `${stepWord(step)} ${offWord(step.off_fen)}`))),
        h("span", { class: "checkout-line-sum num strong" }, money(line.payable_fen)))))));
  }

  /** What one can do once the goods are there: say how they were, and have an invoice. */
  function afterwards() {
    const invoice = order.invoice ? t(`invoice.state_${order.invoice.status}`) : t("invoice.ask");
    return [
      order.said.length > 0 && h("section", { class: "card flush", "aria-label": t("review.own") }, h("ul", { class: "reviews" }, order.said.map((one) => reviewItem(app, one)))),
      (order.invoice || canInvoice(order)) && h("section", { class: "card flush cells" }, linkCell({ icon: "list", text: t("invoice.page"), value: invoice, onclick: () => app.go(`invoice?${encodeURIComponent(order.id)}`) })),
    ];
  }

  const unsaid = () => order.lines.filter(({ line_no: no }) => !order.said.some((one) => one.line_no === no));

  /** What coupons left is to pay; a refund counts them, as the order's worth does. */
  function sums() {
    const { off, due } = couponSums(order);
    return h("dl", { class: "facts" },
      fact(t("checkout.goods"), money(order.lines.reduce((sum, line) => sum + line.qty * line.list_fen, 0))),
      order.discount_fen > 0 && fact(t("receipt.discount"), offWord(order.discount_fen), { look: "brand" }),
      fact(t("checkout.freight"), order.freight_fen ? money(order.freight_fen) : t("checkout.free")),
      off > 0 && [fact(t("order.worth"), money(order.payable_fen)), fact(tenderWord("coupon"), offWord(off), { look: "brand" })],
      fact(t("order.payable"), money(due), { look: "strong" }),
      order.tenders.filter((tender) => tender.type !== "coupon" && tender.amount_fen > 0).map((tender) => fact(tenderWord(tender.type), tenderAmount(tender))),
      order.refunded_fen > 0 && fact(t("order.refunded"), money(order.refunded_fen), { look: "brand" }),
      order.points_earned > 0 && fact(t("checkout.earned"), t("common.points", { count: count(order.points_earned) }), { look: "gold" }));
  }

  function facts() {
    const copy = h("button", { type: "button", class: "link small", onclick: () => app.wx.setClipboardData({ data: order.id }).then(() => app.toast(t("entry.copied")), () => undefined) }, t("entry.copy"));
    return h("section", { class: "card" }, h("dl", { class: "facts" }, fact(t("order.number"), order.id, { action: copy, look: "tiny" }), fact(t("checkout.note"), order.note)));
  }

  /** What one can do now: the main thing last, where the thumb is. */
  function drawActions() {
    const one = (name, look, work) => {
      const button = h("button", { type: "button", id: `do-${name}`, class: `button ${look}`, onclick: () => busy(button, work) }, t(`order.do_${name}`));
      return button;
    };
    const can = {
      cancel: ["awaiting_payment", "paid"].includes(order.status),
      after: ["paid", "ready_for_pickup", "shipped", "received"].includes(order.status),
      receive: order.status === "shipped",
      review: DONE.includes(order.status) && unsaid().length > 0,
      pay: order.status === "awaiting_payment" && !clock?.over(),
      again: ["cancelled", "closed", "completed"].includes(order.status),
    };
    const buttons = [
      can.cancel && one("cancel", "", cancel),
      can.after && one("after", "", () => app.go(`ask-after-sale?${encodeURIComponent(order.id)}`)),
      can.again && one("again", "", again),
      can.review && one("review", "soft", () => reviewSheet(app, order, unsaid(), load)),
      can.receive && one("receive", "primary", receive),
      can.pay && one("pay", "primary", pay),
    ].filter(Boolean);
    fill(foot, buttons);
    foot.parentElement?.toggleAttribute("hidden", !buttons.length);
  }

  async function act(work) {
    refusal.textContent = "";
    try {
      await work();
      await load();
      app.refresh().catch(() => undefined);
    } catch (error) {
      refusal.textContent = problemText(error);
      await load();
      refusal.scrollIntoView({ block: "center" });
    }
  }

  const sure = (name) => app.wx.showModal({ title: t(`order.ask_${name}`), content: t(`order.ask_${name}_text`), confirmText: t(`order.do_${name}`), cancelText: t("common.back") }).then(({ confirm }) => confirm);

  const cancel = async () => { if (await sure("cancel")) await act(() => app.orders.cancel(order.id)); };
  const receive = async () => { if (await sure("receive")) await act(() => app.orders.receive(order.id)); };
  const pay = () => act(async () => { if (await payOrder(app, order)) app.go(`order-result?${encodeURIComponent(order.id)}`, { replace: true }); });

  async function again() {
    await act(async () => {
      app.mall.choose({ id: order.store_id, name: app.mall.storeName(order.store_id) });
      for (const line of order.lines) await app.cart.add(line.sku, line.qty);
      app.go("cart");
    });
  }

  function start() {
    fill(node, h("div", { class: "skeleton block-order" }), h("section", { class: "card" }, skeleton("w70", "w50")), h("section", { class: "card" }, skeleton("w100", "w70")));
    load({ quiet: false });
  }

  const stop = app.events.listen((type, data) => {
    if (type === "caught_up" || [data.id, data.order_id].includes(id)) load();
  });
  start();
  const stopBack = app.seen.onBack(load);
  return {
    title: t("order.title"),
    node,
    foot,
    parent: "orders",
    leave() {
      gone = true;
      stopClock();
      stopBack();
      stop();
    },
  };
}

/** When it was ready, sent and received; left out where it was not. */
function timesOf({ delivery }, { pickup, sent_at: sentAt, received_at: receivedAt }) {
  return { ready_at: pickup?.ready_at, sent_at: delivery === "express" ? sentAt : null, received_at: receivedAt || pickup?.handed_at };
}
