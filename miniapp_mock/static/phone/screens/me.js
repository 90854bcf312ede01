/** 我的: who one is, and what one can set. */
import { fill, h } from "../../shared/dom.js";
import { date, inGroups } from "../../shared/format.js";
import { openDialog } from "../../shared/dialog.js";
import { glyph } from "../icons.js";
import { linkCell, skeleton } from "../parts.js";
import { unreadText } from "../notices.js";
import { problemText, t } from "../texts.js";

export function meScreen(app) {
  const head = h("section", { class: "card me-head" });
  const list = h("div", { class: "stack" });
  const node = h(
    "div",
    { class: "page stack" },
    head,
    list,
    h("section", { class: "card flush cells" }, linkCell({ icon: "out", text: t("me.logout"), onclick: () => logoutSheet(app) })),
    h("p", { class: "tiny muted center end-note" }, t("me.version")),
  );
  const stop = app.store.watch(["member", "unread", "unread_notices"], () => {
    const member = app.store.get("member");
    const unread = app.store.get("unread") || 0;
    fill(head, member ? drawHead(member) : skeleton("w50", "w30"));
    const to = (icon, text, route, value = "") => linkCell({ icon, text, value, onclick: () => app.go(route) });
    const pinState = { true: t("me.pin_set"), false: t("me.pin_unset") }[String(member?.pin_set)] || "";
    const groups = {
      "me.own": [
        to("bell", t("inbox.title"), "inbox", unread ? t("inbox.me_unread", { count: unread }) : ""),
        to("crown", t("level.title"), "level", t("level.hint")),
        to("qr", t("mycard.title"), "card", t("mycard.hint")),
        to("horn", t("notice.title"), "announcements", unreadText(app.store.get("unread_notices"))),
        to("box", t("orders.title"), "orders"),
        to("cards", t("me.cards"), "cards", t("cards.hint")),
        to("list", t("me.entries"), "entries"),
        to("gift", t("points.title"), "points"),
        to("star", t("gifts.title"), "gift-shop", t("gifts.hint")),
        to("wallet", t("rebate.title"), "rebates", t("rebate.hint")),
        to("star", t("review.own"), "own-reviews"),
        to("tag", t("invoice.list"), "invoices"),
      ],
      "me.say": [
        to("chat", t("chat.me"), "chat", t("chat.me_hint")),
        to("bubble", t("cases.title"), "cases", t("cases.hint")),
        to("letterbox", t("box.title"), "suggestion-boxes", t("box.hint")),
        to("edit", t("survey.mine"), "surveys"),
        to("book", t("handbook.title"), "handbook"),
      ],
      "me.settings": [
        to("person", t("me.profile"), "profile"),
        to("pin", t("address.title"), "addresses"),
        to("lock", t("me.pin"), "pin", pinState),
        to("phone", t("me.devices"), "devices"),
        to("lock", t("privacy.title"), "privacy"),
        to("person", t("staffphone.title"), "staff-phone", t("staffphone.hint")),
      ],
    };
    fill(list, Object.entries(groups).map(([title, cells]) => h("section", { class: "stack tight", "aria-label": t(title) }, h("h2", { class: "small muted section-head" }, t(title)), h("div", { class: "card flush cells" }, cells))));
  });
  app.notices.list(null, 1).catch(() => undefined); // how many are unread
  return { title: t("me.title"), node, leave: stop };
}

function drawHead(member) {
  return [
    h("span", { class: "avatar", "aria-hidden": "true" }, [...(member.name || "员")].slice(-1)[0]),
    h("div", { class: "grow" },
      h("p", { class: "row me-name" }, h("span", { class: "strong clip" }, member.name || ""), member.level?.name && h("span", { class: "pill gold" }, glyph("crown", 14), member.level.name)),
      h("p", { class: "small muted num" }, member.phone_masked || ""),
      member.member_no && h("p", { class: "tiny muted num" }, t("me.member_no", { no: inGroups(member.member_no) })),
      member.valid_until && h("p", { class: "tiny muted num" }, t("me.valid_until", { day: date(member.valid_until) }))),
  ];
}

function logoutSheet(app) {
  const leave = async (everywhere) => {
    dialog.close();
    const question = everywhere ? ["me.everywhere_ask", "me.everywhere_text"] : ["me.logout_ask", "me.logout_ask_text"];
    const { confirm } = await app.wx.showModal({ title: t(question[0]), content: t(question[1]), confirmText: t("me.logout"), cancelText: t("common.cancel"), danger: true });
    if (!confirm) return;
    try {
      await app.signOut(everywhere);
    } catch (error) {
      app.toast(problemText(error));
    }
  };
  const body = h(
    "div",
    { class: "sheet-body stack" },
    h("h2", { class: "sheet-title center" }, t("me.logout")),
    h("button", { type: "button", class: "button wide", autofocus: true, onclick: () => leave(false) }, t("me.logout_here")),
    h("button", { type: "button", class: "button danger wide", onclick: () => leave(true) }, t("me.logout_everywhere")),
    h("button", { type: "button", class: "button plain wide", onclick: () => dialog.close() }, t("common.cancel")),
  );
  const dialog = openDialog(body, { label: t("me.logout") });
}
