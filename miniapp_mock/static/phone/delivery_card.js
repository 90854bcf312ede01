/** How the goods of a checkout reach the member: brought to their table, fetched at the store, or sent to an address; and what sending costs, and why. */
import { h } from "../shared/dom.js";
import { money } from "../shared/format.js";
import { glyph } from "./icons.js";
import { freightWord, placeWord } from "./order_words.js";
import { choices } from "./parts.js";
import { spotWord } from "./spot_words.js";
import { t } from "./texts.js";

/**
 * The card. `draft.delivery` is "spot", "pickup" or "express", `draft.spot` and `draft.address` whole or null; `far`: no store sends there. `onKind(kind)` is
 * called for the other way.
 */
export function deliveryCard(app, { quote, draft, far, onKind }) {
  const ways = [draft.spot && ["spot", t("order.to_spot", { spot: spotWord(draft.spot) })], ...["pickup", "express"].map((kind) => [kind, t(`order.by_${kind}`)])].filter(Boolean);
  const kinds = choices("delivery", t("checkout.delivery"), ways, draft.delivery, onKind);
  kinds.classList.add("delivery-kinds");
  for (const input of kinds.querySelectorAll("input")) input.id = `delivery-${input.value}`;
  return h("section", { class: "card flush", "aria-label": t("checkout.delivery") },
    h("div", { class: "delivery-head" }, kinds),
    body(app, { quote, draft, far, onKind }));
}

function body(app, { quote, draft, far, onKind }) {
  if (draft.delivery === "spot") {
    const elsewhere = quote.orders.filter(({ store_id: id }) => id !== draft.spot.store_id);
    return [brought(draft.spot), elsewhere.length > 0 && pickup(app, elsewhere)];
  }
  if (draft.delivery === "pickup") return pickup(app, quote.orders);
  return draft.address ? express(app, quote, draft.address, far, onKind) : none(app);
}

function brought(spot) {
  return h("div", { class: "cell" }, glyph(spot.kind === "table" ? "table" : "pin", 22, "cell-icon"),
    h("span", { class: "grow" }, h("span", { class: "strong" }, `${spot.store_name} · ${spotWord(spot)}`), h("span", { class: "tiny muted block" }, t("checkout.spot_text"))));
}

function pickup(app, orders) {
  const places = orders.map(({ store_id: id }) => app.mall.storeName(id));
  return h("div", { class: "cell" }, glyph("shop", 22, "cell-icon"),
    h("span", { class: "grow" }, h("span", { class: "strong" }, places.join("、")), h("span", { class: "tiny muted block" }, t("checkout.pickup_text"))));
}

function none(app) {
  return h("button", { type: "button", id: "to-address", class: "cell", onclick: () => app.go("address?choose") }, glyph("plus", 22, "brand"),
    h("span", { class: "grow" }, h("span", { class: "strong" }, t("address.add")), h("span", { class: "tiny muted block" }, t("checkout.need_address"))), glyph("next", 18, "chevron"));
}

function express(app, quote, address, far, onKind) {
  return [
    h("button", { type: "button", id: "to-address", class: "cell", "aria-label": t("checkout.change_address", { name: address.name }), onclick: () => app.go("addresses?choose") }, glyph("pin", 22, "cell-icon"),
      h("span", { class: "grow" }, h("span", { class: "row address-who" }, h("span", { class: "strong clip" }, address.name), h("span", { class: "num" }, address.phone)),
        h("span", { class: "tiny muted block" }, `${placeWord(address)}${address.street}`)),
      glyph("next", 18, "chevron")),
    far
      ? h("div", { class: "delivery-far", role: "alert" }, h("p", { class: "small danger" }, t("checkout.far")), h("button", { type: "button", id: "to-pickup", class: "button soft compact", onclick: () => onKind("pickup") }, t("checkout.far_pickup")))
      : h("ul", { class: "delivery-freight" }, quote.orders.filter(({ freight }) => freight).map((part) => h("li", { class: "row between tiny muted num" }, h("span", null, freightWord(part.freight)), h("span", null, part.freight.free ? t("checkout.free") : money(part.freight.fee_fen))))),
  ];
}
