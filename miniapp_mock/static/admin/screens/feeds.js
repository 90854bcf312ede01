/** Other systems of the chain that are told what changes about members: who they are, and how far each is. */
import { h } from "/static/shared/dom.js";
import { tell } from "../parts/dialogs.js";
import { formDialog } from "../parts/form.js";
import { count } from "../parts/format.js";
import { head, pill } from "../parts/states.js";
import { table } from "../parts/table.js";
import { words } from "../texts.js";
import { shownOnce } from "../staff/once.js";

export const w = words({
  "feeds.title": "数据订阅",
  "feeds.note": "会员资料、状态与等级的每次变更，按先后编号；订阅方凭密钥拉取，或由本系统签名推送。只给它所需的字段。",
  "feeds.new": "新增订阅方",
  "feeds.name": "名称",
  "feeds.partner": "外部合作方",
  "feeds.partner_note": "只推送已同意“与合作方共享”的会员",
  "feeds.fields": "可见字段",
  "feeds.fields_note": "标“个人信息”的字段，只在确有必要时给",
  "feeds.personal": "{name}（个人信息）",
  "feeds.url": "推送地址",
  "feeds.url_note": "留空则只供对方拉取；公网地址须为 https",
  "feeds.state": "状态",
  "feeds.active": "正常",
  "feeds.failing": "失败 {count} 次",
  "feeds.paused": "已暂停",
  "feeds.suspended": "已停推",
  "feeds.behind": "待推送",
  "feeds.pull": "仅拉取",
  "feeds.none": "还没有订阅方",
  "feeds.none_hint": "如 ERP、数据仓库、企业微信：各建一个，各给一把密钥。",
  "feeds.once": "密钥",
  "feeds.key_text": "拉取密钥，只显示这一次：",
  "feeds.secret_text": "推送签名密钥，只显示这一次：",
});

export const fieldOptions = (fields) => fields.map((one) => [one.code, one.personal ? w("feeds.personal", { name: one.name }) : one.name]);

/** How a subscriber stands, as a label. */
export function standing(one) {
  if (one.state === "active" && one.tries) return pill(w("feeds.failing", { count: one.tries }), "gold");
  if (one.state === "active") return pill(w("feeds.active"), "brand");
  return pill(w(`feeds.${one.state}`), one.state === "suspended" ? "danger" : "");
}

/** The fields of a form for a subscriber. */
export const asked = (fields, one = {}) => [
  { name: "name", label: w("feeds.name"), value: one.name, required: true, most: 60 },
  { name: "partner", label: w("feeds.partner"), kind: "tick", value: one.partner || false, note: w("feeds.partner_note") },
  { name: "fields", label: w("feeds.fields"), kind: "many", value: one.fields || [], options: fieldOptions(fields), note: w("feeds.fields_note"), required: true },
  { name: "url", label: w("feeds.url"), value: one.url, note: w("feeds.url_note"), most: 500, placeholder: "https://" },
];

export async function todo({ api, signal }) {
  const { items } = await api.get("/v1/admin/feeds/subscribers", {}, { signal });
  return { count: items.filter((one) => one.state === "suspended").length, text: w("feeds.suspended") };
}

export async function open({ api, signal, go }) {
  let fields = [];

  async function add() {
    const made = await formDialog({ title: w("feeds.new"), fields: asked(fields), onSubmit: (values) => api.post("/v1/admin/feeds/subscribers", values) });
    if (!made) return;
    await tell(w("feeds.once"), h("div", { class: "stack" }, shownOnce(w("feeds.key_text"), made.key), made.subscriber.url && shownOnce(w("feeds.secret_text"), made.secret)));
    list.reload();
  }

  const list = table({
    label: w("feeds.title"), signal, none: { icon: "exchange", title: w("feeds.none"), hint: w("feeds.none_hint") },
    load: async () => {
      const page = await api.get("/v1/admin/feeds/subscribers", {}, { signal });
      fields = page.fields;
      return page;
    },
    open: (one) => go("feed", { id: one.id }),
    columns: [
      { title: w("feeds.name"), cell: (one) => h("span", { class: "strong" }, one.name) },
      { title: w("feeds.fields"), number: true, hide: "narrow", cell: (one) => count(one.fields.length) },
      { title: w("feeds.url"), hide: "narrow", cell: (one) => one.url || w("feeds.pull") },
      { title: w("feeds.behind"), number: true, cell: (one) => (one.url ? count(one.behind) : "—") },
      { title: w("feeds.state"), cell: standing },
    ],
  });
  return [head(w("feeds.title"), { note: w("feeds.note"), actions: h("button", { type: "button", class: "button primary", onclick: add }, w("feeds.new")) }), list];
}
