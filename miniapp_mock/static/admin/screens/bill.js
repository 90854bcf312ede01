/** The payments and refunds of a day, each with both sides. */
import { h } from "/static/shared/dom.js";
import { attempt } from "../parts/dialogs.js";
import { stamp } from "../parts/format.js";
import { fen, say, store, wrong } from "../parts/money.js";
import { head } from "../parts/states.js";
import { table } from "../parts/table.js";
import { words } from "../texts.js";

const w = words({
  "bill.title": "对账明细 {day}",
  "bill.back": "返回",
  "bill.csv": "导出 CSV",
  "bill.xlsx": "导出 XLSX",
  "bill.started": "已开始下载",
  "bill.every": "全部",
  "bill.differs": "只看差异",
  "bill.none": "没有交易",
  "bill.none_differs": "没有差异",
  "bill.kind": "类别",
  "bill.number": "商户单号",
  "bill.source": "来源",
  "bill.store": "门店",
  "bill.theirs": "微信",
  "bill.ours": "本方",
  "bill.what": "差异",
  "bill.recharge": "充值",
  "bill.order": "商城订单",
  "bill.refund": "退款",
  "bill.late": "逾期付款",
  "bill.at": "微信时间",
});

export async function open({ api, place, signal, href }) {
  const { day, differs } = place.query;
  const only = differs === "true";
  const file = (format) => h("button", { type: "button", class: "button", onclick: () => attempt(() => api.download("/v1/admin/reconciliation/items/file", { day, format }, `reconciliation-${day}.${format}`), w("bill.started")) }, w(`bill.${format}`));
  const tab = (value, text) => h("a", { class: "tab", href: href("bill", value ? { day, differs: "true" } : { day }), "aria-current": value === only && "page" }, text);
  const list = table({
    label: w("bill.title", { day }), signal, none: { icon: "scale", title: w(only ? "bill.none_differs" : "bill.none") },
    load: ({ cursor }) => api.get("/v1/admin/reconciliation/items", { day, differs: only, cursor, limit: 100 }, { signal }),
    columns: [
      { title: w("bill.kind"), cell: (one) => say(one.kind) },
      { title: w("bill.number"), cell: (one) => h("span", { class: "num small" }, one.number) },
      { title: w("bill.source"), hide: "narrow", cell: (one) => (one.source ? w(`bill.${one.source}`) : "—") },
      { title: w("bill.store"), hide: "narrow", cell: (one) => store(one.store_id) },
      { title: w("bill.at"), hide: "narrow", cell: (one) => h("span", { class: "num" }, stamp(one.theirs_at)) },
      { title: w("bill.theirs"), number: true, cell: (one) => fen(one.theirs_fen) },
      { title: w("bill.ours"), number: true, cell: (one) => fen(one.ours_fen) },
      { title: w("bill.what"), cell: (one) => wrong(one.difference) },
    ],
  });
  return [
    head(w("bill.title", { day }), { actions: [h("a", { class: "button", href: href("bills") }, w("bill.back")), file("csv"), file("xlsx")] }),
    h("nav", { class: "tabs", "aria-label": w("bill.what") }, tab(false, w("bill.every")), tab(true, w("bill.differs"))),
    list,
  ];
}
