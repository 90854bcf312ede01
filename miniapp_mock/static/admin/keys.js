/** Shortcuts: one key each, shown in a list by `?`. They rest while somebody types or a dialog is open. */
import { h } from "/static/shared/dom.js";
import { openDialog } from "/static/shared/dialog.js";
import { t } from "./texts.js";

const always = new Map();
let ofScreen = new Map();

/** A shortcut of every screen: `("/", "查找会员", run)`. */
export function add(key, title, run) { always.set(key, { title, run }); }

/** The shortcuts of the screen that is shown, `{ key: [title, run] }`; the one before loses its own. */
export function ofThisScreen(shortcuts = {}) {
  ofScreen = new Map(Object.entries(shortcuts).map(([key, [title, run]]) => [key, { title, run }]));
}

function typing(target) {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (typing(event.target) || document.querySelector("dialog[open]")) return;
  const found = ofScreen.get(event.key) || always.get(event.key);
  if (!found) return;
  event.preventDefault();
  found.run();
});

/** Show every shortcut that there is now. */
export function show() {
  const rows = [...always, ...ofScreen].map(([key, { title }]) => h("div", { class: "fact" }, h("dt", null, title), h("dd", null, h("kbd", null, key))));
  const dialog = openDialog(
    [
      h("div", { class: "dialog-head" }, h("h2", null, t("keys.title"))),
      h("dl", { class: "facts dialog-scroll" }, rows, h("div", { class: "fact" }, h("dt", null, t("keys.close")), h("dd", null, h("kbd", null, "Esc")))),
      h("div", { class: "dialog-actions" }, h("button", { type: "button", class: "button", autofocus: true, onclick: () => dialog.close() }, t("common.close"))),
    ],
    { kind: "box", label: t("keys.title"), className: "wide" },
  );
}
