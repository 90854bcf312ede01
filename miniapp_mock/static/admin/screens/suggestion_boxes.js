/** Head office keeps boxes: their topics, and who reads them. */
import { h } from "/static/shared/dom.js";
import { attempt } from "../parts/dialogs.js";
import { formDialog } from "../parts/form.js";
import { head, pill } from "../parts/states.js";
import { table } from "../parts/table.js";
import { words } from "../texts.js";

const w = words({
  "boxes.title": "管理意见箱",
  "boxes.note": "管理员才能看到意见内容；总部指定管理员，自己不是管理员时也看不到",
  "boxes.back": "返回意见",
  "boxes.new": "新建意见箱",
  "boxes.change": "修改",
  "boxes.name": "名称",
  "boxes.topic": "征集什么",
  "boxes.store": "门店",
  "boxes.chain": "全部门店",
  "boxes.anonymous": "接受匿名意见",
  "boxes.administrators": "管理员",
  "boxes.state": "状态",
  "boxes.open": "开放",
  "boxes.closed": "已关闭",
  "boxes.do_open": "开放",
  "boxes.do_close": "关闭",
  "boxes.actions": "操作",
  "boxes.none": "还没有意见箱",
  "boxes.done": "已办理",
});

export async function open({ api, signal, href, keys }) {
  const [stores, staff] = await Promise.all([api.get("/v1/admin/stores", {}, { signal }), api.get("/v1/admin/staff", {}, { signal })]);
  const people = staff.items.filter((one) => one.active).map((one) => [one.id, one.username]);

  const fields = (box = {}) => [
    { name: "title", label: w("boxes.name"), required: true, most: 40, value: box.title },
    { name: "topic", label: w("boxes.topic"), most: 300, value: box.topic },
    { name: "store_id", label: w("boxes.store"), kind: "choice", value: box.store_id || "", options: [["", w("boxes.chain")], ...stores.items.map((one) => [one.id, one.name])] },
    { name: "anonymous", label: w("boxes.anonymous"), kind: "tick", value: box.anonymous ?? true },
    { name: "administrators", label: w("boxes.administrators"), kind: "many", required: true, options: people, value: (box.administrators || []).map((one) => one.staff_id) },
  ];
  const body = (values) => ({ ...values, topic: values.topic || "", store_id: values.store_id || null });

  async function add() {
    if (await formDialog({ title: w("boxes.new"), fields: fields(), onSubmit: (values) => api.post("/v1/admin/suggestion-boxes", body(values)) })) list.reload();
  }

  async function change(box) {
    const save = (values) => api.put(`/v1/admin/suggestion-boxes/${box.id}`, { ...body(values), version: box.version });
    if (await formDialog({ title: w("boxes.change"), fields: fields(box), onSubmit: save })) list.reload();
  }

  async function move(box) {
    await attempt(() => api.post(`/v1/admin/suggestion-boxes/${box.id}/${box.state === "open" ? "close" : "open"}`, {}, { again: true }), w("boxes.done"));
    list.reload();
  }

  const list = table({
    label: w("boxes.title"),
    signal,
    load: () => api.get("/v1/admin/suggestion-boxes", {}, { signal }),
    none: { icon: "inbox", title: w("boxes.none") },
    columns: [
      { title: w("boxes.name"), cell: (box) => h("span", { class: "strong" }, box.title) },
      { title: w("boxes.store"), cell: (box) => stores.items.find((one) => one.id === box.store_id)?.name || w("boxes.chain") },
      { title: w("boxes.administrators"), cell: (box) => box.administrators.map((one) => one.username).join("、") },
      { title: w("boxes.state"), cell: (box) => pill(w(`boxes.${box.state}`), box.state === "open" ? "brand" : "") },
      { title: w("boxes.actions"), cell: (box) => h("div", { class: "row-actions" },
        h("button", { type: "button", class: "button compact soft", "aria-label": `${w("boxes.change")} ${box.title}`, onclick: () => change(box) }, w("boxes.change")),
        h("button", { type: "button", class: "button compact", "aria-label": `${w(box.state === "open" ? "boxes.do_close" : "boxes.do_open")} ${box.title}`, onclick: () => move(box) }, w(box.state === "open" ? "boxes.do_close" : "boxes.do_open"))) },
    ],
  });
  keys({ n: [w("boxes.new"), add] });
  return [head(w("boxes.title"), { note: w("boxes.note"), actions: [h("a", { class: "button", href: href("suggestions") }, w("boxes.back")), h("button", { type: "button", class: "button primary", onclick: add }, w("boxes.new"))] }), list];
}
