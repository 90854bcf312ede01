/** The report of rebates: by period, scheme and the store that bears it; and what stores used of each other's. */
import { h } from "/static/shared/dom.js";
import { drawn } from "../parts/chart.js";
import { attempt } from "../parts/dialogs.js";
import { field } from "../parts/form.js";
import { day, money } from "../parts/format.js";
import { empty, head, section } from "../parts/states.js";
import { rows, runState } from "../rebate_words.js";
import { words } from "../texts.js";

const w = words({
  "rebate_report.title": "返利报表",
  "rebate_report.note": "返利成本由消费发生的门店承担；进行中的一期为昨夜的估算",
  "rebate_report.from": "期间从",
  "rebate_report.to": "到",
  "rebate_report.show": "查看",
  "rebate_report.period": "期间",
  "rebate_report.state": "状态",
  "rebate_report.scheme": "方案",
  "rebate_report.store": "承担门店",
  "rebate_report.base": "计返金额",
  "rebate_report.accrued": "应返",
  "rebate_report.corrected": "更正",
  "rebate_report.paid": "已发放",
  "rebate_report.used": "已使用",
  "rebate_report.expired": "已过期",
  "rebate_report.left": "未使用",
  "rebate_report.uses": "在哪家店使用",
  "rebate_report.at": "使用门店",
  "rebate_report.none": "这段时间没有返利",
  "rebate_report.downloaded": "报表已下载",
});

const PATH = "/v1/admin/rebates/report";
const DAY_MS = 86_400_000;

export async function open({ api, place, signal, go }) {
  const now = Date.now();
  const asked = {
    from: place.query.from || day(new Date(now - 365 * DAY_MS).toISOString()),
    to: place.query.to || day(new Date(now).toISOString()),
  };
  const from = field({ name: "from", label: w("rebate_report.from"), input: h("input", { type: "date", class: "input", value: asked.from }) });
  const to = field({ name: "to", label: w("rebate_report.to"), input: h("input", { type: "date", class: "input", value: asked.to }) });
  const show = h("button", { type: "button", class: "button primary", onclick: () => go("rebate-report", { from: from.input.value, to: to.input.value }) }, w("rebate_report.show"));
  const file = (format) => h("button", { type: "button", class: "button", onclick: () => attempt(() => api.download(`${PATH}/file`, { ...asked, format }, `rebates.${format}`), w("rebate_report.downloaded")) }, format.toUpperCase());
  const body = section(async () => {
    const [found, chart] = await Promise.all([api.get(PATH, asked, { signal }), api.text(`${PATH}/chart`, asked, { signal })]);
    if (!found.items.length) return h("div", { class: "card" }, empty({ icon: "chart", title: w("rebate_report.none") }));
    const amount = (name) => [w(`rebate_report.${name}`), (one) => money(one[`${name}_fen`]), true];
    return [
      h("section", { class: "card" }, drawn(chart, w("rebate_report.title"))),
      rows(w("rebate_report.title"), [
        [w("rebate_report.period"), (one) => one.title],
        [w("rebate_report.state"), (one) => runState(one.state)],
        [w("rebate_report.scheme"), (one) => one.scheme],
        [w("rebate_report.store"), (one) => one.store_id],
        ...["base", "accrued", "corrected", "paid", "used", "expired", "left"].map(amount),
      ], found.items),
      found.uses.length > 0 && h("h2", null, w("rebate_report.uses")),
      found.uses.length > 0 && rows(w("rebate_report.uses"), [
        [w("rebate_report.store"), (one) => one.store_id],
        [w("rebate_report.at"), (one) => one.at_store_id],
        amount("used"),
      ], found.uses),
    ].filter(Boolean);
  }, { signal, className: "stack" });
  return [head(w("rebate_report.title"), { note: w("rebate_report.note"), actions: ["csv", "xlsx"].map(file) }), h("div", { class: "filters" }, from.node, to.node, show), body];
}
