/** Goods of a category, or what a word found: narrowed and ordered. */
import { fill, h } from "../../shared/dom.js";
import { endless, forgetPlace } from "../endless.js";
import { cartButton, goodsCard, goodsSkeletons } from "../goods.js";
import { glyph } from "../icons.js";
import { emptyState } from "../parts.js";
import { filterSheet } from "../sheets/filter.js";
import { t } from "../texts.js";

/** Orders one can choose; the price's goes up, then down. */
const SORTS = [["newest", ["newest"]], ["sold", ["sold"]], ["price", ["price", "-price"]], ["name", ["name"]]];
const NARROWING = ["brand", "min_fen", "max_fen", "on_offer", "in_stock", "attributes"];

const nowhere = () => Object.fromEntries(NARROWING.map((name) => [name, ""]));

let last = null; // { asked, wish }: where one was before one looked at a product

export function goodsScreen(app) {
  const asked = location.hash.split("?")[1] || "";
  const given = new URLSearchParams(asked);
  const before = app.route() === "product" && last?.asked === asked ? last.wish : null;
  const place = `goods ${asked}`;
  if (!before) forgetPlace(place);
  const wish = before || { category: given.get("category") || "", q: given.get("q") || "", sort: "newest" };
  const cart = cartButton(app);
  const chips = h("div", { class: "row chips scroll-row", role: "group", "aria-label": t("goods.subcategories"), hidden: true });
  const sorting = h("div", { class: "goods-sorts", role: "group", "aria-label": t("goods.sort") });
  const list = endless({
    place,
    fetch: (cursor) => app.mall.products(wish, cursor),
    wait: () => goodsSkeletons(6),
    draw: (items) => h("ul", { class: "goods-grid" }, items.map((item) => h("li", null, goodsCard(item)))),
    nothing,
  });
  const node = h(
    "div",
    { class: "page stack goods-page" },
    h("a", { class: "mall-search", href: `#/mall-search${wish.q ? `?${encodeURIComponent(wish.q)}` : ""}` }, glyph("search", 18), h("span", { class: "clip" }, wish.q || t("mall.search_hint"))),
    chips,
    sorting,
    list.node,
  );

  const narrowed = () => NARROWING.filter((name) => wish[name] !== undefined && wish[name] !== "" && wish[name] !== false).length;

  function drawSorts() {
    const one = ([name, orders]) => {
      const on = orders.includes(wish.sort);
      const way = on && orders.length > 1 ? t(wish.sort === "price" ? "goods.price_up" : "goods.price_down") : "";
      return h(
        "button",
        {
          type: "button", class: "goods-sort", "aria-pressed": String(on), "aria-label": way ? `${t(`goods.sort_${name}`)} ${way}` : null,
          onclick: () => change({ sort: orders[(orders.indexOf(wish.sort) + 1) % orders.length] }),
        },
        t(`goods.sort_${name}`),
        orders.length > 1 && h("span", { class: "sort-way", "aria-hidden": "true" }, on ? (wish.sort === "price" ? "↑" : "↓") : "↕"),
      );
    };
    const more = narrowed();
    const filter = h("button", { type: "button", class: "goods-sort", "aria-pressed": String(more > 0), onclick: () => filterSheet(app, wish, { change, nowhere }) },
      glyph("filter", 16), t("goods.filter"), more > 0 && h("span", { class: "num" }, ` ${more}`));
    const focused = [...sorting.children].indexOf(document.activeElement);
    fill(sorting, SORTS.map(one), filter);
    if (focused >= 0) sorting.children[focused]?.focus({ preventScroll: true });
  }

  function change(part) {
    Object.assign(wish, part);
    drawSorts();
    list.reload();
  }

  function nothing() {
    const [action, onAction] = narrowed()
      ? ["goods.filter_off", () => change(nowhere())]
      : ["goods.to_mall", () => app.go("mall")];
    return h("div", { class: "card" }, emptyState({ icon: "search", title: t(wish.q ? "goods.none_found" : "goods.none", { word: wish.q }), hint: wish.q && t("goods.none_hint"), action: t(action), onAction }));
  }

  /** The categories under the one that is asked for; a leaf stands among its sisters. */
  async function loadChips() {
    if (!given.get("category")) return;
    const { categories: tree } = await app.mall.filters().catch(() => ({ categories: [] }));
    const top = tree.find(({ code, children }) => code === given.get("category") || children.some((child) => child.code === given.get("category")));
    if (!top) return;
    screen.title = top.name;
    document.querySelector(".bar-title").textContent = top.name;
    const { children } = top;
    const all = [{ code: top.code, name: t("goods.all") }, ...children];
    const draw = () => fill(chips, all.map(({ code, name }) => h("button", { type: "button", class: "chip", "aria-pressed": String(code === wish.category), onclick: () => { change({ category: code }); draw(); } }, name)));
    chips.hidden = !children.length;
    draw();
  }

  drawSorts();
  loadChips();
  if (!(before && list.resume())) list.reload();
  app.cart.count();
  const stopBack = app.seen.onBack(() => list.reload({ quiet: true }));
  const screen = {
    title: wish.q ? t("goods.found") : t("tab.mall"),
    node,
    tool: cart.node,
    parent: "mall",
    shown: (scroller) => { if (before) list.shown(scroller); },
    leave() {
      last = { asked, wish };
      cart.stop();
      stopBack();
      list.leave(node.parentElement);
    },
  };
  return screen;
}
