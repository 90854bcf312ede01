/** One member's profile with the chain's own attributes, how staff change it, and what was changed. */
import { h } from "/static/shared/dom.js";
import { attributeField, changes, fieldName, shown } from "../attribute_words.js";
import { toast } from "../parts/dialogs.js";
import { formDialog } from "../parts/form.js";
import { day, stamp } from "../parts/format.js";
import { factList, head, pill, section } from "../parts/states.js";
import { table } from "../parts/table.js";
import { words } from "../texts.js";

const w = words({
  "member.title": "会员资料",
  "member.back": "返回会员列表",
  "member.card": "会员卡片",
  "member.archive": "个人数据",
  "member.edit": "修改资料",
  "member.reason": "原因",
  "member.saved": "已保存",
  "member.number": "会员号",
  "member.level": "等级",
  "member.since": "加入日期",
  "member.valid": "会员有效期",
  "member.valid_to": "至",
  "member.ever": "长期",
  "member.valid": "有效期至",
  "member.other": "其他资料",
  "member.history": "变更记录",
  "member.history_none": "还没有变更",
  "member.at": "时间",
  "member.field": "项目",
  "member.change": "变更",
  "member.by": "变更人",
  "member.why": "原因",
  "member.masked": "（不可见）",
  "member.erased": "（已清除）",
  "member.nothing": "空",
  "member.by_member": "会员本人",
  "member.by_staff": "员工",
  "member.by_system": "系统",
  "member.by_import": "导入",
  "member.by_merge": "合并",
  "member.male": "男",
  "member.female": "女",
  "member.unknown": "未知",
  "member.no_store": "无",
});

export async function open({ api, me, place, signal, href }) {
  const id = place.query.id || "";
  const path = `/v1/admin/members/${encodeURIComponent(id)}`;
  const [{ items: defined }, { items: stores }] = await Promise.all([api.get("/v1/admin/member-attributes", {}, { signal }), api.get("/v1/admin/stores", {}, { signal })]);
  const mine = me.store_id ? "store" : "office";
  const seen = defined.filter((one) => !one.archived && one.seen_by.includes(mine) && (!one.see_permission || me.may(one.see_permission)));
  const editable = seen.filter((one) => one.edited_by.includes(mine) && (!one.edit_permission || me.may(one.edit_permission)));

  async function edit(member) {
    const fields = [
      { name: "name", label: fieldName("name", defined), value: member.name, required: true, most: 40 },
      { name: "birthday", label: fieldName("birthday", defined), kind: "date", value: member.birthday },
      { name: "gender", label: fieldName("gender", defined), kind: "choice", value: member.gender, options: ["male", "female", "unknown"].map((one) => [one, w(`member.${one}`)]) },
      { name: "store_id", label: fieldName("store_id", defined), kind: "choice", value: member.store_id || "", options: [["", w("member.no_store")], ...stores.map((one) => [one.id, one.name])] },
      me.may("members.phone") && { name: "phone", label: fieldName("phone", defined), note: member.phone_masked },
      ...editable.map((one) => ({ ...attributeField(one, member.attributes[one.code]), name: `attributes/${one.code}` })),
      { name: "reason", label: w("member.reason"), required: true, most: 200 },
    ].filter(Boolean);
    const done = await formDialog({ title: w("member.edit"), fields, onSubmit: (values) => api.patch(path, bodyOf(member, values, editable), { again: false }) });
    if (!done) return;
    toast(w("member.saved"));
    profile.reload();
    history?.reload();
  }

  const profile = section(async () => {
    const member = await api.get(path, {}, { signal });
    const groups = new Map();
    for (const one of seen) groups.set(one.group || w("member.other"), [...(groups.get(one.group || w("member.other")) || []), one]);
    const button = me.may("members.edit") && h("button", { type: "button", class: "button primary", onclick: () => edit(member) }, w("member.edit"));
    return h("div", { class: "stack" },
      h("section", { class: "card stack" },
        h("div", { class: "row" }, h("h2", { class: "grow" }, member.name), pill(w(`status.${member.status}`), "brand"), button),
        factList([
          [w("member.number"), member.member_no],
          [fieldName("phone", defined), member.phone_masked],
          [fieldName("birthday", defined), member.birthday],
          [fieldName("gender", defined), w(`member.${member.gender}`)],
          [fieldName("store_id", defined), stores.find((one) => one.id === member.store_id)?.name || member.store_id],
          [w("member.level"), member.level.name],
          [w("member.since"), day(member.created_at)],
          [w("member.valid"), [member.valid_from, w("member.valid_to"), member.valid_until || w("member.ever")].filter(Boolean).join(" ")],
        ])),
      [...groups].map(([name, ones]) => h("section", { class: "card stack" }, h("h2", null, name), factList(ones.map((one) => [one.name, shown(one, member.attributes[one.code]) || "—"])))));
  }, { signal, rows: 6 });

  const history = me.may("members.history") && table({
    label: w("member.history"),
    signal,
    load: ({ cursor }) => api.get(`${path}/changes`, cursor ? { cursor } : {}, { signal }),
    none: { icon: "search", title: w("member.history_none") },
    columns: [
      { title: w("member.at"), cell: (one) => h("span", { class: "num" }, stamp(one.at)) },
      { title: w("member.field"), cell: (one) => fieldName(one.field, defined) },
      { title: w("member.change"), cell: (one) => moved(one, defined) },
      { title: w("member.by"), cell: (one) => one.by.name || w(`member.by_${one.by.kind}`) },
      { title: w("member.why"), hide: "narrow", cell: (one) => one.reason || "—" },
    ],
  });
  const links = [h("a", { class: "button", href: href("members") }, w("member.back")), me.may("contact.read") && h("a", { class: "button", href: href("contact", { member: id }) }, w("member.card")), me.may("privacy.read") && h("a", { class: "button", href: href("archive", { member: id }) }, w("member.archive"))];
  return [head(w("member.title"), { actions: links.filter(Boolean) }), profile, history && h("h2", { class: "section-title" }, w("member.history")), history].filter(Boolean);
}

function moved(one, defined) {
  if (one.erased) return w("member.erased");
  const attribute = defined.find(({ code }) => `attributes.${code}` === one.field);
  const names = { status: (value) => w(`status.${value}`), gender: (value) => w(`member.${value}`) };
  const plain = names[one.field];
  const text = (value) => (value !== null && plain ? plain(value) : value === null ? (one.masked ? w("member.masked") : w("member.nothing")) : shown(attribute, value));
  return `${text(one.before)} → ${text(one.after)}`;
}

function bodyOf(member, values, editable) {
  const body = { version: member.version, reason: values.reason };
  for (const name of ["name", "birthday", "gender", "store_id"]) if ((values[name] || null) !== (member[name] || null)) body[name] = values[name] || null;
  if (values.phone) body.phone = values.phone;
  const given = Object.fromEntries(editable.map((one) => [one.code, values[`attributes/${one.code}`]]));
  const attributes = changes(editable, member.attributes, given);
  return Object.keys(attributes).length ? { ...body, attributes } : body;
}
