/** Care plans: which run, what a new one or a draft says, start, stop and end, and whether one helps. */
import { h } from "/static/shared/dom.js";
import { audienceField, audienceWords } from "../parts/audience.js";
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
  "plans.text": "说明",
  "plans.skus": "买的商品（编号，逗号分隔；不填为任意商品）",
  "plans.to_level": "升到的等级",
  "plans.any_level": "任意等级",
  "plans.points": "送积分",
  "plans.coupon": "送优惠券",
  "plans.no_coupon": "不送",
  "plans.owner": "待办给谁",
  "plans.of_store": "会员所属门店",
  "plans.hour": "几点开始（0–23）",
  "plans.due_days": "待办期限（天）",
  "plans.starts_on": "开始日期",
  "plans.starts_note": "“指定日”触发必填",
  "plans.ends_on": "结束日期",
  "plans.whom": "对象",
  "plans.gift": "礼物",
  "plans.gift_points": "{count} 积分",
  "plans.edit": "修改",
  "plans.show": "查看",
  "plans.end": "结束",
  "plans.end_ask": "结束“{title}”？",
  "plans.end_text": "不再执行，不能恢复；已生成的门店待办保留，还没发出的消息不再发送。",
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

const TRIGGERS = ["birthday", "registered", "bought", "not_bought", "level", "points_expiring", "coupon_expiring", "day"];
const HOWS = ["letter", "call", "visit", "other"];
const PURPOSES = ["care", "marketing"];
const LOOKS = { active: "brand", paused: "gold" };
const BASE = "/v1/admin/care-plans";

/** All pages of a list; nothing of one that this person may not see. */
async function everything(api, path, signal) {
  const all = [];
  let cursor = null;
  do {
    let page;
    try {
      page = await api.get(path, { cursor }, { signal });
    } catch (error) {
      if (error.code !== "forbidden") throw error;
      return all;
    }
    all.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor);
  return all;
}

/** Options of a choice, with what is chosen already also where this person may not see it or it is over. */
function options(nothing, found, chosen) {
  const all = [["", nothing], ...found];
  return !chosen || all.some(([value]) => value === chosen) ? all : [...all, [chosen, chosen]];
}

export async function open({ api, signal, keys }) {
  const path = (plan, what) => `${BASE}/${encodeURIComponent(plan.id)}/${what}`;
  const [{ items: levels }, { items: stores }] = await Promise.all([api.get("/v1/admin/levels", {}, { signal }), api.get("/v1/admin/stores", {}, { signal })]);

  /** What a plan chooses from, as far as this person may see it; read when a plan is written. */
  async function choices() {
    const [templates, coupons, staff] = await Promise.all(["message-templates", "coupons/templates", "staff"].map((name) => everything(api, `/v1/admin/${name}`, signal)));
    return {
      templates: templates.filter((one) => PURPOSES.includes(one.purpose)),
      coupons: coupons.filter((one) => one.state === "active"),
      staff: staff.filter((one) => one.active),
    };
  }

  /** Write a new plan, or another in the place of a draft. */
  async function write(draft = null) {
    const key = api.newKey();
    const from = await choices();
    const written = await formDialog({
      title: draft ? draft.title : w("plans.new"),
      fields: fieldsOf(draft, from, { levels, stores }),
      onSubmit: (values) => draft ? api.put(`${BASE}/${encodeURIComponent(draft.id)}`, { ...bodyOf(values), version: draft.version }, { again: false }) : api.post(BASE, bodyOf(values), { key }),
    });
    if (written) list.reload();
  }
  const edit = (plan) => attempt(() => write(plan));
  const add = () => attempt(() => write());

  async function show(plan) {
    await attempt(async () => {
      const { coupons, staff } = await choices();
      const gift = plan.gift && [plan.gift.points && w("plans.gift_points", { count: count(plan.gift.points) }), plan.gift.template_id && (coupons.find((one) => one.id === plan.gift.template_id)?.title || plan.gift.template_id)].filter(Boolean).join("、");
      await tell(plan.title, factList([
        [w("plans.whom"), audienceWords(plan.audience, { levels, stores })],
        [w("plans.trigger"), triggerWords(plan)],
        [w("plans.how"), w(`plans.${plan.how}`)],
        [w("plans.template"), plan.template],
        [w("plans.gift"), gift],
        [w("plans.owner"), plan.how !== "letter" && (staff.find((one) => one.id === plan.owner_id)?.username || w("plans.of_store"))],
        [w("plans.hour"), String(plan.hour)],
        [w("plans.holdout"), String(plan.holdout_bp / 100)],
        [w("plans.due_days"), plan.how !== "letter" && String(plan.due_days)],
        [w("plans.starts_on"), plan.starts_on],
        [w("plans.ends_on"), plan.ends_on],
      ].map(([label, value]) => [label, value || null])));
    });
  }

  async function end(plan) {
    if (!(await confirm(w("plans.end_ask", { title: plan.title }), { content: w("plans.end_text"), confirmText: w("plans.end"), danger: true }))) return;
    await attempt(() => api.post(path(plan, "end"), {}, { again: true }), w("plans.saved"));
    list.reload();
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
      { title: w("plans.trigger"), cell: triggerWords },
      { title: w("plans.whom"), hide: "narrow", cell: (plan) => audienceWords(plan.audience, { levels, stores }) },
      { title: w("plans.how"), cell: (plan) => w(`plans.${plan.how}`) },
      { title: w("plans.state"), cell: (plan) => pill(w(`plans.${plan.state}`), LOOKS[plan.state]) },
      { title: w("plans.done_on"), hide: "narrow", cell: (plan) => h("span", { class: "num" }, plan.done_on || "—") },
      { title: w("plans.actions"), cell: (plan) => h("div", { class: "row-actions letter-word" },
        button(w("plans.show"), plan, show),
        plan.state !== "draft" && button(w("plans.effect"), plan, effect),
        plan.state === "draft" && button(w("plans.edit"), plan, edit),
        ["draft", "paused"].includes(plan.state) && button(w("plans.start"), plan, (one) => start(one), "primary"),
        plan.state === "active" && button(w("plans.pause"), plan, pause, ""),
        plan.state !== "ended" && button(w("plans.end"), plan, end, "danger")) },
    ],
  });
  keys({ n: [w("plans.new"), add] });
  return [head(w("plans.title"), { note: w("plans.note"), actions: h("button", { type: "button", class: "button primary", onclick: add }, w("plans.new")) }), list];
}

function triggerWords(plan) {
  return `${w(`plans.${plan.trigger.on}`)}${plan.trigger.days ? ` ${w("plans.in_days", { count: plan.trigger.days })}` : ""}`;
}

/** Names are those of the body where it has them, so that what the server refuses is shown at its field. */
function fieldsOf(draft, { templates, coupons, staff }, { levels, stores }) {
  const trigger = draft?.trigger || {};
  return [
    { name: "title", label: w("plans.name"), required: true, most: 60, value: draft?.title },
    { name: "note", label: w("plans.text"), most: 300, value: draft?.note },
    audienceField({ label: w("plans.whom"), value: draft?.audience, levels, stores }),
    { name: "trigger", label: w("plans.trigger"), kind: "choice", options: TRIGGERS.map((code) => [code, w(`plans.${code}`)]), value: trigger.on || "birthday" },
    { name: "trigger/days", label: w("plans.days"), kind: "number", value: trigger.days ?? 0, note: w("plans.days_note") },
    { name: "trigger/skus", label: w("plans.skus"), value: trigger.skus?.join("，"), most: 4000 },
    { name: "trigger/level", label: w("plans.to_level"), kind: "choice", options: [["", w("plans.any_level")], ...levels.map((one) => [one.code, one.name])], value: trigger.level },
    { name: "how", label: w("plans.how"), kind: "choice", options: HOWS.map((code) => [code, w(`plans.${code}`)]), value: draft?.how || "letter" },
    { name: "template", label: w("plans.template"), kind: "choice", options: templates.map((one) => [one.code, `${one.title}（${one.code}）`]), value: draft?.template || "care.birthday" },
    { name: "points", label: w("plans.points"), kind: "number", value: draft?.gift?.points },
    { name: "gift", label: w("plans.coupon"), kind: "choice", options: options(w("plans.no_coupon"), coupons.map((one) => [one.id, one.title]), draft?.gift?.template_id), value: draft?.gift?.template_id },
    { name: "owner_id", label: w("plans.owner"), kind: "choice", options: options(w("plans.of_store"), staff.map((one) => [one.id, one.username]), draft?.owner_id), value: draft?.owner_id },
    { name: "hour", label: w("plans.hour"), kind: "number", required: true, value: draft?.hour ?? 9 },
    { name: "due_days", label: w("plans.due_days"), kind: "number", required: true, value: draft?.due_days ?? 3 },
    { name: "starts_on", label: w("plans.starts_on"), kind: "date", note: w("plans.starts_note"), value: draft?.starts_on },
    { name: "ends_on", label: w("plans.ends_on"), kind: "date", value: draft?.ends_on },
    { name: "holdout_bp", label: w("plans.holdout"), kind: "number", value: draft ? draft.holdout_bp / 100 : 10, note: w("plans.holdout_note") },
    { name: "window_days", label: w("plans.window"), kind: "number", value: draft?.window_days ?? 14, required: true },
  ];
}

/** What the API takes, of what was entered; what has no meaning for the way it is done is left out. */
function bodyOf(values) {
  const skus = (values["trigger/skus"] || "").split(/[,，\s]+/).filter(Boolean);
  const level = values["trigger/level"];
  const letter = values.how === "letter";
  const gift = { ...(values.points ? { points: values.points } : {}), ...(values.gift ? { template_id: values.gift } : {}) };
  return {
    title: values.title,
    note: values.note || "",
    audience: values.audience,
    trigger: {
      on: values.trigger,
      ...(values["trigger/days"] ? { days: values["trigger/days"] } : {}),
      ...(values.trigger === "bought" && skus.length ? { skus } : {}),
      ...(values.trigger === "level" && level ? { level } : {}),
    },
    how: values.how,
    template: letter ? values.template : null,
    gift: Object.keys(gift).length ? gift : null,
    owner_id: letter ? null : values.owner_id,
    hour: values.hour,
    due_days: values.due_days,
    holdout_bp: (values.holdout_bp || 0) * 100,
    window_days: values.window_days,
    starts_on: values.starts_on,
    ends_on: values.ends_on,
  };
}
