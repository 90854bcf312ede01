/** What the screens of rebates say alike. */
import { h } from "/static/shared/dom.js";
import { money } from "./parts/format.js";
import { pill } from "./parts/states.js";
import { words } from "./texts.js";

const w = words({
  "rebate.month": "月",
  "rebate.quarter": "季度",
  "rebate.year": "年",
  "rebate.draft": "草稿",
  "rebate.active": "生效中",
  "rebate.closed": "已结束",
  "rebate.statements": "对账单",
  "rebate.simulation": "试算",
  "rebate.estimate": "估算",
  "rebate.run_building": "计算中",
  "rebate.run_draft": "待确认",
  "rebate.run_closed": "已确认",
  "rebate.run_paying": "发放中",
  "rebate.run_paid": "已发放",
  "rebate.run_done": "完成",
  "rebate.run_cancelled": "已取消",
  "rebate.run_estimate": "估算",
  "rebate.state_draft": "待确认",
  "rebate.state_closed": "待发放",
  "rebate.state_carried": "结转",
  "rebate.state_paid": "已发放",
  "rebate.state_refused": "发放失败",
  "rebate.below": "未达标",
  "rebate.tier": "第 {tier} 档",
  "rebate.tier_of": "满 {amount} 返 {rate}",
  "rebate.rate_only": "返 {rate}",
  "rebate.marginal": "分档累进",
  "rebate.whole": "按所达档全额",
  "rebate.cap": "上限 {amount}",
  "rebate.min": "满 {amount} 起发",
  "rebate.valid": "有效 {count} 个月",
  "rebate.stackable": "可叠加",
});

const LOOKS = { active: "brand", draft: "gold", building: "gold", paying: "gold", paid: "brand", refused: "danger", carried: "", closed: "" };

export const say = (code, values) => w(`rebate.${code}`, values);
export const rate = (bp) => `${bp / 100}%`;
export const runState = (state) => pill(say(`run_${state}`), LOOKS[state] || "");
export const statementState = (state) => pill(say(`state_${state}`), LOOKS[state] || "");
export const schemeState = (state) => pill(say(state), LOOKS[state] || "");
export const tierName = (tier) => (tier < 0 ? say("below") : say("tier", { tier: tier + 1 }));

/** What a scheme promises, in few words. */
export function terms(one) {
  const tiers = one.tiers.map((tier) => (tier.from_fen ? say("tier_of", { amount: money(tier.from_fen), rate: rate(tier.rate_bp) }) : say("rate_only", { rate: rate(tier.rate_bp) })));
  const more = [one.tiers.length > 1 && say(one.mode || "marginal"), one.cap_fen && say("cap", { amount: money(one.cap_fen) }), one.min_payout_fen > 1 && say("min", { amount: money(one.min_payout_fen) }), one.valid_months !== 0 && say("valid", { count: one.valid_months ?? 12 }), one.stackable && say("stackable")];
  return [...tiers, ...more.filter(Boolean)].join("，");
}

/** A table of what is known already: `columns` of `[title, cell(item), number?]`. */
export function rows(label, columns, items) {
  return h("div", { class: "card flush table-card" }, h("div", { class: "table-scroll" }, h("table", { class: "table" },
    h("caption", { class: "sr-only" }, label),
    h("thead", null, h("tr", null, columns.map(([title, , number]) => h("th", { scope: "col", class: number ? "number" : null }, title)))),
    h("tbody", null, items.map((one) => h("tr", null, columns.map(([, cell, number]) => h("td", { class: number ? "number num" : null }, cell(one)))))))));
}
