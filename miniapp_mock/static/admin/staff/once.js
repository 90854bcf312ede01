/** What is shown once: a secret or a link, with a button that copies it. */
import { h } from "/static/shared/dom.js";
import { toast } from "../parts/dialogs.js";
import { words } from "../texts.js";

const w = words({ "once.copy": "复制", "once.copied": "已复制" });

export function shownOnce(text, ...secrets) {
  const copy = async () => { await navigator.clipboard.writeText(secrets.join("\n")); toast(w("once.copied")); };
  return h("div", { class: "stack" }, h("p", { class: "muted small" }, text), secrets.map((secret) => h("p", { class: "secret num" }, secret)), h("button", { type: "button", class: "button soft", onclick: copy }, w("once.copy")));
}
