/** 积分商城: what points are redeemed for, and what stands in the way of it. */
import { fill, h } from "../../shared/dom.js";
import { count, money } from "../../shared/format.js";
import { picture, goodsSkeletons } from "../goods.js";
import { emptyState, linkCell, trouble } from "../parts.js";
import { t } from "../texts.js";

/** What a gift costs, in words. */
export const priceOf = ({ points, pay_fen: pay }) => (pay > 0 ? t("gifts.price_pay", { points: count(points), amount: money(pay) }) : t("gifts.price", { points: count(points) }));

/** A gift's picture as `picture` takes it. */
export const imageOf = ({ picture_url: url }) => (url ? { url, small_url: `${url}/small` } : null);

export function giftShopScreen(app) {
  const list = h("div", null);
  const have = h("span", { class: "num gold strong" }, "…");
  const only = h("button", { type: "button", class: "chip", "aria-pressed": "false", onclick: () => { only.setAttribute("aria-pressed", String(only.getAttribute("aria-pressed") !== "true")); draw(); } }, t("gifts.only"));
  let items = [];
  let gone = false;

  function card(gift) {
    return h("li", null, h("a", { class: "goods", href: `#/gift-item?${encodeURIComponent(gift.id)}` },
      h("span", { class: "goods-picture" }, picture(imageOf(gift))),
      h("span", { class: "goods-text" },
        h("span", { class: "goods-name" }, gift.title),
        h("span", { class: "goods-foot" },
          h("span", { class: "gold strong num" }, priceOf(gift)),
          gift.why_not && h("span", { class: "pill" }, t(`gifts.why_${gift.why_not}`))))));
  }

  function draw() {
    const wanted = only.getAttribute("aria-pressed") === "true";
    const shown = wanted ? items.filter((gift) => !gift.why_not) : items;
    if (shown.length) fill(list, h("ul", { class: "goods-grid" }, shown.map(card)));
    else if (items.length) fill(list, h("div", { class: "card" }, emptyState({ icon: "gift", title: t("gifts.only_none"), action: t("gifts.all"), onAction: () => only.click() })));
    else fill(list, h("div", { class: "card" }, emptyState({ icon: "gift", title: t("gifts.none"), hint: t("gifts.none_hint") })));
  }

  async function load() {
    if (!items.length) fill(list, goodsSkeletons(4));
    try {
      const found = await app.api.get("/v1/member/gifts");
      if (gone) return;
      items = found.items;
      have.textContent = count(found.points);
      draw();
    } catch (error) {
      if (!gone) fill(list, h("div", { class: "card" }, trouble(error, load)));
    }
  }

  const head = h("section", { class: "card flush cells" },
    h("div", { class: "cell" }, h("span", null, t("gifts.have")), h("span", { class: "value" }, have)),
    linkCell({ icon: "gift", text: t("gifts.mine"), onclick: () => app.go("gift-orders") }));
  load();
  return { title: t("gifts.title"), node: h("div", { class: "page stack" }, head, h("div", { class: "row chips" }, only), list), parent: "points", leave: () => { gone = true; } };
}
