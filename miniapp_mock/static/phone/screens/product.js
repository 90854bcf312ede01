/** One product: pictures, price, the choice of an article, how many; into the cart or bought at once. */
import { fill, h } from "../../shared/dom.js";
import { shortMoney } from "../../shared/format.js";
import { cartButton, picture, priceClock, pricePill, priceTag, stepper } from "../goods.js";
import { articleOf, choiceOf, firstChoice, isSoldOut, stockWord } from "../goods_words.js";
import { glyph } from "../icons.js";
import { busy, emptyState, linkCell, skeleton, staleNote, trouble } from "../parts.js";
import { reviewItem } from "../reviews.js";
import { problemText, t } from "../texts.js";

const MOST = 99;
const REVIEWS = 2; // what is shown of them before one looks at all

export function productScreen(app) {
  const id = decodeURIComponent(location.hash.split("?")[1] || "");
  const node = h("div", { class: "page stack product" });
  const cart = cartButton(app);
  const add = h("button", { type: "button", class: "button soft grow", disabled: true, onclick: () => busy(add, addToCart) }, t("goods.add"));
  const buy = h("button", { type: "button", class: "button primary grow", disabled: true, onclick: () => busy(buy, buyNow) }, t("goods.buy"));
  const foot = [cart.node, add, buy];
  let product = null;
  let values = [];
  let clock = null;
  let gone = false;
  const parts = {};
  const quantity = stepper({ most: MOST, name: t("goods.pieces") });

  const reviews = h("section", { class: "card flush", hidden: true, "aria-label": t("review.all") });

  /** What was said of it last; a product that nobody spoke of says nothing. */
  async function loadReviews() {
    const page = await app.reviews.of(id, null, REVIEWS).catch(() => ({ items: [] }));
    reviews.hidden = !page.items.length;
    if (gone || !page.items.length) return;
    fill(reviews, h("h2", { class: "reviews-head" }, t("review.all")), h("ul", { class: "reviews" }, page.items.map((one) => reviewItem(app, one))),
      page.next_cursor && linkCell({ text: t("review.more"), className: "reviews-more", onclick: () => app.go(`reviews?${encodeURIComponent(id)}`) }));
  }

  const chosen = () => articleOf(product.skus, values);

  function draw() {
    parts.old = h("div", { hidden: true });
    parts.gallery = h("section", { class: "gallery", "aria-label": t("goods.pictures") });
    parts.price = h("section", { class: "card stack tight product-head" });
    parts.axes = h("div", { class: "stack" });
    parts.stock = h("span", { class: "small muted", role: "status" });
    parts.missing = h("p", { class: "field-error", role: "alert" });
    fill(
      node,
      parts.old,
      parts.gallery,
      parts.price,
      h("section", { class: "card stack choice-card" },
        product.skus.length > 1 && parts.axes,
        h("div", { class: "row between" }, h("span", null, h("span", { class: "muted" }, t("goods.quantity")), " ", parts.stock), quantity.node),
        parts.missing),
      service(app),
      about(product),
      reviews,
    );
    drawGallery();
    drawAxes();
    follow();
  }

  function drawGallery() {
    const urls = product.pictures.length ? product.pictures : [null];
    const strip = h("div", { class: "gallery-strip", tabindex: urls.length > 1 ? "0" : null, role: urls.length > 1 ? "group" : null, "aria-label": urls.length > 1 ? t("goods.pictures") : null },
      urls.map((url, i) => h("div", { class: "gallery-one" }, picture(url, { small: false, eager: i === 0, name: i === 0 ? product.name : t("goods.picture_of", { number: i + 1, count: urls.length }) }))));
    const at = h("span", { class: "gallery-at num", "aria-hidden": "true" }, `1/${urls.length}`);
    strip.addEventListener("scroll", () => { at.textContent = `${Math.round(strip.scrollLeft / strip.clientWidth) + 1}/${urls.length}`; }, { passive: true });
    fill(parts.gallery, strip, urls.length > 1 && at);
    parts.strip = strip;
  }

  /** Show the picture of the article that was chosen, where it has one of its own. */
  function showPicture({ url }) {
    const at = product.pictures.findIndex((one) => one.url === url);
    if (at >= 0) parts.strip.scrollTo({ left: at * parts.strip.clientWidth });
  }

  function drawAxes() {
    const at = document.activeElement?.id;
    fill(parts.axes, product.axes.map(({ name, values: all }, axis) => h(
      "fieldset",
      { class: "field", id: `axis-${axis}` },
      h("legend", { class: "label" }, name),
      h("div", { class: "choices" }, all.map((value, i) => {
        const state = choiceOf(product.skus, values, axis, value);
        const note = state === "yes" ? "" : t(state === "none" ? "goods.no_such" : "goods.sold_out");
        return h("label", { class: `choice small-choice${state === "yes" ? "" : " off"}` },
          h("input", { type: "radio", id: `axis-${axis}-${i}`, name: `axis-${axis}`, value, checked: values[axis] === value, disabled: state !== "yes" && values[axis] !== value, "aria-label": note ? `${value}，${note}` : null, onclick: () => choose(axis, value) }),
          h("span", null, value));
      })),
    )));
    if (at) document.getElementById(at)?.focus({ preventScroll: true });
  }

  /** Choose a value; tapped again it is open anew. */
  function choose(axis, value) {
    values = values.map((one, i) => (i === axis ? (one === value ? "" : value) : one));
    parts.missing.textContent = "";
    drawAxes();
    follow();
  }

  /** What is shown of the price and the stock follows the choice. */
  function follow() {
    parts.old.hidden = !product.stale_at;
    fill(parts.old, product.stale_at && staleNote(product.stale_at));
    const article = chosen();
    const priced = article || product;
    clock?.stop();
    clock = priced.price_until ? priceClock(app, priced.price_until, () => { if (!gone) load(); }) : null;
    fill(parts.price,
      h("div", { class: "row product-price" }, priceTag(priced, { from: !article && product.several }), pricePill(priced)),
      clock?.node,
      h("h2", { class: "product-name" }, product.name),
      product.subtitle && h("p", { class: "small muted" }, product.subtitle));
    parts.stock.textContent = stockWord(article ? article.available : product.sold_out ? 0 : null);
    const none = product.sold_out || (article && isSoldOut(article));
    add.disabled = buy.disabled = Boolean(none);
    fill(buy, t(none ? "goods.sold_out" : "goods.buy"));
    quantity.set(quantity.value(), Math.max(1, Math.min(MOST, article?.available ?? MOST)));
    if (article?.picture) showPicture(article.picture);
  }

  /** The article, or null and a word about what is open. */
  function wanted() {
    const article = chosen();
    if (article) return article;
    const open = Math.max(0, values.findIndex((value) => !value));
    parts.missing.textContent = t("goods.choose", { axis: product.axes[open].name });
    const field = document.getElementById(`axis-${open}`);
    field.scrollIntoView({ block: "center" });
    field.querySelector("input:not(:disabled)")?.focus({ preventScroll: true });
    return null;
  }

  async function addToCart() {
    const article = wanted();
    if (!article) return;
    try {
      await app.cart.add(article.sku, quantity.value());
      app.toast(t("cart.added"));
    } catch (error) {
      refused(error);
    }
  }

  async function buyNow() {
    const article = wanted();
    if (!article) return;
    app.orders.begin({ lines: [{ sku: article.sku, qty: quantity.value(), store_id: app.store.get("mall_store").id }] });
    app.go("checkout");
  }

  function refused(error) {
    parts.missing.textContent = problemText(error);
    if (error.code === "out_of_stock" || error.code === "not_on_sale") load();
  }

  async function load() {
    try {
      const answer = await app.mall.product(id);
      if (gone) return;
      const same = product && JSON.stringify(product.axes) === JSON.stringify(answer.axes);
      product = answer;
      if (!same) values = firstChoice(product.axes, product.skus);
      if (same) {
        drawAxes();
        follow();
      } else {
        draw();
        loadReviews();
      }
    } catch (error) {
      if (gone) return;
      if (product && error.status !== 404) return; // what is shown stays
      const unknown = emptyState({ icon: "bag", title: t("goods.unknown"), hint: t("goods.unknown_hint"), action: t("goods.to_mall"), onAction: () => app.go("mall", { replace: true }) });
      fill(node, h("div", { class: "card" }, error.status === 404 ? unknown : trouble(error, start)));
    }
  }

  function start() {
    fill(node, h("div", { class: "gallery skeleton" }), h("section", { class: "card" }, skeleton("w30", "w70", "w50")), h("section", { class: "card" }, skeleton("w20", "w100", "w20")));
    load();
  }

  start();
  const stopBack = app.seen.onBack(load);
  app.cart.count();
  return {
    title: t("goods.title"),
    node,
    foot,
    parent: "mall",
    leave() {
      gone = true;
      clock?.stop();
      stopBack();
      cart.stop();
    },
  };
}

/** Where it comes from, and how it can reach the member; what sending costs goes by the address, which nobody has named yet. */
function service(app) {
  const ways = h("span", { class: "block" }, t("goods.service"));
  const cost = h("span", { class: "tiny muted block num" });
  const node = h("section", { class: "card row small", "aria-label": t("checkout.delivery") }, glyph("shop", 20, "cell-icon"), h("span", { class: "grow" }, h("span", { class: "block" }, app.store.get("mall_store")?.name), h("span", { class: "muted" }, ways), cost));
  app.mall.delivery().then(({ sends, free_from_fen: free }) => {
    if (!sends) return;
    ways.textContent = t("goods.service_sent");
    cost.textContent = free === null ? t("goods.freight") : t("goods.freight_free", { amount: shortMoney(free) });
  }, () => undefined);
  return node;
}

/** What the shop says of it. */
function about(product) {
  const facts = [product.brand && [t("goods.brand"), product.brand.name], ...product.attributes.map(({ name, value }) => [name, typeof value === "boolean" ? t(value ? "goods.yes" : "goods.no") : String(value)])].filter(Boolean);
  if (!facts.length && !product.description) return null;
  return h(
    "section",
    { class: "card stack" },
    h("h2", null, t("goods.about")),
    facts.length > 0 && h("dl", { class: "facts" }, facts.map(([name, value]) => h("div", { class: "fact" }, h("dt", { class: "muted" }, name), h("dd", null, value)))),
    product.description && h("p", { class: "small product-description" }, product.description),
  );
}
