/** Announcements: what stands, what comes, what is over; with how many have read it. */
import { h } from "/static/shared/dom.js";
import { attempt, confirm, tell } from "../parts/dialogs.js";
import { count, stamp } from "../parts/format.js";
import { factList, head, pill } from "../parts/states.js";
import { table } from "../parts/table.js";
import { words } from "../texts.js";

const w = words({
  "notices.title": "公告",
  "notices.note": "发给全体、某个等级或某家门店；店长只发给本店会员",
  "notices.new": "写公告",
  "notices.status": "公告状态",
  "notices.all": "全部",
  "notices.draft": "草稿",
  "notices.scheduled": "待发布",
  "notices.live": "显示中",
  "notices.over": "已结束",
  "notices.withdrawn": "已撤回",
  "notices.name": "标题",
  "notices.state": "状态",
  "notices.since": "开始显示",
  "notices.until": "结束",
  "notices.readers": "已读",
  "notices.store": "门店",
  "notices.office": "总部",
  "notices.actions": "操作",
  "notices.pin": "置顶",
  "notices.unpin": "取消置顶",
  "notices.withdraw": "撤回",
  "notices.withdraw_ask": "撤回“{title}”？",
  "notices.withdraw_text": "会员马上看不到它。显示过的公告不能恢复，只能另写一条。",
  "notices.reach": "到达",
  "notices.meant": "面向会员",
  "notices.share": "到达率",
  "notices.last": "最近阅读",
  "notices.done": "已办理",
  "notices.none": "这里还没有公告",
});

const STATUSES = ["", "live", "scheduled", "draft", "over", "withdrawn"];
const LOOKS = { live: "brand", scheduled: "gold" };
const LAST = 20;

export async function open({ api, place, signal, go, href, keys }) {
  const status = STATUSES.includes(place.query.status) ? place.query.status : "";
  const path = (item, what = "") => `/v1/admin/announcements/${encodeURIComponent(item.id)}${what}`;

  async function withdraw(item) {
    if (!(await confirm(w("notices.withdraw_ask", { title: item.title }), { content: w("notices.withdraw_text"), confirmText: w("notices.withdraw"), danger: true }))) return;
    await attempt(() => api.post(path(item, "/withdraw"), {}, { again: true }), w("notices.done"));
    list.reload();
  }

  async function pin(item) {
    await attempt(() => api.post(path(item, "/pin"), { pinned: !item.pinned }, { again: true }), w("notices.done"));
    list.reload();
  }

  async function reach(item) {
    await attempt(async () => {
      const [numbers, readers] = await Promise.all([api.get(path(item, "/reach")), api.get(path(item, "/readers"), { limit: LAST })]);
      await tell(item.title, h("div", { class: "stack" },
        factList([[w("notices.meant"), count(numbers.meant)], [w("notices.readers"), count(numbers.readers)], [w("notices.share"), `${(numbers.reach_bp / 100).toFixed(1)}%`]]),
        readers.items.length > 0 && h("h3", null, w("notices.last")),
        factList(readers.items.map((one) => [`${one.name_masked} ${one.member_no}`, stamp(one.read_at)]))));
    });
  }

  const button = (text, item, run, look = "soft") => h("button", { type: "button", class: `button compact ${look}`, "aria-label": `${text} ${item.title}`, onclick: () => run(item) }, text);
  const list = table({
    label: w("notices.title"),
    signal,
    load: ({ cursor }) => api.get("/v1/admin/announcements", { status, cursor, limit: 50 }, { signal }),
    open: (item) => go("announcement", { id: item.id }),
    none: { icon: "horn", title: w("notices.none") },
    columns: [
      { title: w("notices.name"), width: "wide", cell: (item) => h("a", { class: "strong", href: href("announcement", { id: item.id }) }, item.title) },
      { title: w("notices.state"), cell: (item) => h("span", { class: "row-actions" }, pill(w(`notices.${item.status}`), LOOKS[item.status]), item.pinned && pill(w("notices.pin"), "gold")) },
      { title: w("notices.store"), hide: "narrow", cell: (item) => item.store_id || w("notices.office") },
      { title: w("notices.since"), hide: "narrow", cell: (item) => h("span", { class: "num" }, stamp(item.starts_at)) },
      { title: w("notices.until"), hide: "narrow", cell: (item) => h("span", { class: "num" }, stamp(item.ends_at)) },
      { title: w("notices.readers"), number: true, cell: (item) => count(item.readers) },
      { title: w("notices.actions"), cell: (item) => h("div", { class: "row-actions" },
        item.status !== "draft" && button(w("notices.reach"), item, reach),
        item.status !== "withdrawn" && button(w(item.pinned ? "notices.unpin" : "notices.pin"), item, pin),
        ["live", "scheduled", "over"].includes(item.status) && button(w("notices.withdraw"), item, withdraw, "danger")) },
    ],
  });
  const write = () => go("announcement");
  keys({ n: [w("notices.new"), write] });
  const tabs = h("nav", { class: "tabs", "aria-label": w("notices.status") }, STATUSES.map((one) => h("a", { class: "tab", href: href("announcements", { status: one }), "aria-current": one === status && "page" }, w(`notices.${one || "all"}`))));
  return [head(w("notices.title"), { note: w("notices.note"), actions: h("button", { type: "button", class: "button primary", onclick: write }, w("notices.new")) }), tabs, list];
}
