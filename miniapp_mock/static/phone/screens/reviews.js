/** 评价: all that is said of a product; 我的评价: what the member said. */
import { h } from "../../shared/dom.js";
import { endless } from "../endless.js";
import { emptyState, skeletonRows } from "../parts.js";
import { reviewItem } from "../reviews.js";
import { t } from "../texts.js";

function screen(app, { title, parent, fetch, nothing, own = false }) {
  const list = endless({
    enough: 4,
    fetch,
    wait: () => h("div", { class: "card flush" }, skeletonRows(4)),
    draw: (items) => h("ul", { class: "card flush reviews" }, items.map((one) => reviewItem(app, one, { own }))),
    nothing: () => h("div", { class: "card" }, emptyState(nothing)),
  });
  list.reload();
  const node = h("div", { class: "page stack" }, list.node);
  return { title, node, parent, leave: () => list.leave(node.parentElement) };
}

export function reviewsScreen(app) {
  const id = decodeURIComponent(location.hash.split("?")[1] || "");
  return screen(app, {
    title: t("review.all"),
    parent: `product?${encodeURIComponent(id)}`,
    fetch: async (cursor) => {
      if (!app.store.get("mall_store")) await app.mall.chosenStore();
      return app.reviews.of(id, cursor);
    },
    nothing: { icon: "star", title: t("review.none"), hint: t("review.none_hint") },
  });
}

export function ownReviewsScreen(app) {
  return screen(app, {
    title: t("review.own"),
    parent: "me",
    own: true,
    fetch: (cursor) => app.reviews.mine({}, cursor),
    nothing: { icon: "star", title: t("review.own_none"), hint: t("review.own_none_hint"), action: t("orders.title"), onAction: () => app.go("orders") },
  });
}
