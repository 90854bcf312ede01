/** Attributes that the chain defines for its members, and what members may change themselves. */
import { h } from "/static/shared/dom.js";
import { FIELDS, REACHES, say, TYPES } from "../attribute_words.js";
import { attempt, confirm } from "../parts/dialogs.js";
import { form, formDialog } from "../parts/form.js";
import { head, pill, section } from "../parts/states.js";
import { table } from "../parts/table.js";
import { words } from "../texts.js";

const w = words({
  "attributes.title": "扩展属性",
  "attributes.note": "会员资料里由本连锁自定的项目：出现在手机资料表、注册、会员资料和筛选里",
  "attributes.new": "新增属性",
  "attributes.code": "代码",
  "attributes.code_note": "小写字母开头，建立后不能再改",
  "attributes.name": "名称",
  "attributes.type": "类型",
  "attributes.group": "分组",
  "attributes.position": "次序",
  "attributes.required": "必填（注册时也要填）",
  "attributes.required_short": "必填",
  "attributes.at_till": "扫码后收银台可见",
  "attributes.seen_by": "谁能看",
  "attributes.edited_by": "谁能改",
  "attributes.options": "选项（每行：代码 名称；名称后加 × 为停用）",
  "attributes.options_note": "已有会员使用后，选项只能停用，不能删去",
  "attributes.options_bad": "每行一个代码和一个名称",
  "attributes.min": "最小值",
  "attributes.max": "最大值",
  "attributes.max_length": "最多字数",
  "attributes.most": "最多选几项",
  "attributes.earliest": "最早日期",
  "attributes.latest": "最晚日期",
  "attributes.actions": "操作",
  "attributes.edit": "修改",
  "attributes.archive": "停用",
  "attributes.restore": "恢复",
  "attributes.archived": "已停用",
  "attributes.archive_ask": "停用“{name}”？",
  "attributes.archive_text": "从表单、卡片和筛选里消失；会员已填的值保留，恢复后照旧。",
  "attributes.saved": "已保存",
  "attributes.none": "还没有扩展属性",
  "attributes.none_hint": "例如：所在城市、肤质、孩子生日",
  "attributes.rules": "会员可自行修改的资料",
  "attributes.rules_note": "不填：不限；0：只能由员工修改；数字：一共可改几次（第一次填写不算）",
  "attributes.times": "{field}可改次数",
});

const ALL = "/v1/admin/member-attributes";
const RULES = "/v1/admin/member-fields";
const WITH_OPTIONS = ["choice", "choices"];

export async function open({ api, me, signal }) {
  const writes = me.may("member_fields.write");
  const path = (attribute, what = "") => `${ALL}/${encodeURIComponent(attribute.code)}${what}`;

  async function write(attribute = null) {
    const type = attribute ? attribute.type : await formDialog({
      title: w("attributes.new"),
      fields: [{ name: "type", label: w("attributes.type"), kind: "choice", value: "text", options: TYPES.map((one) => [one, say(one)]) }],
      onSubmit: (values) => values.type,
    });
    if (!type) return;
    const done = await formDialog({
      title: attribute ? attribute.name : `${w("attributes.new")}：${say(type)}`,
      fields: fieldsOf(attribute, type),
      onSubmit: (values) => {
        const body = bodyOf(values, type, attribute);
        return attribute ? api.put(path(attribute), body, { again: false }) : api.post(ALL, { code: values.code, ...body }, { again: false });
      },
    });
    if (done) list.reload();
  }

  async function move(attribute, what) {
    if (what === "archive" && !(await confirm(w("attributes.archive_ask", { name: attribute.name }), { content: w("attributes.archive_text"), confirmText: w("attributes.archive"), danger: true }))) return;
    await attempt(() => api.post(path(attribute, `/${what}`)), w("attributes.saved"));
    list.reload();
  }

  const list = table({
    label: w("attributes.title"),
    signal,
    load: () => api.get(ALL, {}, { signal }),
    none: { icon: "template", title: w("attributes.none"), hint: w("attributes.none_hint") },
    columns: [
      { title: w("attributes.name"), cell: (one) => h("div", null, h("span", { class: "strong" }, one.name), " ", one.required && pill(w("attributes.required_short"), "gold"), one.archived && pill(w("attributes.archived"))) },
      { title: w("attributes.code"), cell: (one) => h("span", { class: "num" }, one.code) },
      { title: w("attributes.type"), cell: (one) => say(one.type) },
      { title: w("attributes.group"), hide: "narrow", cell: (one) => one.group || "—" },
      { title: w("attributes.seen_by"), hide: "narrow", cell: (one) => one.seen_by.map(say).join("、") },
      { title: w("attributes.edited_by"), hide: "narrow", cell: (one) => one.edited_by.map(say).join("、") || "—" },
      writes && { title: w("attributes.actions"), cell: (one) => h("div", { class: "row-actions" }, actionsOf(one).map(([what, act]) => h("button", { type: "button", class: "button compact soft", "aria-label": `${w(`attributes.${what}`)} ${one.name}`, onclick: act }, w(`attributes.${what}`)))) },
    ].filter(Boolean),
  });

  function actionsOf(one) {
    if (one.archived) return [["restore", () => move(one, "restore")]];
    return [["edit", () => write(one)], ["archive", () => move(one, "archive")]];
  }

  const add = writes && h("button", { type: "button", class: "button primary", onclick: () => write() }, w("attributes.new"));
  return [head(w("attributes.title"), { note: w("attributes.note"), actions: [add].filter(Boolean) }), list, writes && rules({ api, signal })].filter(Boolean);
}

/** What members may change themselves, as a form. */
function rules({ api, signal }) {
  const node = section(async () => {
    const { changes, version } = await api.get(RULES, {}, { signal });
    return form({
      fields: FIELDS.map((name) => ({ name, label: w("attributes.times", { field: say(name) }), kind: "number", value: changes[name] })),
      onSubmit: (values) => attempt(() => api.put(RULES, { version, changes: values }, { again: false }), w("attributes.saved")).then(() => node.reload()),
    });
  }, { signal });
  return h("section", { class: "card stack" }, h("h2", null, w("attributes.rules")), h("p", { class: "muted small" }, w("attributes.rules_note")), node);
}

function fieldsOf(one, type) {
  const bounds = one?.bounds || {};
  const reaches = REACHES.map((reach) => [reach, say(reach)]);
  return [
    !one && { name: "code", label: w("attributes.code"), note: w("attributes.code_note"), required: true, most: 40 },
    { name: "name", label: w("attributes.name"), value: one?.name, required: true, most: 40 },
    WITH_OPTIONS.includes(type) && { name: "options", label: w("attributes.options"), note: w("attributes.options_note"), kind: "lines", required: true, value: (one?.options || []).map((option) => `${option.code} ${option.name}${option.closed ? " ×" : ""}`).join("\n") },
    type === "text" && { name: "max_length", label: w("attributes.max_length"), kind: "number", value: bounds.max_length },
    type === "number" && { name: "at_least", label: w("attributes.min"), kind: "number", value: bounds.at_least },
    type === "number" && { name: "at_most", label: w("attributes.max"), kind: "number", value: bounds.at_most },
    type === "date" && { name: "earliest", label: w("attributes.earliest"), kind: "date", value: bounds.earliest },
    type === "date" && { name: "latest", label: w("attributes.latest"), kind: "date", value: bounds.latest },
    type === "choices" && { name: "most", label: w("attributes.most"), kind: "number", value: bounds.most },
    { name: "group", label: w("attributes.group"), value: one?.group, most: 40 },
    { name: "position", label: w("attributes.position"), kind: "number", value: one?.position ?? 0 },
    { name: "required", label: w("attributes.required"), kind: "tick", value: one?.required },
    { name: "at_till", label: w("attributes.at_till"), kind: "tick", value: one?.at_till },
    { name: "seen_by", label: w("attributes.seen_by"), kind: "many", required: true, value: one?.seen_by || REACHES, options: reaches },
    { name: "edited_by", label: w("attributes.edited_by"), kind: "many", value: one?.edited_by || REACHES, options: reaches },
  ].filter(Boolean);
}

function bodyOf(values, type, one) {
  const bounds = { ...(one?.bounds || {}) };
  for (const name of ["max_length", "at_least", "at_most", "earliest", "latest", "most"]) {
    if (!(name in values)) continue;
    if (values[name] === null) delete bounds[name];
    else bounds[name] = values[name];
  }
  const body = {
    name: values.name, type, bounds, group: values.group || "", position: values.position || 0,
    required: values.required, at_till: values.at_till, seen_by: values.seen_by, edited_by: values.edited_by,
    see_permission: one?.see_permission ?? null, edit_permission: one?.edit_permission ?? null,
    options: WITH_OPTIONS.includes(type) ? optionsOf(values.options) : [],
  };
  return one ? { ...body, version: one.version } : body;
}

function optionsOf(text) {
  return (text || "").split("\n").map((line) => line.trim()).filter(Boolean).map((line) => {
    const [code, ...rest] = line.split(/\s+/);
    const closed = rest.at(-1) === "×";
    return { code, name: (closed ? rest.slice(0, -1) : rest).join(" ") || code, closed };
  });
}
