/** The member's coupons beside the basket: what each takes off, the best set, and, folded, why others do not apply. */
import { fill, h } from "/static/shared/dom.js";
import { money } from "/static/shared/format.js";
import { openDialog } from "./dialogs.js";
import { picture } from "./icons.js";
import { dismiss } from "./notices.js";
import { couponsShown, prices } from "./quotes.js";
import { change, onChange, state } from "./state.js";
import { walk } from "./strips.js";
import { t } from "./texts.js";

function choose(ids) {
  dismiss();
  change((now) => { now.choice = { ...now.choice, coupons: ids }; });
}

/** Use a coupon, or do without it again. */
export function toggle(id) {
  const { coupons } = state.choice;
  choose(coupons.includes(id) ? coupons.filter((other) => other !== id) : [...coupons, id]);
}

function chip(coupon) {
  const on = state.choice.coupons.includes(coupon.id);
  return h("button", {
    class: `chip ${on ? "on" : ""}`, type: "button", "aria-pressed": String(on), dataset: { coupon: coupon.id },
    disabled: !state.lines.length, onclick: () => toggle(coupon.id),
  }, h("span", { class: "clip" }, coupon.title), coupon.amount_fen ? h("span", { class: "num strong" }, `−${money(coupon.amount_fen)}`) : null);
}

function best(suggestion) {
  const ids = suggestion.coupons.map((coupon) => coupon.id);
  return h("button", { class: "chip best", type: "button", id: "coupons-best", onclick: () => choose(ids) },
    picture("ticket", 18), t("coupons.best", { amount: money(suggestion.total_fen) }), h("kbd", null, "F10"));
}

function showOthers(coupons) {
  openDialog({
    title: t("coupons.why_not"),
    body: h("ul", { class: "cells" }, coupons.map((coupon) => h("li", { class: "cell" },
      picture("ticket"), h("div", { class: "grow" }, h("p", null, coupon.title), h("p", { class: "small muted num" }, coupon.detail))))),
  });
}

function folded(coupons) {
  return h("button", { class: "chip quiet", type: "button", id: "coupons-others", onclick: () => showOthers(coupons) },
    t("coupons.others", { count: coupons.length }));
}

/** Draw, and keep the focus where it was: on the same coupon, or on the first that is used now. */
function redraw(place, ...children) {
  const had = place.contains(document.activeElement) ? document.activeElement.dataset.coupon || "" : null;
  fill(place, ...children);
  if (had === null) return;
  const chips = [...place.querySelectorAll("button")];
  (chips.find((chip) => had && chip.dataset.coupon === had) || chips.find((chip) => chip.classList.contains("on")) || chips[0])?.focus();
}

/** A strip that shows the coupons, empty where the member has none. */
export function build() {
  const place = h("div", { class: "coupons", id: "coupons", role: "group", "aria-label": t("coupons.title"), onkeydown: walk });
  let drawn = "";
  onChange(() => {
    const { shown, suggestion } = couponsShown();
    const usable = shown.filter((coupon) => coupon.usable);
    const others = shown.filter((coupon) => !coupon.usable);
    const better = suggestion && suggestion.total_fen > prices().coupon;
    const wish = JSON.stringify([shown, better && suggestion, state.choice.coupons, state.lines.length > 0]);
    if (wish === drawn) return;
    drawn = wish;
    place.hidden = !shown.length;
    redraw(place, better ? best(suggestion) : null, usable.map(chip), others.length ? folded(others) : null);
  });
  return place;
}
