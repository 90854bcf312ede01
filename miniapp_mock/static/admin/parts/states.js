/** Waiting, emptiness and trouble, and the head of a screen. */
import { fill, h } from "/static/shared/dom.js";
import { glyph } from "../icons.js";
import { problemText, t } from "../texts.js";

/** The head of a screen: its title, a line below, and what can be done (buttons, links). */
export function head(title, { note = "", actions = [] } = {}) {
  return h("header", { class: "head" }, h("div", { class: "grow" }, h("h1", null, title), note && h("p", { class: "muted small" }, note)), h("div", { class: "head-actions" }, actions));
}

/** Something comes: grey bars of about the height of what will be there. */
export function loading(rows = 6) {
  return h("div", { class: "card stack", "aria-busy": "true", "aria-label": t("common.loading") }, Array.from({ length: rows }, () => h("div", { class: "skeleton bar" })));
}

/** Nothing here yet, and what to do about it. */
export function empty({ icon = "empty", title = t("table.empty"), hint = "", action = null } = {}) {
  return h("div", { class: "empty" }, glyph(icon, 40), h("p", { class: "strong" }, title), hint && h("p", { class: "small" }, hint), action);
}

/** Something failed: why, in the server's words, and one way on. */
export function trouble(error, retry) {
  const mark = error && error.name === "NetworkError" ? "cloud" : error && error.status === 403 ? "lock" : "alert";
  return h("div", { class: "card" }, h("div", { class: "empty", role: "alert" }, glyph(mark, 40), h("p", { class: "strong" }, problemText(error)),
    error && error.detail && error.detail !== problemText(error) && h("p", { class: "small" }, error.detail),
    retry && h("button", { type: "button", class: "button soft", onclick: retry }, t("common.retry"))));
}

/** An address that leads nowhere, or to where this role has nothing to do. */
export function unknown(onBack) {
  return h("div", { class: "card" }, empty({ icon: "search", title: t("app.unknown"), hint: t("app.unknown_hint"), action: h("button", { type: "button", class: "button soft", onclick: onBack }, t("app.to_start")) }));
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

/**
 * A place that fills itself: grey bars, then what `load(signal)` resolves with, or the trouble with a way to try again.
 * Returns the node; `node.reload()` loads anew and keeps what was there until the new is there.
 */
export function section(load, { signal, rows = 3, className = "" } = {}) {
  const node = h("div", { class: className }, loading(rows));
  node.reload = async () => {
    node.setAttribute("aria-busy", "true");
    try {
      const content = await load(signal);
      if (!signal || !signal.aborted) fill(node, content);
    } catch (error) {
      if (!signal || !signal.aborted) fill(node, trouble(error, node.reload));
    } finally {
      node.removeAttribute("aria-busy");
    }
  };
  node.reload();
  return node;
}

/** What and how much, in two columns; facts without a value are left out. `facts`: `[label, value]`. */
export function factList(facts) {
  return h("dl", { class: "facts" }, facts.filter(([, value]) => value !== null && value !== undefined && value !== "").map(([label, value]) => h("div", { class: "fact" }, h("dt", null, label), h("dd", { class: "num" }, value))));
}

/** A small word with a look: "", "brand", "gold", "danger". */
export function pill(text, look = "") { return h("span", { class: `pill ${look}`.trim() }, text); }
