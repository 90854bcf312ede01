/** Who may log in: names, roles and places, invitations, and a new login. */
import { h } from "/static/shared/dom.js";
import { attempt, confirm, tell } from "../parts/dialogs.js";
import { formDialog } from "../parts/form.js";
import { stamp } from "../parts/format.js";
import { head, pill } from "../parts/states.js";
import { table } from "../parts/table.js";
import { words } from "../texts.js";
import { shownOnce } from "../staff/once.js";

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
  "staff.locked": "已锁定",
  "staff.new": "新增员工",
  "staff.invite": "邀请员工",
  "staff.invite_note": "对方用链接自己设置密码；链接三天内有效，只能用一次",
  "staff.password": "密码",
  "staff.password_note": "至少 10 个字符，不含用户名，不用常见密码",
  "staff.with_totp": "设置动态验证码（推荐）",
  "staff.no_store": "总部（不属于门店）",
  "staff.secret": "动态验证码密钥",
  "staff.secret_text": "只显示这一次：请在验证器应用中手工添加。",
  "staff.link": "邀请链接",
  "staff.link_text": "只显示这一次：请交给本人，不要转发到群里。",
  "staff.roles": "角色与权限",
  "staff.invitations": "邀请",
  "staff.email": "链接发往邮箱（选填）",
  "staff.made": "发出",
  "staff.until": "有效至",
  "staff.waiting": "等待使用",
  "staff.used": "已使用",
  "staff.revoked": "已撤回",
  "staff.expired": "已过期",
  "staff.actions": "操作",
  "staff.revoke": "撤回",
  "staff.revoke_ask": "撤回给 {name} 的邀请？",
  "staff.revoked_done": "已撤回",
  "staff.none": "还没有邀请",
});

export async function open({ api, me, signal, go, href, keys }) {
  const [{ items: stores }, { items: roles }] = await Promise.all([api.get("/v1/admin/stores", {}, { signal }), api.get("/v1/admin/roles", {}, { signal })]);
  const titles = new Map(roles.map((role) => [role.code, role.title]));
  const manages = me.may("staff.manage");

  const who = () => [
    { name: "username", label: w("staff.username"), required: true, most: 40 },
    { name: "role", label: w("staff.role"), kind: "choice", value: "clerk", options: roles.map((role) => [role.code, role.title]), required: true },
    { name: "store_id", label: w("staff.store"), kind: "choice", options: [["", w("staff.no_store")], ...stores.map((store) => [store.id, `${store.id} ${store.name}`])] },
  ];

  async function add() {
    const made = await formDialog({
      title: w("staff.new"),
      fields: [
        ...who().toSpliced(1, 0, { name: "password", label: w("staff.password"), kind: "password", note: w("staff.password_note"), required: true, most: 200 }),
        { name: "totp", label: w("staff.with_totp"), kind: "tick", value: true },
      ],
      onSubmit: (values) => api.post("/v1/admin/staff", values),
    });
    if (!made) return;
    if (made.totp_secret) await tell(w("staff.secret"), shownOnce(w("staff.secret_text"), made.totp_secret));
    list.reload();
  }

  async function invite() {
    const made = await formDialog({ title: w("staff.invite"), note: w("staff.invite_note"), fields: [...who(), { name: "email", label: w("staff.email"), most: 320 }], onSubmit: ({ email, ...values }) => api.post("/v1/admin/invitations", email ? { ...values, email } : values) });
    if (!made) return;
    await tell(w("staff.link"), shownOnce(w("staff.link_text"), new URL(href("join", { token: made.token }), location.href).href));
    invitations.reload();
  }

  async function revoke(one) {
    if (!(await confirm(w("staff.revoke_ask", { name: one.username }), { confirmText: w("staff.revoke"), danger: true }))) return;
    await attempt(() => api.post(`/v1/admin/invitations/${one.id}/revoke`), w("staff.revoked_done"));
    invitations.reload();
  }

  const list = table({
    label: w("staff.title"), signal,
    load: () => api.get("/v1/admin/staff", {}, { signal }),
    open: (person) => go("person", { id: person.id }),
    columns: [
      { title: w("staff.username"), cell: (person) => h("span", { class: "strong" }, person.username) },
      { title: w("staff.role"), cell: (person) => titles.get(person.role) || person.role },
      { title: w("staff.store"), cell: (person) => person.store_id || "—" },
      { title: w("staff.totp"), cell: (person) => (person.totp ? pill(w("staff.on"), "brand") : pill(w("staff.off"))) },
      { title: w("staff.state"), cell: (person) => (!person.active ? pill(w("staff.closed")) : person.locked_until ? pill(w("staff.locked"), "danger") : pill(w("staff.active"), "brand")) },
    ],
  });
  const invitations = manages && table({
    label: w("staff.invitations"), signal,
    load: () => api.get("/v1/admin/invitations", {}, { signal }),
    none: { icon: "mail", title: w("staff.none") },
    columns: [
      { title: w("staff.username"), cell: (one) => h("span", { class: "strong" }, one.username) },
      { title: w("staff.role"), cell: (one) => [titles.get(one.role) || one.role, one.store_id].filter(Boolean).join(" · ") },
      { title: w("staff.made"), cell: (one) => `${one.made_by} · ${stamp(one.made_at)}`, hide: "narrow" },
      { title: w("staff.until"), cell: (one) => stamp(one.expires_at), hide: "narrow" },
      { title: w("staff.state"), cell: (one) => pill(w(`staff.${one.state}`), one.state === "waiting" ? "brand" : "") },
      { title: w("staff.actions"), cell: (one) => one.state === "waiting" && h("button", { type: "button", class: "button compact", "aria-label": `${w("staff.revoke")} ${one.username}`, onclick: () => revoke(one) }, w("staff.revoke")) },
    ],
  });
  if (manages) keys({ n: [w("staff.new"), add], i: [w("staff.invite"), invite] });
  const actions = [
    h("a", { class: "button", href: href("roles") }, w("staff.roles")),
    manages && h("button", { type: "button", class: "button", onclick: invite }, w("staff.invite"), h("kbd", null, "i")),
    manages && h("button", { type: "button", class: "button primary", onclick: add }, w("staff.new"), h("kbd", null, "n")),
  ];
  return [head(w("staff.title"), { actions }), list, invitations && h("h2", { class: "section-title" }, w("staff.invitations")), invitations].filter(Boolean);
}
