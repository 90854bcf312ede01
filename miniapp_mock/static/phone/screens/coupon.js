/** One coupon: what it promises, how to use it, and its number. */
import { fill, h } from "../../shared/dom.js";
import { date, dateTime, shortMoney } from "../../shared/format.js";
import { couponNumber, dayOf, isValue, period } from "../coupon_words.js";
import { giftSection } from "../gifts.js";
import { emptyState, fact, howToUse, skeleton, trouble } from "../parts.js";
import { isOver, ticketFace, ticketText } from "../ticket.js";
import { t } from "../texts.js";

export function couponScreen(app) {
  const id = location.hash.split("?")[1] || "";
  const node = h("div", { class: "page stack coupon" });
  let shown = null;
  let gone = false;

  /** From a list the face is known at once; the conditions come with the answer. */
  function draw(coupon, rules, final = true) {
    fill(
      node,
      h("section", { class: `ticket large${isOver(coupon) ? " over" : ""}`, "aria-label": coupon.title }, ticketFace(coupon), ticketText(app, coupon, { balance: false })),
      isValue(coupon) && balance(coupon),
      isOver(coupon) || coupon.gift || coupon.in_gift ? null : final ? how(coupon) : h("section", { class: "card how-waits" }, skeleton("w50", "w70")),
      giftSection(app, coupon, load),
      h("section", { class: "card stack tight" }, h("h2", null, t("coupon.rules")), rules),
      facts(coupon),
    );
  }

  function balance(coupon) {
    const bar = h("span", { class: "share-left" });
    bar.style.setProperty("width", `${coupon.face_fen ? (100 * coupon.balance) / coupon.face_fen : 0}%`);
    return h(
      "section",
      { class: "card stack tight" },
      h("div", { class: "row between" }, h("h2", null, t("coupon.balance_title")), h("p", { class: "num" }, h("span", { class: "strong" }, shortMoney(coupon.balance)), h("span", { class: "muted small" }, ` / ${shortMoney(coupon.face_fen)}`))),
      h("span", { class: "share", "aria-hidden": "true" }, bar),
    );
  }

  /** Where it is used; only what the till takes is shown there. */
  function how(coupon) {
    const channels = coupon.terms?.scope?.channels || [];
    const mallOnly = channels.length > 0 && !channels.includes("pos");
    const later = coupon.valid_from > dayOf(app.api.serverNow());
    const where = mallOnly ? "coupon.how_mall" : later ? "coupon.how_later" : "coupon.how";
    const text = coupon.state === "locked" ? "coupon.how_locked" : `${where}_text`;
    const title = t(where, { date: date(coupon.valid_from) });
    return howToUse(app, { icon: mallOnly ? "shop" : later ? "clock" : "qr", title, text: t(text), code: !mallOnly && !later });
  }

  function facts(coupon) {
    const copy = (text) => h("button", { type: "button", class: "link small", onclick: () => app.wx.setClipboardData({ data: text }).then(() => app.toast(t("entry.copied")), () => undefined) }, t("entry.copy"));
    return h(
      "section",
      { class: "card stack tight" },
      h("div", { class: "row between" }, h("h2", null, t("coupon.number")), copy(coupon.id)),
      h("p", { class: "coupon-number num" }, couponNumber(coupon.id)),
      h("dl", { class: "facts" },
        fact(t("coupon.issued"), date(coupon.issued_at)),
        coupon.state === "used" && fact(t("coupon.used_at"), coupon.ended_at && dateTime(coupon.ended_at))),
    );
  }

  const rulesOf = (coupon) => h("ul", { class: "rules" }, [coupon.headline, period(coupon), ...coupon.lines.slice(1)].map((line) => h("li", null, line)));

  async function load() {
    try {
      const coupon = await app.coupons.detail(id);
      const text = JSON.stringify(coupon);
      if (gone || text === shown) return;
      shown = text;
      draw(coupon, rulesOf(coupon));
    } catch (error) {
      if (!gone && !shown) missed(error);
    }
  }

  function missed(error) {
    const kept = app.coupons.find(id);
    if (error.name === "NetworkError" && kept) {
      draw(kept, h("p", { class: "muted small", role: "status" }, t("coupon.rules_offline")));
      return;
    }
    const unknown = emptyState({ icon: "ticket", title: t("coupon.unknown"), action: t("coupon.to_list"), onAction: () => app.go("coupons", { replace: true }) });
    fill(node, h("div", { class: "card" }, error.status === 404 ? unknown : trouble(error, start)));
  }

  function start() {
    const kept = app.coupons.find(id);
    const waits = () => h("div", { class: "coupon-waits" }, skeleton("w70", "w50", "w70", "w50"));
    if (kept && !app.store.get("online")) missed({ name: "NetworkError" });
    else if (kept) draw(kept, waits(), false);
    else fill(node, h("div", { class: "ticket large waits" }, h("span", { class: "ticket-face" }), h("span", { class: "ticket-text" }, h("span", { class: "skeleton w70" }), h("span", { class: "skeleton w50" }))), h("div", { class: "card" }, waits()));
    load();
  }

  start();
  const stop = app.events.listen((type) => {
    if (["sale_completed", "sale_refunded", "caught_up"].includes(type)) load();
  });
  return {
    title: t("coupon.title"),
    node,
    parent: "coupons",
    leave() {
      gone = true;
      stop();
    },
  };
}
