/** Store and brand discounts at tills: the rules, by what they hold, and their states. */
import { h } from "/static/shared/dom.js";
import { attempt, confirm } from "../parts/dialogs.js";
import { formDialog } from "../parts/form.js";
import { money } from "../parts/format.js";
import { head, pill } from "../parts/states.js";
import { table } from "../parts/table.js";
import { words } from "../texts.js";
import { conditionFields, conditionOf, when } from "./points_rules.js";

const w = words({
  "discounts.title": "门店折扣",
  "discounts.note": "收银台按门店、品牌、类目、商品、等级、时段给会员的折扣；每行取优先级最高的规则中对会员最优的一条，不低于等级折扣。三秒内到所有收银台",
  "discounts.new": "新建折扣",
  "discounts.name": "名称",
  "discounts.gives": "优惠",
  "discounts.when": "条件",
  "discounts.state": "状态",
  "discounts.priority": "优先级（大的优先）",
  "discounts.rate": "折（如 8 为八折、9.5 为九五折）",
  "discounts.piece": "或每件减",
  "discounts.stackable": "折上折：先按本规则，再按会员等级",
  "discounts.stacks": "折上折",
  "discounts.actions": "操作",
  "discounts.edit": "修改",
  "discounts.activate": "启用",
  "discounts.pause": "停用",
  "discounts.end": "结束",
  "discounts.end_ask": "结束“{title}”？",
  "discounts.end_text": "不再生效，不能恢复；已成交的价格不变。",
  "discounts.saved": "已办理",
  "discounts.none": "还没有折扣规则：按会员等级折扣计价",
  "discounts.draft": "草稿",
  "discounts.active": "生效中",
  "discounts.paused": "已停用",
  "discounts.ended": "已结束",
});
const LOOKS = { active: "brand", draft: "gold", paused: "", ended: "" };
const RULES = "/v1/admin/discount-rules";

export async function open({ api, me, signal }) {
  const [{ items: levels }, { items: stores }] = await Promise.all([
    api.get("/v1/admin/levels", {}, { signal }), api.get("/v1/admin/stores", {}, { signal }),
  ]);
  const known = { levels, stores };
  const may = me.may("discounts.write");
  const list = table({
    label: w("discounts.title"), signal,
    load: () => api.get(RULES, {}, { signal }),
    none: { icon: "star", title: w("discounts.none") },
    columns: [
      { title: w("discounts.name"), cell: (one) => h("span", { class: "strong" }, one.title) },
      { title: w("discounts.gives"), cell: (one) => gives(one.terms) },
      { title: w("discounts.when"), cell: (one) => when(one.terms.condition || {}, known), hide: "narrow" },
      { title: w("discounts.state"), cell: (one) => pill(w(`discounts.${one.state}`), LOOKS[one.state]) },
      may && { title: w("discounts.actions"), cell: (one) => acts(one) },
    ].filter(Boolean),
  });

  const button = (text, run) => h("button", { type: "button", class: "button compact", onclick: run }, text);
  const move = (one, what) => attempt(() => api.post(`${RULES}/${one.id}/${what}`), w("discounts.saved")).then(() => list.reload());
  function acts(one) {
    if (one.state === "ended") return "";
    return h("div", { class: "row tight" },
      button(w("discounts.edit"), () => edit(one)),
      one.state === "active" ? button(w("discounts.pause"), () => move(one, "pause")) : button(w("discounts.activate"), () => move(one, "activate")),
      button(w("discounts.end"), async () => { if (await confirm(w("discounts.end_ask", one), { content: w("discounts.end_text"), danger: true })) await move(one, "end"); }));
  }

  async function edit(one) {
    const terms = one?.terms || {};
    const done = await formDialog({
      title: one?.title || w("discounts.new"),
      fields: [
        { name: "title", label: w("discounts.name"), required: true, most: 40, value: one?.title },
        { name: "terms/rate_bp", label: w("discounts.rate"), value: terms.rate_bp ? (10000 - terms.rate_bp) / 1000 : "" },
        { name: "terms/piece_fen", label: w("discounts.piece"), kind: "money", value: terms.piece_fen || null },
        { name: "terms/stackable", label: w("discounts.stackable"), kind: "tick", value: terms.stackable },
        { name: "terms/priority", label: w("discounts.priority"), kind: "number", value: terms.priority || 0 },
        ...conditionFields(terms.condition || {}, known),
      ],
      onSubmit: async (values) => {
        const folds = Number(values["terms/rate_bp"]);
        const body = {
          title: values.title,
          terms: {
            condition: conditionOf(values), rate_bp: values["terms/rate_bp"] ? Math.round(10000 - folds * 1000) : 0, piece_fen: values["terms/piece_fen"] || 0,
            stackable: values["terms/stackable"], priority: values["terms/priority"] || 0,
          },
        };
        await (one ? api.put(`${RULES}/${one.id}`, body) : api.post(RULES, body));
        return true;
      },
    });
    if (done) await list.reload();
  }
  const add = may && h("button", { type: "button", class: "button primary", onclick: () => edit(null) }, w("discounts.new"));
  return [head(w("discounts.title"), { note: w("discounts.note"), actions: add }), list];
}

/** What a rule gives, in words. */
function gives(terms) {
  const off = terms.rate_bp ? `${(10000 - terms.rate_bp) / 1000} 折` : `−${money(terms.piece_fen)}/件`;
  return terms.stackable ? `${off} · ${w("discounts.stacks")}` : off;
}
