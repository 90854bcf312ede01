/**
 * Dialogs over the native `<dialog>`: the browser keeps the focus inside and the rest inert, Esc closes, and the focus goes
 * back to where it was. `sheet` rises from below, `box` stands in the middle.
 */
import { h } from "./dom.js";

/**
 * Open a dialog and return `{ node, close(result), closed }`; `closed` resolves with the result, `undefined` when dismissed.
 * `options`: `label` (accessible name), `kind` ("sheet" | "box"), `dismissable` (Esc and the backdrop; default true), `className`.
 */
export function openDialog(content, options = {}) {
  const { label, kind = "sheet", dismissable = true, className = "" } = options;
  const node = h("dialog", { class: `${kind} ${className}`.trim(), "aria-label": label }, content);
  let settle;
  const closed = new Promise((resolve) => { settle = resolve; });
  const from = document.activeElement;

  function close(result) {
    if (!node.isConnected) return;
    node.close();
    node.remove();
    if (from instanceof HTMLElement && from.isConnected) from.focus({ preventScroll: true });
    settle(result);
  }

  node.addEventListener("cancel", (event) => {
    event.preventDefault();
    if (dismissable) close();
  });
  // a browser may close it on a second Esc without asking
  node.addEventListener("close", () => close());
  if (dismissable) {
    node.addEventListener("pointerdown", (event) => {
      if (event.target === node && outside(node, event)) close();
    });
  }
  document.body.append(node);
  node.showModal();
  const first = node.querySelector("[autofocus]");
  if (first) first.focus();
  return { node, close, closed };
}

function outside(node, event) {
  const box = node.getBoundingClientRect();
  return event.clientX < box.left || event.clientX > box.right || event.clientY < box.top || event.clientY > box.bottom;
}

/** Ask one question; resolves true or false. `options`: title, content, confirmText, cancelText ("" for none), danger. */
export function ask(options) {
  const { title, content = "", confirmText, cancelText = "", danger = false } = options;
  const buttons = [];
  if (cancelText) buttons.push(h("button", { type: "button", class: "button", onclick: () => dialog.close(false) }, cancelText));
  buttons.push(h("button", { type: "button", class: `button ${danger ? "danger" : "primary"}`, autofocus: true, onclick: () => dialog.close(true) }, confirmText));
  const body = [
    h("div", { class: "dialog-body" }, h("h2", null, title), content && h("p", { class: "muted small" }, content)),
    h("div", { class: "dialog-actions" }, buttons),
  ];
  const dialog = openDialog(body, { kind: "box", label: title });
  return dialog.closed.then((result) => result === true);
}

/** The element that floating things go into to be seen above an open dialog. */
export function topLayer() {
  const open = document.querySelectorAll("dialog[open]");
  return open.length ? open[open.length - 1] : document.body;
}

let shown = null;

/** Show a short message for a moment; it is read aloud and takes no focus. */
export function toast(text, durationMs = 2000) {
  if (shown) shown.remove();
  const node = h("div", { class: "toast", role: "status", "aria-live": "polite" });
  topLayer().append(node);
  shown = node;
  // a live region speaks what changes in it, so the text comes after the region
  setTimeout(() => node.append(h("div", null, text)), 20);
  setTimeout(() => node.remove(), durationMs);
}
