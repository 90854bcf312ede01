/** What became of letters: by template and channel, as a chart and as numbers. */
import { h } from "/static/shared/dom.js";
import { drawn } from "../parts/chart.js";
import { field } from "../parts/form.js";
import { count, day } from "../parts/format.js";
import { empty, head, section } from "../parts/states.js";
import { words } from "../texts.js";

const w = words({
  "letters.title": "消息统计",
  "letters.note": "打开和点击只算会员；邮件扫描器的访问另计",
  "letters.from": "从",
  "letters.to": "到",
  "letters.channel": "渠道",
  "letters.all": "全部",
  "letters.inbox": "站内消息",
  "letters.wechat": "微信消息",
  "letters.sms": "短信",
  "letters.email": "邮件",
  "letters.post": "邮寄信件",
  "letters.show": "查看",
  "letters.template": "消息",
  "letters.deliveries": "总数",
  "letters.arrived": "送达",
  "letters.opened": "打开",
  "letters.clicked": "点击",
  "letters.waiting": "等待",
  "letters.bounced": "退回",
  "letters.failed": "失败",
  "letters.suppressed": "未发送",
  "letters.machines": "扫描器",
  "letters.none": "这段时间没有消息",
  "letters.share": "{count}（{share}%）",
});

const CHANNELS = ["inbox", "wechat", "sms", "email", "post"];
const DAY_MS = 86400000;
const PATH = "/v1/admin/messages/statistics";
const share = (number, bp) => (bp === null ? count(number) : w("letters.share", { count: count(number), share: (bp / 100).toFixed(1) }));

export async function open({ api, place, signal, go }) {
  const now = Date.now();
  const asked = {
    from: place.query.from || day(new Date(now - 29 * DAY_MS).toISOString()),
    to: place.query.to || day(new Date(now).toISOString()),
    channel: CHANNELS.includes(place.query.channel) ? place.query.channel : "",
  };
  const from = field({ name: "from", label: w("letters.from"), input: h("input", { type: "date", class: "input", value: asked.from }) });
  const to = field({ name: "to", label: w("letters.to"), input: h("input", { type: "date", class: "input", value: asked.to }) });
  const channel = field({ name: "channel", label: w("letters.channel"), input: h("select", null, ["", ...CHANNELS].map((one) => h("option", { value: one, selected: one === asked.channel }, w(`letters.${one || "all"}`)))) });
  const show = h("button", { type: "button", class: "button primary", onclick: () => go("message-figures", { from: from.input.value, to: to.input.value, channel: channel.input.value }) }, w("letters.show"));
  const body = section(async () => {
    const [{ items }, chart] = await Promise.all([api.get(PATH, asked, { signal }), api.text(`${PATH}/chart.svg`, asked, { signal })]);
    if (!items.length) return h("div", { class: "card" }, empty({ icon: "mail", title: w("letters.none") }));
    return [h("section", { class: "card" }, drawn(chart, w("letters.title"))), table(items)];
  }, { signal, className: "stack" });
  return [head(w("letters.title"), { note: w("letters.note") }), h("div", { class: "filters" }, from.node, to.node, channel.node, show), body];
}

function table(rows) {
  const columns = [
    ["template", (one) => one.title], ["channel", (one) => w(`letters.${one.channel}`)], ["deliveries", (one) => count(one.deliveries)], ["arrived", (one) => count(one.arrived)],
    ["opened", (one) => share(one.opened, one.opened_bp)], ["clicked", (one) => share(one.clicked, one.clicked_bp)], ["machines", (one) => count(one.machines)],
    ["waiting", (one) => count(one.waiting)], ["bounced", (one) => count(one.bounced)], ["failed", (one) => count(one.failed)], ["suppressed", (one) => count(one.suppressed)],
  ];
  const look = (name) => (["template", "channel"].includes(name) ? null : "number num");
  return h("div", { class: "card flush table-card" }, h("div", { class: "table-scroll" }, h("table", { class: "table" },
    h("caption", { class: "sr-only" }, w("letters.title")),
    h("thead", null, h("tr", null, columns.map(([name]) => h("th", { scope: "col", class: look(name) }, w(`letters.${name}`))))),
    h("tbody", null, rows.map((one) => h("tr", null, columns.map(([name, cell]) => h("td", { class: look(name) }, cell(one)))))))));
}
