/** Small pieces that several screens are made of. */
import { fill, h } from "../shared/dom.js";
import { dayTime } from "../shared/format.js";
import { glyph } from "./icons.js";
import { problemText, t } from "./texts.js";

/** Grey bars where text will be; `widths` are names of CSS classes w20…w100. */
export function skeleton(...widths) {
  return h("div", { class: "stack", "aria-busy": "true", "aria-label": t("common.loading") }, widths.map((width) => h("div", { class: `skeleton ${width}` })));
}

/** Placeholder for a list of rows. */
export function skeletonRows(count) {
  const row = () => h("div", { class: "cell" }, h("div", { class: "skeleton dot" }), h("div", { class: "grow stack tight" }, h("div", { class: "skeleton w50" }), h("div", { class: "skeleton w30" })), h("div", { class: "skeleton w20" }));
  return h("div", { class: "cells", "aria-busy": "true", "aria-label": t("common.loading") }, Array.from({ length: count }, row));
}

/** Nothing here yet, and what to do next. */
export function emptyState({ icon, title, hint, action, onAction }) {
  return h(
    "div",
    { class: "empty" },
    glyph(icon, 44),
    h("p", { class: "strong" }, title),
    hint && h("p", { class: "small" }, hint),
    action && h("button", { type: "button", class: "button soft", onclick: onAction }, action),
  );
}

/** Something failed: why, and one way on. */
export function trouble(error, retry) {
  return h(
    "div",
    { class: "empty", role: "alert" },
    glyph(error && error.name === "NetworkError" ? "cloud" : "alert", 44),
    h("p", { class: "strong" }, problemText(error)),
    h("button", { type: "button", class: "button soft", onclick: retry }, t("common.retry")),
  );
}

/** What is shown could not be fetched anew: from when it is. */
export function staleNote(at) {
  return h("p", { class: "notice", role: "status" }, glyph("cloud", 20), h("span", { class: "num" }, t("common.stale", { time: dayTime(at) })));
}

/** How something is used, in a section of its own; with the way to the code where the till takes it now. */
export function howToUse(app, { icon = "qr", title, text, code = true }) {
  return h(
    "section",
    { class: "card stack" },
    h("div", { class: "row" }, h("span", { class: "entry-icon" }, glyph(icon, 22)), h("div", { class: "grow" }, h("h2", null, title), h("p", { class: "muted small" }, text))),
    code && h("button", { type: "button", class: "button primary wide", onclick: () => app.go("code") }, t("coupon.show_code")),
  );
}

/** Run `work` while the button shows that it works; a second press in between does nothing. */
export async function busy(button, work) {
  if (button.getAttribute("aria-busy") === "true") return;
  button.setAttribute("aria-busy", "true");
  try {
    await work();
  } finally {
    button.removeAttribute("aria-busy");
  }
}

/** A row of a list that leads somewhere. */
export function linkCell({ icon, text, value, onclick, className = "" }) {
  return h(
    "button",
    { type: "button", class: `cell ${className}`.trim(), onclick },
    icon && glyph(icon, 22, "cell-icon"),
    h("span", null, text),
    h("span", { class: "value small" }, value),
    glyph("next", 18, "chevron"),
  );
}

/** A line of a `dl.facts`: what, how much (and something to do with it); null where there is no value. */
export function fact(label, value, { look = "", action = null } = {}) {
  if (!value) return null;
  return h("div", { class: "fact" }, h("dt", { class: "muted clip" }, label), h("dd", { class: `num ${look}`.trim() }, value, action));
}

/** A text field with its label and a place for what is wrong with it. */
export function field(name, label, input, note) {
  const problem = h("p", { class: "field-error", id: `${name}-error`, role: "alert" });
  input.id = name;
  input.classList.add("input");
  input.addEventListener("input", () => mark(""));
  input.setAttribute("aria-describedby", `${name}-error${note ? ` ${name}-note` : ""}`);
  const node = h("div", { class: "field" }, h("label", { for: name }, label), input, note && h("p", { class: "muted tiny", id: `${name}-note` }, note), problem);

  /** Show what is wrong ("" for nothing). */
  function mark(text) {
    problem.textContent = text;
    node.classList.toggle("wrong", Boolean(text));
    if (text) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
  }

  return { node, input, mark };
}

/** Year, month, day as three choices; `value()` is `2026-11-22`, "" for nothing, or null for half a date. */
export function dateField(name, label, { value = "", today, note }) {
  const [year, month, day] = value.split("-").map(Number);
  const thisYear = Number(today.slice(0, 4));
  const years = Array.from({ length: thisYear - 1900 + 1 }, (_, i) => thisYear - i);
  const upTo = (last) => Array.from({ length: last }, (_, i) => i + 1);
  const select = (part, unit, options, chosen) => {
    const node = h("select", { class: "input num", id: part === "year" ? name : `${name}-${part}`, "aria-label": `${label} ${unit}`, "aria-describedby": `${name}-error`, onchange: fit },
      h("option", { value: "" }, unit), options.map((option) => h("option", { value: option }, `${option}${unit}`)));
    node.value = chosen || "";
    return node;
  };
  const parts = { year: select("year", "年", years, year), month: select("month", "月", upTo(12), month), day: select("day", "日", upTo(31), day) };
  const problem = h("p", { class: "field-error", id: `${name}-error`, role: "alert" });
  const node = h("div", { class: "field" }, h("label", { for: name }, label), h("div", { class: "date-parts" }, parts.year, parts.month, parts.day), note && h("p", { class: "muted tiny" }, note), problem);

  /** Offer only days that the month has. */
  function fit() {
    const last = new Date(Date.UTC(Number(parts.year.value) || 2000, Number(parts.month.value) || 12, 0)).getUTCDate();
    for (const option of parts.day.options) option.hidden = Number(option.value) > last;
    if (Number(parts.day.value) > last) parts.day.value = String(last);
  }
  fit();
  return {
    node,
    input: parts.year,
    value() {
      const given = [parts.year.value, parts.month.value, parts.day.value];
      if (given.every((part) => part === "")) return "";
      if (given.some((part) => part === "")) return null;
      const text = given.map((part, i) => part.padStart(i ? 2 : 4, "0")).join("-");
      return text <= today ? text : null;
    },
    mark(text) {
      problem.textContent = text;
      node.classList.toggle("wrong", Boolean(text));
      if (text) parts.year.setAttribute("aria-invalid", "true");
      else parts.year.removeAttribute("aria-invalid");
    },
  };
}

/** Radio inputs drawn as pills; `onchange(value)`. */
export function choices(name, label, options, selected, onchange) {
  return h(
    "fieldset",
    { class: "field" },
    h("legend", { class: "label" }, label),
    h("div", { class: "choices" }, options.map(([value, text]) => h(
      "label",
      { class: "choice" },
      h("input", { type: "radio", name, value, checked: value === selected, onchange: () => onchange(value) }),
      h("span", null, text),
    ))),
  );
}

/** Replace what `node` shows by what `load()` brings: a skeleton meanwhile, trouble with a retry if it fails. */
export async function loadInto(node, placeholder, load, draw) {
  fill(node, placeholder());
  try {
    const data = await load();
    fill(node, draw(data));
  } catch (error) {
    fill(node, trouble(error, () => loadInto(node, placeholder, load, draw)));
  }
}
