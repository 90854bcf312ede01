/** Texts of letters: built-ins and one's own, another text in their place, and how it looks on each channel. */
import { h } from "/static/shared/dom.js";
import { attempt, confirm, tell } from "../parts/dialogs.js";
import { formDialog } from "../parts/form.js";
import { head, pill } from "../parts/states.js";
import { table } from "../parts/table.js";
import { words } from "../texts.js";

const w = words({
  "letters.title": "消息模板",
  "letters.note": "变量写作 {示例}；每个模板都可用 {chain} {member_name} {member_no} {level}",
  "letters.new": "新建模板",
  "letters.none": "还没有模板",
  "letters.code": "编号",
  "letters.code_note": "小写字母和点，例如 promo.new_goods",
  "letters.purpose": "用途",
  "letters.name": "标题",
  "letters.body": "正文",
  "letters.sms": "短信正文（可留空，与正文相同）",
  "letters.wechat_id": "微信模板 ID",
  "letters.wechat_fields": "微信字段",
  "letters.wechat_note": "每行一个，例如 thing1=您的订单已发货",
  "letters.channels": "渠道",
  "letters.variables": "变量",
  "letters.variables_note": "每行一个：名称=说明，例如 price:money=会员价；类型有 text number money date time",
  "letters.kind": "来源",
  "letters.builtin": "系统内置",
  "letters.own": "自建",
  "letters.changed": "已修改",
  "letters.actions": "操作",
  "letters.edit": "修改",
  "letters.preview": "预览",
  "letters.back": "恢复默认",
  "letters.back_ask": "“{title}”恢复为系统默认的文字？",
  "letters.saved": "已保存，下一条消息起生效",
  "letters.chars": "{count} 字",
  "purpose.service": "服务通知",
  "purpose.care": "会员关怀",
  "purpose.survey": "问卷邀请",
  "purpose.marketing": "优惠活动",
  "channel.inbox": "站内消息",
  "channel.wechat": "微信",
  "channel.sms": "短信",
  "channel.email": "邮件",
  "channel.post": "信件",
});

const TEMPLATES = "/v1/admin/message-templates";
const CHANNELS = ["inbox", "wechat", "sms", "email", "post"];
const PURPOSES = ["marketing", "care", "survey", "service"];
const pairs = (text) => (text || "").split("\n").map((line) => line.trim()).filter(Boolean).map((line) => [line.split("=")[0].trim(), line.slice(line.indexOf("=") + 1).trim()]);

function fieldsOf(one) {
  const wechat = one?.texts.wechat;
  return [
    { name: "title", label: w("letters.name"), required: true, most: 60, value: one?.title },
    { name: "body", label: w("letters.body"), kind: "lines", required: true, most: 2000, value: one?.body },
    { name: "channels", label: w("letters.channels"), kind: "many", value: one?.channels || ["inbox"], options: CHANNELS.map((name) => [name, w(`channel.${name}`)]) },
    { name: "sms", label: w("letters.sms"), kind: "lines", rows: 2, most: 2000, value: one?.texts.sms?.body },
    { name: "wechat_id", label: w("letters.wechat_id"), most: 64, value: wechat?.template_id },
    { name: "wechat_fields", label: w("letters.wechat_fields"), kind: "lines", rows: 3, note: w("letters.wechat_note"), value: wechat && Object.entries(wechat.fields).map(([name, text]) => `${name}=${text}`).join("\n") },
  ];
}

function versionOf(values, before) {
  const texts = {};
  for (const [channel, text] of Object.entries(before?.texts || {})) {
    if (values.channels.includes(channel) && channel !== "sms" && channel !== "wechat") texts[channel] = text;
  }
  if (values.sms && values.channels.includes("sms")) texts.sms = { body: values.sms };
  if (values.wechat_id && values.channels.includes("wechat")) texts.wechat = { template_id: values.wechat_id, fields: Object.fromEntries(pairs(values.wechat_fields)) };
  return { title: values.title, body: values.body, channels: values.channels, texts };
}

function variablesOf(text) {
  return pairs(text).map(([name, label]) => {
    const [plain, kind = "text"] = name.split(":");
    return { name: plain, kind, label: label === name ? "" : label };
  });
}

export async function open({ api, me, signal }) {
  const admin = me.may("messages.templates");

  async function make() {
    const made = await formDialog({
      title: w("letters.new"),
      fields: [
        { name: "code", label: w("letters.code"), note: w("letters.code_note"), required: true, most: 40 },
        { name: "purpose", label: w("letters.purpose"), kind: "choice", options: PURPOSES.map((name) => [name, w(`purpose.${name}`)]) },
        { name: "variables", label: w("letters.variables"), kind: "lines", rows: 3, note: w("letters.variables_note") },
        ...fieldsOf(null),
      ],
      onSubmit: (values) => api.post(TEMPLATES, { code: values.code, purpose: values.purpose, variables: variablesOf(values.variables), ...versionOf(values) }),
    });
    if (made) list.reload();
  }

  async function edit(one) {
    const made = await formDialog({ title: one.title, fields: fieldsOf(one), onSubmit: (values) => api.post(`${TEMPLATES}/${one.code}/versions`, versionOf(values, one)) });
    if (made) list.reload();
  }

  async function back(one) {
    if (!(await confirm(w("letters.back_ask", { title: one.title })))) return;
    await attempt(() => api.post(`${TEMPLATES}/${one.code}/use`, { version: 0 }, { again: true }), w("letters.saved"));
    list.reload();
  }

  async function preview(one) {
    await attempt(async () => {
      const { items } = await api.post(`${TEMPLATES}/${one.code}/preview`, {}, { again: true });
      await tell(w("letters.preview"), h("div", { class: "stack" }, items.map((said) => h("section", { class: "letter-preview" },
        h("p", { class: "row between" }, pill(w(`channel.${said.channel}`), "brand"), h("span", { class: "tiny muted num" }, w("letters.chars", { count: said.characters }))),
        said.channel === "wechat"
          ? h("dl", { class: "facts" }, Object.entries(said.fields).map(([name, text]) => h("div", { class: "fact" }, h("dt", null, name), h("dd", null, text))))
          : [h("p", { class: "strong" }, said.title), h("p", { class: "letter-preview-body" }, said.body)]))));
    });
  }

  const list = table({
    label: w("letters.title"), signal, none: { icon: "template", title: w("letters.none") },
    load: ({ cursor }) => api.get(TEMPLATES, { cursor }, { signal }),
    columns: [
      { title: w("letters.name"), cell: (one) => h("div", { class: "letter-cell" }, h("span", { class: "strong" }, one.title), h("span", { class: "tiny muted" }, one.code)) },
      { title: w("letters.body"), width: "wide", hide: "narrow", cell: (one) => h("span", { class: "small" }, one.body) },
      { title: w("letters.purpose"), cell: (one) => h("span", { class: "letter-word" }, w(`purpose.${one.purpose}`)) },
      { title: w("letters.channels"), hide: "narrow", cell: (one) => one.channels.map((name) => w(`channel.${name}`)).join("、") },
      { title: w("letters.kind"), cell: (one) => (one.builtin ? pill(w(one.version ? "letters.changed" : "letters.builtin"), one.version ? "gold" : "") : pill(w("letters.own"), "brand")) },
      { title: w("letters.actions"), cell: (one) => h("div", { class: "row-actions letter-word" },
        h("button", { type: "button", class: "button compact soft", "aria-label": `${w("letters.preview")} ${one.title}`, onclick: () => preview(one) }, w("letters.preview")),
        admin && h("button", { type: "button", class: "button compact soft", "aria-label": `${w("letters.edit")} ${one.title}`, onclick: () => edit(one) }, w("letters.edit")),
        admin && one.builtin && one.version > 0 && h("button", { type: "button", class: "button compact", "aria-label": `${w("letters.back")} ${one.title}`, onclick: () => back(one) }, w("letters.back"))) },
    ],
  });
  return [head(w("letters.title"), { note: w("letters.note"), actions: admin ? [h("button", { type: "button", class: "button primary", onclick: make }, w("letters.new"))] : [] }), list];
}
