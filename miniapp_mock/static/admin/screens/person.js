/** One person with a login: role and place, what was lost, sessions, history. */
import { h } from "/static/shared/dom.js";
import { attempt, confirm, tell } from "../parts/dialogs.js";
import { formDialog } from "../parts/form.js";
import { stamp } from "../parts/format.js";
import { factList, head, section } from "../parts/states.js";
import { loginTable, sessionTable } from "../staff/sessions.js";
import { shownOnce } from "../staff/once.js";
import { words } from "../texts.js";

const w = words({
  "person.back": "返回员工",
  "person.role": "角色",
  "person.store": "门店",
  "person.office": "总部（不属于门店）",
  "person.totp": "动态验证码",
  "person.on": "已设置",
  "person.off": "未设置",
  "person.state": "状态",
  "person.active": "可登录",
  "person.closed": "已停用",
  "person.locked": "输错太多次，锁定到 {at}",
  "person.move": "调整角色与门店",
  "person.password": "重置密码",
  "person.password_ask": "为 {name} 生成重置密码链接？",
  "person.password_text": "链接一天内有效，只能用一次；设置新密码后，所有登录立即失效。",
  "person.link": "重置密码链接",
  "person.link_text": "只显示这一次：请交给本人。",
  "person.reset_totp": "重置动态验证码",
  "person.reset_ask": "取消 {name} 的动态验证码？",
  "person.reset_text": "用于手机丢失时。所有登录立即失效，本人登录后应重新设置。",
  "person.unlock": "解除锁定",
  "person.close": "停用",
  "person.close_ask": "停用 {name}？",
  "person.close_text": "所有登录立即失效；以后可以恢复。",
  "person.reopen": "恢复登录",
  "person.end_all": "结束全部会话",
  "person.end_ask": "结束 {name} 的全部登录？",
  "person.done": "已办理",
  "person.log": "操作日志",
  "person.sessions": "登录会话",
  "person.logins": "登录记录",
});

export async function open({ api, me, place, signal, href }) {
  const path = `/v1/admin/staff/${place.query.id}`;
  const [{ items: stores }, { items: roles }, first] = await Promise.all([api.get("/v1/admin/stores", {}, { signal }), api.get("/v1/admin/roles", {}, { signal }), api.get(path, {}, { signal })]);
  const manages = me.may("staff.manage");
  let person = first;

  async function done(work) {
    if (await attempt(work, w("person.done"))) [facts, sessions].forEach((part) => part.reload());
  }
  async function asked(title, content, work) {
    if (await confirm(title, { content, danger: true })) await done(work);
  }
  async function move() {
    const fields = [
      { name: "role", label: w("person.role"), kind: "choice", value: person.role, options: roles.map((role) => [role.code, role.title]), required: true },
      { name: "store_id", label: w("person.store"), kind: "choice", value: person.store_id || "", options: [["", w("person.office")], ...stores.map((store) => [store.id, `${store.id} ${store.name}`])] },
    ];
    if (await formDialog({ title: w("person.move"), fields, onSubmit: (values) => api.put(path, values) })) facts.reload();
  }
  async function link() {
    if (!(await confirm(w("person.password_ask", { name: person.username }), { content: w("person.password_text") }))) return;
    let made = null;
    if (!(await attempt(async () => { made = await api.post(`${path}/reset-password`); }))) return;
    await tell(w("person.link"), shownOnce(w("person.link_text"), new URL(href("join", { token: made.token }), location.href).href));
  }

  const button = (text, onclick, look = "") => h("button", { type: "button", class: `button ${look}`.trim(), onclick }, text);
  const facts = section(async () => {
    person = await api.get(path, {}, { signal });
    const name = { name: person.username };
    return h("div", { class: "card stack" },
      factList([
        [w("person.role"), roles.find((role) => role.code === person.role)?.title || person.role],
        [w("person.store"), person.store_id || w("person.office")],
        [w("person.totp"), w(person.totp ? "person.on" : "person.off")],
        [w("person.state"), person.locked_until ? w("person.locked", { at: stamp(person.locked_until) }) : w(person.active ? "person.active" : "person.closed")],
      ]),
      manages && h("div", { class: "row-actions" },
        button(w("person.move"), move, "primary"),
        person.active && person.id !== me.id && button(w("person.password"), link),
        person.totp && person.id !== me.id && button(w("person.reset_totp"), () => asked(w("person.reset_ask", name), w("person.reset_text"), () => api.post(`${path}/reset-totp`))),
        person.locked_until && person.id !== me.id && button(w("person.unlock"), () => done(() => api.post(`${path}/unlock`))),
        person.active && person.id !== me.id && button(w("person.close"), () => asked(w("person.close_ask", name), w("person.close_text"), () => api.post(`${path}/close`)), "danger"),
        !person.active && button(w("person.reopen"), () => done(() => api.post(`${path}/reopen`)))));
  }, { signal });
  const end = manages && ((one) => done(() => api.remove(`${path}/sessions/${one.id}`)));
  const sessions = sessionTable({ signal, end, load: () => api.get(`${path}/sessions`, {}, { signal }) });
  const logins = loginTable({ signal, load: () => api.get(`${path}/logins`, {}, { signal }) });
  const actions = [
    h("a", { class: "button", href: href("staff") }, w("person.back")),
    me.may("audit.read") && h("a", { class: "button", href: href("audit", { staff_id: first.id }) }, w("person.log")),
    manages && button(w("person.end_all"), () => asked(w("person.end_ask", { name: first.username }), "", () => api.post(`${path}/end-sessions`))),
  ];
  return [head(first.username, { actions }), facts, h("h2", { class: "section-title" }, w("person.sessions")), sessions, h("h2", { class: "section-title" }, w("person.logins")), logins];
}
