/** How much feedback there was, how long it took, how good the answers were. */
import { h } from "/static/shared/dom.js";
import { attempt } from "../parts/dialogs.js";
import { drawn } from "../parts/chart.js";
import { count, day } from "../parts/format.js";
import { field } from "../parts/form.js";
import { head, section } from "../parts/states.js";
import { words } from "../texts.js";

const w = words({
  "figures.title": "反馈统计",
  "figures.back": "返回列表",
  "figures.by": "分组",
  "figures.kind": "按类别",
  "figures.store": "按门店",
  "figures.staff": "按员工",
  "figures.from": "从",
  "figures.to": "到",
  "figures.show": "查看",
  "figures.csv": "导出 CSV",
  "figures.xlsx": "导出 XLSX",
  "figures.done": "已开始下载",
  "figures.item": "项目",
  "figures.cases": "件数",
  "figures.waiting": "待答复",
  "figures.overdue": "已逾期",
  "figures.closed": "已办结",
  "figures.reopened": "重开过",
  "figures.given": "补偿件数",
  "figures.points_given": "补偿积分",
  "figures.rating": "平均分",
  "figures.answer": "首次答复（中位 / 九成）",
  "figures.close": "办结（中位 / 九成）",
  "figures.hours": "{hours} 小时",
});

const GROUPINGS = ["kind", "store", "staff"];
const DAY_MS = 86400000;
const hours = (seconds) => (seconds === null ? "—" : w("figures.hours", { hours: (seconds / 3600).toFixed(1) }));

export async function open({ api, place, signal, go, href }) {
  const now = Date.now();
  const asked = {
    by: GROUPINGS.includes(place.query.by) ? place.query.by : "kind",
    from: place.query.from || day(new Date(now - 89 * DAY_MS).toISOString()),
    to: place.query.to || day(new Date(now).toISOString()),
  };
  const from = field({ name: "from", label: w("figures.from"), input: h("input", { type: "date", class: "input", value: asked.from }) });
  const to = field({ name: "to", label: w("figures.to"), input: h("input", { type: "date", class: "input", value: asked.to }) });
  const show = h("button", { type: "button", class: "button primary", onclick: () => go("case-figures", { ...asked, from: from.input.value, to: to.input.value }) }, w("figures.show"));
  const file = (format) => h("button", { type: "button", class: "button", onclick: () => attempt(() => api.download("/v1/admin/cases/statistics/file", { ...asked, format }, `feedback.${format}`), w("figures.done")) }, w(`figures.${format}`));
  const tabs = h("nav", { class: "tabs", "aria-label": w("figures.by") }, GROUPINGS.map((one) => h("a", { class: "tab", href: href("case-figures", { ...asked, by: one }), "aria-current": one === asked.by && "page" }, w(`figures.${one}`))));
  const body = section(async () => {
    const [found, chart] = await Promise.all([api.get("/v1/admin/cases/statistics", asked, { signal }), api.text("/v1/admin/cases/statistics/chart", asked, { signal })]);
    return [h("section", { class: "card" }, drawn(chart, w("figures.title"))), table([...found.items, found.total])];
  }, { signal, className: "stack" });
  return [head(w("figures.title"), { actions: [h("a", { class: "button", href: href("cases") }, w("figures.back")), file("csv"), file("xlsx")] }), tabs, h("div", { class: "filters" }, from.node, to.node, show), body];
}

function table(rows) {
  const columns = [
    ["item", (one) => one.label], ["cases", (one) => count(one.cases)], ["waiting", (one) => count(one.waiting)], ["overdue", (one) => count(one.overdue)], ["closed", (one) => count(one.closed)],
    ["reopened", (one) => count(one.reopened)], ["given", (one) => count(one.given)], ["points_given", (one) => count(one.points_given)], ["rating", (one) => (one.rating === null ? "—" : one.rating.toFixed(2))],
    ["answer", (one) => `${hours(one.answer_p50_s)} / ${hours(one.answer_p90_s)}`], ["close", (one) => `${hours(one.close_p50_s)} / ${hours(one.close_p90_s)}`],
  ];
  return h("div", { class: "card flush table-card" }, h("div", { class: "table-scroll" }, h("table", { class: "table" },
    h("caption", { class: "sr-only" }, w("figures.title")),
    h("thead", null, h("tr", null, columns.map(([name]) => h("th", { scope: "col", class: name === "item" ? null : "number" }, w(`figures.${name}`))))),
    h("tbody", null, rows.map((one) => h("tr", null, columns.map(([name, cell]) => h("td", { class: name === "item" ? null : "number num" }, cell(one)))))))));
}
