/** The member's other cards beside the basket: gift cards and service cards to tap, discount and campaign cards to see. */
import { fill, h } from "/static/shared/dom.js";
import { discount, money } from "/static/shared/format.js";
import * as entitlements from "./entitlements.js";
import * as gifts from "./gifts.js";
import { picture } from "./icons.js";
import * as services from "./services.js";
import { onChange, state } from "./state.js";
import { walk } from "./strips.js";
import { t } from "./texts.js";

const last4 = (masked) => masked.slice(-4);

function giftChip(card) {
  const on = state.choice.gifts.some(({ id }) => id === card.id);
  return h("button", { class: `chip ${on ? "on" : ""}`, type: "button", "aria-pressed": String(on), dataset: { card: card.id }, onclick: () => gifts.toggle(card) },
    picture("gift", 18), h("span", null, t("cards.gift", { last4: last4(card.number_masked) })), h("span", { class: "num strong" }, money(card.balance_fen)));
}

function serviceChip(card) {
  return h("button", { class: "chip", type: "button", dataset: { card: card.id }, onclick: () => services.use(card) },
    picture("punch", 18), h("span", { class: "clip" }, card.title), h("span", { class: "num strong" }, services.leftWords(card)));
}

const shown = (icon, text, figure) => h("span", { class: "chip seen" }, picture(icon, 18), h("span", { class: "clip" }, text), figure ? h("span", { class: "num strong" }, figure) : null);

function chips() {
  const off = entitlements.discountCard();
  return [
    entitlements.serviceCards().map(serviceChip),
    entitlements.giftCards().map(giftChip),
    off ? shown("percent", off.title, discount(off.discount_bp)) : null,
    entitlements.campaignCards().map((card) => shown("stamp", card.title, `${card.have}/${card.goal}`)),
    entitlements.isManager() ? shown("badge", t("cards.manager")) : null,
  ];
}

/** A strip that shows them, hidden where the member has none. */
export function build() {
  const place = h("div", { class: "coupons", id: "cards", role: "group", "aria-label": t("cards.title"), onkeydown: walk });
  let drawn = "";
  onChange(() => {
    const wish = JSON.stringify([state.member?.entitlements, state.choice.gifts]);
    if (wish === drawn) return;
    drawn = wish;
    const had = place.contains(document.activeElement) ? document.activeElement.dataset.card : null;
    fill(place, chips());
    place.hidden = !place.childElementCount;
    place.querySelector(".chip.on")?.scrollIntoView({ block: "nearest", inline: "nearest" });
    if (had) place.querySelector(`[data-card="${had}"]`)?.focus();
  });
  return place;
}
