/** What points were redeemed for in some days: by gift and place, as a chart and as numbers. */
import { h } from "/static/shared/dom.js";
import { drawn } from "../parts/chart.js";
import { attempt } from "../parts/dialogs.js";
import { field } from "../parts/form.js";
import { count, day, money } from "../parts/format.js";
import { empty, head, section } from "../parts/states.js";
import { words } from "../texts.js";

const w = words({
  "giftreport.title": "积分兑换报表",
  "giftreport.note": "积分、金额按未取消的兑换计；成本：实物按出库成本，储值按到账金额，优惠券在使用时计",
  "giftreport.from": "从",
  "giftreport.to": "到",
  "giftreport.show": "查看",
  "giftreport.gift": "礼品",
  "giftreport.store_id": "地点",
  "giftreport.redeemed": "兑换",
  "giftreport.undone": "取消、过期、退回",
  "giftreport.waiting": "待领取、待寄出",
  "giftreport.points": "积分",
  "giftreport.pay_fen": "金额",
  "giftreport.cost_fen": "成本",
  "giftreport.sum": "合计",
  "giftreport.none": "这段时间没有兑换",
  "giftreport.csv": "CSV",
  "giftreport.xlsx": "XLSX",
  "giftreport.downloaded": "报表已下载",
});

const PATH = "/v1/admin/reports/gifts";
const DAY_MS = 86_400_000;
const COLUMNS = [["redeemed", count], ["undone", count], ["waiting", count], ["points", count], ["pay_fen", money], ["cost_fen", money]];

export async function open({ api, place, signal, go }) {
  const now = Date.now();
  const asked = {
    from: place.query.from || day(new Date(now - 29 * DAY_MS).toISOString()),
    to: place.query.to || day(new Date(now).toISOString()),
  };
  const from = field({ name: "from", label: w("giftreport.from"), input: h("input", { type: "date", class: "input", value: asked.from }) });
  const to = field({ name: "to", label: w("giftreport.to"), input: h("input", { type: "date", class: "input", value: asked.to }) });
  const show = h("button", { type: "button", class: "button primary", onclick: () => go("gift-report", { from: from.input.value, to: to.input.value }) }, w("giftreport.show"));
  const file = (format) => h("button", { type: "button", class: "button", onclick: () => attempt(() => api.download(`${PATH}/file`, { ...asked, format }, `gifts.${format}`), w("giftreport.downloaded")) }, w(`giftreport.${format}`));
  const body = section(async () => {
    const [{ items }, chart] = await Promise.all([api.get(PATH, asked, { signal }), api.text(`${PATH}/chart`, asked, { signal })]);
    if (!items.length) return h("div", { class: "card" }, empty({ icon: "chart", title: w("giftreport.none") }));
    return [h("section", { class: "card" }, drawn(chart, w("giftreport.title"))), rows(items)];
  }, { signal, className: "stack" });
  return [head(w("giftreport.title"), { note: w("giftreport.note"), actions: ["csv", "xlsx"].map(file) }), h("div", { class: "filters" }, from.node, to.node, show), body];
}

function rows(items) {
  const line = (title, where, read) => h("tr", null, h("th", { scope: "row" }, title), h("td", null, where), COLUMNS.map(([name, shown]) => h("td", { class: "number num" }, shown(read(name)))));
  const sum = (name) => items.reduce((all, one) => all + one[name], 0);
  return h("div", { class: "card flush table-card" }, h("div", { class: "table-scroll" }, h("table", { class: "table" },
    h("caption", { class: "sr-only" }, w("giftreport.title")),
    h("thead", null, h("tr", null, h("th", { scope: "col" }, w("giftreport.gift")), h("th", { scope: "col" }, w("giftreport.store_id")), COLUMNS.map(([name]) => h("th", { scope: "col", class: "number" }, w(`giftreport.${name}`))))),
    h("tbody", null, items.map((one) => line(one.title, one.store_id, (name) => one[name])), line(w("giftreport.sum"), "", sum)))));
}
