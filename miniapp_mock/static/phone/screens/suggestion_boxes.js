/** 意见箱: which boxes there are, and how one's suggestions are followed; 我署名的意见. */
import { fill, h } from "../../shared/dom.js";
import { openDialog } from "../../shared/dialog.js";
import { endless } from "../endless.js";
import { glyph } from "../icons.js";
import { busy, emptyState, field, linkCell, loadInto, skeletonRows } from "../parts.js";
import { problemText, t } from "../texts.js";
import { when } from "../voice.js";

export function suggestionBoxesScreen(app) {
  const list = h("section", { class: "card flush" });
  const node = h("div", { class: "page stack" }, list,
    h("section", { class: "card flush cells" },
      linkCell({ icon: "search", text: t("box.follow"), onclick: () => followSheet(app) }),
      linkCell({ icon: "list", text: t("box.mine"), onclick: () => app.go("own-suggestions") })));
  const draw = ({ items }) => (items.length
    ? h("ul", { class: "voice-rows" }, items.map((box) => h("li", null, row(app, box))))
    : emptyState({ icon: "letterbox", title: t("box.none"), hint: t("box.none_hint"), action: t("cases.title"), onAction: () => app.go("cases") }));
  loadInto(list, () => skeletonRows(3), app.suggestions.boxes, draw);
  app.suggestions.prepare().catch(() => undefined); // it is tried again when one writes
  return { title: t("box.title"), node, parent: "me" };
}

function row(app, box) {
  return h("a", { class: "voice-row", href: `#/suggest?${encodeURIComponent(box.id)}` },
    h("span", { class: "row between" }, h("span", { class: "strong" }, box.title), h("span", { class: "tiny muted" }, t(box.anonymous ? "box.anonymous_too" : "box.named_only"))),
    box.store && h("span", { class: "tiny muted" }, box.store),
    box.topic && h("span", { class: "small muted" }, box.topic));
}

/** Type a receipt, and read what it leads to. */
function followSheet(app) {
  const code = field("receipt-input", t("slip.enter"), h("input", { type: "text", class: "num receipt-input", autocomplete: "off", autocapitalize: "characters", spellcheck: "false", maxlength: 30, autofocus: true }), t("slip.enter_hint"));
  const submit = h("button", { type: "submit", class: "button primary wide" }, t("slip.look"));
  async function look() {
    const typed = code.input.value.replace(/[\s-]/g, "").toUpperCase();
    if (!/^[0-9A-Z]{20}$/.test(typed)) {
      code.mark(t("slip.wrong"));
      return;
    }
    try {
      await app.suggestions.follow(typed);
      dialog.close();
      app.go("suggestion");
    } catch (error) {
      code.mark(error.status === 401 ? t("slip.wrong") : problemText(error));
    }
  }
  const form = h("form", { class: "sheet-body stack", novalidate: true, onsubmit: (event) => { event.preventDefault(); busy(submit, look); } },
    h("div", { class: "sheet-head" },
      h("button", { type: "button", class: "icon-button", "aria-label": t("common.close"), onclick: () => dialog.close() }, glyph("close", 22)),
      h("h2", { class: "sheet-title" }, t("box.follow")), h("span")),
    code.node, submit);
  const dialog = openDialog(form, { label: t("box.follow") });
}

export function ownSuggestionsScreen(app) {
  const list = endless({
    fetch: app.suggestions.mine,
    wait: () => h("div", { class: "card flush" }, skeletonRows(4)),
    draw: (items) => h("ul", { class: "card flush voice-rows" }, items.map((one) => h("li", null,
      h("a", { class: "voice-row", href: `#/suggestion?${encodeURIComponent(one.id)}` },
        h("span", { class: "row between" }, h("span", { class: "small muted clip" }, one.box_title), h("span", { class: "tiny brand" }, t(`suggestion.state_${one.state}`))),
        h("span", null, one.excerpt), h("span", { class: "tiny muted num" }, when(one)))))),
    nothing: () => h("div", { class: "card" }, emptyState({ icon: "letterbox", title: t("box.mine_none"), hint: t("box.mine_hint"), action: t("box.title"), onAction: () => app.go("suggestion-boxes") })),
  });
  list.reload();
  const node = fill(h("div", { class: "page stack" }), list.node);
  return { title: t("box.mine"), node, parent: "suggestion-boxes", leave: () => list.leave(node.parentElement) };
}
