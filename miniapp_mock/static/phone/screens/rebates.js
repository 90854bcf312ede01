/** 返利: what one has and until when, where one stands in the schemes that run, and the statements of periods that are over. */
import { fill, h } from "../../shared/dom.js";
import { date, money } from "../../shared/format.js";
import { busy, emptyState, fact, linkCell, skeleton, trouble } from "../parts.js";
import { problemText, t } from "../texts.js";

const rate = (bp) => `${bp / 100}%`;

export function rebatesScreen(app) {
  const node = h("div", { class: "page stack" });

  async function load() {
    if (!node.childElementCount) fill(node, h("div", { class: "card" }, skeleton("w50", "w30")));
    try {
      const [found, page] = await Promise.all([app.api.get("/v1/member/rebates"), app.api.get("/v1/member/rebates/statements", { limit: 12 })]);
      fill(node, worth(found), ...running(found.running), statements(page));
    } catch (error) {
      fill(node, h("div", { class: "card" }, trouble(error, load)));
    }
  }

  const worth = (found) => h("section", { class: "card stack" },
    h("div", null,
      h("p", { class: "small muted" }, t("rebate.balance")),
      h("p", { class: "big-amount num" }, money(found.rebate_fen)),
      found.waiting_fen !== 0 && h("p", { class: "tiny muted num center" }, t(found.waiting_fen > 0 ? "rebate.waiting" : "rebate.owed", { amount: money(Math.abs(found.waiting_fen)) }))),
    found.lots.length > 0 && h("dl", { class: "facts" }, found.lots.map((lot) => fact(lot.expires_on ? t("rebate.until", { date: date(lot.expires_on) }) : t("rebate.forever"), money(lot.fen)))),
    h("div", { class: "cells" }, linkCell({ icon: "list", text: t("rebate.entries"), onclick: () => app.go("entries?rebate") })));

  const running = (schemes) => (schemes.length ? schemes.map(scheme) : [h("section", { class: "card" }, emptyState({ icon: "gift", title: t("rebate.running_none") }))]);

  function scheme(one) {
    const next = one.next_tier;
    return h("section", { class: "card stack" },
      h("h2", null, one.title),
      h("p", { class: "small muted num" }, t("rebate.so_far", { period: one.period_title, amount: money(one.base_fen) })),
      one.counted_until && h("p", { class: "tiny muted" }, t("rebate.counted_until", { date: date(one.counted_until) })),
      next && h("progress", { class: "survey-progress", max: next.from_fen, value: one.base_fen, "aria-label": one.title }),
      h("p", { class: "row between" }, h("span", { class: "strong num" }, t("rebate.gives", { amount: money(one.given ? one.fen : 0) })), h("span", { class: "tiny muted num" }, hint(one, next))),
      !one.given && h("p", { class: "tiny muted" }, t("rebate.not_given")),
      one.terms.tiers.length > 1 && h("p", { class: "small muted" }, t(`rebate.${one.terms.mode || "marginal"}`)),
      h("ul", { class: "small" }, one.terms.tiers.map((tier) => h("li", { class: "num" }, tier.from_fen ? t("rebate.tier", { amount: money(tier.from_fen), rate: rate(tier.rate_bp) }) : t("rebate.tier_first", { rate: rate(tier.rate_bp) })))),
      h("p", { class: "tiny muted" }, t("rebate.how")));
  }

  function hint(one, next) {
    if (one.capped) return t("rebate.capped");
    return next ? t("rebate.missing", { amount: money(one.missing_fen), rate: rate(next.rate_bp) }) : t("rebate.top", { rate: rate(one.rate_bp) });
  }

  function statements(first) {
    const list = h("div", { class: "cells" });
    const more = h("button", { type: "button", class: "button plain wide", onclick: () => busy(more, next) }, t("entries.more"));
    let cursor = null;
    const row = (one) => linkCell({ icon: "list", text: one.title, value: `${t(`rebate.state_${one.state}`)} ${money(one.payout_fen)}`, onclick: () => app.go(`rebate?${encodeURIComponent(one.id)}`) });
    const add = (page) => {
      list.append(...page.items.map(row));
      cursor = page.next_cursor;
      more.hidden = !cursor;
    };
    async function next() {
      try {
        add(await app.api.get("/v1/member/rebates/statements", { limit: 12, cursor }));
      } catch (error) {
        app.toast(problemText(error));
      }
    }
    add(first);
    return h("section", { class: "card stack tight" }, h("h2", null, t("rebate.statements")), first.items.length ? [list, more] : emptyState({ icon: "list", title: t("rebate.statements_none") }));
  }

  const stop = app.events.listen((type) => {
    if (type === "sale_completed") load();
  });
  load();
  return { title: t("rebate.title"), node, parent: "me", leave: stop };
}
