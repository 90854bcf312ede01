/** One suggestion: all that was said, and an answer. */
import { fill, h } from "/static/shared/dom.js";
import { attempt, confirm } from "../parts/dialogs.js";
import { date, stamp } from "../parts/format.js";
import { form } from "../parts/form.js";
import { factList, head, pill } from "../parts/states.js";
import { said, thread } from "../parts/thread.js";
import { words } from "../texts.js";

const w = words({
  "suggestion.title": "意见",
  "suggestion.back": "返回列表",
  "suggestion.open": "待答复",
  "suggestion.answered": "已答复",
  "suggestion.closed": "已结束",
  "suggestion.box": "意见箱",
  "suggestion.who": "提交人",
  "suggestion.anonymous": "匿名",
  "suggestion.day": "日期",
  "suggestion.rating": "评分",
  "suggestion.said": "评价",
  "suggestion.assigned": "负责人",
  "suggestion.take": "由我负责",
  "suggestion.answer": "答复",
  "suggestion.and_close": "答复后结束",
  "suggestion.send": "发送答复",
  "suggestion.close": "直接结束",
  "suggestion.close_ask": "不答复直接结束？",
  "suggestion.done": "已办理",
  "suggestion.writer": "提交人",
  "suggestion.me": "我",
  "suggestion.somebody": "其他管理员",
});

const LOOKS = { open: "gold", answered: "brand", closed: "" };

export async function open({ api, me, place, signal, href }) {
  const path = `/v1/admin/suggestions/${encodeURIComponent(place.query.id || "")}`;
  const node = h("div", { class: "stack" });
  let found = await api.get(path, {}, { signal });

  function draw(next) {
    found = next;
    const who = found.writer ? [found.writer.name_masked, found.writer.member_no, found.writer.level].join(" · ") : w("suggestion.anonymous");
    const assigned = found.assigned_to && w(found.assigned_to === me.id ? "suggestion.me" : "suggestion.somebody");
    const answer = form({
      submit: w("suggestion.send"),
      fields: [
        { name: "text", label: w("suggestion.answer"), kind: "lines", required: true, most: 2000, rows: 5 },
        { name: "close", label: w("suggestion.and_close"), kind: "tick", value: false },
      ],
      onSubmit: async (values) => draw(await api.post(`${path}/answers`, { ...values, version: found.version }, { again: true })),
    });
    fill(node,
      head(w("suggestion.title"), { actions: h("a", { class: "button", href: href("suggestions") }, w("suggestion.back")) }),
      h("div", { class: "beside" },
        h("div", { class: "stack" },
          h("section", { class: "card flush" }, thread(w("suggestion.title"), found.messages.map((one) => said({ ...one, who: one.staff || w("suggestion.writer") }, one.author === "staff" ? "own" : "")))),
          h("section", { class: "card" }, answer)),
        h("aside", null,
          h("section", { class: "card stack" }, h("p", null, pill(w(`suggestion.${found.state}`), LOOKS[found.state])),
            factList([
              [w("suggestion.box"), found.box_title],
              [w("suggestion.who"), who],
              [w("suggestion.day"), found.at ? stamp(found.at) : date(found.day)],
              [w("suggestion.assigned"), assigned],
              [w("suggestion.rating"), found.rating],
              [w("suggestion.said"), found.rating_text],
            ])),
          h("div", { class: "voice-actions" },
            found.assigned_to !== me.id && h("button", { type: "button", class: "button", onclick: () => step("assign", { staff_id: me.id }) }, w("suggestion.take")),
            found.state !== "closed" && h("button", { type: "button", class: "button danger", onclick: close }, w("suggestion.close"))))));
  }

  async function step(what, body = {}) {
    await attempt(async () => draw(await api.post(`${path}/${what}`, { ...body, version: found.version }, { again: true })), w("suggestion.done"));
  }

  async function close() {
    if (await confirm(w("suggestion.close_ask"), { confirmText: w("suggestion.close"), danger: true })) await step("close");
  }

  draw(found);
  return node;
}
