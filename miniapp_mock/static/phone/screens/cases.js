/** 我的反馈: one's cases, newest first. */
import { h } from "../../shared/dom.js";
import { dateTime } from "../../shared/format.js";
import { endless } from "../endless.js";
import { emptyState, skeletonRows } from "../parts.js";
import { t } from "../texts.js";

export function casesScreen(app) {
  const open = () => app.go("new-case");
  const list = endless({
    fetch: app.cases.list,
    wait: () => h("div", { class: "card flush" }, skeletonRows(4)),
    draw: (items) => h("ul", { class: "card flush voice-rows" }, items.map((one) => h("li", null,
      h("a", { class: "voice-row", href: `#/case?${encodeURIComponent(one.id)}` },
        h("span", { class: "row between" }, h("span", { class: "small muted clip" }, [t(`case.kind_${one.kind}`), one.store].filter(Boolean).join(" · ")), h("span", { class: "tiny brand" }, t(`case.state_${one.state}`))),
        h("span", null, one.excerpt), h("span", { class: "tiny muted num" }, dateTime(one.updated_at)))))),
    nothing: () => h("div", { class: "card" }, emptyState({ icon: "bubble", title: t("cases.none"), hint: t("cases.none_hint") })),
  });
  list.reload();
  app.cases.claim().then(({ items }) => {
    if (!items.length) return;
    app.toast(t("cases.claimed", { count: items.length }));
    list.reload({ quiet: true });
  }, () => undefined);
  const node = h("div", { class: "page stack" }, list.node);
  return { title: t("cases.title"), node, parent: "me", foot: h("button", { type: "button", class: "button primary wide", onclick: open }, t("cases.new")), leave: () => list.leave(node.parentElement) };
}
