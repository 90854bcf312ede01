/** What the boxes received by month: a chart, the numbers, and both as files. Whole months; no stars that few gave. */
import { h } from "/static/shared/dom.js";
import { drawn } from "../parts/chart.js";
import { attempt } from "../parts/dialogs.js";
import { count } from "../parts/format.js";
import { field } from "../parts/form.js";
import { empty, head, section } from "../parts/states.js";
import { words } from "../texts.js";

const w = words({
  "boxfigures.title": "意见箱统计",
  "boxfigures.note": "按整月统计；少于 5 个评价的平均分不显示，免得看出是谁打的分",
  "boxfigures.back": "返回意见",
  "boxfigures.by": "分组",
  "boxfigures.by_month": "按月",
  "boxfigures.by_box": "按意见箱",
  "boxfigures.from": "从（月）",
  "boxfigures.to": "到（月）",
  "boxfigures.show": "查看",
  "boxfigures.csv": "导出 CSV",
  "boxfigures.xlsx": "导出 XLSX",
  "boxfigures.done": "已开始下载",
  "boxfigures.none": "这几个月没有意见",
  "boxfigures.box": "意见箱",
  "boxfigures.month": "月份",
  "boxfigures.received": "收到",
  "boxfigures.anonymous": "匿名",
  "boxfigures.answered": "已答复",
  "boxfigures.closed": "已关闭",
  "boxfigures.rated": "评价",
  "boxfigures.rating": "平均分",
  "boxfigures.answer": "首次答复（中位）",
  "boxfigures.days": "{days} 天",
});

const PATH = "/v1/admin/suggestion-boxes/statistics";
const GROUPINGS = ["month", "box"];
const MONTH = /^\d{4}-\d{2}$/;

/** The month so many months before this one. */
function monthBefore(months) {
  const now = new Date();
  const then = new Date(now.getFullYear(), now.getMonth() - months, 1);
  return `${then.getFullYear()}-${String(then.getMonth() + 1).padStart(2, "0")}`;
}

export async function open({ api, place, signal, go, href }) {
  const { query } = place;
  const shown = {
    by: GROUPINGS.includes(query.by) ? query.by : "month",
    from: MONTH.test(query.from) ? query.from : monthBefore(11),
    to: MONTH.test(query.to) ? query.to : monthBefore(0),
  };
  const days = { from: `${shown.from}-01`, to: `${shown.to}-01` };
  const from = field({ name: "from", label: w("boxfigures.from"), input: h("input", { type: "month", class: "input", value: shown.from }) });
  const to = field({ name: "to", label: w("boxfigures.to"), input: h("input", { type: "month", class: "input", value: shown.to }) });
  const show = h("button", { type: "button", class: "button primary", onclick: () => go("suggestion-figures", { ...shown, from: from.input.value, to: to.input.value }) }, w("boxfigures.show"));
  const file = (format) => h("button", { type: "button", class: "button", onclick: () => attempt(() => api.download(`${PATH}/file`, { ...days, format }, `suggestions.${format}`), w("boxfigures.done")) }, w(`boxfigures.${format}`));
  const tabs = h("nav", { class: "tabs", "aria-label": w("boxfigures.by") }, GROUPINGS.map((one) => h("a", { class: "tab", href: href("suggestion-figures", { ...shown, by: one }), "aria-current": one === shown.by && "page" }, w(`boxfigures.by_${one}`))));
  const body = section(async () => {
    const [found, chart] = await Promise.all([api.get(PATH, days, { signal }), api.text(`${PATH}/chart`, { ...days, by: shown.by }, { signal })]);
    if (!found.items.length) return h("div", { class: "card" }, empty({ icon: "inbox", title: w("boxfigures.none") }));
    return [h("section", { class: "card" }, drawn(chart, w("boxfigures.title"))), table(found.items)];
  }, { signal, className: "stack" });
  const actions = [h("a", { class: "button", href: href("suggestions") }, w("boxfigures.back")), file("csv"), file("xlsx")];
  return [head(w("boxfigures.title"), { note: w("boxfigures.note"), actions }), tabs, h("div", { class: "filters" }, from.node, to.node, show), body];
}

function table(rows) {
  const columns = [
    ["box", (one) => one.box_title], ["month", (one) => one.month], ["received", (one) => count(one.received)], ["anonymous", (one) => count(one.anonymous)], ["answered", (one) => count(one.answered)], ["closed", (one) => count(one.closed)],
    ["rated", (one) => count(one.rated)], ["rating", (one) => (one.rating === null ? "—" : one.rating.toFixed(2))], ["answer", (one) => (one.answer_days === null ? "—" : w("boxfigures.days", { days: one.answer_days }))],
  ];
  const look = (name) => (name === "box" || name === "month" ? null : "number");
  return h("div", { class: "card flush table-card" }, h("div", { class: "table-scroll" }, h("table", { class: "table" },
    h("caption", { class: "sr-only" }, w("boxfigures.title")),
    h("thead", null, h("tr", null, columns.map(([name]) => h("th", { scope: "col", class: look(name) }, w(`boxfigures.${name}`))))),
    h("tbody", null, rows.map((one) => h("tr", null, columns.map(([name, cell]) => h("td", { class: look(name) && "number num" }, cell(one)))))))));
}
