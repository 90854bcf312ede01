/** What attributes of members are called, and how they are shown and filled in. */
import { words } from "./texts.js";

const w = words({
  "attribute.text": "文字",
  "attribute.number": "数字",
  "attribute.date": "日期",
  "attribute.boolean": "是否",
  "attribute.choice": "单选",
  "attribute.choices": "多选",
  "attribute.member": "会员本人",
  "attribute.store": "所属门店",
  "attribute.office": "总部",
  "attribute.yes": "是",
  "attribute.no": "否",
  "attribute.unset": "未填",
  "attribute.closed": "{name}（已停用）",
  "attribute.number_wrong": "请填数字",
  "attribute.name": "姓名",
  "attribute.birthday": "生日",
  "attribute.gender": "性别",
  "attribute.store_id": "归属门店",
  "attribute.phone": "手机号",
  "attribute.email": "电子邮箱",
  "attribute.addresses": "收货地址",
  "attribute.status": "状态",
  "attribute.referrer_id": "推荐人",
  "attribute.valid_from": "生效日",
  "attribute.valid_until": "到期日",
  "attribute.card_type": "卡种",
  "attribute.card_no": "卡号",
  "attribute.merged_into": "并入",
});

export const TYPES = ["text", "number", "date", "boolean", "choice", "choices"];
export const REACHES = ["member", "store", "office"];
export const FIELDS = ["name", "birthday", "gender", "store_id", "phone", "email", "addresses"];

export const say = (code) => w(`attribute.${code}`);

/** The name of a field of a profile; attributes by their definition. */
export function fieldName(field, attributes) {
  const code = field.replace(/^attributes\./, "");
  if (code !== field) return attributes.find((one) => one.code === code)?.name || code;
  return say(field);
}

/** A value as one reads it. */
export function shown(attribute, value) {
  if (value === null || value === undefined) return "";
  if (typeof value === "boolean") return say(value ? "yes" : "no");
  const names = new Map((attribute?.options || []).map((option) => [option.code, option.name]));
  return (Array.isArray(value) ? value : [value]).map((one) => names.get(one) || String(one)).join("、");
}

/** The control of an attribute in a form, with the value that is there. */
export function attributeField(attribute, value) {
  const one = { name: attribute.code, label: attribute.name, value };
  const open = attribute.options.filter((option) => !option.closed || [].concat(value ?? []).includes(option.code));
  const options = open.map((option) => [option.code, option.closed ? w("attribute.closed", { name: option.name }) : option.name]);
  switch (attribute.type) {
    case "choice": return { ...one, kind: "choice", options: [["", say("unset")], ...options] };
    case "choices": return { ...one, kind: "many", options };
    case "boolean": return { ...one, kind: "choice", value: value === undefined ? "" : String(value), options: [["", say("unset")], ["true", say("yes")], ["false", say("no")]] };
    case "date": return { ...one, kind: "date" };
    default: return { ...one, most: attribute.bounds.max_length || 200 };
  }
}

/** What a control says, as the API takes it; null for nothing. */
export function read(attribute, given) {
  if (given === null || given === "" || (Array.isArray(given) && !given.length)) return null;
  if (attribute.type === "boolean") return given === "true";
  if (attribute.type === "number") return Number.isFinite(Number(given)) ? Number(given) : given;
  return given;
}

/** What of the attributes is other than it was. */
export function changes(attributes, before, values) {
  const changed = {};
  for (const one of attributes) {
    const value = read(one, values[one.code]);
    if (JSON.stringify(value) !== JSON.stringify(before[one.code] ?? null)) changed[one.code] = value;
  }
  return changed;
}
