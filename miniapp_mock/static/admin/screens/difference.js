/** One difference: what either side says, what was found out, and what it turned out to be. */
import { fill, h } from "/static/shared/dom.js";
import { attempt } from "../parts/dialogs.js";
import { form, formDialog } from "../parts/form.js";
import { stamp } from "../parts/format.js";
import { fen, RESOLUTIONS, say, standing, store, wrong } from "../parts/money.js";
import { factList, head } from "../parts/states.js";
import { words } from "../texts.js";

const w = words({
  "difference.title": "对账差异",
  "difference.back": "返回",
  "difference.number": "商户单号",
  "difference.kind": "类别",
  "difference.day": "账单日期",
  "difference.store": "门店",
  "difference.theirs": "微信金额",
  "difference.ours": "本方金额",
  "difference.what": "差异",
  "difference.state": "状态",
  "difference.who": "处理人",
  "difference.resolution": "结果",
  "difference.choose": "请选择",
  "difference.steps": "经过",
  "difference.by_itself": "系统",
  "difference.take": "由我处理",
  "difference.note": "记录进展",
  "difference.note_text": "查到了什么",
  "difference.resolve": "处理完毕",
  "difference.why": "说明",
  "difference.reopen": "重新处理",
  "difference.done": "已记录",
  "difference.step_found": "发现差异",
  "difference.step_taken": "认领",
  "difference.step_noted": "进展",
  "difference.step_resolved": "处理完毕",
  "difference.step_reopened": "重新处理",
  "difference.step_gone": "双方已一致",
  "difference.step_other": "其他",
});

export async function open({ api, me, place, signal, href }) {
  const path = `/v1/admin/reconciliation/differences/${encodeURIComponent(place.query.id || "")}`;
  const node = h("div", { class: "stack" });

  function draw({ difference: one, steps }) {
    const act = (what, values = {}) => api.post(`${path}/${what}`, { ...values, version: one.version }, { again: true });
    const waits = one.state === "open" || one.state === "working";
    const works = me.may("reconciliation.work");

    async function write(what, title) {
      const next = await formDialog({ title, fields: [{ name: "note", label: w("difference.note_text"), kind: "lines", required: true, most: 500 }], onSubmit: (values) => act(what, values) });
      if (next) draw(next);
    }

    const resolve = works && waits && h("section", { class: "card" }, h("h2", null, w("difference.resolve")), form({
      submit: w("difference.resolve"),
      fields: [
        { name: "resolution", label: w("difference.resolution"), kind: "choice", required: true, options: [["", w("difference.choose")], ...RESOLUTIONS.map((code) => [code, say(code)])] },
        { name: "note", label: w("difference.why"), kind: "lines", required: true, most: 500 },
      ],
      onSubmit: async (values) => draw(await act("resolve", values)),
    }));
    const button = (text, onclick, look = "") => h("button", { type: "button", class: `button ${look}`.trim(), onclick }, text);
    const actions = [
      h("a", { class: "button", href: href("bills") }, w("difference.back")),
      works && waits && button(w("difference.note"), () => write("note", w("difference.note"))),
      works && waits && one.staff !== me.username && button(w("difference.take"), () => attempt(async () => draw(await act("take")), w("difference.done")), "primary"),
      works && one.state === "resolved" && button(w("difference.reopen"), () => write("reopen", w("difference.reopen"))),
    ];
    fill(node,
      head(w("difference.title"), { actions }),
      h("div", { class: "beside" },
        h("div", { class: "stack" },
          h("section", { class: "card" }, h("h2", null, w("difference.steps")), h("ol", { class: "stack" }, steps.map((step) => h("li", null,
            h("p", null, h("span", { class: "strong" }, w(`difference.step_${step.action}`)), h("span", { class: "muted small" }, ` ${step.staff || w("difference.by_itself")} · ${stamp(step.at)}`)),
            step.note && h("p", null, step.note))))),
          resolve),
        h("aside", null, h("section", { class: "card" }, factList([
          [w("difference.state"), standing(one.state)],
          [w("difference.what"), wrong(one.what)],
          [w("difference.kind"), say(one.kind)],
          [w("difference.theirs"), fen(one.theirs_fen)],
          [w("difference.ours"), fen(one.ours_fen)],
          [w("difference.number"), one.number],
          [w("difference.day"), one.day],
          [w("difference.store"), store(one.store_id)],
          [w("difference.who"), one.staff],
          [w("difference.resolution"), one.resolution && say(one.resolution)],
        ])))));
  }

  draw(await api.get(path, {}, { signal }));
  return node;
}
