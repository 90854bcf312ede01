/** One announcement: written beside what phones will show, and published. What was published is only read. */
import { fill, h } from "/static/shared/dom.js";
import { rich } from "/static/shared/rich.js";
import { confirm, toast } from "../parts/dialogs.js";
import { form } from "../parts/form.js";
import { stamp } from "../parts/format.js";
import { preview } from "../parts/preview.js";
import { factList, head } from "../parts/states.js";
import { problemText, words } from "../texts.js";

const w = words({
  "notice.new": "写公告",
  "notice.edit": "公告",
  "notice.title": "标题",
  "notice.summary": "摘要",
  "notice.body": "正文",
  "notice.body_note": "Markdown：## 标题、**加粗**、- 列表、[链接](#/coupons)；图片先上传再插入",
  "notice.cover": "封面",
  "notice.cover_pick": "上传封面",
  "notice.cover_drop": "去掉封面",
  "notice.picture": "插入图片",
  "notice.levels": "只给这些等级（不选为全部）",
  "notice.stores": "只给这些门店的会员（不选为全部）",
  "notice.pinned": "置顶",
  "notice.starts": "开始显示（留空为发布时）",
  "notice.ends": "结束显示（留空为撤回前）",
  "notice.save": "保存草稿",
  "notice.publish": "发布",
  "notice.saved": "草稿已保存",
  "notice.published": "已发布",
  "notice.ask": "发布“{title}”？",
  "notice.ask_text": "发布后内容不能再改，只能撤回。",
  "notice.for": "面向",
  "notice.everybody": "全体会员",
  "notice.since": "发布时间",
  "notice.again": "照它另写一条",
});

const BASE = "/v1/admin/announcements";

export async function open({ api, me, place, signal, go }) {
  const [found, levels, stores] = await Promise.all([
    place.query.id ? api.get(`${BASE}/${encodeURIComponent(place.query.id)}`, {}, { signal }) : null,
    api.get("/v1/admin/levels", {}, { signal }),
    !me.store_id ? api.get("/v1/admin/stores", {}, { signal }) : { items: [] },
  ]);
  const like = place.query.like ? await api.get(`${BASE}/${encodeURIComponent(place.query.like)}`, {}, { signal }) : null;
  if (found && found.state !== "draft") return reading(found, levels.items, go);

  let draft = found;
  let cover = (found || like)?.cover || null;
  const seed = found || like || {};
  const key = api.newKey();
  const shown = preview({ api, address: `${BASE}/preview`, signal });
  const coverLine = h("div", { class: "row-actions" });
  const nothing = () => undefined;

  const fields = [
    { name: "title", label: w("notice.title"), required: true, most: 60, value: seed.title },
    { name: "summary", label: w("notice.summary"), most: 120, value: seed.summary },
    { name: "body", label: w("notice.body"), kind: "lines", rows: 14, most: 20000, required: true, value: seed.body, note: w("notice.body_note") },
    { name: "picture", node: h("div", { class: "row-actions" }, picker(w("notice.picture"), insert)), read: () => null, mark: nothing },
    { name: "cover", node: h("div", { class: "field" }, h("p", null, w("notice.cover")), coverLine), read: () => cover, mark: nothing },
    { name: "levels", label: w("notice.levels"), kind: "many", options: levels.items.map((level) => [level.code, level.name]), value: seed.audience?.levels },
    !me.store_id && { name: "store_ids", label: w("notice.stores"), kind: "many", options: stores.items.map((store) => [store.id, store.name]), value: seed.audience?.store_ids },
    { name: "pinned", label: w("notice.pinned"), kind: "tick", value: seed.pinned },
    { name: "starts_at", label: w("notice.starts"), kind: "time", value: found?.starts_at },
    { name: "ends_at", label: w("notice.ends"), kind: "time", value: found?.ends_at },
  ].filter(Boolean);
  const node = form({ fields, submit: w("notice.save"), onSubmit: save, actions: [h("button", { type: "button", class: "button", onclick: publish }, w("notice.publish"))] });
  const body = node.querySelector("textarea");
  const title = node.querySelector("input");
  const draw = () => shown.show({ title: title.value, body: body.value, cover: cover && `/v1/media/${cover}` });
  let wanted = false;

  function picker(text, done) {
    const input = h("input", { type: "file", accept: "image/jpeg,image/png,image/webp", hidden: true, onchange: () => input.files[0] && upload(input, done) });
    return [h("button", { type: "button", class: "button compact soft", onclick: () => input.click() }, text), input];
  }

  async function upload(input, done) {
    try {
      const sent = await api.post("/v1/admin/mall/media", input.files[0], { again: true, signal });
      done(sent.id);
    } catch (error) {
      toast(problemText(error), 4000);
    }
    input.value = "";
  }

  function insert(id) {
    body.setRangeText(`\n\n![](media:${id})\n\n`, body.selectionStart, body.selectionEnd, "end");
    draw();
  }

  function drawCover() {
    fill(coverLine, picker(w("notice.cover_pick"), (id) => { cover = id; drawCover(); draw(); }),
      cover && h("button", { type: "button", class: "button compact", onclick: () => { cover = null; drawCover(); draw(); } }, w("notice.cover_drop")));
  }

  async function save({ picture: _, levels: forLevels, store_ids: forStores, ...values }) {
    const audience = Object.fromEntries(Object.entries({ levels: forLevels, store_ids: forStores }).filter(([, list]) => list?.length));
    // a manager's audience was narrowed to the own store when it was saved, and is again
    const text = { ...values, summary: values.summary || "", audience };
    draft = draft ? await api.put(`${BASE}/${draft.id}`, { ...text, version: draft.version }, { again: false }) : await api.post(BASE, text, { key });
    if (wanted) {
      await api.post(`${BASE}/${draft.id}/publish`, { revision: draft.version }, { again: true });
      toast(w("notice.published"));
      go("announcements");
      return;
    }
    toast(w("notice.saved"));
    go("announcement", { id: draft.id }, { replace: true });
  }

  async function publish() {
    if (!(await confirm(w("notice.ask", { title: title.value }), { content: w("notice.ask_text"), confirmText: w("notice.publish") }))) return;
    wanted = true;
    node.requestSubmit();
  }

  node.querySelector(".form-actions .primary").addEventListener("click", () => { wanted = false; });
  node.addEventListener("input", draw);
  drawCover();
  draw();
  return [head(w(found ? "notice.edit" : "notice.new")), h("div", { class: "beside" }, h("div", { class: "card" }, node), shown.node)];
}

function reading(found, levels, go) {
  const names = Object.fromEntries(levels.map((level) => [level.code, level.name]));
  const whom = [...(found.audience.levels || []).map((code) => names[code] || code), ...(found.audience.store_ids || [])].join("、") || w("notice.everybody");
  const again = h("button", { type: "button", class: "button", onclick: () => go("announcement", { like: found.id }) }, w("notice.again"));
  return [head(found.title, { note: found.summary, actions: again }), h("div", { class: "beside" },
    h("div", { class: "card" }, factList([[w("notice.for"), whom], [w("notice.since"), stamp(found.published_at)], [w("notice.starts"), stamp(found.starts_at)], [w("notice.ends"), stamp(found.ends_at)]])),
    h("aside", { class: "card as-phone" }, found.cover_url && h("img", { class: "cover", src: found.cover_url, alt: "" }), h("h2", null, found.title), rich(found.blocks)))];
}
