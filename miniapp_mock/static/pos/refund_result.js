/** The screen after a refund: what the till must pay out is the largest thing on it. */
import { fill, h } from "/static/shared/dom.js";
import { count, money } from "/static/shared/format.js";
import { picture } from "./icons.js";
import { print, slip } from "./receipt.js";
import { t } from "./texts.js";
import * as views from "./views.js";

const NOT_TO_THE_MEMBER = new Set(["cash", "external", "coupon"]);

/** Draw the result into the refund screen and focus the way on. */
export function refundResult(place, data) {
  const paid = data.tenders.filter((tender) => tender.amount_fen > 0);
  const fenOf = (type) => paid.filter((tender) => tender.type === type).reduce((sum, tender) => sum + tender.amount_fen, 0);
  const cash = fenOf("cash");
  const external = fenOf("external");
  const coupon = fenOf("coupon");
  const back = paid.filter((tender) => !NOT_TO_THE_MEMBER.has(tender.type));
  const done = h("button", { class: "button primary grow", type: "button", id: "refund-finish", onclick: () => views.show("till") },
    t("refund.finish"),
    h("kbd", null, "Enter"),
  );
  fill(place,
    h("section", { class: "card result-main refund-done" },
      h("div", { class: "result-head" },
        h("div", { class: "result-mark" }, picture("check", 34)),
        h("div", null, h("h1", { class: "result-title" }, t("refund.done")), h("p", { class: "muted small num" }, data.orderNo))),
      h("div", { class: "result-sums" },
        h("div", { class: "result-sum" },
          h("span", { class: "muted" }, t("refund.sum")),
          h("output", { class: "result-paid num", id: "refund-paid" }, money(data.payable)),
        ),
        cash ? h("div", { class: "result-sum change-box" }, h("span", null, t("refund.cash")), h("output", { class: "result-change num", id: "refund-cash" }, money(cash))) : null),
      external ? h("p", { class: "notice" }, picture("card", 20), t("refund.external", { amount: money(external) })) : null,
      back.length ? [
        h("p", { class: "small muted" }, t("refund.auto")),
        h("dl", { class: "facts" }, back.map((tender) => h("div", { class: "fact" },
          h("dt", { class: "muted small" }, t(`tender.${tender.type}`)),
          h("dd", { class: "num strong brand" }, money(tender.amount_fen)),
        ))),
      ] : null,
      coupon ? h("p", { class: "small muted num" }, t("refund.coupon_share", { amount: money(coupon) })) : null,
      data.coupons ? h("p", { class: "small brand" }, t("refund.coupons_returned", { count: data.coupons })) : null,
      h("p", { class: "small gold num" }, [
        data.clawed ? t("refund.points_clawed", { count: count(data.clawed) }) : "",
        data.returned ? t("refund.points_returned", { count: count(data.returned) }) : "",
      ].filter(Boolean).join("，")),
      h("div", { class: "result-foot" },
        h("button", { class: "button", type: "button", id: "print-refund", onclick: () => print(data) }, picture("printer", 20), t("refund.print")),
        h("button", { class: "button", type: "button", onclick: () => views.show("refund") }, t("refund.more")), done)),
    h("aside", { class: "paper", "aria-label": t("refund.print") }, slip(data)));
  done.focus();
}
