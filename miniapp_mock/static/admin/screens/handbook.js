/** The handbook: for staff to read and look up; head office also sees every chapter with its draft. */
import { fill, h } from "/static/shared/dom.js";
import { rich } from "/static/shared/rich.js";
import { glyph } from "../icons.js";
import { formDialog } from "../parts/form.js";
import { day } from "../parts/format.js";
import { empty, head, pill, section } from "../parts/states.js";
import { table } from "../parts/table.js";
import { words } from "../texts.js";

const w = words({
  "book.title": "服务手册",
  "book.note": "会员在手机上查阅；标明“仅员工”的只有员工看得到",
  "book.search": "搜索手册",
  "book.search_hint": "比如：怎么退货",
  "book.none_found": "没有找到",
  "book.contents": "目录",
  "book.edit": "编辑手册",
  "book.read": "阅读手册",
  "book.new": "新建章节",
  "book.name": "章节",
  "book.parent": "上级章节",
  "book.top": "（最上层）",
  "book.for": "谁能看",
  "book.everyone": "全部会员",
  "book.levels": "部分等级",
  "book.staff": "仅员工",
  "book.state": "状态",
  "book.shown": "已发布",
  "book.hidden": "未发布",
  "book.draft": "有草稿",
  "book.since": "更新",
  "book.empty": "手册还没有内容",
});

const BASE = "/v1/admin/handbook";

export async function open(given) {
  const { me, place, href } = given;
  const editing = me.may("handbook.write") && place.query.view === "edit";
  const other = me.may("handbook.write") && h("a", { class: "button", href: href("handbook", editing ? {} : { view: "edit" }) }, w(editing ? "book.read" : "book.edit"));
  return editing ? chapters(given, other) : reader(given, other);
}

async function reader({ api, place, signal, href }, other) {
  const search = h("input", { type: "search", class: "input", maxlength: 80, placeholder: w("book.search_hint"), "aria-label": w("book.search"), "data-search": true });
  const found = h("div", { "aria-live": "polite" });
  const link = (item) => h("a", { class: "place-link", href: href("handbook", { page: item.id }) }, glyph("book", 18), h("span", null, h("span", { class: "strong" }, item.title), item.excerpt && h("span", { class: "muted small" }, ` ${item.excerpt}`)));
  let timer = null;
  search.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      const q = search.value.trim();
      const { items } = q ? await api.get(`${BASE}/search`, { q }, { signal }) : { items: null };
      if (!signal.aborted) fill(found, items && (items.length ? items.map(link) : h("p", { class: "muted small" }, w("book.none_found"))));
    }, 250);
  });
  signal.addEventListener("abort", () => clearTimeout(timer));
  const contents = section(async () => {
    const { items } = await api.get(BASE, {}, { signal });
    return items.length ? h("nav", { class: "place-links", "aria-label": w("book.contents") }, items.map((item) => link(item))) : empty({ icon: "book", title: w("book.empty") });
  }, { signal, className: "card stack" });
  const page = place.query.page && section(async () => {
    const read = await api.get(`${BASE}/pages/${encodeURIComponent(place.query.page)}`, {}, { signal });
    return [h("p", { class: "muted small" }, [...read.above.map((one) => one.title), day(read.published_at)].join(" › ")), h("h2", null, read.title), rich(read.blocks)];
  }, { signal, className: "card stack" });
  return [head(w("book.title"), { note: w("book.note"), actions: other }), h("div", { class: "card stack" }, search, found), page, contents];
}

async function chapters({ api, signal, go, href, keys }, other) {
  const key = { now: api.newKey() };
  const { items: all } = await api.get(`${BASE}/chapters`, {}, { signal });
  const depth = new Map();
  for (const one of all) depth.set(one.id, one.parent_id ? (depth.get(one.parent_id) || 0) + 1 : 0);

  async function add() {
    const made = await formDialog({
      title: w("book.new"),
      fields: [
        { name: "title", label: w("book.name"), required: true, most: 60 },
        { name: "parent_id", label: w("book.parent"), kind: "choice", options: [["", w("book.top")], ...all.map((one) => [one.id, one.title])] },
        { name: "visibility", label: w("book.for"), kind: "choice", options: ["everyone", "staff"].map((code) => [code, w(`book.${code}`)]), value: "everyone" },
      ],
      onSubmit: async (values) => {
        const chapter = await api.post(`${BASE}/chapters`, { ...values, sort: all.length }, { key: key.now });
        key.now = api.newKey();
        return chapter;
      },
    });
    if (made) go("chapter", { id: made.id });
  }

  const list = table({
    label: w("book.title"),
    signal,
    load: () => api.get(`${BASE}/chapters`, {}, { signal }),
    open: (item) => go("chapter", { id: item.id }),
    none: { icon: "book", title: w("book.empty") },
    columns: [
      { title: w("book.name"), width: "wide", cell: (item) => h("a", { class: `strong chapter-name under-${depth.get(item.id) || 0}`, href: href("chapter", { id: item.id }) }, item.title) },
      { title: w("book.for"), cell: (item) => (item.visibility === "everyone" ? w("book.everyone") : pill(w(`book.${item.visibility}`), "gold")) },
      { title: w("book.state"), cell: (item) => h("span", { class: "row-actions" }, item.current ? pill(w("book.shown"), "brand") : pill(w("book.hidden")), item.draft && pill(w("book.draft"), "gold")) },
      { title: w("book.since"), hide: "narrow", cell: (item) => h("span", { class: "num" }, day(item.updated_at)) },
    ],
  });
  keys({ n: [w("book.new"), add] });
  return [head(w("book.title"), { note: w("book.note"), actions: [other, h("button", { type: "button", class: "button primary", onclick: add }, w("book.new"))] }), list];
}
