/** Modal dialogs: the browser's own, so focus stays inside and returns afterwards. */
import { h } from "/static/shared/dom.js";
import { picture } from "./icons.js";
import { t } from "./texts.js";

let count = 0;
const scanned = new WeakMap(); // dialog → what takes a scan while it is open
const forCodes = new WeakSet(); // dialogs that take member codes, too

/** Whether a modal dialog is open. */
export const dialogOpen = () => Boolean(document.querySelector("dialog[open]"));

/** Give a scan to the open dialog; false where that takes none. */
export function takeScan(text) {
  const open = [...document.querySelectorAll("dialog[open]")].pop();
  const take = scanned.get(open);
  take?.(text);
  return Boolean(take);
}

/** Whether the open dialog is where a member code belongs. */
export const takesCodes = () => forCodes.has([...document.querySelectorAll("dialog[open]")].pop());

/**
 * Open a dialog with a title, a body and buttons. Escape and the × close it unless `firm`.
 * `onScan(text)` is given what a scanner reads meanwhile, member codes only with `codes`. Returns `{ element, close(value), closed }`; `closed` resolves with the value, or null.
 */
export function openDialog({ title, body, actions = [], className = "", firm = false, onClose, onScan, codes = false }) {
  count += 1;
  const titleId = `dialog-title-${count}`;
  const head = h("header", { class: "pane-head" },
    h("h2", { id: titleId }, title),
    firm ? null : h("button", { class: "icon-button", type: "button", "aria-label": t("common.close"), onclick: () => close(null) }, picture("close")));
  const foot = actions.length ? h("footer", { class: "pane-foot" }, actions) : null;
  const element = h("dialog", { class: `pane ${className}`, "aria-labelledby": titleId }, head, h("div", { class: "pane-body" }, body), foot);
  let settle;
  const closed = new Promise((resolve) => { settle = resolve; });
  function close(value) {
    if (!element.isConnected) return;
    element.close();
    element.remove();
    onClose?.();
    settle(value);
  }
  element.addEventListener("cancel", (event) => { event.preventDefault(); if (!firm) close(null); });
  element.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    if (!firm) close(null);
  });
  if (onScan) scanned.set(element, onScan);
  if (codes) forCodes.add(element);
  document.body.append(element);
  element.showModal();
  element.querySelector("[autofocus]")?.focus();
  return { element, close, closed };
}

/** A button for a dialog's foot. */
export function button(text, onclick, look = "", props = {}) {
  return h("button", { class: `button ${look}`, type: "button", onclick, ...props }, text);
}

/** Ask; resolves to whether it was confirmed. */
export async function confirm({ title, text, yes, look = "primary" }) {
  const dialog = openDialog({
    title,
    body: h("p", { class: "muted" }, text),
    actions: [button(t("common.cancel"), () => dialog.close(false)), button(yes, () => dialog.close(true), look, { autofocus: true })],
  });
  return Boolean(await dialog.closed);
}

/** A numeric pad for touch screens that types into `input`; the keyboard works beside it. */
export function keypad(input, { point = false } = {}) {
  const type = (text) => {
    const [start, end] = [input.selectionStart ?? input.value.length, input.selectionEnd ?? input.value.length];
    const from = text === "" && start === end ? Math.max(0, start - 1) : start;
    input.setRangeText(text, from, end, "end");
    input.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const key = (label, text, props = {}) => h("button", {
    class: "pad-key num", type: "button", tabindex: "-1", onpointerdown: (event) => event.preventDefault(),
    onclick: () => { input.focus(); type(text); }, ...props,
  }, label);
  return h("div", { class: "pad", "aria-hidden": "true" },
    ["1", "2", "3", "4", "5", "6", "7", "8", "9"].map((digit) => key(digit, digit)),
    point ? key(".", ".") : key("00", "00"),
    key("0", "0"),
    key(picture("backspace"), ""));
}

/** A labelled field of a dialog with a place for what is wrong with it. */
export function field(label, input) {
  const error = h("p", { class: "field-error", role: "alert" });
  const wrapper = h("div", { class: "field" }, h("label", { for: input.id }, label), input, error);
  return { wrapper, input, complain(text) { wrapper.classList.toggle("wrong", Boolean(text)); error.textContent = text || ""; } };
}
