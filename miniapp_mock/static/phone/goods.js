/** How goods are drawn: a picture, a price, a card for the list, a stepper. */
import { fill, h } from "../shared/dom.js";
import { shortMoney } from "../shared/format.js";
import { isCut, leftOf, priceWord, untilWord } from "./goods_words.js";
import { glyph } from "./icons.js";
import { t } from "./texts.js";

/** A square picture (`{ url, small_url }`); a drawing stands in where there is none or it does not come. */
export function picture(image, { small = true, name = "", eager = false } = {}) {
  const box = h("span", { class: "picture" });
  const none = () => fill(box, glyph("bag", 36));
  if (!image) return none();
  const drawn = h("img", { src: small ? image.small_url : image.url, alt: name, loading: eager ? null : "lazy", decoding: "async", onerror: none });
  return fill(box, drawn);
}

/** The price as it is printed: large, the list price struck through beside it. */
export function priceTag(priced, { from = false } = {}) {
  return h(
    "span",
    { class: "price num" },
    h("span", { class: "price-now" }, h("span", { class: "price-sign" }, "¥"), shortMoney(priced.price_fen).slice(1), from && h("span", { class: "price-from" }, t("goods.from_short"))),
    isCut(priced) && h("s", { class: "price-was" }, h("span", { class: "sr-only" }, t("goods.list_price")), shortMoney(priced.list_fen)),
  );
}

/** "会员价" or "限时价" on a pill, or null. */
export function pricePill(priced) {
  const word = priceWord(priced);
  return word ? h("span", { class: `pill ${priced.price_kind === "level" ? "gold" : "brand"}` }, word) : null;
}

/** A clock that runs down to the end of a timed price: `{ node, stop() }`; `over()` when it is there. */
export function priceClock(app, until, over) {
  const left = h("span", { class: "num strong", "aria-hidden": "true" });
  const ends = Date.parse(until);
  const node = h("p", { class: "price-clock", role: "timer", "aria-label": untilWord(until, app.api.serverNow()) }, glyph("clock", 18), h("span", null, t("goods.ends_in")), left);
  function tick() {
    const word = leftOf(ends, app.api.serverNow());
    left.textContent = word || t("goods.ended");
    if (word) return;
    clearInterval(timer);
    over();
  }
  const timer = setInterval(tick, 1000);
  left.textContent = leftOf(ends, app.api.serverNow());
  return { node, stop: () => clearInterval(timer) };
}

/** A product in the list, two beside each other. */
export function goodsCard(item) {
  return h(
    "a",
    { class: "goods", href: `#/product?${encodeURIComponent(item.id)}` },
    h("span", { class: "goods-picture" }, picture(item.picture)),
    h(
      "span",
      { class: "goods-text" },
      h("span", { class: "goods-name" }, item.name),
      item.subtitle && h("span", { class: "tiny muted clip" }, item.subtitle),
      h("span", { class: "goods-foot" }, priceTag(item, { from: item.several }), pricePill(item)),
    ),
  );
}

/** Placeholders of the same size. */
export function goodsSkeletons(count) {
  const one = () => h("div", { class: "goods" }, h("span", { class: "goods-picture" }, h("span", { class: "picture skeleton" })), h("span", { class: "goods-text" }, h("span", { class: "skeleton w70" }), h("span", { class: "skeleton w50" })));
  return h("div", { class: "goods-grid", "aria-busy": "true", "aria-label": t("common.loading") }, Array.from({ length: count }, one));
}

/**
 * How many: `{ node, value(), set(qty, most) }`; `onchange(qty)` after each step. `name` is said with it.
 */
export function stepper({ qty = 1, most = 99, least = 1, name, onchange }) {
  const number = h("output", { class: "stepper-value num", "aria-live": "polite" });
  const less = h("button", { type: "button", class: "stepper-button", "aria-label": t("goods.less", { name }), onclick: () => step(-1) }, glyph("minus", 18));
  const more = h("button", { type: "button", class: "stepper-button", "aria-label": t("goods.more", { name }), onclick: () => step(1) }, glyph("plus", 18));
  const node = h("span", { class: "stepper" }, less, number, more);

  function draw() {
    number.textContent = String(qty);
    less.disabled = qty <= least;
    more.disabled = qty >= most;
  }

  function step(by) {
    const next = Math.max(least, Math.min(most, qty + by));
    if (next === qty) return;
    qty = next;
    draw();
    onchange?.(qty);
  }
  draw();
  return {
    node,
    value: () => qty,
    set(value, newMost = most) {
      most = newMost;
      qty = Math.max(least, Math.min(most, value));
      draw();
    },
  };
}

/** The way to the cart with how many pieces lie in it; follows the store. Returns `{ node, stop() }`. */
export function cartButton(app) {
  const mark = h("span", { class: "cart-count num", hidden: true });
  const node = h("a", { class: "icon-button cart-button", href: "#/cart" }, glyph("cart", 24), mark);
  const stop = app.store.watch(["cart_count"], () => {
    const pieces = app.store.get("cart_count") || 0;
    mark.hidden = !pieces;
    mark.textContent = pieces > 99 ? "99+" : String(pieces);
    node.setAttribute("aria-label", pieces ? t("cart.open_with", { count: pieces }) : t("cart.title"));
  });
  return { node, stop };
}
