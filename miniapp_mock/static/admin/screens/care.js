/** To-dos of care: what is to be done for whom, done with a note, skipped with a reason; and today's birthdays above them. */
import { h } from "/static/shared/dom.js";
import { attempt, tell } from "../parts/dialogs.js";
import { formDialog } from "../parts/form.js";
import { count, stamp } from "../parts/format.js";
import { bars } from "../parts/chart.js";
import { empty, head, pill, section } from "../parts/states.js";
import { table } from "../parts/table.js";
import { words } from "../texts.js";

const w = words({
  "care.title": "关怀待办",
  "care.note": "本店的电话、到店等待办；短信、消息由系统自动发送",
  "care.view": "范围",
  "care.open": "待办",
  "care.overdue": "逾期",
  "care.mine": "我的",
  "care.done": "已完成",
  "care.skipped": "已跳过",
  "care.sent": "已发送",
  "care.due": "待发送",
  "care.failed": "未送达",
  "care.held_out": "对照组",
  "care.member": "会员",
  "care.plan": "计划",
  "care.how": "方式",
  "care.call": "电话",
  "care.visit": "到店",
  "care.other": "其他",
  "care.letter": "消息",
  "care.until": "期限",
  "care.state": "状态",
  "care.result": "结果",
  "care.actions": "操作",
  "care.finish": "完成",
  "care.finish_note": "情况",
  "care.finish_gift": "完成后送出：{gift}",
  "care.take": "我来",
  "care.give_back": "交回",
  "care.skip": "跳过",
  "care.skip_note": "原因",
  "care.number": "看号码",
  "care.number_title": "会员电话",
  "care.number_note": "谁看过号码会留下记录",
  "care.points": "{count} 积分",
  "care.coupon": "优惠券",
  "care.none": "没有待办，辛苦了",
  "care.birthdays": "今天生日",
  "care.turns": "{count} 岁",
  "care.no_birthday": "今天没有会员过生日",
  "care.greeted": "已问候",
  "care.waiting": "项关怀待办",
  "care.late": "项已逾期",
  "care.numbers": "最近 30 天",
});

const VIEWS = ["open", "overdue", "mine", "done", "skipped"];
const LOOKS = { overdue: "danger", done: "brand", open: "gold" };
const MOST = 100;
const DAYS = 30;

/** How much there is to do, for the first screen. */
export async function todo({ api, signal }) {
  const { items, next_cursor: more } = await api.get("/v1/admin/care-tasks", { status: "open", limit: MOST }, { signal });
  return { count: items.length, more: Boolean(more), text: w("care.waiting"), query: { view: "open" } };
}

const giftWords = (gift) => [gift.points && w("care.points", { count: count(gift.points) }), gift.template_id && w("care.coupon")].filter(Boolean).join("、");

export async function open({ api, me, place, signal, href }) {
  const view = VIEWS.includes(place.query.view) ? place.query.view : "open";
  const path = (task, what) => `/v1/admin/care-tasks/${encodeURIComponent(task.id)}/${what}`;
  const changed = () => { list.reload(); birthdays.reload(); };

  async function finish(task) {
    const note = task.gift ? w("care.finish_gift", { gift: giftWords(task.gift) }) : "";
    if (await formDialog({ title: `${w("care.finish")} · ${task.member.name_masked}`, note, fields: [{ name: "note", label: w("care.finish_note"), kind: "lines", most: 500 }], submit: w("care.finish"), onSubmit: (values) => api.post(path(task, "done"), { note: values.note || "" }, { again: true }) })) changed();
  }

  async function skip(task) {
    if (await formDialog({ title: `${w("care.skip")} · ${task.member.name_masked}`, fields: [{ name: "note", label: w("care.skip_note"), kind: "lines", most: 500, required: true }], submit: w("care.skip"), onSubmit: (values) => api.post(path(task, "skip"), values, { again: true }) })) changed();
  }

  async function assign(task) {
    const own = task.owner_id === me.id;
    if (await attempt(() => api.post(path(task, "assign"), own ? {} : { staff_id: me.id }, { again: true }))) changed();
  }

  async function number(task) {
    await attempt(async () => {
      const { phone } = await api.post(path(task, "number"), {}, { again: true });
      await tell(w("care.number_title"), h("div", { class: "stack" }, h("p", { class: "secret num" }, phone), h("p", { class: "muted small" }, w("care.number_note"))));
    });
  }

  const button = (text, task, run, look = "soft") => h("button", { type: "button", class: `button compact ${look}`, "aria-label": `${text} ${task.member.name_masked}`, onclick: () => run(task) }, text);
  const steps = (task) => ["open", "overdue"].includes(task.status) && h("div", { class: "row-actions" },
    task.how === "call" && button(w("care.number"), task, number), button(w("care.finish"), task, finish, "primary"), button(w("care.skip"), task, skip, ""),
    (task.store_id || !me.store_id) && button(w(task.owner_id === me.id ? "care.give_back" : "care.take"), task, assign, ""));

  const birthdays = section(async () => {
    const { items } = await api.get("/v1/admin/birthdays", { limit: 50 }, { signal });
    if (!items.length) return h("p", { class: "muted small" }, w("care.no_birthday"));
    return h("ul", { class: "facts" }, items.map((item) => h("li", { class: "fact" },
      h("span", { class: "num" }, h("span", { class: "strong" }, item.member.name_masked), ` ${item.member.member_no} · ${w("care.turns", { count: item.turns })}${item.store_id ? ` · ${item.store_id}` : ""}`),
      item.task && (steps(item.task) || pill(item.task.status === "done" ? w("care.greeted") : w(`care.${item.task.status}`), "brand")))));
  }, { signal, className: "stack" });

  const list = table({
    label: w("care.title"),
    signal,
    load: ({ cursor }) => api.get("/v1/admin/care-tasks", { ...(view === "mine" ? { mine: true } : { status: view }), cursor, limit: 50 }, { signal }),
    none: { icon: "heart", title: w("care.none") },
    columns: [
      { title: w("care.member"), cell: (task) => h("span", { class: "num" }, h("span", { class: "strong" }, task.member.name_masked), h("span", { class: "muted tiny" }, ` ${task.member.member_no}`)) },
      { title: w("care.plan"), width: "wide", cell: (task) => task.title },
      { title: w("care.how"), cell: (task) => w(`care.${task.how}`) },
      { title: w("care.until"), hide: "narrow", cell: (task) => h("span", { class: "num" }, task.due_on || stamp(task.made_at)) },
      { title: w("care.state"), cell: (task) => h("span", { class: "row-actions" }, pill(w(`care.${task.status}`), LOOKS[task.status]), task.owner_id === me.id && pill(w("care.mine"))) },
      { title: w("care.result"), hide: "narrow", cell: (task) => task.note || "—" },
      { title: w("care.actions"), cell: steps },
    ],
  });

  const numbers = section(async () => {
    const now = Date.now() + 8 * 3600 * 1000; // the chain's day
    const on = (days) => new Date(now - days * 86_400_000).toISOString().slice(0, 10);
    const found = await api.get("/v1/admin/care-tasks/statistics", { from: on(DAYS), to: on(0) }, { signal });
    const sum = (name) => found.kinds.reduce((all, kind) => all + kind[name], 0);
    const rows = ["sent", "open", "done", "skipped", "held_out"].map((name) => [w(`care.${name}`), sum(name)]);
    return sum("made") + sum("held_out") ? [bars(w("care.numbers"), rows), found.overdue > 0 && h("p", { class: "danger small" }, `${count(found.overdue)} ${w("care.late")}`)] : empty({ icon: "chart" });
  }, { signal, className: "card" });

  const tabs = h("nav", { class: "tabs", "aria-label": w("care.view") }, VIEWS.map((one) => h("a", { class: "tab", href: href("care", { view: one }), "aria-current": one === view && "page" }, w(`care.${one}`))));
  return [head(w("care.title"), { note: w("care.note") }), h("section", { class: "card stack" }, h("h2", null, w("care.birthdays")), birthdays), tabs, list, numbers];
}
