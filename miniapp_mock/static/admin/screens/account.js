/** One's own login: password, second factor, sessions, history. */
import { h } from "/static/shared/dom.js";
import { attempt, tell, toast } from "../parts/dialogs.js";
import { formDialog } from "../parts/form.js";
import { factList, head, section } from "../parts/states.js";
import { loginTable, sessionTable } from "../staff/sessions.js";
import { shownOnce } from "../staff/once.js";
import { words } from "../texts.js";

const w = words({
  "account.phone_bind": "绑定手机（收银台授权）",
  "account.phone_unbind": "解绑手机",
  "account.phone_text": "十分钟内在手机“我的 › 绑定员工账户”输入",
  "account.title": "我的账户",
  "account.username": "用户名",
  "account.role": "角色",
  "account.totp": "动态验证码",
  "account.on": "已设置",
  "account.off": "未设置",
  "account.codes": "剩余恢复码",
  "account.password": "修改密码",
  "account.password_note": "保存后所有登录立即失效，请用新密码重新登录",
  "account.current": "当前密码",
  "account.new": "新密码",
  "account.again": "再输一遍",
  "account.differ": "两次输入的密码不一样",
  "account.rule": "至少 10 个字符，不含用户名，不用常见密码",
  "account.set": "设置动态验证码",
  "account.replace": "更换动态验证码",
  "account.now": "现在的动态验证码",
  "account.secret_note": "在验证器应用中手工添加这个密钥（只显示这一次），再输入它显示的 6 位数字。",
  "account.secret": "密钥",
  "account.code": "6 位动态验证码",
  "account.renew": "更换恢复码",
  "account.recovery": "恢复码",
  "account.recovery_text": "手机不在身边时，每个恢复码可代替一次动态验证码。只显示这一次，请抄下来收好。",
  "account.sessions": "登录会话",
  "account.end_others": "结束其他会话",
  "account.ended": "已结束 {count} 个会话",
  "account.logins": "登录记录",
  "account.done": "已办理",
  "account.bare": "您的角色须用动态验证码登录。请现在设置；设置好之前，其他功能都不能使用。",
});

export async function open({ api, me, signal }) {
  const code = (name, label) => ({ name, label, required: true, most: 6 });
  const current = { name: "current", label: w("account.current"), kind: "password", required: true, most: 200 };
  let account = await api.get("/v1/admin/me/account", {}, { signal });

  async function password() {
    await formDialog({
      title: w("account.password"), note: w("account.password_note"),
      fields: [current, { name: "password", label: w("account.new"), kind: "password", note: w("account.rule"), required: true, most: 200 }, { name: "again", label: w("account.again"), kind: "password", required: true, most: 200 }],
      onSubmit: async ({ current: before, password: next, again }) => {
        if (next !== again) throw Object.assign(new Error(), { name: "ApiError", code: "differ", detail: w("account.differ"), fields: [{ pointer: "/again", message: w("account.differ") }] });
        await api.put("/v1/admin/me/password", { current: before, password: next }, { again: false });
      },
    });
    await api.get("/v1/admin/me", {}, { signal }).catch(() => undefined); // the session has ended: the login is shown
  }
  async function totp() {
    const begun = await formDialog({ title: w(account.totp ? "account.replace" : "account.set"), fields: [current, ...(account.totp ? [code("totp", w("account.now"))] : [])], onSubmit: (values) => api.post("/v1/admin/me/totp", values) });
    if (!begun) return;
    const secret = h("div", { class: "field" }, h("p", { class: "muted small" }, w("account.secret_note")), h("p", { class: "secret num" }, begun.secret));
    const made = await formDialog({ title: w("account.secret"), fields: [{ name: "shown", node: secret, read: () => true }, code("totp", w("account.code"))], onSubmit: (values) => api.post("/v1/admin/me/totp/confirm", { totp: values.totp }) });
    if (made) await tell(w("account.recovery"), shownOnce(w("account.recovery_text"), ...made.codes));
    if (made && me.bare) return location.reload();
    facts.reload();
  }
  async function renew() {
    const made = await formDialog({ title: w("account.renew"), fields: [current, code("totp", w("account.now"))], onSubmit: (values) => api.post("/v1/admin/me/recovery-codes", values) });
    if (made) await tell(w("account.recovery"), shownOnce(w("account.recovery_text"), ...made.codes));
    facts.reload();
  }
  async function phone(bound) {
    if (bound) {
      if (await formDialog({ title: w("account.phone_unbind"), fields: [current], onSubmit: async (values) => { await api.post("/v1/admin/me/phone/unbind", values); return true; } })) facts.reload();
      return;
    }
    const made = await formDialog({ title: w("account.phone_bind"), fields: [current], onSubmit: (values) => api.post("/v1/admin/me/phone", values) });
    if (made) await tell(w("account.phone_bind"), shownOnce(w("account.phone_text"), made.ticket));
    facts.reload();
  }
  async function endOthers() {
    await attempt(async () => toast(w("account.ended", { count: (await api.post("/v1/admin/me/end-other-sessions")).ended })));
    sessions.reload();
  }

  const button = (text, onclick, look = "") => h("button", { type: "button", class: `button ${look}`.trim(), onclick }, text);
  const facts = section(async () => {
    account = await api.get("/v1/admin/me/account", {}, { signal });
    const bound = me.may("overrides.give") ? (await api.get("/v1/admin/me/phone", {}, { signal })).bound_at : undefined;
    return h("div", { class: "card stack" },
      factList([[w("account.username"), account.username], [w("account.role"), [me.role_title, me.store_id].filter(Boolean).join(" · ")], [w("account.totp"), w(account.totp ? "account.on" : "account.off")], [w("account.codes"), account.totp ? String(account.recovery_codes) : null]]),
      h("div", { class: "row-actions" }, button(w("account.password"), password), button(w(account.totp ? "account.replace" : "account.set"), totp, account.totp ? "" : "primary"), account.totp && button(w("account.renew"), renew), bound !== undefined && button(w(bound ? "account.phone_unbind" : "account.phone_bind"), () => phone(bound))));
  }, { signal });
  const end = async (one) => { if (await attempt(() => api.remove(`/v1/admin/me/sessions/${one.id}`), w("account.done"))) sessions.reload(); };
  const sessions = sessionTable({ signal, end, load: () => api.get("/v1/admin/me/sessions", {}, { signal }) });
  const logins = loginTable({ signal, load: () => api.get("/v1/admin/me/logins", {}, { signal }) });
  return [head(w("account.title"), { actions: button(w("account.end_others"), endOthers) }), me.bare && h("p", { class: "card danger", role: "alert" }, w("account.bare")), facts, h("h2", { class: "section-title" }, w("account.sessions")), sessions, h("h2", { class: "section-title" }, w("account.logins")), logins];
}
