/** 消息: the letters that came, newest first. */
import { fill, h } from "../../shared/dom.js";
import { dayTime } from "../../shared/format.js";
import { endless } from "../endless.js";
import { glyph } from "../icons.js";
import { routeOf } from "../messages.js";
import { busy, emptyState, skeletonRows } from "../parts.js";
import { replySheet } from "../sheets/reply.js";
import { problemText, t } from "../texts.js";

export function inboxScreen(app) {
  const all = h("button", { type: "button", class: "link small", hidden: true, onclick: () => busy(all, readAll) }, t("inbox.read_all"));
  const head = h("div", { class: "row between inbox-head" }, all, h("button", { type: "button", class: "link small inbox-settings", onclick: () => app.go("letters") }, glyph("gear", 18), t("inbox.settings")));
  const list = endless({
    fetch: (cursor) => app.messages.list(cursor),
    wait: () => h("div", { class: "card flush" }, skeletonRows(5)),
    draw: (items) => h("ul", { class: "stack inbox-list" }, items.map((letter) => row(app, letter, list.redraw))),
    nothing: () => h("div", { class: "card" }, emptyState({ icon: "bell", title: t("inbox.none"), hint: t("inbox.none_hint") })),
    place: "inbox",
  });
  const node = h("div", { class: "page stack" }, head, list.node);

  async function readAll() {
    try {
      await app.messages.readAll();
      await list.reload({ quiet: true });
    } catch (error) {
      app.toast(problemText(error));
    }
  }

  list.reload({ quiet: list.resume() });
  const stops = [
    app.store.watch(["unread"], () => { all.hidden = !app.store.get("unread"); }),
    app.events.listen((type) => { if (type === "message" || type === "caught_up") list.reload({ quiet: true }); }),
  ];
  return {
    title: t("inbox.title"), node, parent: "me", shown: list.shown,
    leave: () => { stops.forEach((stop) => stop()); list.leave(node.parentElement); },
  };
}

/** One letter: with a link it leads on, without one it can be answered once it was read. */
function row(app, letter, redraw) {
  const unread = !letter.read_at;
  const content = [
    h("span", { class: "row between" },
      h("span", { class: "row letter-title" }, unread && h("span", { class: "unread-dot", role: "img", "aria-label": t("inbox.unread") }), h("span", { class: "strong" }, letter.title)),
      h("span", { class: "tiny muted num" }, dayTime(letter.at))),
    h("span", { class: "letter-body" }, letter.body),
    letter.link && h("span", { class: "row between letter-more small brand" }, t("inbox.open"), glyph("next", 16)),
  ];
  const open = async () => {
    if (unread) {
      letter.read_at = new Date(app.api.serverNow()).toISOString();
      app.messages.read({ ...letter, read_at: null }).catch(() => undefined); // it stays unread at the server, and is read another time
      if (!letter.link) redraw();
    }
    if (letter.link) app.go(routeOf(letter.link));
  };
  return h("li", null, letter.link || unread
    ? h("button", { type: "button", class: "card letter", onclick: open }, content)
    : h("div", { class: "card letter" }, content, h("button", { type: "button", class: "link small letter-reply", "aria-label": t("inbox.reply_of", { title: letter.title }), onclick: () => replySheet(app, letter) }, t("inbox.reply"))));
}

/** The bell of the first screen, with how many letters were not read. */
export function bell(app) {
  const badge = h("span", { class: "bell-count num", hidden: true });
  const node = h("button", { type: "button", class: "icon-button bell", onclick: () => app.go("inbox") }, glyph("bell", 24), badge);
  const stop = app.store.watch(["unread"], () => {
    const unread = app.store.get("unread") || 0;
    badge.hidden = !unread;
    fill(badge, unread > 99 ? "99+" : String(unread));
    node.setAttribute("aria-label", unread ? t("inbox.bell", { count: unread }) : t("inbox.bell_none"));
  });
  return { node, stop };
}
