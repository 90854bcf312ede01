/** Roles and what they hold: a matrix of permissions, and the chain's own roles. */
import { h } from "/static/shared/dom.js";
import { attempt, confirm } from "../parts/dialogs.js";
import { formDialog } from "../parts/form.js";
import { head, section } from "../parts/states.js";
import { words } from "../texts.js";

const w = words({
  "roles.title": "角色与权限",
  "roles.note": "° 只对总部人员有效；总部管理员始终拥有全部权限",
  "roles.back": "返回员工",
  "roles.new": "新增角色",
  "roles.permission": "权限",
  "roles.code": "代码",
  "roles.code_note": "小写字母开头，可用数字和下划线，保存后不能修改",
  "roles.name": "名称",
  "roles.scope": "适用",
  "roles.office": "总部",
  "roles.store": "门店",
  "roles.any": "总部或门店",
  "roles.held": "拥有的权限",
  "roles.change": "修改",
  "roles.remove": "删除",
  "roles.remove_ask": "删除角色「{name}」？",
  "roles.removed": "已删除",
  "roles.holds": "有",
  "roles.factor": "须设置动态验证码",
  "roles.factor_note": "勾选后，没有设置的人在设置好之前什么也不能做",
});

export async function open({ api, me, signal, href, keys }) {
  const writes = me.may("roles.manage");
  const { items: permissions } = await api.get("/v1/admin/permissions", {}, { signal });
  const options = permissions.map((one) => [one.code, `${one.title}${one.office ? " °" : ""}`]);

  async function add() {
    const fields = [
      { name: "code", label: w("roles.code"), note: w("roles.code_note"), required: true, most: 16 },
      { name: "title", label: w("roles.name"), required: true, most: 20 },
      { name: "scope", label: w("roles.scope"), kind: "choice", value: "store", options: ["store", "office", "any"].map((one) => [one, w(`roles.${one}`)]), required: true },
      { name: "permissions", label: w("roles.held"), kind: "many", options },
    ];
    if (await formDialog({ title: w("roles.new"), fields, onSubmit: (values) => api.post("/v1/admin/roles", values) })) matrix.reload();
  }
  async function change(role) {
    const fields = [
      ...(role.builtin ? [] : [{ name: "title", label: w("roles.name"), value: role.title, required: true, most: 20 }]),
      { name: "second_factor", label: w("roles.factor"), note: w("roles.factor_note"), kind: "tick", value: role.second_factor },
      ...(role.code === "admin" ? [] : [{ name: "permissions", label: w("roles.held"), kind: "many", value: role.permissions, options }]),
    ];
    const save = (values) => api.put(`/v1/admin/roles/${role.code}`, { title: role.title, permissions: role.permissions, ...values, version: role.version });
    if (await formDialog({ title: `${w("roles.change")} · ${role.title}`, fields, onSubmit: save })) matrix.reload();
  }
  async function remove(role) {
    if (!(await confirm(w("roles.remove_ask", { name: role.title }), { confirmText: w("roles.remove"), danger: true }))) return;
    if (await attempt(() => api.remove(`/v1/admin/roles/${role.code}?version=${role.version}`), w("roles.removed"))) matrix.reload();
  }

  const headCell = (role) => h("th", { scope: "col" }, h("div", { class: "stack" }, h("span", null, role.title), h("span", { class: "muted tiny" }, w(`roles.${role.scope}`)),
    role.second_factor && h("span", { class: "tiny" }, w("roles.factor")),
    writes && h("button", { type: "button", class: "button compact soft", "aria-label": `${w("roles.change")} ${role.title}`, onclick: () => change(role) }, w("roles.change")),
    writes && !role.builtin && h("button", { type: "button", class: "button compact", "aria-label": `${w("roles.remove")} ${role.title}`, onclick: () => remove(role) }, w("roles.remove"))));
  const mark = (held) => h("td", { class: "center" }, held && h("span", null, h("span", { "aria-hidden": "true" }, "●"), h("span", { class: "sr-only" }, w("roles.holds"))));

  const matrix = section(async () => {
    const { items } = await api.get("/v1/admin/roles", {}, { signal });
    const held = items.map((role) => new Set(role.permissions));
    return h("div", { class: "card flush table-card" }, h("div", { class: "table-scroll", tabindex: "0", role: "region", "aria-label": w("roles.title") }, h("table", { class: "table" },
      h("caption", { class: "sr-only" }, w("roles.title")),
      h("thead", null, h("tr", null, h("th", { scope: "col" }, w("roles.permission")), items.map(headCell))),
      h("tbody", null, permissions.map((one) => h("tr", null, h("th", { scope: "row" }, one.title, one.office && " °", h("div", { class: "muted tiny num" }, one.code)), held.map((set) => mark(set.has(one.code)))))))));
  }, { signal, rows: 10 });
  if (writes) keys({ n: [w("roles.new"), add] });
  const actions = [h("a", { class: "button", href: href("staff") }, w("roles.back")), writes && h("button", { type: "button", class: "button primary", onclick: add }, w("roles.new"), h("kbd", null, "n"))];
  return [head(w("roles.title"), { note: w("roles.note"), actions }), matrix];
}
