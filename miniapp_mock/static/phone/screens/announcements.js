/** 公告: what the chain tells this member, the pinned first, then the newest. */
import { h } from "../../shared/dom.js";
import { dayTime } from "../../shared/format.js";
import { endless } from "../endless.js";
import { emptyState, skeletonRows } from "../parts.js";
import { t } from "../texts.js";

export function announcementsScreen(app) {
  const list = endless({
    fetch: (cursor) => app.notices.list(cursor),
    draw: (items) => h("ul", { class: "stack" }, items.map((item) => h("li", null, noticeCard(item)))),
    wait: () => h("div", { class: "card flush" }, skeletonRows(4)),
    nothing: () => h("div", { class: "card" }, emptyState({ icon: "bell", title: t("notice.empty"), hint: t("notice.empty_hint") })),
    place: "announcements",
  });
  list.resume();
  list.reload({ quiet: true });
  return { title: t("notice.title"), node: h("div", { class: "page stack" }, list.node), parent: "home", shown: list.shown, leave: list.leave };
}

/** An announcement as a card: cover, title, when, and whether it is unread or pinned. */
export function noticeCard(item) {
  return h("a", { class: "card flush notice-card", href: `#/announcement?${encodeURIComponent(item.id)}` },
    item.cover_url && h("img", { class: "notice-cover", src: item.cover_url, alt: "", loading: "lazy", decoding: "async" }),
    h("span", { class: "notice-words stack tight" },
      h("span", { class: "row between" }, h("span", { class: "strong grow" }, item.title), mark(item)),
      item.summary && h("span", { class: "small muted" }, item.summary),
      h("span", { class: "tiny muted num" }, dayTime(item.starts_at))));
}

/** The same as a row, for the first page. */
export function noticeRow(item) {
  return h("a", { class: "cell", href: `#/announcement?${encodeURIComponent(item.id)}` },
    h("span", { class: "grow entry-text" }, h("span", { class: "clip" }, item.title), h("span", { class: "tiny muted num" }, dayTime(item.starts_at))), mark(item));
}

function mark(item) {
  if (!item.read) return h("span", { class: "pill brand" }, t("notice.new"));
  return item.pinned ? h("span", { class: "pill" }, t("notice.pinned")) : null;
}
