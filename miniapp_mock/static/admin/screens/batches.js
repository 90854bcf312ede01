/** Letters to many: who is meant, how far each batch is, and what stops it. */
import { h } from "/static/shared/dom.js";
import { newKey } from "../api.js";
import { go } from "../router.js";
import { audienceField, audienceWords } from "../parts/audience.js";
import { attempt, confirm, openDialog } from "../parts/dialogs.js";
import { formDialog } from "../parts/form.js";
import { dayTime } from "../parts/format.js";
import { empty, factList, head, pill, section } from "../parts/states.js";
import { table } from "../parts/table.js";
import { words } from "../texts.js";

const w = words({
  "batches.title": "消息群发",
  "batches.note": "只发给同意接收的会员；夜间不打扰，每位会员每周有上限",
  "batches.new": "新建群发",
  "batches.templates": "消息模板",
  "batches.none": "还没有群发",
  "batches.none_hint": "先写一个模板，再选择发给谁",
  "batches.name": "名称",
  "batches.template": "模板",
  "batches.template_none": "还没有可群发的模板，请先在“消息模板”里新建",
  "batches.values": "变量 {name}",
  "batches.audience": "发给谁",
  "batches.edit": "修改",
  "batches.link": "点开后到",
  "batches.link_note": "会员端页面，例如 #/mall；可留空",
  "batches.send_at": "发送时间",
  "batches.send_at_note": "可留空，开始后立即发送",
  "batches.next": "下一步",
  "batches.state": "状态",
  "batches.progress": "进度",
  "batches.of": "{written} / {expected}",
  "batches.made": "创建时间",
  "batches.actions": "操作",
  "batches.start": "开始",
  "batches.pause": "暂停",
  "batches.resume": "继续",
  "batches.cancel": "取消",
  "batches.start_ask": "开始发送“{title}”？",
  "batches.start_text": "预计 {count} 位会员，同意接收的才会收到。",
  "batches.cancel_ask": "取消“{title}”？",
  "batches.cancel_text": "还没发出的不再发送，不能恢复。",
  "batches.draft": "待开始",
  "batches.scheduled": "已定时",
  "batches.running": "发送中",
  "batches.paused": "已暂停",
  "batches.done": "已完成",
  "batches.cancelled": "已取消",
  "batches.problem": "模板有了新变量，已自动暂停",
  "batches.done_text": "已保存",
  "batches.counts": "发送情况",
  "batches.counts_none": "还没有发送",
  "batches.channel": "渠道",
  "batches.count": "条数",
  "batches.reason": "原因",
  "channel.inbox": "站内消息",
  "channel.wechat": "微信",
  "channel.sms": "短信",
  "channel.email": "邮件",
  "channel.post": "信件",
  "state.queued": "等待",
  "state.sending": "发送中",
  "state.sent": "已发出",
  "state.delivered": "已送达",
  "state.opened": "已打开",
  "state.clicked": "已点击",
  "state.failed": "失败",
  "state.bounced": "退回",
  "state.suppressed": "未发送",
  "reason.no_consent": "未同意接收",
  "reason.too_often": "超过每周上限",
  "reason.quiet_hours": "夜间等待",
  "reason.no_address": "没有地址",
  "reason.dead_address": "地址失效",
  "reason.not_subscribed": "微信未订阅",
  "reason.no_template": "未配置微信模板",
  "reason.channel_not_set_up": "渠道未开通",
  "reason.cancelled": "已取消",
  "reason.paused": "已暂停",
  "reason.outcome_unknown": "结果未知",
  "reason.declined": "收件人已拒收",
  "reason.unknown_address": "地址不存在",
  "reason.mailbox_full": "邮箱已满",
  "reason.recipient_refused": "收件方拒收",
  "reason.content_refused": "内容被拒",
  "reason.too_long": "内容过长",
  "reason.not_delivered": "未能送达",
  "reason.too_many_tries": "多次重试未成",
  "reason.busy": "渠道繁忙，稍后重试",
  "reason.unreachable": "渠道连不上，稍后重试",
  "reason.driver_failed": "渠道出错，稍后重试",
  "reason.gateway_refuses": "短信网关拒绝，请检查设置",
  "reason.address_refused": "短信网关地址不允许，请检查设置",
  "reason.login_refused": "邮件服务器拒绝登录，请检查设置",
  "reason.sender_refused": "邮件服务器拒绝发件人，请检查设置",
  "reason.server_refuses": "邮件服务器拒绝连接",
  "reason.misconfigured": "微信设置有误",
  "reason.refused": "微信拒绝",
});

const BATCHES = "/v1/admin/messages/batches";
const MOVES = { draft: ["edit", "start", "cancel"], scheduled: ["pause", "cancel"], running: ["pause", "cancel"], paused: ["resume", "cancel"], done: [], cancelled: [] };
const LOOKS = { running: "brand", done: "", paused: "gold", cancelled: "", draft: "", scheduled: "brand" };
const MOVING = new Set(["running", "scheduled"]);
const EVERY_MS = 3000;

/** Why, in words; what a gateway calls by a word of its own stands as it is. */
function reasonText(reason) {
  const text = reason ? w(`reason.${reason}`) : "";
  return text === `reason.${reason}` ? reason : text;
}

export async function open({ api, me, signal }) {
  const [{ items: levels }, { items: stores }] = await Promise.all([api.get("/v1/admin/levels", {}, { signal }), api.get("/v1/admin/stores", {}, { signal })]);

  async function sendable() {
    const all = [];
    let cursor = null;
    do {
      const page = await api.get("/v1/admin/message-templates", { cursor, limit: 50 }, { signal });
      all.push(...page.items.filter((one) => !one.builtin && (me.may("messages.service") || one.purpose !== "service")));
      cursor = page.next_cursor;
    } while (cursor);
    return all;
  }

  /** Ask for a batch, or for another in the place of a draft: first which template, then what it says and to whom. */
  async function make(draft = null) {
    const templates = await sendable();
    if (!templates.length) { await confirm(w("batches.template_none")); return; }
    const chosen = await formDialog({
      title: draft ? draft.title : w("batches.new"), submit: w("batches.next"),
      fields: [
        { name: "title", label: w("batches.name"), required: true, most: 60, value: draft?.title },
        { name: "template", label: w("batches.template"), kind: "choice", required: true, value: draft?.template, options: templates.map((one) => [one.code, `${one.title}（${one.code}）`]) },
      ],
      onSubmit: (values) => values,
    });
    if (!chosen) return;
    const template = templates.find((one) => one.code === chosen.template);
    const key = newKey();
    const kinds = { money: "money", number: "number", date: "date", time: "time" };
    const made = await formDialog({
      title: chosen.title,
      fields: [
        ...template.variables.map((one) => ({ name: `value-${one.name}`, label: one.label || w("batches.values", { name: one.name }), kind: kinds[one.kind] || "text", required: true, most: 500, note: one.sample, value: entered(one, draft) })),
        audienceField({ value: draft?.audience, levels, stores: me.store_id ? [] : stores }),
        { name: "link", label: w("batches.link"), note: w("batches.link_note"), most: 200, value: draft?.link },
        { name: "send_at", label: w("batches.send_at"), note: w("batches.send_at_note"), kind: "time", value: draft?.send_at },
      ],
      onSubmit: (values) => draft
        ? api.put(`${BATCHES}/${draft.id}`, { ...bodyOf(chosen, template, values), version: draft.version }, { again: false })
        : api.post(BATCHES, bodyOf(chosen, template, values), { key }),
    });
    if (made) list.reload();
  }

  async function move(batch, what) {
    if (what === "edit") { await make(batch); return; }
    const asked = { start: ["batches.start_ask", "batches.start_text"], cancel: ["batches.cancel_ask", "batches.cancel_text"] }[what];
    if (asked && !(await confirm(w(asked[0], { title: batch.title }), { content: w(asked[1], { count: batch.expected }), confirmText: w(`batches.${what}`), danger: what === "cancel" }))) return;
    await attempt(() => api.post(`${BATCHES}/${batch.id}/${what}`, {}, { again: true }), w("batches.done_text"));
    list.reload();
  }

  function show(batch) {
    const dialog = openDialog([
      h("div", { class: "dialog-head" }, h("h2", null, batch.title)),
      h("div", { class: "dialog-scroll" }, section(async () => detail(await api.get(`${BATCHES}/${batch.id}`, {}, { signal }), { levels, stores }), { signal })),
      h("div", { class: "dialog-actions" }, h("button", { type: "button", class: "button primary", autofocus: true, onclick: () => dialog.close() }, w("common.ok"))),
    ], { kind: "box", label: batch.title, className: "wide" });
  }

  const list = table({
    label: w("batches.title"), signal, open: show,
    none: { icon: "mail", title: w("batches.none"), hint: w("batches.none_hint") },
    load: ({ cursor }) => api.get(BATCHES, { cursor }, { signal }),
    columns: [
      { title: w("batches.name"), cell: (one) => h("span", { class: "strong" }, one.title) },
      { title: w("batches.template"), hide: "narrow", cell: (one) => one.template },
      { title: w("batches.state"), cell: (one) => h("div", { class: "letter-cell" }, pill(w(`batches.${one.state}`), LOOKS[one.state]), one.problem && h("span", { class: "danger tiny" }, w("batches.problem"))) },
      { title: w("batches.progress"), cell: progress },
      { title: w("batches.send_at"), hide: "narrow", cell: (one) => h("span", { class: "num" }, dayTime(one.send_at || one.started_at || one.created_at)) },
      { title: w("batches.actions"), cell: (one) => h("div", { class: "row-actions letter-word" }, MOVES[one.state].map((what) => h("button", { type: "button", class: `button compact ${what === "cancel" ? "danger" : "soft"}`, "aria-label": `${w(`batches.${what}`)} ${one.title}`, onclick: () => move(one, what) }, w(`batches.${what}`)))) },
    ],
  });
  const timer = setInterval(() => {
    if (document.visibilityState === "visible" && !document.querySelector("dialog[open]") && list.items().some((one) => MOVING.has(one.state))) list.reload();
  }, EVERY_MS);
  signal.addEventListener("abort", () => clearInterval(timer));
  return [
    head(w("batches.title"), { note: w("batches.note"), actions: [
      h("button", { type: "button", class: "button", onclick: () => go("message-templates") }, w("batches.templates")),
      h("button", { type: "button", class: "button primary", onclick: () => make() }, w("batches.new"))] }),
    list,
  ];
}

/** How far it is, as a bar and in numbers. */
function progress(batch) {
  const most = Math.max(batch.expected, batch.written, 1);
  return h("div", { class: "batch-progress" },
    h("progress", { max: most, value: batch.written, "aria-label": `${w("batches.progress")} ${batch.title}` }),
    h("span", { class: "num tiny muted" }, w("batches.of", { written: batch.written, expected: batch.expected })));
}

function detail(batch, names) {
  const rows = batch.counts.map((one) => h("tr", null, h("td", null, w(`channel.${one.channel}`)), h("td", null, w(`state.${one.state}`)), h("td", null, reasonText(one.reason)), h("td", { class: "num" }, String(one.count))));
  return [
    factList([
      [w("batches.state"), w(`batches.${batch.state}`)],
      [w("batches.progress"), w("batches.of", { written: batch.written, expected: batch.expected })],
      [w("batches.audience"), audienceWords(batch.audience, names)],
      [w("batches.made"), dayTime(batch.created_at)],
      [w("batches.send_at"), batch.send_at && dayTime(batch.send_at)],
    ]),
    h("h3", null, w("batches.counts")),
    rows.length
      ? h("table", { class: "table" }, h("thead", null, h("tr", null, ["batches.channel", "batches.state", "batches.reason", "batches.count"].map((one) => h("th", { scope: "col" }, w(one))))), h("tbody", null, rows))
      : empty({ icon: "empty", title: w("batches.counts_none") }),
  ];
}

/** What a draft says for a variable, as its field takes it. */
function entered(variable, draft) {
  const said = draft?.values[variable.name];
  return said !== undefined && ["money", "number"].includes(variable.kind) ? Number(said) : said;
}

/** What the API takes, of what was entered. */
function bodyOf(chosen, template, values) {
  const said = Object.fromEntries(template.variables.map((one) => [one.name, String(values[`value-${one.name}`] ?? "")]));
  return { title: chosen.title, template: chosen.template, values: said, audience: values.audience, ...(values.link ? { link: values.link } : {}), ...(values.send_at ? { send_at: values.send_at } : {}) };
}
