/** The terms of a group as a form: for a new one, and for one that is changed. */
import { w } from "./group_words.js";

export function groupFields(group, levels, stores) {
  const above = levels.slice(1);
  return [
    { name: "number", label: w("gr.number"), value: group.number, required: true, most: 20 },
    { name: "name", label: w("gr.name"), value: group.name, required: true, most: 60 },
    { name: "contact", label: w("gr.contact"), value: group.contact, most: 200 },
    { name: "store_id", label: w("gr.store"), kind: "choice", value: group.store_id || "", options: [["", w("gr.all_stores")], ...stores.map((one) => [one.id, one.name])] },
    { name: "level", label: w("gr.level"), kind: "choice", value: group.level || "", options: [["", w("gr.no_level")], ...above.map((one) => [one.code, one.name])] },
    { name: "discount", label: w("gr.discount"), value: group.discount_bp ? String(group.discount_bp / 100) : "" },
    { name: "member_limit", label: w("gr.limit"), kind: "number", value: group.member_limit ?? 100, required: true },
    { name: "months", label: w("gr.months"), kind: "number", value: group.months ?? 12, required: true },
    ...above.map((one) => ({ name: `rule_${one.code}`, label: w("gr.rule", { name: one.name }), kind: "money", value: group.rules?.find((rule) => rule.level === one.code)?.spend_fen })),
    { name: "note", label: w("gr.note"), kind: "lines", rows: 2, value: group.note, most: 200 },
  ];
}

export function groupOf(values, levels) {
  return {
    number: values.number,
    name: values.name,
    contact: values.contact || "",
    note: values.note || "",
    store_id: values.store_id,
    level: values.level,
    discount_bp: values.discount ? Math.round(Number(values.discount) * 100) : null,
    member_limit: values.member_limit,
    months: values.months,
    rules: levels.slice(1).filter((one) => values[`rule_${one.code}`]).map((one) => ({ level: one.code, spend_fen: values[`rule_${one.code}`] })),
  };
}
