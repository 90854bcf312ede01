/** Points: the rules that earn them, trying a basket against them, and how long points last. */
import { h } from "/static/shared/dom.js";
import { attempt, confirm, tell } from "../parts/dialogs.js";
import { formDialog } from "../parts/form.js";
import { count, money, stamp } from "../parts/format.js";
import { factList, head, pill, section } from "../parts/states.js";
import { table } from "../parts/table.js";
import { words } from "../texts.js";

const w = words({
  "points.rules": "积分规则",
  "points.rules_note": "每行取积分最多的基础规则，再加活动；没有规则时按类目倍率 × 等级倍数计。改动两秒内到所有收银台",
  "points.new_base": "新建基础规则",
  "points.new_promotion": "新建活动",
  "points.base": "基础规则",
  "points.promotion": "活动",
  "points.name": "名称",
  "points.kind": "类型",
  "points.gives": "积分",
  "points.when": "条件",
  "points.state": "状态",
  "points.version": "版本",
  "points.actions": "操作",
  "points.draft": "草稿",
  "points.active": "生效中",
  "points.paused": "已停用",
  "points.ended": "已结束",
  "points.edit": "修改",
  "points.start": "启用",
  "points.pause": "停用",
  "points.end": "结束",
  "points.end_ask": "结束“{title}”？",
  "points.end_text": "不再生效，不能恢复；已得的积分不变。",
  "points.history": "历史",
  "points.try": "试算",
  "points.saved": "已办理",
  "points.none": "还没有规则：每笔消费按基础积分计",
  "points.rate": "每 1 元几积分",
  "points.by_level": "再乘会员等级倍数",
  "points.times": "基础积分的倍数（双倍填 2）",
  "points.plus": "每个商品行另加积分",
  "points.stackable": "可与其他可叠加的活动相加",
  "points.day_cap": "每人每天最多多得",
  "points.categories": "类目编号（逗号分隔，不填不限）",
  "points.brands": "品牌编号",
  "points.skus": "商品编号",
  "points.stores": "门店",
  "points.levels": "会员等级",
  "points.weekdays": "星期",
  "points.month_days": "每月几号（如 8,18,28）",
  "points.dates": "具体日期（如 2026-10-01，逗号分隔）",
  "points.hours": "时段（如 18:00-21:00，逗号分隔）",
  "points.first_on": "从哪天",
  "points.last_on": "到哪天",
  "points.birthday": "会员生日",
  "points.birthday_any": "不限",
  "points.birthday_day": "当天",
  "points.birthday_week": "当周",
  "points.birthday_month": "当月",
  "points.min_fen": "整单满",
  "points.each_yuan": "每元 {count} 分",
  "points.level_too": "，按等级",
  "points.times_of": "{count} 倍",
  "points.plus_of": "每行 +{count}",
  "points.capped": "每天最多 {count}",
  "points.always": "不限",
  "points.basket": "商品编号 数量 单价（每行一种，如 6901 2 3.50）",
  "points.basket_bad": "每行：编号 数量 单价",
  "points.at": "时间（不填为现在）",
  "points.level": "会员等级",
  "points.member": "或会员编号（id）",
  "points.born": "生日",
  "points.with_draft": "把这条草稿当作已生效",
  "points.no_draft": "不用草稿",
  "points.result": "应付 {amount}，共得 {count} 积分",
  "points.line": "第 {number} 行",
  "points.line_gives": "{count} 分：{why}",
  "points.expiry": "积分有效期",
  "points.expiry_note": "改动只影响以后发的积分",
  "points.sale": "消费",
  "points.recharge": "充值赠送",
  "points.reward": "问卷、关怀奖励",
  "points.adjustment": "人工调整",
  "points.mode": "到期方式",
  "points.month_end": "几个月后的月底",
  "points.year_end": "几年后的年底",
  "points.months": "几个月后的同一天",
  "points.fixed_day": "固定日期",
  "points.never": "不过期",
  "points.count": "几个月（年底：几年；固定日期：至少几个月）",
  "points.month": "固定日期：月",
  "points.day": "固定日期：日",
  "points.source": "来源",
  "points.example": "今天发的到期",
  "points.standard": "默认",
});

const RULES = "/v1/admin/points-rules";
const EXPIRY = "/v1/admin/points-expiry";
const LOOKS = { active: "brand", paused: "gold" };
const DAYS = ["一", "二", "三", "四", "五", "六", "日"];
const times = (bp) => String(Math.round(bp / 100) / 100);
const codes = (text) => (text || "").split(/[,，\s]+/).filter(Boolean);
const two = (value) => String(value).padStart(2, "0");
const clock = (minutes) => `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;

export async function open({ api, me, signal, keys }) {
  const [{ items: levels }, { items: stores }] = await Promise.all([api.get("/v1/admin/levels", {}, { signal }), api.get("/v1/admin/stores", {}, { signal })]);
  const writes = me.may("points.rules");
  const path = (rule, what = "") => `${RULES}/${encodeURIComponent(rule.id)}${what}`;

  async function write(kind, rule = null) {
    const done = await formDialog({
      title: rule ? rule.title : w(`points.new_${kind}`),
      fields: fieldsOf(kind, rule, { levels, stores }),
      onSubmit: (values) => (rule ? api.put(path(rule), bodyOf(kind, values), { again: false }) : api.post(RULES, bodyOf(kind, values))),
    });
    if (done) list.reload();
  }

  async function move(rule, what) {
    if (what === "end" && !(await confirm(w("points.end_ask", { title: rule.title }), { content: w("points.end_text"), confirmText: w("points.end"), danger: true }))) return;
    await attempt(() => api.post(path(rule, `/${what}`), {}, { again: true }), w("points.saved"));
    list.reload();
  }

  async function history(rule) {
    await attempt(async () => {
      const { items } = await api.get(path(rule, "/versions"));
      await tell(rule.title, factList(items.map((one) => [`${w("points.version")} ${one.version}`, `${stamp(one.from_at)} – ${one.until_at ? stamp(one.until_at) : ""}　${gives(rule.kind, one.terms)}；${when(one.terms.condition || {}, { levels, stores })}`])));
    });
  }

  /** Try a basket; what is drafted may count. */
  async function tryOut() {
    const { items } = await api.get(RULES, {}, { signal });
    const drafts = items.filter((one) => ["draft", "paused"].includes(one.state));
    await formDialog({
      title: w("points.try"),
      submit: w("points.try"),
      fields: [
        { name: "lines", label: w("points.basket"), kind: "lines", required: true, value: "6901 1 10.00" },
        { name: "store_id", label: w("points.stores"), kind: "choice", options: stores.map((one) => [one.id, one.name]), required: true },
        { name: "level", label: w("points.level"), kind: "choice", options: levels.map((one) => [one.code, one.name]) },
        { name: "birthday", label: w("points.born"), kind: "date" },
        { name: "member_id", label: w("points.member"), most: 20 },
        { name: "at", label: w("points.at"), kind: "time" },
        { name: "draft", label: w("points.with_draft"), kind: "choice", options: [["", w("points.no_draft")], ...drafts.map((one) => [one.id, one.title])] },
      ],
      onSubmit: async (values) => {
        const body = Object.fromEntries(Object.entries({ ...values, lines: basket(values.lines) }).filter(([, value]) => value !== null));
        const found = await api.post(`${RULES}/simulate`, body, { again: true });
        await tell(w("points.result", { amount: money(found.payable_fen), count: count(found.points) }), factList(found.lines.map((line) => [
          w("points.line", { number: line.line_no }),
          w("points.line_gives", { count: count(line.points), why: [line.base, ...line.promotions].map((one) => `${one.title} ${count(one.points)}`).join(" + ") }),
        ])));
        return true;
      },
    });
  }

  const button = (text, rule, run, look = "soft") => h("button", { type: "button", class: `button compact ${look}`, "aria-label": `${text} ${rule.title}`, onclick: () => run(rule) }, text);
  const list = table({
    label: w("points.rules"),
    signal,
    load: () => api.get(RULES, {}, { signal }),
    none: { icon: "star", title: w("points.none") },
    columns: [
      { title: w("points.name"), width: "wide", cell: (rule) => h("span", { class: "strong" }, rule.title) },
      { title: w("points.kind"), cell: (rule) => w(`points.${rule.kind}`) },
      { title: w("points.gives"), cell: (rule) => gives(rule.kind, rule.terms) },
      { title: w("points.when"), hide: "narrow", cell: (rule) => when(rule.terms.condition || {}, { levels, stores }) },
      { title: w("points.state"), cell: (rule) => pill(w(`points.${rule.state}`), LOOKS[rule.state]) },
      { title: w("points.actions"), cell: (rule) => h("div", { class: "row-actions" },
        button(w("points.history"), rule, history),
        writes && rule.state !== "ended" && button(w("points.edit"), rule, (one) => write(one.kind, one)),
        writes && ["draft", "paused"].includes(rule.state) && button(w("points.start"), rule, (one) => move(one, "activate"), "primary"),
        writes && rule.state === "active" && button(w("points.pause"), rule, (one) => move(one, "pause"), ""),
        writes && rule.state !== "ended" && button(w("points.end"), rule, (one) => move(one, "end"), "danger")) },
    ],
  });

  const lasts = section(async () => {
    const { items } = await api.get(EXPIRY, {}, { signal });
    return h("div", { class: "card stack" }, h("h2", null, w("points.expiry")), h("p", { class: "muted small" }, w("points.expiry_note")), factList(items.map((one) => [
      w(`points.${one.source}`),
      h("span", null, `${w(`points.${one.mode}`)}${one.count ? ` ${one.count}` : ""}${one.month ? ` ${one.month}-${one.day}` : ""}${one.standard ? `（${w("points.standard")}）` : ""}；${w("points.example")} ${one.example || "—"} `,
        writes && h("button", { type: "button", class: "button compact soft", "aria-label": `${w("points.edit")} ${w(`points.${one.source}`)}`, onclick: () => lasting(one) }, w("points.edit"))),
    ])));
  }, { signal });

  async function lasting(one) {
    const done = await formDialog({
      title: `${w("points.expiry")}：${w(`points.${one.source}`)}`,
      fields: [
        { name: "mode", label: w("points.mode"), kind: "choice", options: ["month_end", "year_end", "months", "fixed_day", "never"].map((mode) => [mode, w(`points.${mode}`)]), value: one.mode },
        { name: "count", label: w("points.count"), kind: "number", value: one.count },
        { name: "month", label: w("points.month"), kind: "number", value: one.month },
        { name: "day", label: w("points.day"), kind: "number", value: one.day },
      ],
      onSubmit: (values) => api.put(`${EXPIRY}/${one.source}`, { ...values, count: values.count || 0 }),
    });
    if (done) lasts.reload();
  }

  const act = (text, run, look = "") => h("button", { type: "button", class: `button ${look}`, onclick: () => attempt(run) }, text);
  keys({ t: [w("points.try"), () => attempt(tryOut)] });
  return [
    head(w("points.rules"), { note: w("points.rules_note"), actions: [act(w("points.try"), tryOut), writes && act(w("points.new_promotion"), () => write("promotion")), writes && act(w("points.new_base"), () => write("base"), "primary")] }),
    list,
    lasts,
  ];
}

function basket(text) {
  return text.split("\n").map((line) => line.trim()).filter(Boolean).map((line) => {
    const [sku, qty, price] = line.split(/\s+/);
    if (!sku || !/^[1-9]\d*$/.test(qty || "") || !/^\d+(\.\d{1,2})?$/.test(price || "")) throw Object.assign(new Error(w("points.basket_bad")), { name: "ApiError", detail: w("points.basket_bad"), fields: [{ pointer: "/lines", message: w("points.basket_bad") }] });
    return { sku, qty: Number(qty), unit_price_fen: Math.round(Number(price) * 100) };
  });
}

function gives(kind, terms) {
  if (kind === "base") return w("points.each_yuan", { count: times(terms.rate_bp || 0) }) + (terms.by_level === false ? "" : w("points.level_too"));
  return [
    (terms.times_bp || 10_000) > 10_000 && w("points.times_of", { count: times(terms.times_bp) }),
    terms.plus > 0 && w("points.plus_of", { count: count(terms.plus) }),
    terms.day_cap && w("points.capped", { count: count(terms.day_cap) }),
  ].filter(Boolean).join("，");
}

/** What must hold, in words. */
export function when(condition, { levels, stores }) {
  const named = (list, known, key) => (list || []).map((code) => known.find((one) => one[key] === code)?.name || code).join("、");
  const period = [condition.first_on, condition.last_on].some(Boolean) ? `${condition.first_on || ""}–${condition.last_on || ""}` : "";
  return [
    condition.categories?.join("、"),
    condition.brands?.join("、"),
    condition.skus?.join("、"),
    named(condition.stores, stores, "id"),
    named(condition.levels, levels, "code"),
    condition.weekdays?.length && `周${condition.weekdays.map((day) => DAYS[day - 1]).join("")}`,
    condition.month_days?.length && `每月 ${condition.month_days.join("、")} 号`,
    condition.dates?.join("、"),
    condition.hours?.map((part) => `${clock(part.start)}–${clock(part.end)}`).join("、"),
    period,
    condition.birthday && `生日${w(`points.birthday_${condition.birthday}`)}`,
    condition.min_fen && `${w("points.min_fen")} ${money(condition.min_fen)}`,
  ].filter(Boolean).join("；") || w("points.always");
}

/** The fields of a condition; discounts have the same. */
export function conditionFields(said, { levels, stores }) {
  const at = (name) => `terms/condition/${name}`;
  return [
    { name: at("categories"), label: w("points.categories"), value: said.categories?.join("，"), most: 4000 },
    { name: at("brands"), label: w("points.brands"), value: said.brands?.join("，"), most: 4000 },
    { name: at("skus"), label: w("points.skus"), value: said.skus?.join("，"), most: 4000 },
    { name: at("stores"), label: w("points.stores"), kind: "many", options: stores.map((one) => [one.id, one.name]), value: said.stores },
    { name: at("levels"), label: w("points.levels"), kind: "many", options: levels.map((one) => [one.code, one.name]), value: said.levels },
    { name: at("weekdays"), label: w("points.weekdays"), kind: "many", options: DAYS.map((name, i) => [String(i + 1), name]), value: said.weekdays?.map(String) },
    { name: at("month_days"), label: w("points.month_days"), value: said.month_days?.join(","), most: 200 },
    { name: at("dates"), label: w("points.dates"), value: said.dates?.join(","), most: 2000 },
    { name: at("hours"), label: w("points.hours"), value: said.hours?.map((part) => `${clock(part.start)}-${clock(part.end)}`).join(","), most: 200 },
    { name: at("first_on"), label: w("points.first_on"), kind: "date", value: said.first_on },
    { name: at("last_on"), label: w("points.last_on"), kind: "date", value: said.last_on },
    { name: at("birthday"), label: w("points.birthday"), kind: "choice", options: [["", w("points.birthday_any")], ...["day", "week", "month"].map((part) => [part, w(`points.birthday_${part}`)])], value: said.birthday },
    { name: at("min_fen"), label: w("points.min_fen"), kind: "money", value: said.min_fen || null },
  ];
}

/** Names are those of the body where it has them, so that what the server refuses is shown at its field. */
function fieldsOf(kind, rule, { levels, stores }) {
  const terms = rule?.terms || {};
  const said = terms.condition || {};
  const own = kind === "base"
    ? [
      { name: "terms/rate_bp", label: w("points.rate"), required: true, value: terms.rate_bp ? times(terms.rate_bp) : "" },
      { name: "terms/by_level", label: w("points.by_level"), kind: "tick", value: terms.by_level !== false },
    ]
    : [
      { name: "terms/times_bp", label: w("points.times"), value: terms.times_bp ? times(terms.times_bp) : "2" },
      { name: "terms/plus", label: w("points.plus"), kind: "number", value: terms.plus },
      { name: "terms/stackable", label: w("points.stackable"), kind: "tick", value: terms.stackable },
      { name: "terms/day_cap", label: w("points.day_cap"), kind: "number", value: terms.day_cap },
    ];
  return [
    { name: "title", label: w("points.name"), required: true, most: 40, value: rule?.title },
    ...own,
    ...conditionFields(said, { levels, stores }),
  ];
}

/** The condition that was entered. */
export function conditionOf(values) {
  const of = (name) => values[`terms/condition/${name}`];
  const minutes = (text) => { const [hour, minute] = text.split(":").map(Number); return hour * 60 + (minute || 0); };
  return {
    categories: codes(of("categories")),
    brands: codes(of("brands")),
    skus: codes(of("skus")),
    stores: of("stores") || [],
    levels: of("levels") || [],
    weekdays: (of("weekdays") || []).map(Number),
    month_days: codes(of("month_days")).map(Number),
    dates: codes(of("dates")),
    hours: codes(of("hours")).map((part) => { const [start, end] = part.split(/[-–]/); return { start: minutes(start), end: minutes(end || "") }; }),
    first_on: of("first_on"),
    last_on: of("last_on"),
    birthday: of("birthday"),
    min_fen: of("min_fen") || 0,
  };
}

/** What the API takes of what was entered. */
function bodyOf(kind, values) {
  const bp = (text) => Math.round(Number(text) * 10_000);
  const condition = conditionOf(values);
  const own = kind === "base"
    ? { rate_bp: bp(values["terms/rate_bp"]), by_level: values["terms/by_level"] }
    : { times_bp: bp(values["terms/times_bp"] || "1"), plus: values["terms/plus"] || 0, stackable: values["terms/stackable"], day_cap: values["terms/day_cap"] };
  return { kind, title: values.title, terms: { condition, ...own } };
}
