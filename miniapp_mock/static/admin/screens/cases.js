/** The desk of feedback: what waits, what is overdue, what is one's own; and what a customer says on the phone or in the shop. */
import { h } from "/static/shared/dom.js";
import { CHANNELS, KINDS, PRIORITIES, STATE_LOOKS, activeCoupons, cw, options } from "../case_words.js";
import { stamp } from "../parts/format.js";
import { formDialog } from "../parts/form.js";
import { head, pill } from "../parts/states.js";
import { table } from "../parts/table.js";
import { words } from "../texts.js";

const w = words({
  "cases.title": "反馈处理",
  "cases.note": "按应答复时间排列，先到期的在前",
  "cases.views": "看哪些",
  "cases.waiting": "待答复",
  "cases.overdue": "已逾期",
  "cases.mine": "我负责的",
  "cases.all": "全部",
  "cases.words": "内容",
  "cases.kind": "类别",
  "cases.state": "状态",
  "cases.priority": "优先级",
  "cases.customer": "顾客",
  "cases.store": "门店",
  "cases.assignee": "负责人",
  "cases.due": "应答复时间",
  "cases.none": "这里没有反馈",
  "cases.new": "登记反馈",
  "cases.figures": "统计",
  "cases.gifts": "补偿用券",
  "cases.gifts_note": "门店员工可以用这些券补偿顾客；总部可以用任何一种",
  "cases.gifts_none": "还没有启用的优惠券模板",
  "cases.channel": "渠道",
  "cases.text": "顾客说了什么",
  "cases.member_no": "会员号",
  "cases.member_note": "会员填会员号；不是会员填下面的姓名和手机号；都不留可空着",
  "cases.name": "姓名",
  "cases.phone": "手机号",
  "cases.consent": "顾客同意保留姓名和手机号，用于回复这件事",
  "cases.consent_wrong": "留下姓名和手机号需要顾客同意",
  "cases.both": "姓名和手机号请都填写",
  "cases.reference": "订单号或小票号",
  "cases.overdue_todo": "件反馈已逾期",
});

const VIEWS = { waiting: { waiting: true }, overdue: { overdue: true }, mine: { mine: true }, all: {} };

/** Overdue cases that the caller is to look after, for the first screen. */
export async function todo({ api, me, signal }) {
  if (!me.may("cases.lead")) return null;
  const { items } = await api.get("/v1/admin/cases/todos", {}, { signal });
  return { count: items.length, more: items.length >= 100, text: w("cases.overdue_todo"), query: { view: "overdue" } };
}

export async function open({ api, me, place, signal, go, href, keys }) {
  const view = VIEWS[place.query.view] ? place.query.view : "waiting";
  const stores = await api.get("/v1/admin/stores", {}, { signal });

  async function add() {
    const key = api.newKey();
    const made = await formDialog({
      title: w("cases.new"),
      fields: [
        { name: "kind", label: w("cases.kind"), kind: "choice", options: options("kind", KINDS), value: "complaint" },
        { name: "channel", label: w("cases.channel"), kind: "choice", options: options("channel", CHANNELS), value: me.store_id ? "shop" : "phone" },
        { name: "text", label: w("cases.text"), kind: "lines", required: true, most: 2000 },
        { name: "store_id", label: w("cases.store"), kind: "choice", value: me.store_id || "", options: [...(me.store_id ? [] : [["", "—"]]), ...stores.items.map((one) => [one.id, one.name])] },
        { name: "priority", label: w("cases.priority"), kind: "choice", options: options("priority", PRIORITIES), value: "normal" },
        { name: "reference", label: w("cases.reference"), most: 40 },
        { name: "member_no", label: w("cases.member_no"), most: 20, note: w("cases.member_note") },
        { name: "name", label: w("cases.name"), most: 40 },
        { name: "phone", label: w("cases.phone"), most: 11 },
        { name: "consent", label: w("cases.consent"), kind: "tick", value: false },
      ],
      onSubmit: ({ name, phone, consent, ...values }) => {
        if (Boolean(name) !== Boolean(phone)) throw refusal("/phone", w("cases.both"));
        if (name && !consent) throw refusal("/consent", w("cases.consent_wrong"));
        const contact = name ? { name, phone, consent: true } : null;
        return api.post("/v1/admin/cases", { ...values, reference: values.reference || "", contact }, { key });
      },
    });
    if (made) go("case", { id: made.id });
  }

  async function offer() {
    const [{ coupons }, active] = await Promise.all([api.get("/v1/admin/cases/gifts", {}, { signal }), activeCoupons(api, signal)]);
    const offered = coupons.map((one) => one.template_id);
    const known = new Map([...coupons.map((one) => [one.template_id, one.title]), ...active]);
    const path = (id) => `/v1/admin/cases/gifts/${encodeURIComponent(id)}`;
    await formDialog({
      title: w("cases.gifts"),
      note: known.size ? w("cases.gifts_note") : w("cases.gifts_none"),
      fields: [{ name: "coupons", label: w("cases.gifts"), kind: "many", options: [...known], value: offered }],
      onSubmit: async ({ coupons: wanted }) => {
        for (const id of wanted.filter((one) => !offered.includes(one))) await api.put(path(id));
        for (const id of offered.filter((one) => !wanted.includes(one))) await api.remove(path(id));
      },
    });
  }

  const list = table({
    label: w("cases.title"),
    signal,
    load: ({ cursor }) => api.get("/v1/admin/cases", { cursor, limit: 50, ...VIEWS[view] }, { signal }),
    open: (one) => go("case", { id: one.id }),
    none: { icon: "case", title: w("cases.none") },
    columns: [
      { title: w("cases.words"), width: "wide", cell: (one) => h("a", { class: "strong", href: href("case", { id: one.id }) }, one.excerpt) },
      { title: w("cases.kind"), cell: (one) => cw(`kind.${one.kind}`) },
      { title: w("cases.state"), cell: (one) => pill(cw(`state.${one.state}`), STATE_LOOKS[one.state]) },
      { title: w("cases.priority"), hide: "narrow", cell: (one) => (["high", "urgent"].includes(one.priority) ? pill(cw(`priority.${one.priority}`), "danger") : cw(`priority.${one.priority}`)) },
      { title: w("cases.customer"), cell: (one) => h("span", { class: "num" }, one.customer || "—") },
      { title: w("cases.store"), hide: "narrow", cell: (one) => one.store || "—" },
      { title: w("cases.assignee"), hide: "narrow", cell: (one) => one.assignee || "—" },
      { title: w("cases.due"), cell: (one) => h("span", { class: `num ${one.overdue ? "danger" : ""}`.trim() }, stamp(one.due_at), one.overdue ? ` ${w("cases.overdue")}` : "") },
    ],
  });
  keys({ n: [w("cases.new"), add] });
  const tabs = h("nav", { class: "tabs", "aria-label": w("cases.views") }, Object.keys(VIEWS).map((one) => h("a", { class: "tab", href: href("cases", { view: one }), "aria-current": one === view && "page" }, w(`cases.${one}`))));
  const actions = [me.may("cases.gifts") && h("button", { type: "button", class: "button", onclick: offer }, w("cases.gifts")), me.may("cases.report") && h("a", { class: "button", href: href("case-figures") }, w("cases.figures")), h("button", { type: "button", class: "button primary", onclick: add }, w("cases.new"))];
  return [head(w("cases.title"), { note: w("cases.note"), actions }), tabs, list];
}

function refusal(pointer, message) {
  return Object.assign(new Error(message), { name: "ApiError", code: "validation_failed", detail: message, fields: [{ pointer, message }] });
}
