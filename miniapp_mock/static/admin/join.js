/** Whoever comes with a link, an invitation or another password for somebody, sets it here; then they log in. */
import { fill, h } from "/static/shared/dom.js";
import { form } from "./parts/form.js";
import * as session from "./session.js";
import { words } from "./texts.js";

const w = words({
  "join.title": "设置密码",
  "join.note": "链接只能用一次。设置后用它登录。",
  "join.password": "新密码",
  "join.rule": "至少 10 个字符，不含用户名，不用常见密码",
  "join.again": "再输一遍",
  "join.differ": "两次输入的密码不一样",
  "join.submit": "保存",
  "join.done": "{name} 的密码已设置，请登录",
});

/** Show it in `app`; resolves with what is told above the login. */
export function show(app, token) {
  return new Promise((resolve) => {
    const fields = [
      { name: "password", label: w("join.password"), kind: "password", note: w("join.rule"), required: true, most: 200 },
      { name: "again", label: w("join.again"), kind: "password", required: true, most: 200 },
    ];
    async function use({ password, again }) {
      if (password !== again) throw Object.assign(new Error(), { name: "ApiError", fields: [{ pointer: "/again", message: w("join.differ") }] });
      resolve(w("join.done", { name: (await session.useLink(token, password)).username }));
    }
    fill(app, h("main", { class: "login" }, h("div", { class: "card login-card" }, h("h1", null, w("join.title")), h("p", { class: "muted small" }, w("join.note")), form({ fields, submit: w("join.submit"), onSubmit: use }))));
    app.querySelector("input").focus();
  });
}
