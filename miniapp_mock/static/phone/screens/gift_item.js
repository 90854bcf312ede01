/** One gift: what it is, where it is fetched or sent, and redeeming it. A line that is cut sends the same request again, so it is redeemed once. */
import { newKey } from "../../shared/api.js";
import { fill, h } from "../../shared/dom.js";
import { count, date, money } from "../../shared/format.js";
import { picture, stepper } from "../goods.js";
import { placeWord } from "../order_words.js";
import { busy, choices, skeleton, trouble } from "../parts.js";
import { orderPinSheet } from "../sheets/order_pin.js";
import { problemText, t } from "../texts.js";
import { imageOf, priceOf } from "./gift_shop.js";

export function giftItemScreen(app) {
  const id = decodeURIComponent(location.hash.split("?")[1] || "");
  const node = h("div", { class: "page stack" });
  const problem = h("p", { class: "field-error center", role: "alert" });
  const button = h("button", { type: "button", class: "button primary wide", id: "redeem", disabled: true, onclick: () => busy(button, redeem) }, t("gifts.redeem"));
  const wish = { way: null, store_id: null, address_id: null, quantity: 1 };
  let gift = null;
  let addresses = [];
  let key = null;
  let gone = false;

  async function load() {
    if (!gift) fill(node, h("div", { class: "card" }, skeleton("w100", "w50", "w30")));
    try {
      gift = await app.api.get(`/v1/member/gifts/${encodeURIComponent(id)}`);
      wish.way ||= gift.ways[0];
      wish.quantity = Math.max(1, Math.min(wish.quantity, gift.most));
      wish.store_id ||= gift.stores.find((store) => store.in_stock)?.store_id || null;
      if (gift.ways.includes("delivery")) {
        addresses = await app.addresses.list();
        wish.address_id ||= addresses[0]?.id || null;
      }
      if (!gone) draw();
    } catch (error) {
      if (!gone) fill(node, h("div", { class: "card" }, trouble(error, load)));
    }
  }

  const notes = () => [
    gift.kind === "stored" && t("gifts.stored", { amount: money(gift.stored_fen) }),
    gift.stored_days && t("gifts.stored_days", { count: gift.stored_days }),
    gift.kind === "coupon" && t("gifts.coupon"),
    gift.level_names.length > 0 && t("gifts.levels", { levels: gift.level_names.join("、") }),
    gift.why_not === "not_yet" && t("gifts.starts", { date: date(gift.starts_at) }),
    gift.ends_at && t("gifts.until", { date: date(gift.ends_at) }),
    gift.left !== null && t("gifts.left", { count: count(gift.left) }),
    gift.mine_left !== null && t("gifts.mine_left", { count: count(gift.mine_left) }),
  ].filter(Boolean);

  function draw() {
    button.textContent = gift.why_not ? t(`gifts.why_${gift.why_not}`) : t("gifts.redeem");
    const homeless = wish.way === "delivery" ? !wish.address_id : wish.way === "pickup" && !wish.store_id;
    button.disabled = Boolean(gift.why_not) || homeless;
    fill(node,
      h("section", { class: "card flush" }, h("div", { class: "gift-picture" }, picture(imageOf(gift), { small: false, eager: true })),
        h("div", { class: "stack tight gift-text" },
          h("h2", null, gift.title),
          h("p", { class: "big-amount num gold" }, priceOf(gift)),
          h("ul", { class: "small muted" }, notes().map((text) => h("li", null, text))),
          gift.note && h("p", null, gift.note))),
      gift.ways.length > 1 && h("section", { class: "card stack tight" }, choices("way", t("gifts.way"), gift.ways.map((way) => [way, t(`gifts.${way}`)]), wish.way, (way) => { wish.way = way; draw(); })),
      wish.way === "pickup" && stores(),
      wish.way === "delivery" && receivers(),
      gift.most > 1 && pieces(),
      problem);
  }

  function pieces() {
    const total = h("span", { class: "num gold strong", id: "gift-total" }, priceOf(price()));
    const step = stepper({ qty: wish.quantity, most: gift.most, name: gift.title, onchange: (qty) => { wish.quantity = qty; total.textContent = priceOf(price()); } });
    return h("section", { class: "card stack tight", "aria-label": t("gifts.quantity") },
      h("div", { class: "row between" }, h("span", null, t("gifts.quantity")), step.node), h("p", { class: "small" }, total));
  }

  const price = () => ({ points: gift.points * wish.quantity, pay_fen: gift.pay_fen * wish.quantity });

  function stores() {
    const there = gift.stores.filter((store) => store.in_stock);
    const out = gift.stores.filter((store) => !store.in_stock);
    return h("section", { class: "card stack tight" },
      there.length > 0 && choices("store", t("gifts.store"), there.map((store) => [store.store_id, store.name]), wish.store_id, (id_) => { wish.store_id = id_; draw(); }),
      out.length > 0 && h("p", { class: "small muted" }, t("gifts.store_out", { stores: out.map((store) => store.name).join("、") })),
      h("p", { class: "tiny muted" }, t("gifts.pickup_days", { count: gift.pickup_days })));
  }

  function receivers() {
    const named = addresses.map((one) => [one.id, `${one.name}，${placeWord(one)}${one.street}`]);
    return h("section", { class: "card stack tight" },
      named.length > 0
        ? choices("address", t("gifts.address"), named, wish.address_id, (id_) => { wish.address_id = id_; draw(); })
        : h("p", { class: "small muted" }, t("gifts.address_none")),
      h("button", { type: "button", class: "button wide", onclick: () => app.go("address") }, t("gifts.address_add")));
  }

  async function redeem() {
    problem.textContent = "";
    const sure = await app.wx.showModal({ title: t("gifts.redeem_ask", { title: wish.quantity > 1 ? `${gift.title} ×${wish.quantity}` : gift.title }), content: t("gifts.redeem_text", { price: priceOf(price()) }), confirmText: t("gifts.redeem"), cancelText: t("common.cancel") });
    if (!sure.confirm) return;
    key ||= await newKey(app.wx);
    const body = { gift_id: gift.id, quantity: wish.quantity, way: wish.way, ...price() };
    if (wish.way === "pickup") body.store_id = wish.store_id;
    if (wish.way === "delivery") body.address_id = wish.address_id;
    const send = (pin) => app.api.post("/v1/member/gift-redemptions", pin ? { ...body, pin } : body, { key });
    try {
      const made = await confirmed(send);
      if (made) arrived(made);
    } catch (error) {
      refused(error);
    }
  }

  /** The server knows what goes without the PIN; where it asks, the same request is sent again with it. */
  async function confirmed(send) {
    try {
      return await send();
    } catch (error) {
      if (error.code !== "pin_required") throw error;
    }
    const done = await orderPinSheet({ amount: priceOf(price()), send });
    if (done?.error) throw done.error;
    if (!done) key = null; // thought better of it, and nothing has moved
    return done?.answer;
  }

  function arrived(made) {
    app.toast(t("gifts.done"));
    app.refresh().catch(() => undefined);
    app.go(`gift-order?${encodeURIComponent(made.id)}`, { replace: true });
  }

  function refused(error) {
    if (error.status && error.status < 500) key = null; // what was refused moved nothing: another wish, another key
    problem.textContent = error.code === "gift_price_changed" ? t("gifts.price_changed", { before: priceOf(price()), now: priceOf(error.problem) }) : problemText(error);
    load();
  }

  load();
  return { title: t("gifts.title"), node, foot: button, parent: "gift-shop", leave: () => { gone = true; } };
}
