/** How a coupon is drawn: its figure on the left, what it is on the right, a seam between. */
import { h } from "../shared/dom.js";
import { shortMoney } from "../shared/format.js";
import { dayOf, figure, isSoon, isValue, threshold, validity } from "./coupon_words.js";
import { glyph } from "./icons.js";
import { t } from "./texts.js";

const SIZES = [[6, " longer"], [4, " long"]]; // more characters than that are set smaller
const OVER = ["used", "expired", "given", "void"];

/** Whether nothing can be had from it any more. */
export function isOver(coupon) {
  return OVER.includes(coupon.state);
}

/** The figure and the threshold under it. */
export function ticketFace(coupon, note = threshold(coupon)) {
  const { lead, number, unit, word } = figure(coupon);
  const [, size = ""] = SIZES.find(([most]) => number?.length + (unit?.length || 0) > most) || [];
  return h(
    "span",
    { class: "ticket-face" },
    word
      ? h("span", { class: "ticket-word" }, word)
      : h("span", { class: `ticket-figure num${size}` }, lead && h("span", { class: "ticket-lead" }, lead), number, unit && h("span", { class: "ticket-lead" }, unit)),
    h("span", { class: "tiny num" }, note),
  );
}

/** What stands at the right: title, balance (unless that is told elsewhere), validity, and what one should know at a glance. */
export function ticketText(app, coupon, { balance = true } = {}) {
  const today = dayOf(app.api.serverNow());
  return h(
    "span",
    { class: "ticket-text" },
    h("span", { class: "ticket-title" }, coupon.title),
    balance && isValue(coupon) && !isOver(coupon) && h("span", { class: "small num" }, t("coupon.balance", { left: shortMoney(coupon.balance), face: shortMoney(coupon.face_fen) })),
    h("span", { class: "tiny muted num" }, validity(coupon, today)),
    marks(coupon, today),
  );
}

function marks(coupon, today) {
  if (coupon.gift || coupon.in_gift) return h("span", { class: "row" }, h("span", { class: "pill" }, glyph("gift", 14), t("coupon.in_gift")));
  if (coupon.state === "locked") return h("span", { class: "row" }, h("span", { class: "pill" }, glyph("lock", 14), t("coupon.locked")));
  if (isSoon(coupon, today)) return h("span", { class: "row" }, h("span", { class: "pill soon" }, glyph("clock", 14), t("coupon.soon")));
  if (coupon.state === "available" && coupon.valid_from > today) return h("span", { class: "row" }, h("span", { class: "pill" }, t("coupon.not_yet")));
  return null;
}

/** A row of the list, leading to the coupon. */
export function ticketLink(app, coupon) {
  return h(
    "a",
    { class: `ticket${isOver(coupon) ? " over" : ""}`, href: `#/coupon?${coupon.id}` },
    ticketFace(coupon),
    ticketText(app, coupon),
    glyph("next", 18, "chevron"),
  );
}

/** Placeholders of the same size. */
export function ticketSkeletons(count) {
  const one = () => h(
    "div",
    { class: "ticket waits" },
    h("span", { class: "ticket-face" }, h("span", { class: "skeleton w50" })),
    h("span", { class: "ticket-text" }, h("span", { class: "skeleton w70" }), h("span", { class: "skeleton w50" })),
  );
  return h("div", { class: "tickets", "aria-busy": "true", "aria-label": t("common.loading") }, Array.from({ length: count }, one));
}
