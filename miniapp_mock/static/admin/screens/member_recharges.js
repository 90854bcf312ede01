/** One member's recharges: what was paid in, what of it went back; a refund is begun here, and the statement downloaded. */
import { h } from "/static/shared/dom.js";
import { attempt } from "../parts/dialogs.js";
import { field, formDialog } from "../parts/form.js";
import { day, money, stamp } from "../parts/format.js";
import { empty, head, pill } from "../parts/states.js";
import { table } from "../parts/table.js";
import { words } from "../texts.js";

const w = words({
  "recharges.title": "会员充值记录",
  "recharges.at": "时间",
  "recharges.state": "状态",
  "recharges.pending": "待支付",
  "recharges.paid": "已到账",
  "recharges.closed": "已关闭",
  "recharges.refunded": "已退款",
  "recharges.pay": "充值",
  "recharges.bonus": "赠送",
  "recharges.back": "已退",
  "recharges.actions": "操作",
  "recharges.refund": "退款",
  "recharges.terms": "最多可退 {amount}；收回赠送 {bonus}；扣回已用赠送 {withheld}",
  "recharges.second": "超过复核额度，需第二人同意",
  "recharges.amount": "退款金额（元）",
  "recharges.reason": "原因",
  "recharges.under_way": "退款进行中",
  "recharges.none": "没有充值记录",
  "recharges.statement": "储值对账单",
  "recharges.from": "从",
  "recharges.to": "到",
  "recharges.pdf": "PDF",
  "recharges.xlsx": "XLSX",
  "recharges.csv": "CSV",
  "recharges.downloaded": "对账单已下载",
});

const LOOKS = { paid: "brand", refunded: "gold" };
const OPEN = ["asked", "frozen", "sent", "stopping"];
const MONTH_MS = 29 * 86_400_000;

export async function open({ api, me, place, signal, href }) {
  const id = place.query.id || "";
  if (!id) return [head(w("recharges.title")), h("div", { class: "card" }, empty({ title: w("recharges.none") }))];

  async function refund(recharge) {
    const address = `/v1/admin/recharges/${encodeURIComponent(recharge.id)}`;
    let terms = null;
    if (!await attempt(async () => { terms = await api.get(`${address}/refund-terms`, {}, { signal }); return true; })) return;
    const key = api.newKey(); // one intent, one key
    const note = [w("recharges.terms", { amount: money(terms.refundable_fen), bonus: money(terms.bonus_forfeited_fen), withheld: money(terms.withheld_fen) }), terms.needs_approval && w("recharges.second")].filter(Boolean).join("。");
    const made = await formDialog({
      title: w("recharges.refund"),
      note,
      fields: [
        { name: "amount_fen", label: w("recharges.amount"), kind: "money", value: terms.refundable_fen, required: true },
        { name: "reason", label: w("recharges.reason"), kind: "lines", most: 200, required: true },
      ],
      submit: w("recharges.refund"),
      danger: true,
      onSubmit: (values) => api.post(`${address}/refunds`, values, { key }),
    });
    if (made) list.reload();
  }

  const busyWith = (recharge) => recharge.refund && OPEN.includes(recharge.refund.status);
  const actions = (recharge) => (busyWith(recharge)
    ? h("a", { class: "button compact soft", href: href("recharge-refunds", { member: id }) }, w("recharges.under_way"))
    : recharge.status === "paid" && me.may("stored.refund") && h("button", { type: "button", class: "button compact", "aria-label": `${w("recharges.refund")} ${money(recharge.pay_fen)}`, onclick: () => refund(recharge) }, w("recharges.refund")));
  const list = table({
    label: w("recharges.title"),
    signal,
    load: ({ cursor }) => api.get(`/v1/admin/members/${encodeURIComponent(id)}/recharges`, { cursor, limit: 50 }, { signal }),
    none: { icon: "card", title: w("recharges.none") },
    columns: [
      { title: w("recharges.at"), cell: (one) => h("span", { class: "num" }, stamp(one.at)) },
      { title: w("recharges.state"), cell: (one) => pill(w(`recharges.${one.status}`), LOOKS[one.status]) },
      { title: w("recharges.pay"), number: true, cell: (one) => money(one.pay_fen) },
      { title: w("recharges.bonus"), number: true, cell: (one) => money(one.bonus_fen) },
      { title: w("recharges.back"), number: true, cell: (one) => money(one.refunded_fen) },
      { title: w("recharges.actions"), cell: actions },
    ],
  });

  const now = Date.now();
  const from = field({ name: "from", label: w("recharges.from"), input: h("input", { type: "date", class: "input", value: day(new Date(now - MONTH_MS).toISOString()) }) });
  const to = field({ name: "to", label: w("recharges.to"), input: h("input", { type: "date", class: "input", value: day(new Date(now).toISOString()) }) });
  const file = (format) => h("button", { type: "button", class: "button", onclick: () => attempt(() => api.download(`/v1/admin/members/${encodeURIComponent(id)}/stored-statement`, { from: from.input.value, to: to.input.value, format }, `statement.${format}`), w("recharges.downloaded")) }, w(`recharges.${format}`));
  return [
    head(w("recharges.title")),
    list,
    h("section", { class: "card stack" }, h("h2", null, w("recharges.statement")), h("div", { class: "filters" }, from.node, to.node, ["pdf", "xlsx", "csv"].map(file))),
  ];
}
