/** A coupon that a friend gives (`#/gift?TOKEN`): what it is, and one tap to take it. */
import { fill, h } from "../../shared/dom.js";
import { dayTime } from "../../shared/format.js";
import { period } from "../coupon_words.js";
import { busy, emptyState, skeleton, trouble } from "../parts.js";
import { ticketFace, ticketText } from "../ticket.js";
import { problemText, t } from "../texts.js";

export function giftScreen(app) {
  const token = location.hash.split("?")[1] || "";
  const node = h("div", { class: "page stack" });
  const problem = h("p", { class: "field-error", role: "alert" });
  const toList = () => app.go("coupons", { replace: true });
  const take = h("button", { type: "button", class: "button primary wide", onclick: () => busy(take, accept) }, t("gift.accept"));

  function draw(gift) {
    const open = gift.state === "open" && !gift.own;
    const said = gift.own ? t("gift.own") : gift.state === "open" ? t("gift.accept_until", { time: dayTime(gift.accept_until) }) : t("gift.over");
    return [
      h("p", { class: "center" }, t("gift.from", { name: gift.giver })),
      h("section", { class: "ticket large", "aria-label": gift.title }, ticketFace(gift), ticketText(app, { ...gift, state: "available" })),
      h("section", { class: "card stack tight" }, h("p", { class: "muted small num" }, said), problem, open ? take : h("button", { type: "button", class: "button wide", onclick: toList }, t("coupon.to_list"))),
      h("section", { class: "card stack tight" }, h("h2", null, t("coupon.rules")), h("ul", { class: "rules" }, [gift.headline, period(gift), ...gift.lines.slice(1)].map((line) => h("li", null, line)))),
    ];
  }

  async function load() {
    fill(node, h("div", { class: "card" }, skeleton("w50", "w70", "w50")));
    try {
      fill(node, draw(await app.coupons.gift(token)));
    } catch (error) {
      const unknown = emptyState({ icon: "gift", title: t("gift.unknown"), action: t("coupon.to_list"), onAction: toList });
      fill(node, h("div", { class: "card" }, error.status === 404 ? unknown : trouble(error, load)));
    }
  }

  async function accept() {
    problem.textContent = "";
    try {
      const coupon = await app.coupons.acceptGift(token);
      app.toast(t("centre.done"));
      app.coupons.load("available").catch(() => undefined);
      app.go(`coupon?${coupon.id}`, { replace: true });
    } catch (error) {
      problem.textContent = problemText(error);
    }
  }

  load();
  return { title: t("gift.screen"), node, parent: "coupons" };
}
