/** 回执码: shown once, after a suggestion without a name. */
import { h } from "../../shared/dom.js";
import { glyph } from "../icons.js";
import { emptyState } from "../parts.js";
import { t } from "../texts.js";

export function receiptScreen(app) {
  const receipt = app.suggestions.receipt();
  if (!receipt) {
    const nothing = emptyState({ icon: "letterbox", title: t("suggestion.unknown"), action: t("box.title"), onAction: () => app.go("suggestion-boxes", { replace: true }) });
    return { title: t("slip.title"), node: h("div", { class: "page stack" }, h("div", { class: "card" }, nothing)), parent: "suggestion-boxes" };
  }
  const copy = () => app.wx.setClipboardData({ data: receipt }).then(() => app.toast(t("slip.copied")), () => undefined);
  const node = h("div", { class: "page stack" },
    h("section", { class: "card result" },
      h("span", { class: "brand" }, glyph("check", 44)),
      h("h2", { class: "result-title", role: "status" }, t("slip.kept")),
      h("p", { class: "receipt-code num", "aria-label": t("slip.title") }, receipt),
      h("p", { class: "small muted" }, t("slip.text")),
      h("button", { type: "button", class: "button primary wide", onclick: copy }, t("slip.copy")),
      h("button", { type: "button", class: "button wide", onclick: () => app.go("suggestion", { replace: true }) }, t("slip.leave"))));
  return { title: t("slip.title"), node, parent: "suggestion-boxes" };
}
