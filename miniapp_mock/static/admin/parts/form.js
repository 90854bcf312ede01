/** Fields, forms and dialogs with forms. What the server refuses is shown at its field, by the problem's pointers. */
import { h } from "/static/shared/dom.js";
import { openDialog } from "/static/shared/dialog.js";
import { parseYuan, yuan } from "/static/shared/format.js";
import { problemText, t } from "../texts.js";
import { busy } from "./states.js";

let numbers = 0;

/** A control with its label, a note and a place for what is wrong: `{ node, input, mark(text) }`. */
export function field({ name, label, input, note = "", required = false }) {
  numbers += 1;
  const id = `${name}-${numbers}`;
  const problem = h("p", { class: "field-error", id: `${id}-error` });
  input.id = id;
  input.name = name;
  if (/^(INPUT|TEXTAREA|SELECT)$/.test(input.tagName)) input.classList.add("input");
  input.setAttribute("aria-describedby", `${id}-error${note ? ` ${id}-note` : ""}`);
  if (required) input.setAttribute("aria-required", "true");
  const node = h("div", { class: "field" }, h("label", { for: id }, label, required && h("span", { class: "danger", "aria-hidden": "true" }, " *")), input, note && h("p", { class: "muted tiny", id: `${id}-note` }, note), problem);
  function mark(text) {
    problem.textContent = text;
    node.classList.toggle("wrong", Boolean(text));
    if (text) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
  }
  input.addEventListener("input", () => mark(""));
  return { node, input, mark };
}

const two = (value) => String(value).padStart(2, "0");

/** An instant as a `datetime-local` of the chain's zone (UTC+8) has it, and back. */
export function toLocalInput(at) {
  if (!at) return "";
  const there = new Date(Date.parse(at) + 8 * 3600 * 1000);
  return `${there.getUTCFullYear()}-${two(there.getUTCMonth() + 1)}-${two(there.getUTCDate())}T${two(there.getUTCHours())}:${two(there.getUTCMinutes())}`;
}

export function fromLocalInput(text) { return text ? new Date(`${text}:00+08:00`).toISOString().replace(".000Z", "Z") : null; }

// By kind: how a control is made of a value, and what value is read off it; `undefined` for what is none.
const KINDS = {
  text: { make: (one) => h("input", { value: one.value ?? "", maxlength: one.most, placeholder: one.placeholder, autocomplete: "off" }), read: (input) => input.value.trim() || null },
  password: { make: (one) => h("input", { type: "password", maxlength: one.most, autocomplete: "new-password" }), read: (input) => input.value || null },
  lines: { make: (one) => h("textarea", { rows: one.rows || 4, maxlength: one.most, placeholder: one.placeholder, value: one.value ?? "" }), read: (input) => input.value.trim() || null },
  number: { make: (one) => h("input", { class: "num", inputmode: "numeric", value: one.value ?? "", placeholder: one.placeholder, autocomplete: "off" }), read: (input) => whole(input.value), wrong: "form.number" },
  money: { make: (one) => h("input", { class: "num", inputmode: "decimal", value: one.value === null || one.value === undefined ? "" : yuan(one.value), placeholder: "0.00", autocomplete: "off" }), read: (input) => (input.value.trim() ? parseYuan(input.value) ?? undefined : null), wrong: "form.yuan" },
  date: { make: (one) => h("input", { type: "date", value: one.value ?? "" }), read: (input) => input.value || null },
  time: { make: (one) => h("input", { type: "datetime-local", value: toLocalInput(one.value) }), read: (input) => fromLocalInput(input.value) },
  choice: { make: (one) => h("select", null, one.options.map(([value, text]) => h("option", { value, selected: String(one.value ?? "") === String(value) }, text))), read: (input) => input.value || null },
};

function whole(text) {
  const cleaned = text.replace(/[,，\s]/g, "");
  if (!cleaned) return null;
  return /^-?\d{1,12}$/.test(cleaned) ? Number(cleaned) : undefined;
}

/** Boxes of which any may be ticked: as a field of kind `many`, whose value is a list. */
function many(one) {
  const boxes = one.options.map(([value, text]) => [value, h("input", { type: "checkbox", checked: (one.value || []).includes(value) }), text]);
  const group = h("fieldset", { class: "field" }, h("legend", null, one.label), h("div", { class: "checks" }, boxes.map(([, box, text]) => h("label", { class: "check" }, box, h("span", null, text)))), one.note && h("p", { class: "muted tiny" }, one.note));
  const problem = h("p", { class: "field-error" });
  group.append(problem);
  return { node: group, read: () => boxes.filter(([, box]) => box.checked).map(([value]) => value), mark: (text) => { problem.textContent = text; }, input: boxes[0]?.[1] || group };
}

/** One tick: as a field of kind `tick`, whose value is true or false. */
function tick(one) {
  const box = h("input", { type: "checkbox", checked: Boolean(one.value) });
  const problem = h("p", { class: "field-error" });
  return { node: h("div", { class: "field" }, h("label", { class: "check" }, box, h("span", null, one.label)), one.note && h("p", { class: "muted tiny" }, one.note), problem), read: () => box.checked, mark: (text) => { problem.textContent = text; }, input: box };
}

/** The control of a field as `form` takes it: `{ node, input, read, mark, wrong }`. */
export function control(one) {
  if (one.node) return { node: one.node, read: one.read, mark: one.mark || (() => undefined), input: one.input || one.node, wrong: one.wrong };
  if (one.kind === "many") return many(one);
  if (one.kind === "tick") return tick(one);
  const kind = KINDS[one.kind || "text"];
  const made = field({ name: one.name, label: one.label, input: kind.make(one), note: one.note, required: one.required });
  return { ...made, read: () => kind.read(made.input), wrong: kind.wrong };
}

/**
 * A form of `fields`: `{ name, label, kind?, value?, required?, note?, options?, most? }` with the kinds text, password, lines, number,
 * money (fen), date, time (RFC 3339), choice (`options`: `[value, text]`), many, tick; or `{ name, node, read, mark? }` of one's own.
 * `onSubmit(values)` gets what was entered by name, null for what is empty; what it throws is shown, at the fields where it says
 * which. `actions` stand before the submit button.
 */
export function form({ fields, submit = t("common.save"), onSubmit, actions = [], danger = false }) {
  const controls = fields.map((one) => [one, control(one)]);
  const problem = h("p", { class: "field-error", role: "alert" });
  const button = h("button", { class: `button ${danger ? "danger" : "primary"}` }, submit);

  function read() {
    const values = {};
    let first = null;
    for (const [one, made] of controls) {
      const value = made.read();
      const nothing = value === null || value === "" || (Array.isArray(value) && !value.length);
      const text = value === undefined ? t(made.wrong || "form.required") : one.required && nothing ? t("form.required") : "";
      made.mark(text);
      if (text) first ||= made.input;
      values[one.name] = value;
    }
    if (first) first.focus();
    return first ? null : values;
  }

  function refused(error) {
    let first = null;
    for (const { pointer, message } of error.fields || []) {
      const found = controls.find(([one]) => pointer === `/${one.name}` || pointer.startsWith(`/${one.name}/`));
      if (!found) continue;
      found[1].mark(message);
      first ||= found[1].input;
    }
    problem.textContent = first ? t("form.wrong") : problemText(error);
    (first || button).focus();
  }

  async function go(event) {
    event.preventDefault();
    problem.textContent = "";
    const values = read();
    if (!values) return;
    await busy(button, async () => {
      try {
        await onSubmit(values);
      } catch (error) {
        if (error.name !== "ApiError" && error.name !== "NetworkError") throw error;
        refused(error);
      }
    });
  }

  return h("form", { class: "form stack", novalidate: true, onsubmit: go }, controls.map(([, made]) => made.node), problem, h("div", { class: "form-actions" }, actions, button));
}

/** A form in a dialog; resolves with what `onSubmit` returned, undefined where it was dismissed. Takes what `form` takes, and `title`. */
export function formDialog({ title, note = "", onSubmit, ...rest }) {
  let dialog = null;
  const cancel = h("button", { type: "button", class: "button", onclick: () => dialog.close() }, t("common.cancel"));
  const content = form({ ...rest, actions: [cancel], onSubmit: async (values) => dialog.close(await onSubmit(values) ?? true) });
  dialog = openDialog([h("div", { class: "dialog-head" }, h("h2", null, title), note && h("p", { class: "muted small" }, note)), h("div", { class: "dialog-scroll" }, content)], { kind: "box", label: title, className: "wide" });
  (content.querySelector("input, textarea, select") || cancel).focus();
  return dialog.closed;
}
