/** Care plans: which run, a new one, start and stop, and whether one helps. */
import { h } from "/static/shared/dom.js";
import { attempt, confirm, tell } from "../parts/dialogs.js";
import { formDialog } from "../parts/form.js";
import { count, money } from "../parts/format.js";
import { factList, head, pill } from "../parts/states.js";
import { table } from "../parts/table.js";
import { problemText, words } from "../texts.js";

const w = words({
  "plans.title": "关怀计划",
  "plans.note": "每天按触发条件找出会员：自动发消息，或生成门店待办",
  "plans.new": "新建计划",
  "plans.name": "名称",
  "plans.trigger": "触发",
  "plans.days": "天数",
  "plans.days_note": "生日、积分到期为提前几天；其余为之后几天",
  "plans.how": "方式",
  "plans.template": "消息模板",
  "plans.points": "送积分",
  "plans.holdout": "留作对照（%）",
  "plans.holdout_note": "随机留出一部分不关怀，才能判断有没有用",
  "plans.window": "观察天数",
  "plans.state": "状态",
  "plans.done_on": "执行到",
  "plans.actions": "操作",
  "plans.start": "启用",
  "plans.pause": "暂停",
  "plans.effect": "效果",
  "plans.draft": "草稿",
  "plans.active": "执行中",
  "plans.paused": "已暂停",
  "plans.ended": "已结束",
  "plans.birthday": "生日",
  "plans.registered": "入会后",
  "plans.level": "升级后",
  "plans.bought": "购买后",
  "plans.not_bought": "多日未购",
  "plans.points_expiring": "积分到期前",
  "plans.coupon_expiring": "优惠券到期提醒日",
  "plans.day": "指定日",
  "plans.letter": "自动消息",
  "plans.call": "门店电话",
  "plans.visit": "门店接待",
  "plans.other": "其他待办",
  "plans.in_days": "{count} 天",
  "plans.saved": "已办理",
  "plans.others": "生日已有赠礼，仍要启用？",
  "plans.cared": "关怀组",
  "plans.held": "对照组",
  "plans.buyers": "{bought} / {members} 人购买，{share}%",
  "plans.mean": "人均 {amount}",
  "plans.gap": "人均差",
  "plans.range": "{value}（95% 区间 {low} 至 {high}）",
  "plans.waiting": "还在观察期",
  "plans.people": "{count} 人",
  "plans.none": "还没有计划",
});

const TRIGGERS = ["birthday", "registered", "bought", "not_bought", "level", "points_expiring", "coupon_expiring"];
const HOWS = ["letter", "call", "visit", "other"];
const TEMPLATES = ["care.birthday", "care.welcome", "care.after_sale", "care.missed", "care.level", "care.points_expiring", "care.coupon_expiring", "care.greeting"];
const LOOKS = { active: "brand", paused: "gold" };
const BASE = "/v1/admin/care-plans";

export async function open({ api, signal, keys }) {
  const path = (plan, what) => `${BASE}/${encodeURIComponent(plan.id)}/${what}`;

  async function add() {
    const key = api.newKey();
    const made = await formDialog({
      title: w("plans.new"),
      fields: [
        { name: "title", label: w("plans.name"), required: true, most: 60 },
        { name: "trigger", label: w("plans.trigger"), kind: "choice", options: TRIGGERS.map((code) => [code, w(`plans.${code}`)]), value: "birthday" },
        { name: "days", label: w("plans.days"), kind: "number", value: 0, note: w("plans.days_note") },
        { name: "how", label: w("plans.how"), kind: "choice", options: HOWS.map((code) => [code, w(`plans.${code}`)]), value: "letter" },
        { name: "template", label: w("plans.template"), kind: "choice", options: TEMPLATES.map((code) => [code, code]), value: "care.birthday" },
        { name: "points", label: w("plans.points"), kind: "number" },
        { name: "holdout", label: w("plans.holdout"), kind: "number", value: 10, note: w("plans.holdout_note") },
        { name: "window_days", label: w("plans.window"), kind: "number", value: 14, required: true },
      ],
      onSubmit: (values) => api.post(BASE, {
        title: values.title,
        trigger: { on: values.trigger, ...(values.days ? { days: values.days } : {}) },
        how: values.how,
        ...(values.how === "letter" ? { template: values.template } : {}),
        ...(values.points ? { gift: { points: values.points } } : {}),
        holdout_bp: (values.holdout || 0) * 100,
        window_days: values.window_days,
      }, { key }),
    });
    if (made) list.reload();
  }

  async function start(plan, beside = false) {
    try {
      await api.post(path(plan, "start"), { beside_other_gifts: beside }, { again: true });
    } catch (error) {
      if (error.code !== "birthday_gift_exists") { await attempt(() => { throw error; }); return; }
      if (await confirm(w("plans.others"), { content: plan.other_gifts.join("；") || problemText(error), confirmText: w("plans.start") })) await start(plan, true);
      return;
    }
    list.reload();
  }

  async function pause(plan) {
    await attempt(() => api.post(path(plan, "pause"), {}, { again: true }), w("plans.saved"));
    list.reload();
  }

  async function effect(plan) {
    await attempt(async () => {
      const found = await api.get(path(plan, "effect"));
      const said = found.effect;
      const side = (group, bp, mean) => (bp === null ? "—" : `${w("plans.buyers", { bought: count(group.bought), members: count(group.members), share: (bp / 100).toFixed(1) })}；${w("plans.mean", { amount: money(mean) })}`);
      await tell(plan.title, h("div", { class: "stack" }, h("p", { class: "strong" }, found.says), factList([
        [w("plans.cared"), side(found.cared, said.cared_bp, said.cared_mean_fen)],
        [w("plans.held"), side(found.held_out, said.held_bp, said.held_mean_fen)],
        [w("plans.gap"), said.difference_fen !== null && !said.too_few && w("plans.range", { value: money(said.difference_fen), low: money(said.low_fen), high: money(said.high_fen) })],
        [w("plans.waiting"), found.waiting > 0 && w("plans.people", { count: count(found.waiting) })],
      ].map(([label, value]) => [label, value || null]))));
    });
  }

  const button = (text, plan, run, look = "soft") => h("button", { type: "button", class: `button compact ${look}`, "aria-label": `${text} ${plan.title}`, onclick: () => run(plan) }, text);
  const list = table({
    label: w("plans.title"),
    signal,
    load: ({ cursor }) => api.get(BASE, { cursor, limit: 50 }, { signal }),
    none: { icon: "heart", title: w("plans.none") },
    columns: [
      { title: w("plans.name"), width: "wide", cell: (plan) => h("span", null, h("span", { class: "strong" }, plan.title), plan.note && h("span", { class: "muted tiny" }, ` ${plan.note}`)) },
      { title: w("plans.trigger"), cell: (plan) => `${w(`plans.${plan.trigger.on}`)}${plan.trigger.days ? ` ${w("plans.in_days", { count: plan.trigger.days })}` : ""}` },
      { title: w("plans.how"), cell: (plan) => w(`plans.${plan.how}`) },
      { title: w("plans.holdout"), number: true, hide: "narrow", cell: (plan) => String(plan.holdout_bp / 100) },
      { title: w("plans.state"), cell: (plan) => pill(w(`plans.${plan.state}`), LOOKS[plan.state]) },
      { title: w("plans.done_on"), hide: "narrow", cell: (plan) => h("span", { class: "num" }, plan.done_on || "—") },
      { title: w("plans.actions"), cell: (plan) => h("div", { class: "row-actions" },
        button(w("plans.effect"), plan, effect),
        ["draft", "paused"].includes(plan.state) && button(w("plans.start"), plan, (one) => start(one), "primary"),
        plan.state === "active" && button(w("plans.pause"), plan, pause, "")) },
    ],
  });
  keys({ n: [w("plans.new"), add] });
  return [head(w("plans.title"), { note: w("plans.note"), actions: h("button", { type: "button", class: "button primary", onclick: add }, w("plans.new")) }), list];
}
