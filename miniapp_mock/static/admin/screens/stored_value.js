/** Stored value by day: what came, was given, spent and paid back, and what the chain owes its members, as a chart and as numbers. */
import { h } from "/static/shared/dom.js";
import { drawn } from "../parts/chart.js";
import { attempt } from "../parts/dialogs.js";
import { field } from "../parts/form.js";
import { day, money } from "../parts/format.js";
import { empty, head, section } from "../parts/states.js";
import { words } from "../texts.js";

const w = words({
  "stored.title": "储值报表",
  "stored.note": "每 10 分钟汇总一次；门店只统计在该店的消费与退货",
  "stored.from": "从",
  "stored.to": "到",
  "stored.show": "查看",
  "stored.day": "日期",
  "stored.recharged_fen": "充值",
  "stored.bonus_given_fen": "赠送",
  "stored.spent_fen": "消费",
  "stored.returned_fen": "退货返还",
  "stored.expired_fen": "过期",
  "stored.paid_back_fen": "充值退款",
  "stored.bonus_forfeited_fen": "赠送收回",
  "stored.withheld_fen": "扣回本金",
  "stored.other_fen": "其他",
  "stored.owed_fen": "未消费余额",
  "stored.sum": "合计",
  "stored.none": "这段时间没有变动",
  "stored.csv": "CSV",
  "stored.xlsx": "XLSX",
  "stored.downloaded": "报表已下载",
});

const PATH = "/v1/admin/reports/stored-value";
const DAY_MS = 86_400_000;
const COLUMNS = ["recharged_fen", "bonus_given_fen", "spent_fen", "returned_fen", "expired_fen", "paid_back_fen", "bonus_forfeited_fen", "withheld_fen", "other_fen", "owed_fen"];
const SELDOM = ["withheld_fen", "other_fen"]; // shown where there is some, so that a line adds up

const shown = (one) => ({
  ...one,
  spent_fen: one.spent_principal_fen + one.spent_bonus_fen,
  returned_fen: one.returned_principal_fen + one.returned_bonus_fen,
  owed_fen: one.owed_principal_fen === null ? null : one.owed_principal_fen + one.owed_bonus_fen,
});

export async function open({ api, place, signal, go }) {
  const now = Date.now();
  const asked = {
    from: place.query.from || day(new Date(now - 29 * DAY_MS).toISOString()),
    to: place.query.to || day(new Date(now).toISOString()),
  };
  const from = field({ name: "from", label: w("stored.from"), input: h("input", { type: "date", class: "input", value: asked.from }) });
  const to = field({ name: "to", label: w("stored.to"), input: h("input", { type: "date", class: "input", value: asked.to }) });
  const show = h("button", { type: "button", class: "button primary", onclick: () => go("stored-value", { from: from.input.value, to: to.input.value }) }, w("stored.show"));
  const file = (format) => h("button", { type: "button", class: "button", onclick: () => attempt(() => api.download(`${PATH}/file`, { ...asked, format }, `stored-value.${format}`), w("stored.downloaded")) }, w(`stored.${format}`));
  const body = section(async () => {
    const [{ items }, chart] = await Promise.all([api.get(PATH, asked, { signal }), api.text(`${PATH}/chart`, asked, { signal })]);
    if (!items.length) return h("div", { class: "card" }, empty({ icon: "chart", title: w("stored.none") }));
    return [h("section", { class: "card" }, drawn(chart, w("stored.title"))), rows(items.map(shown))];
  }, { signal, className: "stack" });
  return [head(w("stored.title"), { note: w("stored.note"), actions: ["csv", "xlsx"].map(file) }), h("div", { class: "filters" }, from.node, to.node, show), body];
}

function rows(items) {
  const amount = (fen) => (fen === null ? "—" : money(fen));
  const sum = (name) => (name === "owed_fen" ? items.at(-1).owed_fen : items.reduce((all, one) => all + one[name], 0));
  const columns = COLUMNS.filter((name) => !SELDOM.includes(name) || items.some((one) => one[name]));
  const line = (title, read) => h("tr", null, h("th", { scope: "row", class: "num" }, title), columns.map((name) => h("td", { class: "number num" }, amount(read(name)))));
  return h("div", { class: "card flush table-card" }, h("div", { class: "table-scroll" }, h("table", { class: "table" },
    h("caption", { class: "sr-only" }, w("stored.title")),
    h("thead", null, h("tr", null, h("th", { scope: "col" }, w("stored.day")), columns.map((name) => h("th", { scope: "col", class: "number" }, w(`stored.${name}`))))),
    h("tbody", null, items.map((one) => line(one.day, (name) => one[name])), line(w("stored.sum"), sum)))));
}
