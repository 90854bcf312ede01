/** A coupon that came by a link (`#/claim?TOKEN`): what it is, and one tap takes it. */
import { fill, h } from "../../shared/dom.js";
import { withDates } from "../coupon_words.js";
import { glyph } from "../icons.js";
import { busy, skeleton } from "../parts.js";
import { ticketFace } from "../ticket.js";
import { problemText, t } from "../texts.js";

const NEVER = ["coupon_sold_out", "coupon_limit_reached", "coupon_not_claimable"]; // trying again would change nothing

export function couponLinkScreen(app) {
  const token = location.hash.split("?")[1] || "";
  const problem = h("p", { class: "field-error", role: "alert" });
  const take = h("button", { type: "button", class: "button primary wide", onclick: () => busy(take, claim) }, t("link.claim"));
  const list = h("button", { type: "button", class: "button plain wide", onclick: () => app.go("coupons", { replace: true }) }, t("coupon.to_list"));
  const foot = h("div", { class: "stack tight link-foot" }, take, list);
  const what = h("div", { class: "stack" }, h("div", { class: "card" }, skeleton("w50", "w70")));
  const node = h(
    "div",
    { class: "page stack" },
    what,
    h("section", { class: "card pin-intro" }, h("span", { class: "done-mark calm" }, glyph("gift", 32)), h("h2", null, t("link.heading")), h("p", { class: "muted small" }, t("link.hint")), problem, foot),
  );

  function draw(offer) {
    return [
      h("section", { class: "ticket large", "aria-label": offer.title },
        ticketFace(offer),
        h("span", { class: "ticket-text" }, h("span", { class: "ticket-title" }, offer.title), h("span", { class: "tiny muted num" }, withDates(offer.validity)))),
      h("section", { class: "card stack tight" }, h("h2", null, t("coupon.rules")), h("ul", { class: "rules" }, [offer.headline, ...offer.lines.slice(1)].map((line) => h("li", null, line)))),
    ];
  }

  /** What cannot be shown can be claimed all the same: the answer says why not. */
  async function load() {
    try {
      fill(what, draw(await app.coupons.offer(token)));
    } catch {
      fill(what);
    }
  }

  async function claim() {
    problem.textContent = "";
    try {
      const coupon = await app.coupons.claim({ share_token: token });
      app.toast(t("centre.done"));
      app.coupons.load("available").catch(() => undefined);
      app.go(`coupon?${coupon.id}`, { replace: true });
    } catch (error) {
      problem.textContent = problemText(error);
      if (!NEVER.includes(error.code)) return;
      fill(foot, list);
      list.focus();
    }
  }

  load();
  return { title: t("link.title"), node, parent: "coupons" };
}
