/**
 * WeChat's own customer-service chat, as `<button open-type="contact">` opens it over a mini-program: what is written goes to
 * the simulated platform, which pushes it to the chain; answers come back the same way.
 */
import { fill, h, icon } from "../shared/dom.js";
import { openDialog } from "../shared/dialog.js";
import { api } from "./core.js";
import { phoneId } from "./identity.js";
import { chooseMedia, getFileSystemManager, previewImage } from "./pictures.js";
import { header } from "./sheets.js";

const TEXT = {
  title: "客服", hint: "输入消息", send: "发送", picture: "发送图片", failed: "未发送，点按重试", open: "打开小程序页面",
  shown: "客服发来的图片", mine: "我发送的图片", mini: "小程序", transferred: "已由微信客服为您服务（模拟）", empty: "有什么可以帮您？",
};
const POLL_MS = 1200;
const MOST_CHARS = 600;
const MOST_BYTES = 8 << 20;
const PICTURE = ["M5 5.5h14A1.5 1.5 0 0 1 20.5 7v10a1.5 1.5 0 0 1-1.5 1.5H5A1.5 1.5 0 0 1 3.5 17V7A1.5 1.5 0 0 1 5 5.5z", "M4 16.5l4.5-4.5 3.5 3.5 2.5-2.5 5.5 5.2", "M15.5 9.3v.1"];
const chat = () => `/mock/wechat/customers/${encodeURIComponent(`openid-${phoneId()}`)}`;
const picture = (id) => `/mock/wechat/media/${encodeURIComponent(id)}`;

async function ask(path, init = {}) {
  const response = await fetch(`${chat()}/${path}`, { credentials: "omit", cache: "no-store", ...init });
  if (!response.ok) throw new Error(String(response.status));
  return response.json();
}

const json = (body) => ({ method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });

/** Open the chat; resolves when it is closed: `{ path, query }` of the card that was opened, else empty, as `bindcontact` has it. */
export const openContact = api("openContact", async ({ sessionFrom = "wxapp" }) => {
  const list = h("div", { class: "wx-chat-list", role: "log", "aria-live": "polite", "aria-label": TEXT.title, tabindex: "0" });
  const input = h("input", { class: "input", type: "text", maxlength: MOST_CHARS, placeholder: TEXT.hint, "aria-label": TEXT.hint, autocomplete: "off", enterkeyhint: "send", autofocus: true });
  const add = h("button", { type: "button", class: "icon-button", "aria-label": TEXT.picture, onclick: sendPicture }, icon(PICTURE, 24));
  const form = h("form", { class: "wx-chat-form", onsubmit: submit }, add, input, h("button", { type: "submit", class: "button wx-green" }, TEXT.send));
  const sheet = h("div", { class: "wx-chat" }, header(TEXT.title, () => dialog.close({})), list, form);
  const dialog = openDialog(sheet, { label: TEXT.title, className: "wx-chat-sheet", dismissable: true });
  let last = 0;
  let items = [];
  let waiting = []; // what has not arrived at the platform: { key, item, retry, failed }
  let open = true;
  let reading = null;

  function draw() {
    const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 60;
    const shown = [...items.map((item) => bubble(item)), ...waiting.map(pending)];
    fill(list, shown.length ? shown : h("p", { class: "muted small center" }, TEXT.empty));
    if (atEnd) list.scrollTop = list.scrollHeight;
  }

  function bubble(item, note) {
    if (item.kind === "transferred") return h("p", { class: "wx-chat-note" }, TEXT.transferred);
    const mine = item.from === "customer";
    return h("div", { class: `wx-bubble-row ${mine ? "mine" : ""}` }, content(item, mine), note);
  }

  function content(item, mine) {
    if (item.kind === "picture") {
      const url = item.url || picture(item.media_id);
      return h("button", { type: "button", class: "wx-shot", onclick: () => previewImage({ urls: [url] }) }, h("img", { src: url, alt: mine ? TEXT.mine : TEXT.shown, loading: "lazy" }));
    }
    if (item.kind === "card") {
      return h("button", { type: "button", class: "wx-card", "aria-label": `${TEXT.open} ${item.title}`, onclick: () => dialog.close(target(item.page)) },
        h("span", { class: "strong" }, item.title), h("span", { class: "tiny muted" }, TEXT.mini));
    }
    return h("p", { class: "wx-bubble" }, item.text);
  }

  function pending(entry) {
    const retry = h("button", { type: "button", class: "link tiny danger-text", onclick: () => attempt(entry) }, TEXT.failed);
    return bubble(entry.item, entry.failed && retry);
  }

  async function attempt(entry) {
    entry.failed = false;
    draw();
    try {
      await entry.send();
      waiting = waiting.filter((other) => other !== entry);
      await read();
    } catch {
      entry.failed = true;
    }
    draw();
  }

  function queue(item, send) {
    const entry = { item: { ...item, from: "customer" }, send, failed: false };
    waiting.push(entry);
    list.scrollTop = list.scrollHeight;
    attempt(entry);
  }

  function submit(event) {
    event.preventDefault();
    const text = input.value.trim();
    if (!text) return;
    input.value = "";
    queue({ kind: "text", text }, () => ask("messages", json({ text })));
  }

  async function sendPicture() {
    const { tempFiles } = await chooseMedia({ count: 1 }).catch(() => ({ tempFiles: [] }));
    const [file] = tempFiles;
    if (!file || file.size > MOST_BYTES) return;
    const body = await new Promise((resolve, reject) => getFileSystemManager().readFile({ filePath: file.tempFilePath, success: ({ data }) => resolve(data), fail: reject }));
    queue({ kind: "picture", url: file.tempFilePath }, () => ask("pictures", { method: "POST", body }));
  }

  /** Fetch what is new; one at a time. */
  function read() {
    reading ||= ask(`messages?after=${last}`)
      .then(({ items: fresh }) => {
        if (!fresh.length) return;
        last = fresh[fresh.length - 1].seq;
        items = [...items, ...fresh];
        draw();
      })
      .finally(() => { reading = null; });
    return reading;
  }

  async function watch() {
    while (open) {
      if (!document.hidden) await read().catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  draw();
  ask("enter", json({ session_from: sessionFrom })).catch(() => undefined);
  watch();
  const result = await dialog.closed;
  open = false;
  return result || {};
});

/** `pages/coupons/index?x=1` as `bindcontact` tells it: the page, and its query. */
function target(page) {
  const [path, query = ""] = page.split("?");
  return { path, query: Object.fromEntries(new URLSearchParams(query)) };
}
