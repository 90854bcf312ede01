/** 积分: what one has and what expires, how one earns, and what was given to whom. */
import { fill, h } from "../../shared/dom.js";
import { count, date, money } from "../../shared/format.js";
import { busy, emptyState, fact, linkCell, skeleton, trouble } from "../parts.js";
import { problemText, t } from "../texts.js";

const rate = (bp) => String(Math.round(bp / 100) / 100);

export function pointsScreen(app) {
  const node = h("div", { class: "page stack" });

  async function load() {
    if (!node.childElementCount) fill(node, h("div", { class: "card" }, skeleton("w50", "w30")));
    try {
      const [wallet, earning, given] = await Promise.all([app.api.get("/v1/member/wallet"), app.api.get("/v1/member/points/earning"), app.api.get("/v1/member/points/transfers", { limit: 20 })]);
      fill(node, worth(wallet.points), expiring(wallet.points.expiring), how(earning), transfers(given));
    } catch (error) {
      fill(node, h("div", { class: "card" }, trouble(error, load)));
    }
  }

  const worth = (points) => h("section", { class: "card stack" },
    h("div", null,
      h("p", { class: "small muted" }, t("points.available")),
      h("p", { class: "big-amount num gold" }, count(points.available)),
      points.pending > 0 && h("p", { class: "tiny muted num center" }, t("points.pending", { count: count(points.pending) }))),
    h("button", { type: "button", class: "button primary wide", onclick: () => app.go("give-points") }, t("points.give")),
    h("div", { class: "cells" }, linkCell({ icon: "star", text: t("gifts.title"), value: t("gifts.hint"), onclick: () => app.go("gift-shop") }), linkCell({ icon: "list", text: t("points.entries"), onclick: () => app.go("entries?points") })));

  const expiring = (lots) => h("section", { class: "card stack tight" }, h("h2", null, t("points.expiring")),
    lots.length
      ? h("dl", { class: "facts" }, lots.map((lot) => fact(t("points.until", { date: date(lot.on) }), t("points.count", { count: count(lot.points) }))))
      : h("p", { class: "small muted" }, t("points.expiring_none")));

  const how = (earning) => h("section", { class: "card stack tight" }, h("h2", null, t("points.how")),
    h("dl", { class: "facts" }, fact(t("points.standard", { count: rate(earning.standard_bp) }), " "), earning.rules.map((rule) => fact(rule.title, gives(rule)))),
    h("p", { class: "tiny muted" }, t("points.standard_hint")));

  /** What a rule gives and when, in few words. */
  function gives(rule) {
    const period = rule.first_on && rule.last_on ? t("points.period", { from: date(rule.first_on), until: date(rule.last_on) }) : rule.first_on ? t("points.from", { from: date(rule.first_on) }) : rule.last_on ? t("points.to", { until: date(rule.last_on) }) : "";
    return [
      rule.kind === "base" && t("points.base", { count: rate(rule.rate_bp) }),
      rule.times_bp > 10_000 && t("points.times", { count: rate(rule.times_bp) }),
      rule.plus > 0 && t("points.plus", { count: count(rule.plus) }),
      rule.birthday && t(`points.birthday_${rule.birthday}`),
      rule.min_fen > 0 && t("points.min", { amount: money(rule.min_fen) }),
      period,
    ].filter(Boolean).join("，");
  }

  function transfers(first) {
    const list = h("dl", { class: "facts" });
    let cursor = null;
    const row = (one) => h("div", { class: "fact" },
      h("dt", null, t(`points.${one.direction}`, { name: one.name_masked }), h("p", { class: "tiny muted num" }, date(one.at), one.state === "reversed" && ` · ${t("points.reversed")}`)),
      h("dd", { class: "num" }, `${one.direction === "out" ? "−" : "+"}${count(one.points)}`));
    const more = h("button", { type: "button", class: "button plain wide", onclick: () => busy(more, next) }, t("entries.more"));
    const add = (page) => {
      list.append(...page.items.map(row));
      cursor = page.next_cursor;
      more.hidden = !cursor;
    };
    async function next() {
      try {
        add(await app.api.get("/v1/member/points/transfers", { limit: 20, cursor }));
      } catch (error) {
        app.toast(problemText(error));
      }
    }
    add(first);
    return h("section", { class: "card stack tight" }, h("h2", null, t("points.transfers")), first.items.length ? [list, more] : emptyState({ icon: "gift", title: t("points.transfers_none") }));
  }

  const stop = app.events.listen((type) => {
    if (["sale_completed", "points_received", "points_adjusted"].includes(type)) load();
  });
  load();
  return { title: t("points.title"), node, parent: "home", leave: stop };
}
