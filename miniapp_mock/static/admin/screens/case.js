/** One case: its steps, and what is to be done with it. */
import { fill, h } from "/static/shared/dom.js";
import { OUTCOMES, PRIORITIES, STATE_LOOKS, activeCoupons, cw, options } from "../case_words.js";
import { attempt, tell } from "../parts/dialogs.js";
import { stamp } from "../parts/format.js";
import { form, formDialog } from "../parts/form.js";
import { factList, head, pill } from "../parts/states.js";
import { happened, said, thread } from "../parts/thread.js";
import { words } from "../texts.js";

const w = words({
  "case.title": "反馈",
  "case.back": "返回列表",
  "case.customer": "顾客",
  "case.channel": "渠道",
  "case.store": "门店",
  "case.reference": "订单",
  "case.sku": "商品",
  "case.priority": "优先级",
  "case.assignee": "负责人",
  "case.created": "提交时间",
  "case.due": "应答复",
  "case.overdue": "已逾期",
  "case.outcome": "结果",
  "case.compensation": "补偿",
  "case.rating": "评分",
  "case.rated": "评价",
  "case.answer": "答复",
  "case.answer_note": "会员会收到消息",
  "case.send": "发送答复",
  "case.start": "开始处理",
  "case.assign": "指派",
  "case.assign_to": "交给谁",
  "case.note": "内部备注",
  "case.note_note": "只有员工能看到",
  "case.close": "办结",
  "case.confirm": "顾客说已解决",
  "case.reopen": "顾客说没解决",
  "case.reopen_why": "哪里没解决",
  "case.contact": "查看联系方式",
  "case.contact_title": "联系方式",
  "case.contact_note": "查看会记录在案",
  "case.name": "姓名",
  "case.phone": "手机号",
  "case.give": "补偿",
  "case.give_note": "每件反馈补偿一次，会员会收到消息。单件最多 {points} 积分，24 小时内还可补偿 {left} 件",
  "case.give_points": "积分",
  "case.give_coupon": "优惠券",
  "case.give_none": "不送券",
  "case.give_reason": "补偿原因",
  "case.give_reason_note": "会员能看到",
  "case.given": "已发放",
  "case.step_give": "补偿",
  "case.done": "已办理",
  "case.step_assign": "指派",
  "case.step_start": "开始处理",
  "case.step_confirm": "确认解决",
  "case.step_close": "办结",
  "case.step_rate": "评价",
  "case.step_prioritise": "优先级改为",
  "case.step_claim": "会员认领",
  "case.step_contact": "查看了联系方式",
  "case.step_escalate": "逾期，转入待办",
  "case.step_reopen": "重新打开",
  "case.by_customer": "顾客",
  "case.by_clock": "系统",
});

const SAID = ["open", "say", "answer", "note", "reopen"];
const WAITING = ["received", "assigned", "in_progress", "reopened"];

export async function open({ api, me, place, signal, href, keys }) {
  const path = `/v1/admin/cases/${encodeURIComponent(place.query.id || "")}`;
  const node = h("div", { class: "stack" });
  let found = await api.get(path, {}, { signal });

  const send = async (what, body = {}) => draw(await api.post(`${path}/${what}`, { ...body, version: found.version }, { again: true }));
  const step = (what, body) => attempt(() => send(what, body), w("case.done"));

  async function assign() {
    const { items } = await api.get("/v1/admin/cases/assignees", {}, { signal });
    const people = items.filter((one) => !one.store_id || one.store_id === found.store_id).map((one) => [one.staff_id, one.username]);
    await formDialog({ title: w("case.assign"), submit: w("case.assign"), fields: [{ name: "staff_id", label: w("case.assign_to"), kind: "choice", options: people, value: found.assigned_to || people[0]?.[0] }], onSubmit: (values) => send("assign", values) });
  }

  async function note() {
    const key = api.newKey();
    await formDialog({ title: w("case.note"), note: w("case.note_note"), fields: [{ name: "text", label: w("case.note"), kind: "lines", required: true, most: 2000 }], onSubmit: async (values) => draw(await api.post(`${path}/notes`, values, { key })) });
  }

  async function give() {
    const { points, gifts_left: left, coupons } = await api.get("/v1/admin/cases/gifts", {}, { signal });
    const offered = me.may("coupons.issue") ? await activeCoupons(api, signal) : coupons.map((one) => [one.template_id, one.title]);
    await formDialog({
      title: w("case.give"),
      submit: w("case.give"),
      note: w("case.give_note", { points, left }),
      fields: [
        { name: "points", label: w("case.give_points"), kind: "number" },
        { name: "template_id", label: w("case.give_coupon"), kind: "choice", value: "", options: [["", w("case.give_none")], ...offered] },
        { name: "reason", label: w("case.give_reason"), required: true, most: 200, note: w("case.give_reason_note") },
      ],
      onSubmit: (values) => send("give", values),
    });
  }

  const close = () => formDialog({
    title: w("case.close"),
    submit: w("case.close"),
    fields: [{ name: "outcome", label: w("case.outcome"), kind: "choice", options: options("outcome", OUTCOMES), value: found.given ? "compensated" : "solved" }, { name: "compensation", label: w("case.compensation"), most: 200 }],
    onSubmit: ({ outcome, compensation }) => send("close", { outcome, compensation: compensation || "" }),
  });
  const reopen = () => formDialog({ title: w("case.reopen"), submit: w("case.reopen"), fields: [{ name: "text", label: w("case.reopen_why"), kind: "lines", required: true, most: 2000 }], onSubmit: (values) => send("reopen", values) });
  const prioritise = () => formDialog({ title: w("case.priority"), fields: [{ name: "priority", label: w("case.priority"), kind: "choice", options: options("priority", PRIORITIES), value: found.priority }], onSubmit: (values) => send("priority", values) });

  async function contact() {
    await attempt(async () => {
      const { name, phone } = await api.post(`${path}/contact`, {}, { again: true });
      draw(await api.get(path, {}, { signal }));
      tell(w("case.contact_title"), factList([[w("case.name"), name], [w("case.phone"), phone]]));
    }, w("case.contact_note"));
  }

  function draw(next) {
    found = next;
    const waits = WAITING.includes(found.state);
    const button = (name, run, look = "") => h("button", { type: "button", class: `button ${look}`.trim(), onclick: run }, name);
    const answer = form({ submit: w("case.send"), fields: [{ name: "text", label: w("case.answer"), kind: "lines", required: true, most: 2000, rows: 5, note: found.member_id ? w("case.answer_note") : "" }], onSubmit: (values) => send("answer", values) });
    fill(node,
      head(`${cw(`kind.${found.kind}`)} ${found.id}`, { actions: h("a", { class: "button", href: href("cases") }, w("case.back")) }),
      h("div", { class: "beside" },
        h("div", { class: "stack" },
          h("section", { class: "card flush" }, thread(w("case.title"), found.steps.flatMap(drawStep))),
          (waits || found.state === "answered") && h("section", { class: "card" }, answer)),
        h("aside", null,
          h("section", { class: "card stack" }, h("p", { class: "row" }, pill(cw(`state.${found.state}`), STATE_LOOKS[found.state]), found.overdue && pill(w("case.overdue"), "danger")),
            factList([
              [w("case.customer"), found.customer],
              [w("case.channel"), cw(`channel.${found.channel}`)],
              [w("case.store"), found.store],
              [w("case.reference"), found.reference],
              [w("case.sku"), found.sku],
              [w("case.priority"), cw(`priority.${found.priority}`)],
              [w("case.assignee"), found.assignee],
              [w("case.created"), stamp(found.created_at)],
              [w("case.due"), waits ? stamp(found.due_at) : ""],
              [w("case.outcome"), found.outcome && cw(`outcome.${found.outcome}`)],
              [w("case.given"), found.given?.words],
              [w("case.compensation"), found.compensation],
              [w("case.rating"), found.rating],
              [w("case.rated"), found.rating_text],
            ])),
          h("div", { class: "voice-actions" },
            ["received", "assigned", "reopened"].includes(found.state) && button(w("case.start"), () => step("start"), "primary"),
            !["confirmed", "closed"].includes(found.state) && button(w("case.assign"), assign),
            button(w("case.note"), note),
            found.has_contact && button(w("case.contact"), contact),
            me.may("cases.give") && found.member_id && !found.given && found.state !== "closed" && button(w("case.give"), give),
            waits && button(w("case.priority"), prioritise),
            found.state === "answered" && button(w("case.confirm"), () => step("confirm")),
            ["answered", "confirmed"].includes(found.state) && button(w("case.close"), close, "primary"),
            ["answered", "confirmed", "closed"].includes(found.state) && button(w("case.reopen"), reopen)))));
  }

  function drawStep(one) {
    const who = one.staff || w(one.by === "clock" ? "case.by_clock" : "case.by_customer");
    const line = SAID.includes(one.action) && said({ ...one, who }, one.action === "note" ? "note" : one.action === "answer" ? "own" : "");
    if (one.action === "reopen") return [happened(w("case.step_reopen"), one.at), line];
    if (line) return [line];
    if (one.action === "give") return [happened(`${who} ${w("case.step_give")} ${found.given.words}：${one.text}`, one.at)];
    const more = one.action === "prioritise" ? ` ${cw(`priority.${one.detail.priority}`)}` : one.action === "rate" ? ` ${one.detail.rating}` : "";
    return [happened(`${who} ${w(`case.step_${one.action}`)}${more}`, one.at)];
  }

  keys({ m: [w("case.note"), note] });
  draw(found);
  return node;
}
