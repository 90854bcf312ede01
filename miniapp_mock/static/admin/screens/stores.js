/** Stores and their tills: what there is, a new one, another secret, no more of it. */
import { h } from "/static/shared/dom.js";
import { attempt, confirm, tell } from "../parts/dialogs.js";
import { formDialog } from "../parts/form.js";
import { day } from "../parts/format.js";
import { head, pill } from "../parts/states.js";
import { table } from "../parts/table.js";
import { words } from "../texts.js";

const w = words({
  "stores.title": "门店与终端",
  "stores.stores": "门店",
  "stores.id": "编号",
  "stores.name": "名称",
  "stores.address": "地址",
  "stores.zone": "时区",
  "stores.new": "新增门店",
  "stores.saved": "已保存",
  "stores.none": "还没有门店",
  "tills.title": "收银终端",
  "tills.id": "终端编号",
  "tills.store": "门店",
  "tills.name": "名称",
  "tills.since": "启用日期",
  "tills.state": "状态",
  "tills.actions": "操作",
  "tills.active": "启用中",
  "tills.revoked": "已停用",
  "tills.new": "新增终端",
  "tills.none": "还没有终端",
  "tills.rotate": "换密钥",
  "tills.rotate_ask": "给 {id} 换密钥？",
  "tills.rotate_text": "原来的密钥再有效 24 小时，请在此期间把新密钥填到收银机。",
  "tills.revoke": "停用",
  "tills.revoke_ask": "停用 {id}？",
  "tills.revoke_text": "这台收银机立即不能再收款，不能恢复。",
  "tills.secret": "终端密钥",
  "tills.secret_text": "只显示这一次，请立即填到收银机或妥善保管。",
  "tills.id_note": "可留空，自动生成",
});

function secret(made) {
  return tell(w("tills.secret"), h("div", { class: "stack" }, h("p", { class: "muted small" }, w("tills.secret_text")), h("p", null, made.id), h("p", { class: "secret num" }, made.secret)));
}

export async function open({ api, me, signal }) {
  const { items: stores } = await api.get("/v1/admin/stores", {}, { signal });

  async function newStore() {
    const made = await formDialog({
      title: w("stores.new"),
      fields: [
        { name: "id", label: w("stores.id"), required: true, most: 16 },
        { name: "name", label: w("stores.name"), required: true, most: 80 },
        { name: "address", label: w("stores.address"), most: 200 },
      ],
      onSubmit: (values) => api.post("/v1/admin/stores", { id: values.id, name: values.name, address: values.address || "" }),
    });
    if (made) shops.reload();
  }

  async function newTill() {
    const made = await formDialog({
      title: w("tills.new"),
      fields: [
        { name: "store_id", label: w("tills.store"), kind: "choice", options: stores.map((store) => [store.id, `${store.id} ${store.name}`]), required: true },
        { name: "name", label: w("tills.name"), required: true, most: 80 },
        { name: "id", label: w("tills.id"), note: w("tills.id_note"), most: 32 },
      ],
      onSubmit: (values) => api.post("/v1/admin/terminals", values),
    });
    if (!made) return;
    await secret(made);
    tills.reload();
  }

  async function rotate(till) {
    if (!(await confirm(w("tills.rotate_ask", { id: till.id }), { content: w("tills.rotate_text"), confirmText: w("tills.rotate") }))) return;
    await attempt(async () => secret(await api.post(`/v1/admin/terminals/${till.id}/rotate-secret`)));
    tills.reload();
  }

  async function revoke(till) {
    if (!(await confirm(w("tills.revoke_ask", { id: till.id }), { content: w("tills.revoke_text"), confirmText: w("tills.revoke"), danger: true }))) return;
    await attempt(() => api.post(`/v1/admin/terminals/${till.id}/revoke`), w("stores.saved"));
    tills.reload();
  }

  const shops = table({
    label: w("stores.stores"), signal, none: { icon: "shop", title: w("stores.none") },
    load: () => api.get("/v1/admin/stores", {}, { signal }),
    columns: [
      { title: w("stores.id"), cell: (store) => store.id },
      { title: w("stores.name"), cell: (store) => h("span", { class: "strong" }, store.name) },
      { title: w("stores.address"), cell: (store) => store.address || "—" },
      { title: w("stores.zone"), hide: "narrow", cell: (store) => store.timezone },
    ],
  });
  const tills = table({
    label: w("tills.title"), signal, none: { icon: "card", title: w("tills.none") },
    load: () => api.get("/v1/admin/terminals", {}, { signal }),
    columns: [
      { title: w("tills.id"), cell: (till) => till.id },
      { title: w("tills.name"), cell: (till) => h("span", { class: "strong" }, till.name) },
      { title: w("tills.store"), cell: (till) => till.store_id },
      { title: w("tills.since"), hide: "narrow", cell: (till) => h("span", { class: "num" }, day(till.created_at)) },
      { title: w("tills.state"), cell: (till) => (till.revoked_at ? pill(w("tills.revoked")) : pill(w("tills.active"), "brand")) },
      { title: w("tills.actions"), cell: (till) => !till.revoked_at && h("div", { class: "row-actions" },
        h("button", { type: "button", class: "button compact soft", "aria-label": `${w("tills.rotate")} ${till.id}`, onclick: () => rotate(till) }, w("tills.rotate")),
        h("button", { type: "button", class: "button compact danger", "aria-label": `${w("tills.revoke")} ${till.id}`, onclick: () => revoke(till) }, w("tills.revoke"))) },
    ],
  });
  const actions = [
    me.may("stores.write") && h("button", { type: "button", class: "button", onclick: newStore }, w("stores.new")),
    h("button", { type: "button", class: "button primary", onclick: newTill }, w("tills.new")),
  ];
  return [head(w("stores.title"), { actions }), h("h2", null, w("stores.stores")), shops, h("h2", null, w("tills.title")), tills];
}
