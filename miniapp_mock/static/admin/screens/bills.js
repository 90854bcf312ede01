/** WeChat's bills day by day beside our books, and the differences that nobody has resolved. */
import { h } from "/static/shared/dom.js";
import { toast } from "../parts/dialogs.js";
import { drawn } from "../parts/chart.js";
import { formDialog } from "../parts/form.js";
import { count, day, stamp, yuan } from "../parts/format.js";
import { fen, say, standing, wrong } from "../parts/money.js";
import { head, pill, section } from "../parts/states.js";
import { table } from "../parts/table.js";
import { words } from "../texts.js";

const w = words({
  "bills.title": "微信对账",
  "bills.note": "每天 10:30 取前一天的微信支付账单，与本方账目逐笔核对；不移动任何资金。",
  "bills.take": "重新对账",
  "bills.day": "日期",
  "bills.taken": "已取得账单",
  "bills.bill": "账单",
  "bills.state": "状态",
  "bills.daily": "每日账单",
  "bills.waiting": "等待账单",
  "bills.tried": "未取到，已试 {count} 次",
  "bills.again": "未核完，稍后重取",
  "bills.empty": "当日无交易",
  "bills.none": "未取",
  "bills.paid": "收款 微信 / 本方",
  "bills.refunded": "退款 微信 / 本方",
  "bills.items": "笔数",
  "bills.open": "待处理差异",
  "bills.no_days": "还没有账单",
  "bills.no_days_hint": "配置微信支付商户后，每天自动取得。",
  "bills.differences": "差异",
  "bills.all_right": "没有待处理的差异",
  "bills.all_right_hint": "双方账目一致。",
  "bills.only_waiting": "待处理",
  "bills.every": "全部",
  "bills.found": "发现时间",
  "bills.kind": "类别",
  "bills.what": "差异",
  "bills.theirs": "微信",
  "bills.ours": "本方",
  "bills.who": "处理人",
  "bills.todo": "笔对账差异待处理",
});

const DAY_MS = 86400000;

export async function todo({ api, signal }) {
  const { items, next_cursor: more } = await api.get("/v1/admin/reconciliation/differences", { limit: 100 }, { signal });
  return { count: items.length, more: Boolean(more), text: w("bills.todo") };
}

function bill(one) {
  if (one.due_at && one.state !== "waiting") return pill(w("bills.again"), "danger");
  if (one.state === "taken") return pill(w("bills.taken"), "brand");
  if (one.state === "empty") return pill(w("bills.empty"));
  if (one.state === null) return pill(w("bills.none"));
  return one.tries ? pill(w("bills.tried", { count: one.tries }), "danger") : pill(w("bills.waiting"), "gold");
}

/** Both sides of a sum; they are told apart only where they differ. */
function sides(theirs, ours) {
  return h("span", { class: `num ${theirs === ours ? "" : "danger"}`.trim() }, `¥${yuan(theirs)} / ¥${yuan(ours)}`);
}

export async function open({ api, me, place, signal, go, href }) {
  const every = place.query.view === "all";
  const now = Date.now();
  const span = { from: day(new Date(now - 30 * DAY_MS).toISOString()), to: day(new Date(now).toISOString()) };

  async function take() {
    const yesterday = day(new Date(now - DAY_MS).toISOString());
    const done = await formDialog({
      title: w("bills.take"),
      fields: [{ name: "day", label: w("bills.day"), kind: "date", value: yesterday, required: true }],
      submit: w("bills.take"),
      onSubmit: (values) => api.post("/v1/admin/reconciliation/days", values, { again: true }),
    });
    if (!done) return;
    toast(w("bills.taken"));
    days.reload();
    differences.reload();
  }

  const days = table({
    label: w("bills.title"), signal, none: { icon: "scale", title: w("bills.no_days"), hint: w("bills.no_days_hint") },
    load: () => api.get("/v1/admin/reconciliation/days", span, { signal }),
    open: (one) => go("bill", { day: one.day }),
    columns: [
      { title: w("bills.day"), cell: (one) => h("span", { class: "strong num" }, one.day) },
      { title: w("bills.bill"), cell: bill },
      { title: w("bills.paid"), number: true, cell: (one) => sides(one.theirs_paid_fen, one.ours_paid_fen) },
      { title: w("bills.refunded"), number: true, hide: "narrow", cell: (one) => sides(one.theirs_refunded_fen, one.ours_refunded_fen) },
      { title: w("bills.items"), number: true, hide: "narrow", cell: (one) => count(one.items) },
      { title: w("bills.open"), number: true, cell: (one) => (one.open ? pill(count(one.open), "danger") : "0") },
    ],
  });
  const differences = table({
    label: w("bills.differences"), signal, none: { icon: "scale", title: w("bills.all_right"), hint: w("bills.all_right_hint") },
    load: ({ cursor }) => api.get("/v1/admin/reconciliation/differences", { cursor, limit: 50, waiting: !every }, { signal }),
    open: (one) => go("difference", { id: one.id }),
    columns: [
      { title: w("bills.found"), cell: (one) => h("span", { class: "num" }, stamp(one.found_at)) },
      { title: w("bills.kind"), hide: "narrow", cell: (one) => say(one.kind) },
      { title: w("bills.what"), cell: (one) => wrong(one.what) },
      { title: w("bills.theirs"), number: true, cell: (one) => fen(one.theirs_fen) },
      { title: w("bills.ours"), number: true, cell: (one) => fen(one.ours_fen) },
      { title: w("bills.state"), cell: (one) => standing(one.state) },
      { title: w("bills.who"), hide: "narrow", cell: (one) => one.staff || "—" },
    ],
  });
  const tab = (view, text) => h("a", { class: "tab", href: href("bills", view ? { view } : {}), "aria-current": (every ? "all" : "") === view && "page" }, text);
  return [
    head(w("bills.title"), { note: w("bills.note"), actions: me.may("reconciliation.work") && h("button", { type: "button", class: "button primary", onclick: take }, w("bills.take")) }),
    h("h2", null, w("bills.differences")),
    h("nav", { class: "tabs", "aria-label": w("bills.differences") }, tab("", w("bills.only_waiting")), tab("all", w("bills.every"))),
    differences,
    h("h2", null, w("bills.daily")),
    section(async () => h("div", { class: "card" }, drawn(await api.text("/v1/admin/reconciliation/days/chart", span, { signal }), w("bills.daily"))), { signal }),
    days,
  ];
}
