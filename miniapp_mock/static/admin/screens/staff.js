/** Who may log in: names, roles and stores, a new login, and an end to one. */
import { h } from "/static/shared/dom.js";
import { attempt, confirm, tell } from "../parts/dialogs.js";
import { formDialog } from "../parts/form.js";
import { head, pill } from "../parts/states.js";
import { table } from "../parts/table.js";
import { words } from "../texts.js";

const w = words({
  "staff.title": "员工",
  "staff.username": "用户名",
  "staff.role": "角色",
  "staff.store": "门店",
  "staff.totp": "动态验证码",
  "staff.on": "已设置",
  "staff.off": "未设置",
  "staff.state": "状态",
  "staff.active": "可登录",
  "staff.closed": "已停用",
  "staff.actions": "操作",
  "staff.new": "新增员工",
  "staff.password": "密码",
  "staff.password_note": "至少 10 个字符",
  "staff.with_totp": "设置动态验证码（推荐）",
  "staff.no_store": "总部（不属于门店）",
  "staff.secret": "动态验证码密钥",
  "staff.secret_text": "只显示这一次：请在验证器应用中手工添加。",
  "staff.close": "停用",
  "staff.close_ask": "停用 {name}？",
  "staff.close_text": "所有登录立即失效，不能恢复。",
  "staff.done": "已停用",
});

export async function open({ api, me, signal, keys }) {
  const { items: stores } = await api.get("/v1/admin/stores", {}, { signal });

  async function add() {
    const made = await formDialog({
      title: w("staff.new"),
      fields: [
        { name: "username", label: w("staff.username"), required: true, most: 40 },
        { name: "password", label: w("staff.password"), kind: "password", note: w("staff.password_note"), required: true, most: 200 },
        { name: "role", label: w("staff.role"), kind: "choice", options: ["clerk", "manager", "admin"].map((role) => [role, w(`role.${role}`)]), required: true },
        { name: "store_id", label: w("staff.store"), kind: "choice", options: [["", w("staff.no_store")], ...stores.map((store) => [store.id, `${store.id} ${store.name}`])] },
        { name: "totp", label: w("staff.with_totp"), kind: "tick", value: true },
      ],
      onSubmit: (values) => api.post("/v1/admin/staff", values),
    });
    if (!made) return;
    if (made.totp_secret) await tell(w("staff.secret"), h("div", { class: "stack" }, h("p", { class: "muted small" }, w("staff.secret_text")), h("p", { class: "secret num" }, made.totp_secret)));
    list.reload();
  }

  async function close(person) {
    if (!(await confirm(w("staff.close_ask", { name: person.username }), { content: w("staff.close_text"), confirmText: w("staff.close"), danger: true }))) return;
    await attempt(() => api.post(`/v1/admin/staff/${person.id}/close`), w("staff.done"));
    list.reload();
  }

  const list = table({
    label: w("staff.title"), signal,
    load: () => api.get("/v1/admin/staff", {}, { signal }),
    columns: [
      { title: w("staff.username"), cell: (person) => h("span", { class: "strong" }, person.username) },
      { title: w("staff.role"), cell: (person) => w(`role.${person.role}`) },
      { title: w("staff.store"), cell: (person) => person.store_id || "—" },
      { title: w("staff.totp"), cell: (person) => (person.totp ? pill(w("staff.on"), "brand") : pill(w("staff.off"))) },
      { title: w("staff.state"), cell: (person) => (person.active ? pill(w("staff.active"), "brand") : pill(w("staff.closed"))) },
      { title: w("staff.actions"), cell: (person) => person.active && person.id !== me.id && h("div", { class: "row-actions" }, h("button", { type: "button", class: "button compact danger", "aria-label": `${w("staff.close")} ${person.username}`, onclick: () => close(person) }, w("staff.close"))) },
    ],
  });
  keys({ n: [w("staff.new"), add] });
  return [head(w("staff.title"), { actions: h("button", { type: "button", class: "button primary", onclick: add }, w("staff.new"), h("kbd", null, "n")) }), list];
}
