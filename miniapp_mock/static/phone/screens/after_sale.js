/** One request after buying: where it stands, each step, and what came back by which way. */
import { fill, h } from "../../shared/dom.js";
import { openDialog } from "../../shared/dialog.js";
import { count, dateTime, money } from "../../shared/format.js";
import { glyph } from "../icons.js";
import { afterWord, carrierWord, tenderWord } from "../order_words.js";
import { busy, emptyState, fact, field, linkCell, skeleton, trouble } from "../parts.js";
import { pictureStrip } from "../pictures.js";
import { known, problemText, t } from "../texts.js";

const CARRIERS = ["SF", "YTO", "ZTO", "STO", "YD", "EMS", "JD"];

export function afterSaleScreen(app) {
  const id = decodeURIComponent(location.hash.split("?")[1] || "");
  const node = h("div", { class: "page stack" });
  const foot = h("div", { class: "row grow order-actions" });
  const refusal = h("p", { class: "field-error center", role: "alert" });
  let request = null;
  let names = new Map(); // line_no → what it is
  let shown = "";
  let gone = false;

  async function load({ quiet = true } = {}) {
    try {
      const answer = await app.orders.afterSale(id);
      if (!names.size) names = await namesOf(answer.order_id);
      const text = JSON.stringify(answer);
      if (gone || text === shown) return;
      shown = text;
      request = answer;
      draw();
    } catch (error) {
      if (gone || (quiet && request)) return;
      const unknown = emptyState({ icon: "undo", title: t("after.unknown"), action: t("orders.title"), onAction: () => app.go("orders", { replace: true }) });
      fill(node, h("div", { class: "card" }, error.status === 404 ? unknown : trouble(error, () => load({ quiet: false }))));
    }
  }

  async function namesOf(orderId) {
    const order = await app.orders.get(orderId).catch(() => ({ lines: [] }));
    return new Map(order.lines.map((line) => [line.line_no, [line.name, line.spec].filter(Boolean).join(" · ")]));
  }

  function draw() {
    const hint = `after.hint_${request.status}`;
    fill(node,
      h("section", { class: "hero order-head" }, h("div", { class: "hero-rings", "aria-hidden": "true" }),
        h("div", { role: "status" }, h("p", { class: "order-state" }, afterWord(request)), known(hint) && h("p", { class: "small hero-soft" }, t(hint)))),
      refusal,
      request.refund && refundCard(request.refund),
      h("section", { class: "card stack" }, h("h2", null, t("after.steps")),
        h("ol", { class: "timeline" }, [...(request.stages || [])].reverse().map((stage) => h("li", null,
          h("span", { class: "row between" }, h("span", null, known(`after.step_${stage.step}`) ? t(`after.step_${stage.step}`) : stage.step), h("span", { class: "tiny muted num" }, dateTime(stage.at))),
          stage.note && h("span", { class: "small muted block" }, stage.note))))),
      h("section", { class: "card stack tight" }, h("h2", null, t(`after.kind_${request.kind}`)),
        h("dl", { class: "facts" },
          request.lines.map(({ line_no: no, qty }) => fact(names.get(no) || `#${no}`, `×${qty}`)),
          fact(t("ask.reason"), request.reason),
          request.amount_fen && fact(t("ask.amount"), money(request.amount_fen)),
          request.tracking_no && fact(carrierWord(request.carrier), request.tracking_no)),
        pictureStrip(app, request.pictures)),
      h("section", { class: "card flush cells" }, linkCell({ icon: "box", text: t("after.order"), onclick: () => app.go(`order?${encodeURIComponent(request.order_id)}`) })));
    drawActions();
  }

  function refundCard(refund) {
    const returned = refund.coupons_returned.filter((one) => one.state !== "void");
    return h("section", { class: "card stack tight" },
      h("h2", null, t("after.refund")),
      h("dl", { class: "facts" },
        fact(t("after.total"), money(refund.refund_fen), { look: "strong brand" }),
        refund.by_tender.filter((one) => one.amount_fen > 0).map((one) => fact(tenderWord(one.type), money(one.amount_fen))),
        refund.points_returned > 0 && fact(t("after.points_back"), count(refund.points_returned), { look: "gold" }),
        refund.points_clawed_back > 0 && fact(t("after.clawed"), count(-refund.points_clawed_back), { look: "gold" }),
        returned.length > 0 && fact(t("after.coupons_back"), t("after.pieces", { count: returned.length }))));
  }

  function drawActions() {
    const back = request.kind !== "refund" && ["approved", "on_the_way"].includes(request.status);
    const undo = ["requested", "approved"].includes(request.status);
    const cancelling = h("button", { type: "button", class: "button", onclick: () => busy(cancelling, cancel) }, t("after.cancel"));
    fill(foot, undo && cancelling, back && h("button", { type: "button", class: "button primary", onclick: () => parcelSheet() }, t("after.send")));
    foot.parentElement?.toggleAttribute("hidden", !undo && !back);
  }

  async function cancel() {
    const { confirm } = await app.wx.showModal({ title: t("after.cancel_ask"), content: t("after.cancel_text"), confirmText: t("after.cancel"), cancelText: t("common.back") });
    if (!confirm) return;
    refusal.textContent = "";
    await app.orders.cancelAfterSale(id).catch((error) => { refusal.textContent = problemText(error); });
    await load();
  }

  function parcelSheet() {
    const carrier = h("select", { class: "input", id: "carrier" }, CARRIERS.map((code) => h("option", { value: code }, carrierWord(code))));
    const number = field("tracking", t("after.tracking"), h("input", { type: "text", class: "num", autocomplete: "off", maxlength: 64, autofocus: true }));
    const submit = h("button", { type: "submit", class: "button primary wide" }, t("common.confirm"));
    async function send() {
      const typed = number.input.value.trim();
      if (!/^[0-9A-Za-z-]{4,64}$/.test(typed)) {
        number.mark(t("after.tracking_wrong"));
        number.input.focus();
        return;
      }
      try {
        await app.orders.sendBack(id, { carrier: carrier.value, tracking_no: typed });
        dialog.close();
        load();
      } catch (error) {
        number.mark(problemText(error));
      }
    }
    const form = h("form", { class: "sheet-body stack", novalidate: true, onsubmit: (event) => { event.preventDefault(); busy(submit, send); } },
      h("div", { class: "sheet-head" },
        h("button", { type: "button", class: "icon-button", "aria-label": t("common.close"), onclick: () => dialog.close() }, glyph("close", 22)),
        h("h2", { class: "sheet-title" }, t("after.send")), h("span")),
      h("div", { class: "field" }, h("label", { for: "carrier" }, t("after.carrier")), carrier), number.node, submit);
    const dialog = openDialog(form, { label: t("after.send") });
  }

  fill(node, h("div", { class: "skeleton block-order" }), h("section", { class: "card" }, skeleton("w70", "w50")));
  load({ quiet: false });
  const stop = app.events.listen((type, data) => {
    if (type === "caught_up" || ["after_sale", "refund_paid"].includes(type)) {
      load();
      if (type !== "caught_up" && data.id === id) app.refresh().catch(() => undefined);
    }
  });
  return {
    title: t("after.title"),
    node,
    foot,
    parent: "orders",
    leave() {
      gone = true;
      stop();
    },
  };
}
