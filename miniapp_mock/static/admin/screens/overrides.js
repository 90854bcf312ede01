/** What was authorised at tills, by whom; and how much each role may. */
import { fill, h } from "/static/shared/dom.js";
import { attempt } from "../parts/dialogs.js";
import { form, formDialog } from "../parts/form.js";
import { money, stamp } from "../parts/format.js";
import { head } from "../parts/states.js";
import { table } from "../parts/table.js";
import { words } from "../texts.js";

const w = words({
  "overrides.title": "特价授权",
  "overrides.note": "收银员权限以外的优惠和充值冲正，由授权人用自己手机上的会员码当场授权；只增不改",
  "overrides.limits": "授权额度",
  "overrides.role": "角色",
  "overrides.cashier": "收银员（无需授权）",
  "overrides.sale_bp": "单笔最多占原价（%）",
  "overrides.sale_fen": "单笔最多",
  "overrides.day_fen": "每日最多",
  "overrides.day_count": "每日次数",
  "overrides.set": "设定",
  "overrides.saved": "已设定",
  "overrides.unlimited": "未设定额度的角色不能授权；未设定收银员额度时不需要授权",
  "overrides.at": "时间",
  "overrides.who": "授权人",
  "overrides.where": "门店 / 收银台",
  "overrides.clerk": "收银员",
  "overrides.what": "事项",
  "overrides.much": "金额",
  "overrides.why": "原因",
  "overrides.order": "收银单号",
  "overrides.store": "门店",
  "overrides.all": "全部",
  "overrides.from": "从",
  "overrides.to": "到",
  "overrides.search": "查询",
  "overrides.none": "没有授权记录",
  "overrides.discount": "特价",
  "overrides.recharge_reversal": "充值冲正",
  "overrides.price_match": "价格匹配",
  "overrides.damaged": "商品瑕疵",
  "overrides.complaint": "客诉补偿",
  "overrides.bulk": "大宗购买",
  "overrides.vip": "重要客户",
  "overrides.mistake": "操作失误",
  "overrides.other": "其他",
});

export async function open({ api, me, place, signal, note }) {
  const { items: stores } = await api.get("/v1/admin/stores", {}, { signal });
  let query = { ...place.query };
  const search = form({
    submit: w("overrides.search"),
    fields: [
      { name: "order_no", label: w("overrides.order"), value: query.order_no, most: 64 },
      !me.store_id && { name: "store_id", label: w("overrides.store"), kind: "choice", value: query.store_id, options: [["", w("overrides.all")], ...stores.map((one) => [one.id, one.name])] },
      { name: "from", label: w("overrides.from"), kind: "date", value: query.from },
      { name: "to", label: w("overrides.to"), kind: "date", value: query.to },
    ].filter(Boolean),
    onSubmit: async (values) => { query = values; note(values); await list.reload(); },
  });
  search.classList.add("card", "filters");
  const list = table({
    label: w("overrides.title"), signal,
    load: ({ cursor }) => api.get("/v1/admin/overrides", { ...query, cursor }, { signal }),
    none: { icon: "badge", title: w("overrides.none") },
    columns: [
      { title: w("overrides.at"), cell: (one) => stamp(one.at) },
      { title: w("overrides.who"), cell: (one) => h("span", { class: "strong" }, one.username) },
      { title: w("overrides.where"), cell: (one) => `${one.store_id} · ${one.terminal_id}`, hide: "narrow" },
      { title: w("overrides.clerk"), cell: (one) => one.cashier || "—", hide: "narrow" },
      { title: w("overrides.what"), cell: (one) => h("span", null, w(`overrides.${one.act}`), h("span", { class: "muted tiny" }, ` ${one.order_no || ""}`)) },
      { title: w("overrides.much"), cell: (one) => h("span", { class: "num" }, `${money(one.fen)} / ${money(one.total_fen)}`) },
      { title: w("overrides.why"), cell: (one) => [w(`overrides.${one.reason}`), one.note].filter(Boolean).join("：") },
    ],
  });
  const limits = h("div");
  await drawLimits();
  return [head(w("overrides.title"), { note: w("overrides.note") }), limits, search, list];

  async function drawLimits() {
    const { items } = await api.get("/v1/admin/override-limits", {}, { signal });
    const roles = me.may("staff.read") ? (await api.get("/v1/admin/roles", {}, { signal })).items : [];
    const may = me.may("overrides.limits");
    const title = (code) => (code === "cashier" ? w("overrides.cashier") : roles.find((one) => one.code === code)?.title || code);
    const set = () => edit(items, [["cashier", title("cashier")], ...roles.map((one) => [one.code, one.title])]);
    fill(limits, h("section", { class: "card stack" },
      h("div", { class: "row" }, h("h2", { class: "grow" }, w("overrides.limits")), may && h("button", { type: "button", class: "button", onclick: set }, w("overrides.set"))),
      h("p", { class: "muted small" }, w("overrides.unlimited")),
      items.map((one) => h("p", { class: "num" }, h("span", { class: "strong" }, title(one.role)), `：${one.sale_bp / 100}% · ${money(one.sale_fen)}`,
        one.role === "cashier" ? "" : ` · ${w("overrides.day_fen")} ${money(one.day_fen)} · ${one.day_count} 次`))));
  }

  async function edit(items, roles) {
    const done = await formDialog({
      title: w("overrides.limits"),
      fields: [
        { name: "role", label: w("overrides.role"), kind: "choice", options: roles, value: items[0]?.role, required: true },
        { name: "sale_bp", label: w("overrides.sale_bp"), kind: "number", required: true, value: 20 },
        { name: "sale_fen", label: w("overrides.sale_fen"), kind: "money", required: true, value: 20000 },
        { name: "day_fen", label: w("overrides.day_fen"), kind: "money", value: 200000 },
        { name: "day_count", label: w("overrides.day_count"), kind: "number", value: 50 },
      ],
      onSubmit: async ({ role, sale_bp: share, ...rest }) => {
        await api.put(`/v1/admin/override-limits/${role}`, { sale_bp: share * 100, sale_fen: rest.sale_fen, day_fen: rest.day_fen || 0, day_count: rest.day_count || 0 });
        return true;
      },
    });
    if (done) await attempt(drawLimits, w("overrides.saved"));
  }
}
