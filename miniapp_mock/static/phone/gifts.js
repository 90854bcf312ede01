/** Giving a coupon to a friend: the offer on its page, and the link while nobody has taken it. */
import { h } from "../shared/dom.js";
import { dayTime } from "../shared/format.js";
import { busy } from "./parts.js";
import { problemText, t } from "./texts.js";

/** The section of a coupon that can be given or waits for a friend, else null; `changed()` is called when it was. */
export function giftSection(app, coupon, changed) {
  if (coupon.gift) return waiting(app, coupon, changed);
  if (coupon.state !== "available" || !coupon.terms?.transferable) return null;
  const give = h("button", { type: "button", class: "button soft wide", onclick: () => busy(give, async () => {
    const { confirm } = await app.wx.showModal({ title: t("gift.ask"), content: t("gift.ask_text"), confirmText: t("gift.give"), cancelText: t("common.cancel") });
    if (!confirm) return;
    await attempt(app, () => app.coupons.give(coupon.id));
    changed();
  }) }, t("gift.give"));
  return h("section", { class: "card stack tight" }, h("h2", null, t("gift.title")), h("p", { class: "muted small" }, t("gift.text")), give);
}

function waiting(app, coupon, changed) {
  const link = `${location.origin}/#/gift?${coupon.gift.token}`;
  const copy = h("button", { type: "button", class: "button primary", onclick: () => app.wx.setClipboardData({ data: link }).then(() => app.toast(t("gift.copied")), () => undefined) }, t("gift.copy"));
  const back = h("button", { type: "button", class: "button", onclick: () => busy(back, async () => {
    await attempt(app, () => app.coupons.takeBack(coupon.id, coupon.gift.gift_id));
    changed();
  }) }, t("gift.take_back"));
  return h(
    "section",
    { class: "card stack" },
    h("div", null, h("h2", null, t("gift.waiting")), h("p", { class: "muted small num" }, t("gift.until", { time: dayTime(coupon.gift.expires_at) }))),
    h("p", { class: "small gift-link" }, link),
    h("div", { class: "sheet-actions" }, back, copy),
  );
}

async function attempt(app, work) {
  try {
    await work();
  } catch (error) {
    app.toast(problemText(error));
  }
}
