/** What stores owe each other for value that was recharged at one and spent at another, and what was settled of it. */
import { h } from "/static/shared/dom.js";
import { attempt, toast } from "../parts/dialogs.js";
import { drawn } from "../parts/chart.js";
import { field, formDialog } from "../parts/form.js";
import { count, day, stamp } from "../parts/format.js";
import { fen, store } from "../parts/money.js";
import { empty, head, section } from "../parts/states.js";
import { table } from "../parts/table.js";
import { words } from "../texts.js";

const w = words({
  "clearing.title": "跨店结算",
  "clearing.note": "会员在甲店充值、在乙店消费：甲店收了钱，乙店付了货，甲店应付乙店。退货按原路冲减。",
  "clearing.from": "从",
  "clearing.to": "到",
  "clearing.show": "查看",
  "clearing.bonus": "赠送也计",
  "clearing.csv": "导出 CSV",
  "clearing.started": "已开始下载",
  "clearing.balances": "各店应收应付",
  "clearing.store": "门店",
  "clearing.receives": "应收",
  "clearing.pays": "应付",
  "clearing.net": "净额",
  "clearing.flows": "往来",
  "clearing.from_store": "充值门店",
  "clearing.to_store": "消费门店",
  "clearing.principal": "本金",
  "clearing.gift": "赠送",
  "clearing.purchases": "消费笔数",
  "clearing.nothing": "这些日子没有跨店消费",
  "clearing.settlements": "结算单",
  "clearing.settle": "提出结算",
  "clearing.settle_note": "截至所选日期、尚未结算的全部往来。须由另一人批准后生效，此后不再变动。",
  "clearing.until": "截至",
  "clearing.why": "说明",
  "clearing.asked": "已提出，等待另一人批准",
  "clearing.none": "还没有结算单",
  "clearing.days": "期间",
  "clearing.who": "提出 / 批准",
  "clearing.at": "时间",
  "clearing.file": "下载",
});

const DAY_MS = 86400000;

function rows(label, columns, items) {
  return h("div", { class: "card flush table-card" }, h("div", { class: "table-scroll" }, h("table", { class: "table" },
    h("caption", { class: "sr-only" }, label),
    h("thead", null, h("tr", null, columns.map(([title, , number]) => h("th", { scope: "col", class: number ? "number" : null }, title)))),
    h("tbody", null, items.map((one) => h("tr", null, columns.map(([, cell, number]) => h("td", { class: number ? "number num" : null }, cell(one)))))))));
}

export async function open({ api, me, place, signal, go }) {
  const now = Date.now();
  const asked = {
    from: place.query.from || day(new Date(now - 30 * DAY_MS).toISOString()),
    to: place.query.to || day(new Date(now).toISOString()),
    with_bonus: place.query.with_bonus === "true",
  };
  const from = field({ name: "from", label: w("clearing.from"), input: h("input", { type: "date", value: asked.from }) });
  const to = field({ name: "to", label: w("clearing.to"), input: h("input", { type: "date", value: asked.to }) });
  const bonus = h("input", { type: "checkbox", checked: asked.with_bonus });
  const show = h("button", { type: "button", class: "button", onclick: () => go("clearing", { from: from.input.value, to: to.input.value, with_bonus: String(bonus.checked) }) }, w("clearing.show"));
  const csv = h("button", { type: "button", class: "button", onclick: () => attempt(() => api.download("/v1/admin/clearing/flows/file", { ...asked, format: "csv" }, `clearing-${asked.from}-${asked.to}.csv`), w("clearing.started")) }, w("clearing.csv"));

  async function settle() {
    const key = api.newKey();
    const done = await formDialog({
      title: w("clearing.settle"),
      note: w("clearing.settle_note"),
      fields: [
        { name: "to", label: w("clearing.until"), kind: "date", required: true, value: day(new Date(now - DAY_MS).toISOString()) },
        { name: "with_bonus", label: w("clearing.bonus"), kind: "tick", value: asked.with_bonus },
        { name: "reason", label: w("clearing.why"), required: true, most: 300 },
      ],
      submit: w("clearing.settle"),
      onSubmit: (values) => api.post("/v1/admin/clearing/settlements", values, { key }),
    });
    if (done) toast(w("clearing.asked"));
  }

  const figures = section(async () => {
    const found = await api.get("/v1/admin/clearing/flows", asked, { signal });
    if (!found.flows.length) return h("div", { class: "card" }, empty({ icon: "exchange", title: w("clearing.nothing") }));
    return [
      h("h2", null, w("clearing.balances")),
      rows(w("clearing.balances"), [
        [w("clearing.store"), (one) => store(one.store_id)],
        [w("clearing.receives"), (one) => fen(one.receives_fen), true],
        [w("clearing.pays"), (one) => fen(one.pays_fen), true],
        [w("clearing.net"), (one) => h("span", { class: one.net_fen < 0 ? "danger" : "strong" }, fen(one.net_fen)), true],
      ], found.balances),
      h("div", { class: "card" }, drawn(await api.text("/v1/admin/clearing/flows/chart", asked, { signal }), w("clearing.balances"))),
      h("h2", null, w("clearing.flows")),
      rows(w("clearing.flows"), [
        [w("clearing.from_store"), (one) => store(one.from_store)],
        [w("clearing.to_store"), (one) => store(one.to_store)],
        [w("clearing.principal"), (one) => fen(one.principal_fen), true],
        [w("clearing.gift"), (one) => fen(one.bonus_fen), true],
        [w("clearing.purchases"), (one) => count(one.purchases), true],
      ], found.flows),
    ];
  }, { signal, className: "stack" });

  const settlements = table({
    label: w("clearing.settlements"), signal, none: { icon: "exchange", title: w("clearing.none") },
    load: ({ cursor }) => api.get("/v1/admin/clearing/settlements", { cursor }, { signal }),
    columns: [
      { title: w("clearing.days"), cell: (one) => h("span", { class: "num" }, `${one.from} – ${one.to}`) },
      { title: w("clearing.who"), cell: (one) => `${one.asked_by} / ${one.approved_by}` },
      { title: w("clearing.at"), hide: "narrow", cell: (one) => h("span", { class: "num" }, stamp(one.at)) },
      { title: w("clearing.net"), number: true, cell: (one) => one.balances.map((balance) => h("div", null, `${store(balance.store_id)} `, fen(balance.net_fen))) },
      { title: w("clearing.file"), cell: (one) => h("button", { type: "button", class: "button compact soft", "aria-label": `${w("clearing.file")} ${one.to}`, onclick: () => attempt(() => api.download(`/v1/admin/clearing/settlements/${one.id}/file`, { format: "xlsx" }, `settlement-${one.id}.xlsx`), w("clearing.started")) }, "XLSX") },
    ],
  });
  return [
    head(w("clearing.title"), { note: w("clearing.note"), actions: [csv, me.may("clearing.settle") && h("button", { type: "button", class: "button primary", onclick: settle }, w("clearing.settle"))] }),
    h("div", { class: "filters" }, from.node, to.node, h("label", { class: "check" }, bonus, h("span", null, w("clearing.bonus"))), show),
    figures,
    h("h2", null, w("clearing.settlements")),
    settlements,
  ];
}
