/** What was said in one conversation, and what staff can answer while WeChat takes it. */
import { fill, h } from "/static/shared/dom.js";
import { glyph } from "../icons.js";
import { attempt, confirm, openDialog, toast } from "../parts/dialogs.js";
import { formDialog } from "../parts/form.js";
import { day, money, count as number, stamp } from "../parts/format.js";
import { busy, empty, factList, pill, trouble } from "../parts/states.js";
import { accessToken } from "../session.js";
import { problemText } from "../texts.js";
import { w } from "./words.js";

const PAGE = 50;
const MOST_CHARS = 600;
const KINDS = ["complaint", "opinion", "praise", "consultation"];
const CARDS = ["coupons", "orders", "recharge", "mall"];
const PICTURES = "image/jpeg,image/png,image/webp";

/** `{ node, aside, show(id), refresh(), claim(), reply(), end() }`; `changed()` is called when a list must be read anew, `taken()` when one was claimed. */
export function createThread({ api, me, signal, href, changed, taken }) {
  const top = h("header", { class: "chat-head" });
  const log = h("div", { class: "chat-log", role: "log", tabindex: "0", "aria-label": w("chats.thread") });
  const input = h("textarea", { class: "input", rows: 2, maxlength: MOST_CHARS, placeholder: w("chats.write"), "aria-label": w("chats.write"), onkeydown: typed });
  const send = h("button", { type: "submit", class: "button primary" }, w("chats.send"));
  const canned = h("select", { class: "input compact", "aria-label": w("chats.canned"), onchange: useCanned });
  const room = h("p", { class: "small muted grow", role: "status" });
  const tools = h("div", { class: "chat-tools" }, canned,
    h("button", { type: "button", class: "button compact", onclick: pickPicture }, w("chats.send_picture")),
    h("button", { type: "button", class: "button compact", onclick: pickCard }, w("chats.send_card")), room);
  const composer = h("form", { class: "chat-composer", onsubmit: say }, tools, h("div", { class: "chat-row" }, input, send));
  const node = h("section", { class: "card flush chat-thread", "aria-label": w("chats.thread") });
  const aside = h("aside", { class: "card chat-member", "aria-label": w("chats.member") });
  let id = null;
  let detail = null;
  let items = []; // newest first
  let cursor = null;
  let round = 0;
  let loading = Promise.resolve();

  api.get("/v1/admin/conversations/canned", {}, { signal }).then(({ items: answers }) => {
    fill(canned, h("option", { value: "" }, w("chats.canned")), answers.map((one) => h("option", { value: one.text }, one.title)));
    canned.hidden = !answers.length;
  }).catch(() => undefined);

  const path = (what = "") => `/v1/admin/conversations/${encodeURIComponent(id)}${what}`;
  const mine = () => detail && detail.state === "open" && detail.staff && detail.staff.id === String(me.id);

  function nothing() {
    fill(node, empty({ icon: "chat", title: w("chats.pick"), hint: w("chats.pick_hint") }));
    aside.hidden = true;
  }

  /** Show a conversation; what is pressed meanwhile waits for it. */
  function show(next) {
    loading = load(next);
    return loading;
  }

  async function load(next) {
    id = next;
    detail = null;
    round += 1;
    const here = round;
    items = [];
    cursor = null;
    input.value = "";
    if (!id) return nothing();
    try {
      const [found, page] = await Promise.all([api.get(path(), {}, { signal }), api.get(path("/messages"), { limit: PAGE }, { signal })]);
      if (here !== round) return;
      detail = found;
      items = page.items;
      cursor = page.next_cursor;
      fill(node, top, log, composer);
      drawAll();
      log.scrollTop = log.scrollHeight;
    } catch (error) {
      if (here === round && !signal.aborted) fill(node, trouble(error, () => show(id)));
    }
  }

  /** Read what is new; what does not answer is asked again next time. */
  async function refresh() {
    if (!id || !detail) return;
    const here = round;
    const pending = items.filter((item) => item.stage === "sending" || item.stage === "fetching").map((item) => item.id);
    const after = pending.length ? Math.min(...pending) - 1 : items[0]?.id || 0;
    const [found, page] = await Promise.all([api.get(path(), {}, { signal }), api.get(path("/messages"), { after, limit: PAGE }, { signal })]);
    if (here !== round) return;
    const same = JSON.stringify([found.state, found.staff, found.window, found.customer]) === JSON.stringify([detail.state, detail.staff, detail.window, detail.customer]);
    detail = found;
    if (page.items.length) merge(page.items);
    else if (!same) drawAround();
  }

  function merge(fresh) {
    const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 80;
    const known = new Set(fresh.map((item) => item.id));
    items = [...fresh, ...items.filter((item) => !known.has(item.id))].sort((a, b) => b.id - a.id);
    drawAll();
    if (atEnd) log.scrollTop = log.scrollHeight;
  }

  function drawAll() {
    fill(log, cursor && h("button", { type: "button", class: "button plain compact", onclick: (event) => busy(event.currentTarget, earlier) }, w("chats.earlier")), [...items].reverse().map(message));
    drawAround();
  }

  async function earlier() {
    const page = await api.get(path("/messages"), { cursor, limit: PAGE }, { signal });
    const before = log.scrollHeight;
    items = [...items, ...page.items];
    cursor = page.next_cursor;
    drawAll();
    log.scrollTop = log.scrollHeight - before;
  }

  function message(item) {
    const time = h("span", { class: "tiny muted num" }, stamp(item.at).slice(5));
    if (item.kind === "note") return h("p", { class: "chat-mark tiny muted" }, w(`chats.note_${item.note}`, { name: item.staff?.username || "", id: item.text }), " ", time);
    if (item.kind === "entered") return h("p", { class: "chat-mark tiny muted" }, w("chats.entered"), " ", time);
    const ours = item.author !== "customer";
    const by = item.author === "robot" ? w("chats.robot_by") : item.staff?.username;
    const bad = ["sending", "refused", "unknown"].includes(item.stage) && h("span", { class: `tiny ${item.stage === "sending" ? "muted" : "danger"}` }, w(`chats.stage_${item.stage}`));
    return h("div", { class: `chat-line ${ours ? "ours" : ""}` }, content(item), h("p", { class: "chat-meta" }, by && h("span", { class: "tiny muted" }, by), time, bad));
  }

  function content(item) {
    if (item.picture) {
      return h("button", { type: "button", class: "chat-pic", "aria-label": w("chats.picture"), onclick: () => openDialog(h("img", { class: "chat-large", src: item.picture.url, alt: w("chats.picture") }), { kind: "box", label: w("chats.picture"), className: "wide" }) }, h("img", { src: item.picture.small_url, alt: "", loading: "lazy" }));
    }
    if (item.kind === "picture") return h("p", { class: "chat-say muted" }, w(item.stage === "fetching" ? "chats.fetching" : "chats.lost"));
    if (item.card) return h("p", { class: "chat-say" }, w("chats.card"), " ", item.card.title);
    return h("p", { class: "chat-say" }, item.kind === "other" ? w("chats.other") : item.text);
  }

  function drawAround() {
    const { customer, window: left, state, staff, colleagues } = detail;
    const button = (what, run, look = "") => h("button", { type: "button", class: `button compact ${look}`, onclick: run }, w(`chats.${what}`));
    const held = mine();
    fill(top, h("div", { class: "grow" }, h("h2", null, customer.guest ? w("chats.guest") : customer.name), state === "open" && !held && h("p", { class: "small muted" }, w("chats.others", { name: staff?.username || "" }))),
      h("div", { class: "row-actions" },
        !held && state !== "open" && button("claim", claim, "primary"),
        (held || (state !== "closed" && me.may("conversations.lead"))) && button("transfer", () => transfer(colleagues)),
        state !== "wechat" && state !== "closed" && (held || state !== "open") && button("wechat", toWechat),
        button("case", toCase),
        held && button("close", end)));
    composer.hidden = !held;
    const until = left.until && stamp(left.until).slice(5);
    room.textContent = left.left ? w("chats.left_until", { count: left.left, time: until }) : w(left.open ? "chats.spent" : "chats.shut");
    send.disabled = !left.left;
    drawMember();
  }

  function drawMember() {
    const { customer, summary } = detail;
    aside.hidden = false;
    if (customer.guest || !summary) return fill(aside, h("h2", null, w("chats.guest")), h("p", { class: "small muted" }, w("chats.no_member")));
    return fill(aside, h("h2", null, h("a", { href: href("contact", { member: customer.member_id }) }, customer.name)), pill(customer.level, "gold"), factList([
      [w("chats.phone"), summary.phone_masked],
      [w("chats.number"), customer.member_no],
      [w("chats.stored"), money(summary.stored_fen)],
      [w("chats.points"), number(summary.points)],
      [w("chats.coupons"), number(summary.coupons)],
      [w("chats.store"), summary.store_id],
      [w("chats.joined"), day(summary.registered_at)],
    ]));
  }

  // -- what staff do

  async function step(what, body, done) {
    await attempt(async () => { detail = await api.post(path(`/${what}`), body); }, done);
    await refresh().catch(() => undefined);
    drawAround();
    changed();
  }

  const claim = () => step("claim", {}).then(() => { if (mine()) taken(); reply(); });
  const end = () => step("close", {}, w("chats.closed_done"));

  async function toWechat() {
    if (await confirm(w("chats.wechat_ask"), { content: w("chats.wechat_text"), confirmText: w("chats.wechat") })) await step("wechat", {});
  }

  async function transfer(colleagues) {
    const options = [["", w("chats.queue")], ...colleagues.filter((one) => one.id !== detail.staff?.id).map((one) => [one.id, one.username])];
    const moved = await formDialog({
      title: w("chats.transfer"), submit: w("chats.transfer"),
      fields: [{ name: "staff_id", label: w("chats.to"), kind: "choice", options }],
      onSubmit: ({ staff_id: to }) => api.post(path("/transfer"), to ? { staff_id: to } : {}),
    });
    if (moved) { await refresh(); changed(); }
  }

  async function toCase() {
    const key = api.newKey();
    const said = items.filter((item) => item.author === "customer" && item.kind === "text").slice(0, 3).reverse().map((item) => item.text).join("\n");
    const made = await formDialog({
      title: w("chats.case"), submit: w("chats.case"),
      fields: [
        { name: "kind", label: w("chats.case_kind"), kind: "choice", required: true, options: KINDS.map((kind) => [kind, w(`chats.${kind}`)]) },
        { name: "text", label: w("chats.case_text"), kind: "lines", required: true, most: 2000, value: said },
      ],
      onSubmit: (values) => api.post(path("/case"), values, { key }),
    });
    if (made) { toast(w("chats.case_done", { id: made.case_id })); await refresh(); }
  }

  function typed(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    composer.requestSubmit();
  }

  async function say(event) {
    event.preventDefault();
    const text = input.value.trim();
    if (!text || send.disabled) return;
    const key = api.newKey();
    await busy(send, async () => {
      if (await attempt(async () => took(await api.post(path("/messages"), { text }, { key })))) input.value = "";
    });
    input.focus();
  }

  function took({ message: said, window: left }) {
    detail = { ...detail, window: left };
    merge([said]);
    changed();
  }

  function useCanned() {
    if (canned.value) input.value = canned.value;
    canned.value = "";
    input.focus();
  }

  async function pickCard() {
    const key = api.newKey();
    await formDialog({
      title: w("chats.send_card"), submit: w("chats.send"),
      fields: [{ name: "page", label: w("chats.send_card"), kind: "choice", required: true, options: CARDS.map((one) => [one, w(`chats.card_${one}`)]) }],
      onSubmit: async ({ page }) => took(await api.post(path("/messages"), { card: { title: w(`chats.card_${page}`), page: `pages/${page}/index` } }, { key })),
    });
  }

  function pickPicture() {
    const picker = h("input", { type: "file", accept: PICTURES });
    picker.addEventListener("change", () => picker.files[0] && sendPicture(picker.files[0]));
    picker.click();
  }

  async function sendPicture(file) {
    const headers = { Authorization: `Bearer ${await accessToken()}`, "Content-Type": file.type, "Idempotency-Key": api.newKey() };
    const answer = await fetch(path("/pictures"), { method: "POST", headers, body: file, credentials: "omit", signal }).catch(() => null);
    const body = answer && await answer.json().catch(() => ({}));
    if (answer?.ok) took(body);
    else toast(problemText(body || {}), 4000);
  }

  function reply() {
    if (!composer.hidden) input.focus();
  }

  nothing();
  return { node, aside, show, refresh, claim: () => loading.then(() => detail && !mine() && claim()), reply: () => loading.then(reply), end: () => loading.then(() => mine() && end()), id: () => id };
}
