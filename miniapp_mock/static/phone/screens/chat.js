/** 客服: what was said so far, who is on it, and the way into WeChat's own chat. */
import { fill, h } from "../../shared/dom.js";
import { dateTime } from "../../shared/format.js";
import { glyph } from "../icons.js";
import { busy, emptyState, skeletonRows, trouble } from "../parts.js";
import { t } from "../texts.js";

const CHAT = "/v1/member/chat";
const PAGE = 30;

/** The route of a mini-program page: `pages/coupons/index` is `coupons`. */
export function routeOf(path, query = {}) {
  const name = /^\/?pages\/([\w-]+)\/index$/.exec(path)?.[1] || "home";
  const rest = query.id !== undefined ? encodeURIComponent(query.id) : new URLSearchParams(query).toString();
  return rest ? `${name}?${rest}` : name;
}

export function chatScreen(app) {
  const state = h("p", { class: "chat-state small", role: "status" });
  const list = h("ol", { class: "chat-list", "aria-label": t("chat.title") });
  const earlier = h("button", { type: "button", class: "button plain wide", hidden: true, onclick: () => busy(earlier, more) }, t("chat.earlier"));
  const node = h("div", { class: "page chat-page" }, state, earlier, list);
  const foot = h("button", { type: "button", class: "chat-write", onclick: write }, glyph("chat", 20), h("span", null, t("chat.write")));
  let items = []; // newest first
  let cursor = null;
  let round = 0;

  async function load() {
    round += 1;
    const mine = round;
    try {
      const page = await app.api.get(`${CHAT}?limit=${PAGE}`);
      if (mine !== round) return;
      const fresh = new Set(page.items.map((item) => item.id));
      const older = items.filter((item) => !fresh.has(item.id) && page.items.length && item.id < page.items[page.items.length - 1].id);
      if (!older.length) cursor = page.next_cursor || null;
      items = [...page.items, ...older];
      show(page);
    } catch (error) {
      if (mine === round && !items.length) fill(list, h("li", { class: "card" }, trouble(error, load)));
    }
  }

  async function more() {
    const page = await app.api.get(`${CHAT}?limit=${PAGE}&cursor=${encodeURIComponent(cursor)}`);
    const known = new Set(items.map((item) => item.id));
    items = [...items, ...page.items.filter((item) => !known.has(item.id))];
    cursor = page.next_cursor || null;
    draw();
  }

  function show(page) {
    fill(state, page.state && stateText(page));
    state.hidden = !page.state;
    const scroller = node.parentElement;
    const atEnd = !scroller || scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 120;
    draw();
    if (atEnd && scroller) scroller.scrollTop = scroller.scrollHeight;
  }

  function draw() {
    earlier.hidden = !cursor;
    fill(list, items.length ? [...items].reverse().map((item, i, all) => row(item, all[i - 1])) : h("li", { class: "card" }, emptyState({ icon: "chat", title: t("chat.none"), hint: t("chat.none_hint") })));
  }

  function row(item, before) {
    const time = !before || Date.parse(item.at) - Date.parse(before.at) > 300000 ? h("p", { class: "chat-time tiny muted num" }, dateTime(item.at)) : null;
    if (item.kind === "note") return h("li", { class: "chat-note tiny muted" }, time, t(`chat.note_${item.note}`));
    const mine = item.author === "me";
    return h("li", { class: `chat-item ${mine ? "mine" : ""}` }, time,
      h("p", { class: "chat-by tiny muted" }, t(`chat.by_${item.author}`)), content(item));
  }

  function content(item) {
    if (item.picture) return h("button", { type: "button", class: "chat-shot", "aria-label": t("chat.picture"), onclick: () => app.wx.previewImage({ urls: [item.picture.url] }) }, h("img", { src: item.picture.small_url, alt: "", loading: "lazy" }));
    if (item.kind === "picture") return h("p", { class: "chat-bubble muted" }, t("chat.fetching"));
    if (item.card) return h("button", { type: "button", class: "chat-card", "aria-label": t("chat.open_page", { title: item.card.title }), onclick: () => openPage(item.card.page) }, h("span", { class: "grow strong" }, item.card.title), glyph("next", 16));
    return h("p", { class: "chat-bubble" }, item.kind === "other" ? t("chat.other") : item.text);
  }

  function openPage(page) {
    const [path, query = ""] = page.split("?");
    app.go(routeOf(path, Object.fromEntries(new URLSearchParams(query))));
  }

  async function write() {
    const { path, query } = await app.wx.openContact({ sessionFrom: "chat" });
    if (path) app.go(routeOf(path, query));
    else load();
  }

  fill(list, h("li", { class: "card flush" }, skeletonRows(4)));
  state.hidden = true;
  load();
  const stop = app.events.listen((type) => { if (type === "chat" || type === "caught_up") load(); });
  return { title: t("chat.title"), node, foot, parent: "me", leave: () => { round += 1; stop(); } };
}

function stateText({ state, ahead }) {
  if (state !== "waiting") return t(`chat.${state}`);
  return ahead ? t("chat.waiting", { count: ahead }) : t("chat.waiting_next");
}
