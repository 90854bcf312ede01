/** The sheet on which a checkout's coupons are chosen; those that do not apply say why. */
import { h } from "../../shared/dom.js";
import { openDialog } from "../../shared/dialog.js";
import { glyph } from "../icons.js";
import { emptyState } from "../parts.js";
import { offWord } from "../order_words.js";
import { t } from "../texts.js";

/** Open it; `done(chosen)` with the ids by store, null for the best there are. */
export function couponSheet(app, quote, draft, done) {
  const chosen = Object.fromEntries(quote.orders.map(({ store_id: id }) => [id, [...(draft.coupons?.[id] || [])]]));
  const all = quote.orders.flatMap(({ store_id: storeId, coupons }) => coupons.map((coupon) => ({ ...coupon, storeId })));
  const [usable, others] = [all.filter((one) => one.usable), all.filter((one) => !one.usable)];

  const row = (coupon) => h("li", null, h("label", { class: "cell coupon-choice" },
    h("span", { class: "grow" }, coupon.title, coupon.amount_fen > 0 && h("span", { class: "tiny brand num block" }, offWord(coupon.amount_fen))),
    h("input", { type: "checkbox", checked: chosen[coupon.storeId].includes(coupon.id), onchange: (event) => mark(coupon, event.currentTarget.checked) })));

  function mark({ storeId, id }, on) {
    chosen[storeId] = on ? [...chosen[storeId], id] : chosen[storeId].filter((one) => one !== id);
  }

  const body = h("div", { class: "sheet-body stack" },
    h("div", { class: "sheet-head" },
      h("button", { type: "button", class: "icon-button", "aria-label": t("common.close"), onclick: () => dialog.close() }, glyph("close", 22)),
      h("h2", { class: "sheet-title" }, t("checkout.coupons")), h("span")),
    !all.length && emptyState({ icon: "ticket", title: t("checkout.coupons_empty"), action: t("coupons.to_centre"), onAction: () => { dialog.close(); app.go("coupon-centre"); } }),
    usable.length > 0 && h("ul", { class: "cells sheet-cells" }, usable.map(row)),
    others.length > 0 && h("details", { class: "coupon-others" }, h("summary", { class: "small muted" }, t("checkout.coupons_others", { count: others.length })),
      h("ul", { class: "cells" }, others.map((one) => h("li", { class: "coupon-other" }, h("span", null, one.title), h("span", { class: "tiny muted block" }, one.detail || ""))))),
    all.length > 0 && h("div", { class: "sheet-actions" },
      h("button", { type: "button", class: "button", onclick: () => { dialog.close(); done(null); } }, t("checkout.coupons_best")),
      h("button", { type: "button", class: "button primary", onclick: () => { dialog.close(); done(chosen); } }, t("common.confirm"))));
  const dialog = openDialog(body, { label: t("checkout.coupons") });
}
