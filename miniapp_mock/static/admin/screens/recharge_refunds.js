/** Recharges that are given back: what waits, what is on its way at WeChat, what came of it; decided, stopped, asked for again. */
import { h } from "/static/shared/dom.js";
import { attempt, confirm } from "../parts/dialogs.js";
import { formDialog } from "../parts/form.js";
import { money, stamp } from "../parts/format.js";
import { head, pill } from "../parts/states.js";
import { table } from "../parts/table.js";
import { words } from "../texts.js";

const w = words({
  "refunds.title": "充值退款",
  "refunds.note": "退款原路退回付款人；该笔充值的赠送同时收回",
  "refunds.all": "全部",
  "refunds.asked": "待审核",
  "refunds.frozen": "已冻结",
  "refunds.sent": "微信处理中",
  "refunds.stopping": "中止中",
  "refunds.done": "已退款",
  "refunds.failed": "未成功",
  "refunds.rejected": "已拒绝",
  "refunds.withdrawn": "已撤销",
  "refunds.state": "状态",
  "refunds.amount": "退款金额",
  "refunds.of": "充值 {amount}",
  "refunds.bonus": "收回赠送",
  "refunds.withheld": "扣回",
  "refunds.why": "原因",
  "refunds.who": "申请",
  "refunds.by_member": "会员",
  "refunds.by_staff": "员工",
  "refunds.at": "申请时间",
  "refunds.actions": "操作",
  "refunds.approve": "同意",
  "refunds.approve_amount": "退款金额（元）",
  "refunds.approve_note": "最多可退 {amount}；超过复核额度时由第二人在“复核”中同意",
  "refunds.memo": "备注",
  "refunds.reject": "拒绝",
  "refunds.reject_note": "理由（会员可见）",
  "refunds.cancel": "中止",
  "refunds.again": "重试",
  "refunds.again_ask": "再次请求微信退款？",
  "refunds.waits": "待第二人复核",
  "refunds.none": "没有退款",
  "refunds.waiting": "笔充值退款待审核",
  "refunds.start": "为会员办理",
  "refunds.member_no": "会员号",
  "refunds.nobody": "没有这个会员",
  "refunds.abnormal": "付款账户异常，请到微信商户平台处理",
  "refunds.merchant_balance_insufficient": "商户余额不足，请充值后自动继续",
  "refunds.given_up": "多次未成功，请核对后重试",
  "refunds.paid_after_end": "结束后微信仍已退款，请人工处理",
  "refunds.closed": "微信已关闭",
  "refunds.cancelled": "员工中止",
});

const STATES = ["", "asked", "frozen", "sent", "stopping", "done", "failed", "rejected", "withdrawn"];
const LOOKS = { asked: "gold", done: "brand", failed: "danger", stopping: "gold" };
const KNOWN = ["abnormal", "merchant_balance_insufficient", "given_up", "paid_after_end", "closed", "cancelled"];
const PATH = "/v1/admin/recharge-refunds";
const one = (refund, what) => `${PATH}/${encodeURIComponent(refund.id)}/${what}`;

/** How many wait for a decision, for the first screen. */
export async function todo({ api, me, signal }) {
  if (!me.may("stored.decide")) return { count: 0, text: w("refunds.waiting") };
  const { items, next_cursor: more } = await api.get(PATH, { status: "asked", limit: 100 }, { signal });
  return { count: items.length, more: Boolean(more), text: w("refunds.waiting"), query: { status: "asked" } };
}

export async function open({ api, me, place, signal, go, href }) {
  const status = STATES.includes(place.query.status) ? place.query.status : "";

  async function approve(refund) {
    const fields = [
      { name: "amount_fen", label: w("refunds.approve_amount"), kind: "money", value: refund.amount_fen, note: w("refunds.approve_note", { amount: money(refund.amount_fen) }) },
      { name: "note", label: w("refunds.memo"), most: 200 },
    ];
    if (await formDialog({ title: w("refunds.approve"), fields, submit: w("refunds.approve"), onSubmit: ({ amount_fen: fen, note }) => api.post(one(refund, "approve"), { amount_fen: fen, note: note || "" }, { again: true }) })) list.reload();
  }

  async function say(refund, what) {
    const fields = [{ name: "note", label: w("refunds.reject_note"), kind: "lines", most: 200, required: true }];
    if (await formDialog({ title: w(`refunds.${what}`), fields, submit: w(`refunds.${what}`), danger: true, onSubmit: (values) => api.post(one(refund, what), values, { again: true }) })) list.reload();
  }

  async function again(refund) {
    if (await confirm(w("refunds.again"), { content: w("refunds.again_ask") }) && await attempt(() => api.post(one(refund, "again"), {}, { again: true }))) list.reload();
  }

  async function start() {
    const fields = [{ name: "query", label: w("refunds.member_no"), required: true, most: 20 }];
    const found = await formDialog({ title: w("refunds.start"), fields, submit: w("refunds.start"), onSubmit: (values) => api.post("/v1/admin/members/search", values, { again: true }) });
    const who = found?.items?.[0];
    if (who) go("member-recharges", { id: who.id });
    else if (found) await attempt(async () => { throw Object.assign(new Error(w("refunds.nobody")), { name: "ApiError", detail: w("refunds.nobody") }); });
  }

  const button = (text, refund, run, look = "") => h("button", { type: "button", class: `button compact ${look}`.trim(), "aria-label": `${text} ${refund.id}`, onclick: () => run(refund) }, text);
  const steps = (refund) => me.may("stored.decide") && h("div", { class: "row-actions" },
    refund.status === "asked" && button(w("refunds.approve"), refund, approve, "primary"),
    refund.status === "asked" && button(w("refunds.reject"), refund, (it) => say(it, "reject")),
    ["frozen", "sent"].includes(refund.status) && button(w("refunds.cancel"), refund, (it) => say(it, "cancel")),
    refund.status === "sent" && refund.failure && button(w("refunds.again"), refund, again, "soft"));
  const wrong = (refund) => refund.failure && h("span", { class: "danger tiny" }, ` ${KNOWN.includes(refund.failure) ? w(`refunds.${refund.failure}`) : refund.failure}`);

  const list = table({
    label: w("refunds.title"),
    signal,
    load: ({ cursor }) => api.get(PATH, { status: status || null, member_id: place.query.member || null, cursor, limit: 50 }, { signal }),
    open: (refund) => go("member-recharges", { id: refund.member_id }),
    none: { icon: "card", title: w("refunds.none") },
    columns: [
      { title: w("refunds.state"), cell: (refund) => h("span", null, pill(w(`refunds.${refund.status}`), LOOKS[refund.status]), refund.status === "asked" && refund.approval_id && h("span", { class: "muted tiny" }, ` ${w("refunds.waits")}`), wrong(refund)) },
      { title: w("refunds.amount"), number: true, cell: (refund) => h("span", { class: "num" }, h("span", { class: "strong" }, money(refund.amount_fen)), h("span", { class: "muted tiny" }, ` ${w("refunds.of", { amount: money(refund.recharge_fen) })}`)) },
      { title: w("refunds.bonus"), number: true, hide: "narrow", cell: (refund) => money(refund.bonus_forfeited_fen) },
      { title: w("refunds.withheld"), number: true, hide: "narrow", cell: (refund) => money(refund.withheld_fen) },
      { title: w("refunds.why"), width: "wide", cell: (refund) => refund.reason },
      { title: w("refunds.who"), hide: "narrow", cell: (refund) => w(refund.asked_by_member ? "refunds.by_member" : "refunds.by_staff") },
      { title: w("refunds.at"), hide: "narrow", cell: (refund) => h("span", { class: "num" }, stamp(refund.asked_at)) },
      { title: w("refunds.actions"), cell: steps },
    ],
  });
  const tabs = h("nav", { class: "tabs", "aria-label": w("refunds.state") }, STATES.map((name) => h("a", { class: "tab", href: href("recharge-refunds", name ? { status: name } : {}), "aria-current": name === status && "page" }, w(`refunds.${name || "all"}`))));
  const begin = me.may("stored.refund") && h("button", { type: "button", class: "button primary", onclick: start }, w("refunds.start"));
  return [head(w("refunds.title"), { note: w("refunds.note"), actions: begin || [] }), tabs, list];
}
