/** After placing: paid, or still to pay; and the ways on. */
import { fill, h } from "../../shared/dom.js";
import { money } from "../../shared/format.js";
import { glyph } from "../icons.js";
import { couponSums, linesWord } from "../order_words.js";
import { busy, linkCell, skeleton, trouble } from "../parts.js";
import { payClock } from "../pay_clock.js";
import { payOrder } from "../paying.js";
import { problemText, t } from "../texts.js";

const POLL_MS = 1000;
const PATIENCE_MS = 30000;

export function orderResultScreen(app) {
  const ids = (location.hash.split("?")[1] || "").split(",").map(decodeURIComponent);
  const node = h("div", { class: "page stack" });
  const patience = Date.now() + PATIENCE_MS;
  let orders = [];
  let timer = null;
  let gone = false;
  let shown = "";
  let clock = null;

  async function check() {
    clearTimeout(timer);
    try {
      orders = await Promise.all(ids.map((id) => app.orders.get(id)));
    } catch (error) {
      if (!gone && !orders.length) fill(node, h("div", { class: "card" }, trouble(error, check)));
      if (!orders.length) return;
    }
    if (gone) return;
    draw();
    if (waiting() && Date.now() < patience) timer = setTimeout(check, POLL_MS);
  }

  const waiting = () => orders.some(({ status }) => status === "awaiting_payment");

  function draw() {
    const text = JSON.stringify(orders);
    if (text === shown) return;
    shown = text;
    const open = waiting();
    const over = orders.every(({ status }) => ["cancelled", "closed"].includes(status));
    const kind = open ? "open" : over ? "over" : "paid";
    if (kind === "paid") app.refresh().catch(() => undefined);
    clock?.stop();
    const until = open && orders.map(({ pay_until: at }) => at).find(Boolean);
    clock = until ? payClock(app, until, () => { pay.remove(); timer = setTimeout(check, POLL_MS); }) : null;
    const pay = h("button", { type: "button", class: "button primary wide", onclick: () => busy(pay, payAgain) }, t("order.do_pay"));
    const problem = h("p", { class: "field-error center", role: "alert" });
    async function payAgain() {
      try {
        await payOrder(app, orders.find(({ status }) => status === "awaiting_payment"));
        check();
      } catch (error) {
        problem.textContent = problemText(error);
      }
    }
    fill(node,
      h("section", { class: "card result", role: "status" },
        h("span", { class: `done-mark ${kind === "paid" ? "" : "calm"}` }, glyph({ paid: "check", open: "clock", over: "alert" }[kind], 34)),
        h("h2", { class: "result-title" }, t(`placed.${kind}`)),
        h("p", { class: "big-amount num" }, money(orders.reduce((sum, order) => sum + couponSums(order).due, 0))),
        h("p", { class: "muted small" }, t(`placed.${kind}_hint`)), clock?.node, problem),
      h("section", { class: "card flush cells" }, orders.map((order) => linkCell({ icon: "box", text: linesWord(order.lines), value: t("placed.look"), onclick: () => app.go(`order?${encodeURIComponent(order.id)}`) }))),
      h("div", { class: "stack" }, open && pay, h("button", { type: "button", class: `button wide ${open ? "" : "primary"}`, onclick: () => app.go("orders") }, t("orders.title")), h("button", { type: "button", class: "button wide", onclick: () => app.go("mall") }, t("placed.on"))));
  }

  fill(node, h("section", { class: "card" }, skeleton("w50", "w70")));
  check();
  const stop = app.events.listen((type) => { if (type.startsWith("order_")) check(); });
  return {
    title: t("placed.title"),
    node,
    parent: "mall",
    leave() {
      gone = true;
      clearTimeout(timer);
      clock?.stop();
      stop();
    },
  };
}
