/** One chapter for who writes it: the draft beside its preview, where it stands, and its versions with what changed. */
import { h } from "/static/shared/dom.js";
import { attempt, confirm, tell, toast } from "../parts/dialogs.js";
import { form, formDialog } from "../parts/form.js";
import { stamp } from "../parts/format.js";
import { preview } from "../parts/preview.js";
import { head, pill } from "../parts/states.js";
import { table } from "../parts/table.js";
import { words } from "../texts.js";

const w = words({
  "chapter.name": "标题",
  "chapter.body": "正文",
  "chapter.body_note": "Markdown：## 标题、**加粗**、- 列表、| 表格 |、[链接](#/orders)",
  "chapter.note": "修改说明",
  "chapter.save": "保存草稿",
  "chapter.publish": "发布",
  "chapter.saved": "草稿已保存",
  "chapter.published": "已发布",
  "chapter.discard": "丢弃草稿",
  "chapter.discard_ask": "丢弃草稿？",
  "chapter.withdraw": "下架",
  "chapter.withdraw_ask": "下架“{title}”？",
  "chapter.withdraw_text": "它和它下面的章节都不再显示。",
  "chapter.place": "位置与可见范围",
  "chapter.parent": "上级章节",
  "chapter.top": "（最上层）",
  "chapter.sort": "排序（小的在前）",
  "chapter.for": "谁能看",
  "chapter.everyone": "全部会员",
  "chapter.levels": "部分等级",
  "chapter.staff": "仅员工",
  "chapter.which": "等级",
  "chapter.history": "历史版本",
  "chapter.number": "版本",
  "chapter.since": "时间",
  "chapter.current": "当前",
  "chapter.is_draft": "草稿",
  "chapter.diff": "与当前比较",
  "chapter.restore": "恢复为草稿",
  "chapter.actions": "操作",
  "chapter.done": "已办理",
  "chapter.back": "所有章节",
});

const BASE = "/v1/admin/handbook";

export async function open({ api, place, signal, go, href }) {
  const path = `${BASE}/chapters/${encodeURIComponent(place.query.id || "")}`;
  const [{ chapter, current, draft: kept }, { items: all }, { items: levels }] = await Promise.all([
    api.get(path, {}, { signal }), api.get(`${BASE}/chapters`, {}, { signal }), api.get("/v1/admin/levels", {}, { signal }),
  ]);
  const shown = preview({ api, address: `${BASE}/preview`, signal });
  const seed = kept || current || { title: chapter.title, body: "" };
  const again = () => go("chapter", { id: chapter.id, at: Date.now() }, { replace: true });
  let wanted = false;

  const node = form({
    fields: [
      { name: "title", label: w("chapter.name"), required: true, most: 60, value: seed.title },
      { name: "body", label: w("chapter.body"), kind: "lines", rows: 18, most: 20000, value: seed.body, note: w("chapter.body_note") },
      { name: "note", label: w("chapter.note"), most: 120, value: kept?.note },
    ],
    submit: w("chapter.save"),
    actions: [
      kept && current && h("button", { type: "button", class: "button danger", onclick: discard }, w("chapter.discard")),
      h("button", { type: "button", class: "button", onclick: () => { wanted = true; node.requestSubmit(); } }, w("chapter.publish")),
    ],
    onSubmit: async (values) => {
      const revision = kept?.revision || 0;
      await api.put(`${path}/draft`, { title: values.title, body: values.body || "", note: values.note || "", revision }, { again: false });
      if (wanted) await api.post(`${path}/publish`, { revision: revision + 1 });
      toast(w(wanted ? "chapter.published" : "chapter.saved"));
      again();
    },
  });
  node.querySelector(".form-actions .primary").addEventListener("click", () => { wanted = false; });
  const draw = () => shown.show({ title: node.querySelector("input").value, body: node.querySelector("textarea").value });
  node.addEventListener("input", draw);
  draw();

  async function discard() {
    if (await confirm(w("chapter.discard_ask"), { confirmText: w("chapter.discard"), danger: true }) && await attempt(() => api.remove(`${path}/draft`), w("chapter.done"))) again();
  }

  async function withdraw() {
    if (await confirm(w("chapter.withdraw_ask", { title: chapter.title }), { content: w("chapter.withdraw_text"), confirmText: w("chapter.withdraw"), danger: true }) && await attempt(() => api.post(`${path}/withdraw`, {}, { again: true }), w("chapter.done"))) again();
  }

  async function move() {
    const moved = await formDialog({
      title: w("chapter.place"),
      fields: [
        { name: "parent_id", label: w("chapter.parent"), kind: "choice", options: [["", w("chapter.top")], ...all.filter((one) => one.id !== chapter.id).map((one) => [one.id, one.title])], value: chapter.parent_id || "" },
        { name: "sort", label: w("chapter.sort"), kind: "number", value: chapter.sort, required: true },
        { name: "visibility", label: w("chapter.for"), kind: "choice", options: ["everyone", "levels", "staff"].map((code) => [code, w(`chapter.${code}`)]), value: chapter.visibility },
        { name: "levels", label: w("chapter.which"), kind: "many", options: levels.map((level) => [level.code, level.name]), value: chapter.levels },
      ],
      onSubmit: (values) => api.put(path, { ...values, levels: values.visibility === "levels" ? values.levels : [] }),
    });
    if (moved) again();
  }

  async function compare(version) {
    await attempt(async () => {
      const found = await api.get(`${path}/diff`, { old: version.number, new: chapter.current || chapter.draft });
      await tell(`${found.old_title} → ${found.new_title}`, h("div", { class: "diff" }, found.lines.map((line) => h("p", { class: line.mark }, `${{ added: "+", removed: "−", same: " " }[line.mark]} ${line.text}`))));
    });
  }

  async function restore(version) {
    if (await attempt(() => api.post(`${path}/versions/${version.number}/restore`), w("chapter.done"))) again();
  }

  const history = table({
    label: w("chapter.history"),
    signal,
    load: () => api.get(`${path}/versions`, {}, { signal }),
    columns: [
      { title: w("chapter.number"), cell: (item) => h("span", { class: "row-actions num" }, String(item.number), item.current && pill(w("chapter.current"), "brand"), !item.published_at && pill(w("chapter.is_draft"), "gold")) },
      { title: w("chapter.name"), width: "wide", cell: (item) => item.title },
      { title: w("chapter.note"), hide: "narrow", cell: (item) => item.note || "—" },
      { title: w("chapter.since"), cell: (item) => h("span", { class: "num" }, stamp(item.published_at || item.saved_at)) },
      { title: w("chapter.actions"), cell: (item) => h("div", { class: "row-actions" },
        h("button", { type: "button", class: "button compact soft", "aria-label": `${w("chapter.diff")} ${item.number}`, onclick: () => compare(item) }, w("chapter.diff")),
        item.published_at && !kept && h("button", { type: "button", class: "button compact", "aria-label": `${w("chapter.restore")} ${item.number}`, onclick: () => restore(item) }, w("chapter.restore"))) },
    ],
  });
  const actions = [
    h("a", { class: "button", href: href("handbook", { view: "edit" }) }, w("chapter.back")),
    h("button", { type: "button", class: "button", onclick: move }, w("chapter.place")),
    chapter.current && h("button", { type: "button", class: "button danger", onclick: withdraw }, w("chapter.withdraw")),
  ];
  return [head(chapter.title, { actions }), h("div", { class: "beside" }, h("div", { class: "card" }, node), shown.node), h("h2", null, w("chapter.history")), history];
}
