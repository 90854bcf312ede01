/** The audit log: what staff did and tried, searched by person, action, thing, store and time. */
import { fill, h } from "/static/shared/dom.js";
import { attempt, tell } from "../parts/dialogs.js";
import { form } from "../parts/form.js";
import { stamp } from "../parts/format.js";
import { factList, head, pill } from "../parts/states.js";
import { table } from "../parts/table.js";
import { words } from "../texts.js";

const w = words({
  "audit.title": "操作日志",
  "audit.note": "员工的每一次写操作，包括被拒绝的；只增不改",
  "audit.staff": "员工",
  "audit.all": "全部",
  "audit.action": "操作",
  "audit.thing": "对象编号",
  "audit.store": "门店",
  "audit.since": "从",
  "audit.until": "到",
  "audit.outcome": "结果",
  "audit.done": "成功",
  "audit.refused": "被拒绝",
  "audit.search": "查询",
  "audit.export": "导出 CSV",
  "audit.exported": "已导出",
  "audit.at": "时间",
  "audit.who": "谁",
  "audit.what": "做了什么",
  "audit.on": "对象",
  "audit.address": "地址",
  "audit.request": "请求编号",
  "audit.role": "当时角色",
  "audit.fields": "改动的字段",
  "audit.actions": "动作",
  "audit.begun": "未知结局",
  "audit.none": "没有符合条件的记录",
  "audit.detail": "操作详情",
});

export async function open({ api, me, place, signal, note }) {
  const [{ items: actions }, staff, { items: stores }] = await Promise.all([
    api.get("/v1/admin/audit/actions", {}, { signal }),
    me.may("staff.read") ? api.get("/v1/admin/staff", {}, { signal }) : { items: [] },
    api.get("/v1/admin/stores", {}, { signal }),
  ]);
  let query = { ...place.query };

  const all = ["", w("audit.all")];
  const search = form({
    submit: w("audit.search"),
    fields: [
      staff.items.length > 0 && { name: "staff_id", label: w("audit.staff"), kind: "choice", value: query.staff_id, options: [all, ...staff.items.map((one) => [one.id, one.username])] },
      { name: "action", label: w("audit.action"), kind: "choice", value: query.action, options: [all, ...actions.map((one) => [one.action, one.title])] },
      { name: "thing", label: w("audit.thing"), value: query.thing, most: 80 },
      !me.store_id && { name: "store_id", label: w("audit.store"), kind: "choice", value: query.store_id, options: [all, ...stores.map((one) => [one.id, one.name])] },
      { name: "done", label: w("audit.outcome"), kind: "choice", value: query.done, options: [all, ["true", w("audit.done")], ["false", w("audit.refused")]] },
      { name: "since", label: w("audit.since"), kind: "time", value: query.since },
      { name: "until", label: w("audit.until"), kind: "time", value: query.until },
    ].filter(Boolean),
    onSubmit: async (values) => { query = values; note(values); await list.reload(); },
  });
  search.classList.add("card", "filters");

  const outcome = (one) => (one.code === "begun" ? pill(w("audit.begun"), "gold") : one.code ? pill(one.code, "danger") : pill(w("audit.done"), "brand"));
  const things = (one) => [...Object.values(one.named), ...one.things];

  function show(one) {
    const said = Object.entries(one.detail.said || {}).map(([name, value]) => [name, String(value)]);
    tell(w("audit.detail"), factList([
      [w("audit.at"), stamp(one.at)], [w("audit.who"), one.staff_name], [w("audit.role"), [one.role, one.store_id].filter(Boolean).join(" · ")], [w("audit.what"), one.title], [w("audit.action"), one.action],
      ...Object.entries(one.named), [w("audit.on"), one.things.join("、")], [w("audit.outcome"), `${one.status || ""} ${one.code}`.trim()],
      [w("audit.actions"), (one.detail.actions || []).join("、")], [w("audit.fields"), (one.detail.fields || []).join("、")], ...said, [w("audit.address"), one.address], [w("audit.request"), one.request_id],
    ]));
  }

  const list = table({
    label: w("audit.title"), signal, open: show,
    load: ({ cursor }) => api.get("/v1/admin/audit", { ...query, cursor, limit: 50 }, { signal }),
    none: { icon: "search", title: w("audit.none") },
    columns: [
      { title: w("audit.at"), cell: (one) => stamp(one.at) },
      { title: w("audit.who"), cell: (one) => h("span", null, one.staff_name, one.store_id && h("span", { class: "muted tiny" }, ` ${one.store_id}`)) },
      { title: w("audit.what"), cell: (one) => h("span", { class: "strong" }, one.title) },
      { title: w("audit.on"), cell: (one) => things(one).slice(0, 2).join("、"), hide: "narrow" },
      { title: w("audit.outcome"), cell: outcome },
      { title: w("audit.address"), cell: (one) => one.address, hide: "narrow" },
    ],
  });
  const take = () => attempt(() => api.download("/v1/admin/audit.csv", query, "audit.csv"), w("audit.exported"));
  const actionsNode = h("button", { type: "button", class: "button", onclick: take }, w("audit.export"));
  const holder = h("div");
  fill(holder, list);
  return [head(w("audit.title"), { note: w("audit.note"), actions: actionsNode }), search, holder];
}
