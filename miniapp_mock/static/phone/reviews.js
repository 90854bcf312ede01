/** What members say of goods: of a product, and one's own. */
import { h } from "../shared/dom.js";
import { date } from "../shared/format.js";
import { glyph } from "./icons.js";
import { pictureStrip } from "./pictures.js";
import { t } from "./texts.js";

const PAGE = 10;
const STARS = [1, 2, 3, 4, 5];

export function createReviews(app) {
  const page = (path, query, cursor) => (cursor ? app.api.get(path, { ...query, cursor }) : app.seen.get(path, query));

  return {
    /** A page of what is said of a product that the chosen store sells. */
    of: (productId, cursor, limit = PAGE) => page(`/v1/member/mall/products/${encodeURIComponent(productId)}/reviews`, { store_id: app.store.get("mall_store")?.id || "", limit }, cursor),
    /** A page of the member's own; of one order where it is named. */
    mine: (query, cursor) => page("/v1/member/reviews", { limit: PAGE, ...query }, cursor),
  };
}

/** Five stars of which so many are full. */
export function stars(count) {
  return h("span", { class: "stars-shown", role: "img", "aria-label": t("review.stars", { count }) }, STARS.map((value) => glyph("star", 16, value <= count ? "on" : "")));
}

/** One review; `own`: with what it is of, and whether it is hidden. */
export function reviewItem(app, one, { own = false } = {}) {
  return h("li", { class: "review stack tight" },
    h("div", { class: "row between" }, h("span", { class: own ? "strong clip" : "small muted" }, own ? one.name || t("review.line") : one.author || t("review.anonymous")), stars(one.stars)),
    one.text && h("p", { class: "review-text" }, one.text),
    pictureStrip(app, one.pictures),
    h("p", { class: "tiny muted num" }, [date(one.at), one.spec].filter(Boolean).join(" · ")),
    own && one.shown === false && h("p", { class: "tiny danger" }, t("review.hidden")),
    one.reply && h("p", { class: "small review-reply" }, h("span", { class: "strong" }, t("review.reply")), one.reply),
    own && h("a", { class: "small review-order", href: `#/order?${encodeURIComponent(one.order_id)}` }, t("after.order")));
}
