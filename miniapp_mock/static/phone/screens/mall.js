/** 商城: the store one buys at, categories, and goods without end. */
import { fill, h } from "../../shared/dom.js";
import { openDialog } from "../../shared/dialog.js";
import { endless, forgetPlace } from "../endless.js";
import { cartButton, goodsCard, goodsSkeletons, picture, priceClock } from "../goods.js";
import { glyph } from "../icons.js";
import { busy, emptyState, skeleton, trouble } from "../parts.js";
import { spotStrip } from "../spot_strip.js";
import { t } from "../texts.js";

const TILES = 8;
const PLACE = "mall";

export function mallScreen(app) {
  const cart = cartButton(app);
  const where = h("button", { type: "button", class: "mall-store", onclick: () => storeSheet(app, changed) });
  const scan = h("button", { type: "button", class: "icon-button", "aria-label": t("mall.scan"), onclick: () => busy(scan, app.spot.scan) }, glyph("scan", 22));
  const strip = spotStrip(app);
  const head = h("div", { class: "stack" });
  const list = endless({
    place: PLACE,
    fetch: (cursor) => app.mall.products({}, cursor),
    wait: () => goodsSkeletons(6),
    draw: (items) => h("ul", { class: "goods-grid" }, items.map((item) => h("li", null, goodsCard(item)))),
    nothing: () => h("div", { class: "card" }, emptyState({ icon: "bag", title: t("mall.empty"), hint: t("mall.empty_hint"), action: t("mall.choose_store"), onAction: () => storeSheet(app, changed) })),
  });
  const under = h("section", { class: "stack", "aria-label": t("mall.all_goods") }, h("h2", { class: "section-head" }, t("mall.all_goods")), list.node);
  const node = h(
    "div",
    { class: "page stack mall" },
    h("div", { class: "row mall-head" },
      where,
      h("a", { class: "mall-search", href: "#/mall-search" }, glyph("search", 18), h("span", { class: "clip" }, t("mall.search_hint"))),
      scan),
    strip.node,
    head,
    under,
  );
  let gone = false;
  let clock = null;

  async function loadHead({ quiet = false } = {}) {
    under.hidden = false;
    if (!quiet) fill(head, h("div", { class: "skeleton mall-banner" }), h("div", { class: "card mall-tiles" }, Array.from({ length: 4 }, () => h("div", { class: "mall-tile" }, skeleton("w50")))));
    try {
      const place = await app.mall.chosenStore();
      const page = await app.mall.home();
      if (gone) return;
      drawStore();
      stopClock();
      const offers = page.offers.length > 0 && drawOffers(page.offers);
      fill(head, drawBanners(page.banners, place), page.categories.length > 0 && drawTiles(page.categories), offers);
    } catch (error) {
      if (gone) return;
      fill(head, h("div", { class: "card" }, trouble(error, start)));
      under.hidden = true; // it fails for the same reason
    }
  }

  /** What is cheaper for a while, and until when: the first to end. */
  function drawOffers(offers) {
    const timed = offers.filter(({ price_until: until }) => until);
    const first = timed.map(({ price_until: until }) => until).sort()[0];
    if (first) clock = priceClock(app, first, () => { if (!gone) loadHead(); });
    return h("section", { class: "stack tight", "aria-label": t("mall.offers") },
      h("div", { class: "row between section-head" }, h("h2", null, t("mall.offers")), clock?.node),
      h("ul", { class: "offer-strip" }, offers.map((item) => h("li", null, goodsCard(item)))));
  }

  function stopClock() {
    clock?.stop();
    clock = null;
  }

  const drawStore = () => fill(where, glyph("pin", 18), h("span", { class: "clip" }, app.store.get("mall_store")?.name || t("mall.choose_store")), glyph("next", 14, "chevron"));

  function start() {
    loadHead();
    if (list.resume()) list.reload({ quiet: true });
    else list.reload();
  }

  function changed() {
    forgetPlace(PLACE);
    loadHead();
    list.reload();
  }

  drawStore();
  start();
  const stopBack = app.seen.onBack(() => { loadHead({ quiet: true }); list.reload({ quiet: true }); });
  app.cart.count();
  return {
    title: t("tab.mall"),
    node,
    tool: cart.node,
    shown: list.shown,
    leave() {
      gone = true;
      stopClock();
      stopBack();
      strip.stop();
      cart.stop();
      list.leave(node.parentElement);
    },
  };
}

function drawTiles(categories) {
  return h("nav", { class: "card mall-tiles", "aria-label": t("mall.categories") }, categories.slice(0, TILES).map((category) => h(
    "a",
    { class: "mall-tile", href: `#/goods?category=${encodeURIComponent(category.code)}` },
    h("span", { class: "mall-tile-mark" }, category.picture ? picture(category.picture) : [...category.name][0]),
    h("span", { class: "small" }, category.name),
  )));
}

/** What staff put on top, one beside the other; where nothing is, what the store promises. */
function drawBanners(banners, place) {
  if (!banners.length) return place && promise(place);
  return h("ul", { class: "banner-strip", "aria-label": t("mall.banners") }, banners.map((item) => h("li", null, banner(item))));
}

function banner({ title, picture: image, link_kind: kind, link }) {
  const href = { product: `#/product?${encodeURIComponent(link)}`, category: `#/goods?category=${encodeURIComponent(link)}` }[kind];
  const drawn = h("img", { class: "banner-picture", src: image.url, alt: title });
  return href ? h("a", { class: "banner", href }, drawn) : h("div", { class: "banner" }, drawn);
}

function promise(place) {
  const first = place.pictures.find(({ kind }) => kind === "picture");
  return h(
    "section",
    { class: "hero mall-banner", "aria-label": place.name },
    first ? h("img", { class: "mall-banner-picture", src: first.picture.url, alt: "" }) : h("div", { class: "hero-rings", "aria-hidden": "true" }),
    h("div", null, h("p", { class: "hero-hello" }, place.name), h("p", { class: "mall-banner-title" }, t("mall.banner"))),
    h("p", { class: "small hero-soft" }, t("mall.banner_text")),
  );
}

/** Choose the store; `done()` when it is another. */
export async function storeSheet(app, done) {
  const list = h("div", { class: "cells sheet-cells" }, skeleton("w70", "w50", "w70"));
  const body = h("div", { class: "sheet-body stack" },
    h("div", { class: "sheet-head" },
      h("button", { type: "button", class: "icon-button", "aria-label": t("common.close"), onclick: () => dialog.close() }, glyph("close", 22)),
      h("h2", { class: "sheet-title" }, t("mall.choose_store")), h("span")),
    list);
  const dialog = openDialog(body, { label: t("mall.choose_store") });
  try {
    const now = app.store.get("mall_store")?.id;
    const stores = await app.mall.stores();
    fill(list, stores.map((one) => h("button", { type: "button", class: "cell", "aria-current": one.id === now ? "true" : null, onclick: () => dialog.close(one) },
      glyph("shop", 22, "cell-icon"), h("span", { class: "grow" }, h("span", { class: "clip" }, one.name), one.address && h("span", { class: "tiny muted" }, one.address)), one.id === now && glyph("check", 20, "brand"))));
  } catch (error) {
    fill(list, trouble(error, () => { dialog.close(); storeSheet(app, done); }));
  }
  const chosen = await dialog.closed;
  if (!chosen || chosen.id === app.store.get("mall_store")?.id) return;
  app.mall.choose(chosen);
  done();
}
