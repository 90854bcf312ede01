/** 首页: who one is here, what one has, and the ways on. */
import { fill, h } from "../../shared/dom.js";
import { count, date, discount, local, money, shortDate, shortMoney, yuan } from "../../shared/format.js";
import { dayOf, daysBetween } from "../coupon_words.js";
import { glyph } from "../icons.js";
import { emptyState, skeleton, skeletonRows, trouble } from "../parts.js";
import { noticeRow } from "./announcements.js";
import { unreadText } from "../notices.js";
import { bell } from "./inbox.js";
import { entryRow } from "../sheets/entry.js";
import { t } from "../texts.js";

const RECENT = 3;
const TOLD = 2;
const SOON_DAYS = 60; // points that expire later are no news
const COUPON_SOON_DAYS = 7;

export function homeScreen(app) {
  const hero = h("section", { class: "hero", "aria-label": t("welcome.title") });
  const letters = bell(app);
  const worth = h("section", { class: "card flush worth" });
  const notice = h("div", { hidden: true });
  const told = h("section", { class: "stack tight", hidden: true });
  const recent = h("div", { class: "card flush" });
  const node = h(
    "div",
    { class: "page stack home" },
    hero,
    worth,
    notice,
    told,
    shortcuts(app),
    h("section", { class: "stack tight" }, h("div", { class: "row between section-head" }, h("h2", null, t("home.recent")), h("button", { type: "button", class: "link small", onclick: () => app.go("entries") }, t("home.more"))), recent),
  );

  const stops = [
    app.store.watch(["member"], () => fill(hero, drawHero(app, app.store.get("member"), letters.node))),
    letters.stop,
    app.store.watch(["wallet", "coupons"], () => {
      const wallet = app.store.get("wallet");
      drawWorth(app, worth, wallet, app.coupons.known("available"));
      drawNotice(app, notice, wallet);
    }),
    app.events.listen((type) => {
      if (["sale_completed", "recharged", "caught_up"].includes(type)) loadRecent();
    }),
  ];

  /** What is announced, as far as it is worth the first page; without an answer there is no section. */
  async function loadTold() {
    const page = await app.notices.list(null, TOLD).catch(() => null);
    if (!page) return;
    const unread = unreadText(page.unread);
    told.hidden = !page.items.length;
    fill(told,
      h("div", { class: "row between section-head" }, h("h2", { class: "row" }, t("notice.title"), unread && h("span", { class: "pill brand num" }, unread)), h("button", { type: "button", class: "link small", onclick: () => app.go("announcements") }, t("notice.more"))),
      h("div", { class: "card flush cells" }, page.items.map(noticeRow)));
  }
  loadTold();

  let shownFirst = "";
  async function loadRecent() {
    if (!recent.childElementCount) fill(recent, skeletonRows(RECENT));
    try {
      const { items = [] } = await app.api.get("/v1/member/wallet/entries", { account: "stored", limit: RECENT });
      const first = items.map((item) => item.id).join();
      if (first && first === shownFirst) return;
      shownFirst = first;
      fill(recent, items.length
        ? h("div", { class: "cells" }, items.map((item) => entryRow(app, item, "stored")))
        : emptyState({ icon: "list", title: t("home.recent_empty"), hint: t("home.recent_empty_hint"), action: t("home.show_code"), onAction: () => app.go("code") }));
    } catch (error) {
      if (!shownFirst) fill(recent, trouble(error, loadRecent));
    }
  }
  loadRecent();
  app.coupons.load("available").catch(() => undefined);

  return { title: app.chainName, node, leave: () => stops.forEach((stop) => stop()) };
}

function greeting(now) {
  const { hour } = local(now);
  if (hour < 5) return t("hello.night");
  if (hour < 11) return t("hello.morning");
  if (hour < 13) return t("hello.noon");
  if (hour < 18) return t("hello.afternoon");
  return hour < 23 ? t("hello.evening") : t("hello.night");
}

function drawHero(app, member, letters) {
  if (!member) return skeleton("w50", "w30");
  const level = member.level || {};
  const off = discount(level.discount_bp);
  return [
    h("div", { class: "hero-rings", "aria-hidden": "true" }),
    h("div", { class: "row between" },
      h("div", { class: "grow" }, h("p", { class: "hero-hello" }, greeting(app.api.serverNow())), h("p", { class: "hero-name clip" }, member.name || "")),
      level.name && h("span", { class: "level-badge" }, glyph("crown", 16), level.name),
      letters),
    h("div", null, progressBar(level), h("p", { class: "hero-line small hero-soft num" }, h("span", null, nextText(level) || (off ? "" : t("home.level_none"))), off && h("span", null, t("home.level_discount", { discount: off })))),
  ];
}

/** The next level and what is missing to it, where the server tells. */
function nextLevel(level) {
  const next = level.next || level.next_level;
  if (!next || !next.name) return null;
  return { name: next.name, leftFen: Number.isFinite(next.left_fen) ? next.left_fen : null, bp: Number.isFinite(next.progress_bp) ? next.progress_bp : null };
}

function nextText(level) {
  const next = nextLevel(level);
  if (!next) return "";
  return next.leftFen === null ? "" : t("home.next", { name: next.name, amount: shortMoney(next.leftFen) });
}

function progressBar(level) {
  const next = nextLevel(level);
  if (!next || next.bp === null) return null;
  const percent = Math.max(0, Math.min(100, next.bp / 100));
  const done = h("div", { class: "progress-fill" });
  done.style.setProperty("width", `${percent}%`);
  return h("div", { class: "progress", role: "progressbar", "aria-valuenow": Math.round(percent), "aria-valuemin": 0, "aria-valuemax": 100, "aria-label": nextText(level) }, done);
}

/** What the member has, a cell each; drawn anew only when it says something else, so that the focus stays. */
function drawWorth(app, node, wallet, coupons) {
  const { stored = {}, points = {}, rebate_fen: rebate } = wallet || {};
  const today = dayOf(app.api.serverNow());
  const soon = coupons?.first && daysBetween(today, coupons.first) <= COUPON_SOON_DAYS;
  const lastDay = soon ? (coupons.first === today ? t("coupon.last_day") : t("home.coupon_soon", { date: shortDate(coupons.first) })) : "";
  const cells = wallet ? [
    { label: t("home.balance"), lead: "¥", value: yuan(stored.total_fen), note: stored.bonus_fen > 0 ? t("home.bonus_part", { amount: money(stored.bonus_fen) }) : "", go: "entries" },
    { label: t("home.points"), value: count(points.available), gold: true, note: points.pending > 0 ? t("home.pending", { count: count(points.pending) }) : "", go: "entries?points" },
    ...(rebate > 0 ? [{ label: t("home.rebate"), lead: "¥", value: yuan(rebate), go: "entries?rebate" }] : []),
    { label: t("home.coupons"), value: coupons ? count(coupons.available) : "—", unit: t("home.coupons_unit"), note: lastDay, go: "coupons" },
  ] : null;
  const text = JSON.stringify(cells);
  if (node.dataset.shown === text) return;
  node.dataset.shown = text;
  const at = [...node.querySelectorAll("button")].indexOf(document.activeElement);
  fill(node, drawCells(app, cells));
  if (at >= 0) node.querySelectorAll("button")[at]?.focus({ preventScroll: true });
}

function drawCells(app, cells) {
  const cell = ({ label, value, note, gold = false, lead = "", unit = "", go }) => h(
    "button",
    { type: "button", class: "worth-cell", onclick: () => app.go(go) },
    h("span", { class: "small muted" }, label),
    h("span", { class: `worth-value num ${gold ? "gold" : ""}` }, lead && h("span", { class: "worth-lead" }, lead), value, unit && h("span", { class: "worth-unit" }, unit)),
    h("span", { class: "tiny muted num" }, note || "\u00a0"),
  );
  if (!cells) return h("div", { class: "worth-grid three" }, Array.from({ length: 3 }, () => h("div", { class: "worth-cell" }, skeleton("w50", "w70"))));
  return h("div", { class: `worth-grid ${cells.length > 3 ? "four" : "three"}` }, cells.map(cell));
}

function drawNotice(app, node, wallet) {
  const first = wallet?.points?.expiring?.[0];
  const soon = first && Date.parse(first.on) - app.api.serverNow() < SOON_DAYS * 86_400_000 ? first : null;
  node.hidden = !soon;
  if (soon) fill(node, h("p", { class: "notice gold-notice" }, glyph("clock", 20), h("span", { class: "num" }, t("home.expiring", { count: count(soon.points), date: date(soon.on) }))));
}

function shortcuts(app) {
  const one = (icon, text, route) => h("button", { type: "button", class: "shortcut", onclick: () => app.go(route) }, h("span", { class: "shortcut-icon" }, glyph(icon, 26)), h("span", { class: "small" }, text));
  return h(
    "nav",
    { class: "card shortcuts", "aria-label": "快捷入口" },
    one("recharge", t("recharge.title"), "recharge"),
    one("box", t("orders.title"), "orders"),
    one("cart", t("cart.title"), "cart"),
    one("gift", t("centre.title"), "coupon-centre"),
    one("cards", t("home.cards"), "cards"),
    one("stamp", t("campaigns.title"), "campaigns"),
    one("list", t("home.entries"), "entries"),
    one("edit", t("survey.title"), "surveys"),
    one("chat", t("chat.me"), "chat"),
    one("bubble", t("cases.title"), "cases"),
    one("letterbox", t("box.title"), "suggestion-boxes"),
    one("book", t("handbook.title"), "handbook"),
  );
}
