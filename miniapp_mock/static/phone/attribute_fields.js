/** Controls for what the chain asks of its members besides name, birthday and gender. */
import { h } from "../shared/dom.js";
import { dateField, field } from "./parts.js";
import { t } from "./texts.js";

/** A control for each attribute of the form that may be filled in, with what is there: `{ code, node, value(), mark(text), input }`. */
export function attributeFields(form, values = {}, today = "2100-12-31") {
  return form.attributes.filter((one) => one.editable).map((one) => control(one, values[one.code], today));
}

function control(one, value, today) {
  const label = one.required ? `${one.name} *` : one.name;
  const id = `attribute-${one.code}`;
  const made = { code: one.code, required: one.required };
  if (one.type === "date") {
    const date = dateField(id, label, { value: value || "", today });
    return { ...made, node: date.node, input: date.input, mark: date.mark, value: () => date.value() || null };
  }
  if (one.type === "choice" || one.type === "boolean") {
    const options = one.type === "boolean" ? [["true", t("attribute.yes")], ["false", t("attribute.no")]] : offered(one, [value]);
    const select = h("select", null, h("option", { value: "" }, t("attribute.choose")), options.map(([code, text]) => h("option", { value: code, selected: String(value) === code }, text)));
    const made_ = field(id, label, select);
    return { ...made, ...made_, value: () => (select.value === "" ? null : one.type === "boolean" ? select.value === "true" : select.value) };
  }
  if (one.type === "choices") return { ...made, ...several(one, id, label, value || []) };
  const input = h("input", { type: "text", inputmode: one.type === "number" ? "decimal" : "text", maxlength: one.bounds.max_length || 200, value: value ?? "" });
  const made_ = field(id, label, input);
  return { ...made, ...made_, value: () => (input.value.trim() === "" ? null : one.type === "number" && Number.isFinite(Number(input.value)) ? Number(input.value) : input.value.trim()) };
}

const offered = (one, kept) => one.options.filter((option) => !option.closed || kept.includes(option.code)).map((option) => [option.code, option.name]);

function several(one, id, label, chosen) {
  const problem = h("p", { class: "field-error", id: `${id}-error`, role: "alert" });
  const boxes = offered(one, chosen).map(([code, text]) => [h("input", { type: "checkbox", value: code, checked: chosen.includes(code) }), text]);
  const node = h("fieldset", { class: "field" }, h("legend", { class: "label" }, label), h("div", { class: "choices" }, boxes.map(([box, text]) => h("label", { class: "choice" }, box, h("span", null, text)))), problem);
  const value = () => { const codes = boxes.filter(([box]) => box.checked).map(([box]) => box.value); return codes.length ? codes : null; };
  return { node, input: boxes[0]?.[0] || node, value, mark: (text) => { problem.textContent = text; node.classList.toggle("wrong", Boolean(text)); } };
}

/** What of it is other than it was: null for what was taken away. */
export function changedAttributes(fields, before = {}) {
  const changed = {};
  for (const one of fields) if (JSON.stringify(one.value()) !== JSON.stringify(before[one.code] ?? null)) changed[one.code] = one.value();
  return changed;
}

/** Mark what is required and empty; the first such control, or undefined. */
export function markMissing(fields) {
  for (const one of fields) one.mark(one.required && one.value() === null ? t("attribute.required") : "");
  return fields.find((one) => one.required && one.value() === null);
}

/** Show what the server refused at its control; whether any was. */
export function markRefused(fields, error) {
  const at = (error.fields || []).map(({ pointer, message }) => [fields.find((one) => pointer === `/attributes/${one.code}`), message]).filter(([one]) => one);
  at.forEach(([one, message]) => one.mark(message));
  at[0]?.[0].input.focus();
  return at.length > 0;
}
