/** 客服: the queue on the left, what was said in the middle, who it is on the right; all of it by keyboard, too. */
import { fill, h } from "/static/shared/dom.js";
import { createThread } from "../chats/thread.js";
import { w } from "../chats/words.js";
import { ago, count } from "../parts/format.js";
import { busy, empty, head, pill, trouble } from "../parts/states.js";

const VIEWS = ["waiting", "mine", "open", "robot", "wechat", "closed"];
const POLL_MS = 4000;
const PAGE = 50;

/** How many wait, for the first screen. */
export async function todo({ api, signal }) {
  const { waiting } = await api.get("/v1/admin/conversations", { limit: 1 }, { signal });
  return { count: waiting, more: waiting >= 1000, text: w("chats.todo") };
}

export async function open({ api, me, place, signal, note, href, keys }) {
  let view = VIEWS.includes(place.query.view) ? place.query.view : "waiting";
  let items = [];
  let older = []; // pages below the first, which alone is read anew
  let cursor = null;
  const tabs = h("nav", { class: "tabs", "aria-label": w("chats.views") });
  const list = h("ul", { class: "chat-queue" });
  const thread = createThread({ api, me, signal, href, changed: () => load().catch(() => undefined), taken: () => look("mine") });

  async function load() {
    const wanted = view;
    const page = await api.get("/v1/admin/conversations", { view, limit: PAGE }, { signal });
    if (wanted !== view) return;
    if (!older.length) cursor = page.next_cursor;
    join(page.items);
    fill(tabs, VIEWS.map((one) => h("button", { type: "button", class: "tab", "aria-current": one === view && "page", onclick: () => look(one) },
      w(`chats.${one}`), one === "waiting" && page.waiting > 0 && pill(count(page.waiting), "danger"), one === "mine" && page.mine > 0 && pill(count(page.mine), "brand"))));
    draw();
  }

  function join(first) {
    const known = new Set(first.map((item) => item.id));
    items = [...first, ...older.filter((item) => !known.has(item.id))];
  }

  async function more() {
    const page = await api.get("/v1/admin/conversations", { view, limit: PAGE, cursor }, { signal });
    const first = items.filter((item) => !older.includes(item));
    older = [...older, ...page.items];
    cursor = page.next_cursor;
    join(first);
    draw();
  }

  function draw() {
    const focused = document.activeElement?.dataset?.chat;
    fill(list, items.length ? items.map(row) : h("li", null, empty({ icon: "chat", title: w("chats.none") })),
      cursor && h("li", null, h("button", { type: "button", class: "button plain compact", onclick: (event) => busy(event.currentTarget, more) }, w("chats.more"))));
    if (focused) list.querySelector(`[data-chat="${CSS.escape(focused)}"]`)?.focus();
  }

  function row(item) {
    const last = item.last;
    const said = last ? { picture: w("chats.picture"), card: w("chats.card"), other: w("chats.other") }[last.kind] || last.text : "";
    return h("li", null, h("button", { type: "button", class: "chat-entry", "data-chat": item.id, "aria-current": item.id === thread.id() && "true", onclick: () => pick(item.id) },
      h("span", { class: "row between" }, h("span", { class: "strong clip" }, item.customer.guest ? w("chats.guest") : item.customer.name), h("span", { class: "tiny muted num" }, waited(item))),
      h("span", { class: "row between" }, h("span", { class: "small muted clip" }, said), item.unread > 0 && h("span", { class: "pill danger num", "aria-label": w("chats.unread", { count: item.unread }) }, count(item.unread)))));
  }

  function waited(item) {
    const time = ago(item.waiting_since || item.last_at);
    return item.waiting_since && time.endsWith("前") ? w("chats.since", { time: time.slice(0, -1) }) : time;
  }

  async function look(next) {
    view = next;
    older = [];
    cursor = null;
    note({ view });
    await load().catch((error) => fill(list, h("li", null, trouble(error, load))));
  }

  async function pick(id) {
    const shown = thread.show(id);
    draw();
    await shown;
  }

  function move(by) {
    if (!items.length) return;
    const at = items.findIndex((item) => item.id === thread.id());
    pick(items[Math.max(0, Math.min(items.length - 1, at < 0 ? 0 : at + by))].id);
  }

  keys({
    j: [w("chats.key_next"), () => move(1)],
    k: [w("chats.key_back"), () => move(-1)],
    c: [w("chats.claim"), thread.claim],
    r: [w("chats.key_reply"), thread.reply],
    e: [w("chats.close"), thread.end],
  });

  await load();
  const timer = setInterval(() => {
    if (document.hidden) return;
    Promise.all([load(), thread.refresh()]).catch(() => undefined); // the next round tries again
  }, POLL_MS);
  signal.addEventListener("abort", () => clearInterval(timer));
  if (place.query.id) pick(place.query.id);
  return [head(w("chats.title"), { note: w("chats.note"), actions: h("a", { class: "button", href: href("chat-guide") }, w("chats.guide")) }), h("div", { class: "chat-desk" }, h("section", { class: "card flush chat-side" }, tabs, list), thread.node, thread.aside)];
}
