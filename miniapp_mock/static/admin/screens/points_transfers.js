/** Points that members gave each other: looked up by member, and taken back with a second person's approval. */
import { h } from "/static/shared/dom.js";
import { attempt, toast } from "../parts/dialogs.js";
import { formDialog } from "../parts/form.js";
import { count, stamp } from "../parts/format.js";
import { empty, head, pill } from "../parts/states.js";
import { table } from "../parts/table.js";
import { words } from "../texts.js";

const w = words({
  "transfers.title": "积分转赠",
  "transfers.note": "撤回须另一人在“审批”里批准；对方用掉了一部分就不能撤回",
  "transfers.find": "查找会员",
  "transfers.member": "会员号或手机号",
  "transfers.nobody": "没有这位会员",
  "transfers.start": "先查找一位会员",
  "transfers.none": "这位会员没有转赠记录",
  "transfers.giver": "转出",
  "transfers.receiver": "转入",
  "transfers.points": "积分",
  "transfers.at": "时间",
  "transfers.state": "状态",
  "transfers.done": "已完成",
  "transfers.reversed": "已撤回",
  "transfers.actions": "操作",
  "transfers.back": "撤回",
  "transfers.back_of": "撤回 {count} 积分",
  "transfers.text": "原因",
  "transfers.waits": "已提交，等待另一人审批",
});

const PATH = "/v1/admin/points-transfers";

export async function open({ api, place, signal, go, keys }) {
  const member = place.query.member || "";

  async function find() {
    const found = await formDialog({
      title: w("transfers.find"),
      fields: [{ name: "query", label: w("transfers.member"), required: true, most: 40 }],
      submit: w("transfers.find"),
      onSubmit: async (values) => {
        const { items } = await api.post("/v1/admin/members/search", values, { again: true });
        if (items.length !== 1) throw Object.assign(new Error(w("transfers.nobody")), { name: "ApiError", detail: w("transfers.nobody"), fields: [{ pointer: "/query", message: w("transfers.nobody") }] });
        return items[0];
      },
    });
    if (found) go("points-transfers", { member: found.id });
  }

  async function takeBack(made) {
    const key = api.newKey();
    const done = await formDialog({
      title: w("transfers.back_of", { count: count(made.points) }),
      fields: [{ name: "text", label: w("transfers.text"), required: true, most: 200 }],
      submit: w("transfers.back"),
      danger: true,
      onSubmit: (values) => api.post(`${PATH}/${encodeURIComponent(made.id)}/take-back`, values, { key }),
    });
    if (done) toast(w("transfers.waits"));
  }

  keys({ f: [w("transfers.find"), () => attempt(find)] });
  const top = head(w("transfers.title"), { note: w("transfers.note"), actions: h("button", { type: "button", class: "button primary", onclick: () => attempt(find) }, w("transfers.find")) });
  if (!member) return [top, h("div", { class: "card" }, empty({ icon: "exchange", title: w("transfers.start") }))];
  return [top, table({
    label: w("transfers.title"),
    signal,
    load: ({ cursor }) => api.get(PATH, { member_id: member, cursor, limit: 50 }, { signal }),
    none: { icon: "exchange", title: w("transfers.none") },
    columns: [
      { title: w("transfers.at"), cell: (made) => h("span", { class: "num" }, stamp(made.at)) },
      { title: w("transfers.giver"), cell: (made) => made.giver_name },
      { title: w("transfers.receiver"), cell: (made) => made.receiver_name },
      { title: w("transfers.points"), number: true, cell: (made) => h("span", { class: "num strong" }, count(made.points)) },
      { title: w("transfers.state"), cell: (made) => pill(w(`transfers.${made.state}`), made.state === "reversed" ? "danger" : "brand") },
      { title: w("transfers.actions"), cell: (made) => made.state === "done" && h("button", { type: "button", class: "button compact danger", "aria-label": `${w("transfers.back")} ${made.id}`, onclick: () => takeBack(made) }, w("transfers.back")) },
    ],
  })];
}
