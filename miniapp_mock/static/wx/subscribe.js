/** WeChat's own sheet that asks for subscribe messages: one for each template that stays ticked. The simulator counts them. */
import { h } from "../shared/dom.js";
import { openDialog } from "../shared/dialog.js";
import { api, refusal } from "./core.js";
import { phoneId } from "./identity.js";
import { header } from "./sheets.js";

const TEXT = { title: "订阅消息", ask: "申请发送以下消息各一次", allow: "允许", refuse: "取消", template: "模板 {id}" };
const MOST = 5;

async function count(ids) {
  const response = await fetch("/mock/wechat/subscriptions", {
    method: "POST", credentials: "omit", headers: { "content-type": "application/json" },
    body: JSON.stringify({ openid: `openid-${phoneId()}`, template_ids: ids }),
  });
  if (!response.ok) throw refusal("10002 network");
}

/** Resolves `{ <template id>: "accept" | "reject" }`. */
export const requestSubscribeMessage = api("requestSubscribeMessage", async ({ tmplIds = [] }) => {
  if (!tmplIds.length || tmplIds.length > MOST) throw refusal("10003 tmplIds");
  const boxes = tmplIds.map((id) => h("input", { type: "checkbox", checked: true, value: id }));
  const answer = (accepted) => () => dialog.close(accepted ? boxes.filter((box) => box.checked).map((box) => box.value) : []);
  const sheet = h("div", { class: "wx-sheet" }, header(TEXT.title, answer(false)),
    h("p", { class: "wx-title" }, TEXT.ask),
    boxes.map((box) => h("label", { class: "row wx-subscribe" }, box, h("span", { class: "clip" }, TEXT.template.replace("{id}", box.value)))),
    h("div", { class: "wx-actions" },
      h("button", { type: "button", class: "button wx-plain", onclick: answer(false) }, TEXT.refuse),
      h("button", { type: "button", class: "button wx-green", autofocus: true, onclick: answer(true) }, TEXT.allow)));
  const dialog = openDialog(sheet, { label: TEXT.title });
  const accepted = (await dialog.closed) || [];
  if (accepted.length) await count(accepted);
  return Object.fromEntries(tmplIds.map((id) => [id, accepted.includes(id) ? "accept" : "reject"]));
});
