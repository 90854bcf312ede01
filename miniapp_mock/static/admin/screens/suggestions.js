/** What is in the boxes that one administers; how much waits there. */
import { h } from "/static/shared/dom.js";
import { date, stamp } from "../parts/format.js";
import { empty, head, pill } from "../parts/states.js";
import { table } from "../parts/table.js";
import { words } from "../texts.js";

const w = words({
  "inbox.title": "意见箱",
  "inbox.note": "只有意见箱的管理员能看到内容；匿名的意见查不到是谁写的",
  "inbox.states": "状态",
  "inbox.all": "全部",
  "inbox.open": "待答复",
  "inbox.answered": "已答复",
  "inbox.closed": "已结束",
  "inbox.words": "内容",
  "inbox.box": "意见箱",
  "inbox.who": "署名",
  "inbox.anonymous": "匿名",
  "inbox.signed": "署名",
  "inbox.state": "状态",
  "inbox.day": "日期",
  "inbox.rating": "评分",
  "inbox.none": "这里没有意见",
  "inbox.no_box": "你不是任何意见箱的管理员",
  "inbox.no_box_hint": "由总部指定管理员",
  "inbox.boxes": "管理意见箱",
  "inbox.figures": "统计",
  "inbox.waiting": "条意见等待答复",
});

const STATES = ["open", "answered", "closed", "all"];
const LOOKS = { open: "gold", answered: "brand", closed: "" };

/** How many wait in one's boxes, for the first screen. */
export async function todo({ api, signal }) {
  const { items } = await api.get("/v1/admin/suggestion-boxes", {}, { signal });
  const mine = items.filter((box) => box.mine);
  if (!mine.length) return null;
  return { count: mine.reduce((sum, box) => sum + (box.waiting || 0), 0), text: w("inbox.waiting") };
}

export async function open({ api, me, place, signal, go, href }) {
  const state = STATES.includes(place.query.state) ? place.query.state : "open";
  const figures = h("a", { class: "button", href: href("suggestion-figures") }, w("inbox.figures"));
  const actions = me.may("suggestions.boxes") ? [figures, h("a", { class: "button", href: href("suggestion-boxes") }, w("inbox.boxes"))] : [figures];
  const { items } = await api.get("/v1/admin/suggestion-boxes", {}, { signal });
  if (!items.some((box) => box.mine)) {
    return [head(w("inbox.title"), { note: w("inbox.note"), actions }), h("div", { class: "card" }, empty({ icon: "inbox", title: w("inbox.no_box"), hint: w("inbox.no_box_hint") }))];
  }
  const list = table({
    label: w("inbox.title"),
    signal,
    load: ({ cursor }) => api.get("/v1/admin/suggestions", { cursor, limit: 50, state: state === "all" ? null : state }, { signal }),
    open: (one) => go("suggestion", { id: one.id }),
    none: { icon: "inbox", title: w("inbox.none") },
    columns: [
      { title: w("inbox.words"), width: "wide", cell: (one) => h("a", { class: "strong", href: href("suggestion", { id: one.id }) }, one.excerpt) },
      { title: w("inbox.box"), cell: (one) => one.box_title },
      { title: w("inbox.who"), cell: (one) => pill(w(one.anonymous ? "inbox.anonymous" : "inbox.signed")) },
      { title: w("inbox.state"), cell: (one) => pill(w(`inbox.${one.state}`), LOOKS[one.state]) },
      { title: w("inbox.day"), hide: "narrow", cell: (one) => h("span", { class: "num" }, one.at ? stamp(one.at) : date(one.day)) },
      { title: w("inbox.rating"), number: true, hide: "narrow", cell: (one) => one.rating ?? "—" },
    ],
  });
  const tabs = h("nav", { class: "tabs", "aria-label": w("inbox.states") }, STATES.map((one) => h("a", { class: "tab", href: href("suggestions", { state: one }), "aria-current": one === state && "page" }, w(`inbox.${one}`))));
  return [head(w("inbox.title"), { note: w("inbox.note"), actions }), tabs, list];
}
