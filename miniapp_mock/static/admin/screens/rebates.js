/** Rebates: the schemes, trying and changing them; and the runs that make statements of a period, try schemes or estimate. */
import { h } from "/static/shared/dom.js";
import { attempt, confirm, tell } from "../parts/dialogs.js";
import { formDialog } from "../parts/form.js";
import { count, day, money, parseYuan, stamp, yuan } from "../parts/format.js";
import { factList, head } from "../parts/states.js";
import { table } from "../parts/table.js";
import { runState, say, schemeState, terms } from "../rebate_words.js";
import { words } from "../texts.js";

const w = words({
  "rebates.title": "返利方案",
  "rebates.note": "按期（月、季、年）把净消费的一部分返给会员：先试算，再启用；期末由财务生成、确认、发放对账单",
  "rebates.new": "新建方案",
  "rebates.name": "名称",
  "rebates.period": "周期",
  "rebates.terms": "返利",
  "rebates.days": "日期",
  "rebates.state": "状态",
  "rebates.actions": "操作",
  "rebates.edit": "修改",
  "rebates.try": "试算",
  "rebates.try_ask": "用上一期的真实消费试算“{title}”？",
  "rebates.try_text": "按全期、单独计算，不影响任何会员。",
  "rebates.start": "启用",
  "rebates.close": "结束",
  "rebates.close_note": "计算到所选日期为止；不选为本期末。该期的对账单是最后一份，不设起发额。",
  "rebates.history": "历史",
  "rebates.none": "还没有返利方案",
  "rebates.saved": "已办理",
  "rebates.first_on": "从哪天",
  "rebates.last_on": "到哪天（不填为长期）",
  "rebates.tiers": "档位（每行：满多少元 返百分之几，如 1000 2.5；从 0 起写 0）",
  "rebates.tiers_bad": "每行：满多少元 返百分之几",
  "rebates.mode": "计算方式",
  "rebates.cap": "每人每期上限",
  "rebates.min": "起发额（不足结转下期）",
  "rebates.valid": "发放后几个月有效（0 为长期）",
  "rebates.categories": "只计类目编号（逗号分隔，不填不限）",
  "rebates.not_categories": "不计类目编号",
  "rebates.brands": "只计品牌编号",
  "rebates.not_brands": "不计品牌编号",
  "rebates.stores": "只计门店",
  "rebates.levels": "只限等级",
  "rebates.key_accounts": "只限大客户",
  "rebates.for_owner": "团体成员的消费合计给团体负责人（成员自己不计）",
  "rebates.stackable": "可与其他方案叠加（否则只取返利最多的一个）",
  "rebates.counts": "哪些支付计入",
  "rebates.money": "现金、微信、其他",
  "rebates.principal": "储值本金",
  "rebates.gift_card": "礼品卡",
  "rebates.bonus": "储值赠送",
  "rebates.points": "积分",
  "rebates.coupon": "优惠券",
  "rebates.rebate": "返利",
  "rebates.counts_from": "何时生效",
  "rebates.next_period": "下一期起",
  "rebates.current_period": "本期起（含已发生的消费）",
  "rebates.version": "版本 {version}",
  "rebates.since": "{since} 起：{terms}",
  "rebates.runs": "批次",
  "rebates.run": "生成对账单",
  "rebates.run_note": "为已结束的一期计算所有会员的返利，先为草稿，确认后会员可见。",
  "rebates.run_first": "该期第一天",
  "rebates.kind": "类型",
  "rebates.of": "期间",
  "rebates.progress": "进度",
  "rebates.amount": "应返",
  "rebates.payout": "发放",
  "rebates.at": "时间",
  "rebates.runs_none": "还没有批次",
});

const SCHEMES = "/v1/admin/rebates/schemes";
const RUNS = "/v1/admin/rebates/runs";
const PAID = ["money", "principal", "gift_card", "bonus", "points", "coupon", "rebate"];
const codes = (text) => (text || "").split(/[,，\s]+/).filter(Boolean);

export async function open({ api, me, signal, go }) {
  const [{ items: levels }, { items: stores }] = await Promise.all([api.get("/v1/admin/levels", {}, { signal }), api.get("/v1/admin/stores", {}, { signal })]);
  const writes = me.may("rebates.write");
  const path = (scheme, what = "") => `${SCHEMES}/${encodeURIComponent(scheme.id)}${what}`;
  const to = (run) => go("rebate-run", { id: run.id });

  async function write(scheme = null) {
    const living = scheme?.state === "active";
    const done = await formDialog({
      title: scheme ? scheme.title : w("rebates.new"),
      fields: fieldsOf(scheme, { levels, stores, living }),
      onSubmit: (values) => (scheme ? api.put(path(scheme), changeOf(scheme, values, living), { again: false }) : api.post(SCHEMES, bodyOf(values))),
    });
    if (done) schemes.reload();
  }

  async function tryOut(scheme) {
    if (!(await confirm(w("rebates.try_ask", { title: scheme.title }), { content: w("rebates.try_text"), confirmText: w("rebates.try") }))) return;
    await attempt(async () => to(await api.post(path(scheme, "/simulations"), {}, { again: false })));
  }

  async function start(scheme) {
    await attempt(() => api.post(path(scheme, "/activate"), {}, { again: true }), w("rebates.saved"));
    schemes.reload();
  }

  async function close(scheme) {
    const done = await formDialog({
      title: `${w("rebates.close")} ${scheme.title}`,
      note: w("rebates.close_note"),
      fields: [{ name: "last_on", label: w("rebates.last_on"), kind: "date" }],
      submit: w("rebates.close"),
      danger: true,
      onSubmit: (values) => api.post(path(scheme, "/close"), values.last_on ? values : {}, { again: false }),
    });
    if (done) schemes.reload();
  }

  async function history(scheme) {
    await attempt(async () => {
      const { items } = await api.get(path(scheme, "/versions"));
      await tell(scheme.title, factList(items.map((one) => [w("rebates.version", { version: one.version }), w("rebates.since", { since: one.since, terms: terms(one.terms) })])));
    });
  }

  async function run() {
    const last = new Date(Date.now() + 8 * 3600 * 1000);
    const first = new Date(Date.UTC(last.getUTCFullYear(), last.getUTCMonth() - 1, 1)).toISOString().slice(0, 10);
    const made = await formDialog({
      title: w("rebates.run"),
      note: w("rebates.run_note"),
      fields: [
        { name: "period", label: w("rebates.period"), kind: "choice", options: ["month", "quarter", "year"].map((kind) => [kind, say(kind)]), required: true },
        { name: "first_on", label: w("rebates.run_first"), kind: "date", required: true, value: first },
      ],
      submit: w("rebates.run"),
      onSubmit: (values) => api.post(RUNS, values, { again: false }),
    });
    if (made) to(made);
  }

  const button = (text, scheme, work, look = "soft") => h("button", { type: "button", class: `button compact ${look}`, "aria-label": `${text} ${scheme.title}`, onclick: () => work(scheme) }, text);
  const schemes = table({
    label: w("rebates.title"),
    signal,
    load: ({ cursor }) => api.get(SCHEMES, { cursor }, { signal }),
    none: { icon: "star", title: w("rebates.none") },
    columns: [
      { title: w("rebates.name"), cell: (one) => h("span", { class: "strong" }, one.title) },
      { title: w("rebates.period"), cell: (one) => say(one.period) },
      { title: w("rebates.terms"), width: "wide", hide: "narrow", cell: (one) => terms(one.terms) },
      { title: w("rebates.days"), hide: "narrow", cell: (one) => h("span", { class: "num" }, `${one.first_on} – ${one.last_on || ""}`) },
      { title: w("rebates.state"), cell: (one) => schemeState(one.state) },
      { title: w("rebates.actions"), cell: (one) => h("div", { class: "row-actions" },
        button(w("rebates.history"), one, history),
        writes && button(w("rebates.try"), one, tryOut),
        writes && one.state !== "closed" && button(w("rebates.edit"), one, write),
        writes && one.state === "draft" && button(w("rebates.start"), one, start, "primary"),
        writes && one.state === "active" && button(w("rebates.close"), one, close, "danger")) },
    ],
  });
  const runs = table({
    label: w("rebates.runs"),
    signal,
    open: to,
    load: ({ cursor }) => api.get(RUNS, { cursor }, { signal }),
    none: { icon: "chart", title: w("rebates.runs_none") },
    columns: [
      { title: w("rebates.of"), cell: (one) => h("span", { class: "strong" }, one.title) },
      { title: w("rebates.kind"), cell: (one) => say(one.kind) },
      { title: w("rebates.state"), cell: (one) => runState(one.state) },
      { title: w("rebates.progress"), number: true, hide: "narrow", cell: (one) => h("span", { class: "num" }, `${count(one.done)} / ${count(one.total)}`) },
      { title: w("rebates.amount"), number: true, cell: (one) => h("span", { class: "num" }, money(one.amount_fen)) },
      { title: w("rebates.payout"), number: true, hide: "narrow", cell: (one) => h("span", { class: "num" }, one.kind === "statements" ? money(one.payout_fen) : "—") },
      { title: w("rebates.at"), hide: "narrow", cell: (one) => h("span", { class: "num" }, stamp(one.created_at)) },
    ],
  });
  return [
    head(w("rebates.title"), { note: w("rebates.note"), actions: [
      me.may("rebates.work") && h("button", { type: "button", class: "button", onclick: run }, w("rebates.run")),
      writes && h("button", { type: "button", class: "button primary", onclick: () => write() }, w("rebates.new")),
    ] }),
    schemes,
    h("h2", null, w("rebates.runs")),
    runs,
  ];
}

function fieldsOf(scheme, { levels, stores, living }) {
  const now = scheme?.terms || {};
  const list = (name) => ({ name, label: w(`rebates.${name}`), value: (now[name] || []).join(","), most: 2000 });
  const box = h("textarea", { rows: 3, value: now.tiers ? now.tiers.map((tier) => `${yuan(tier.from_fen)} ${tier.rate_bp / 100}`).join("\n") : "0 2" });
  return [
    { name: "title", label: w("rebates.name"), required: true, most: 60, value: scheme?.title },
    !scheme && { name: "period", label: w("rebates.period"), kind: "choice", options: ["month", "quarter", "year"].map((kind) => [kind, say(kind)]), required: true },
    !living && { name: "first_on", label: w("rebates.first_on"), kind: "date", required: true, value: scheme?.first_on || `${day(new Date().toISOString()).slice(0, 8)}01` },
    !living && { name: "last_on", label: w("rebates.last_on"), kind: "date", value: scheme?.last_on },
    { name: "tiers", label: w("rebates.tiers"), kind: "lines", required: true, value: box.value, rows: 3, most: 1000 },
    { name: "mode", label: w("rebates.mode"), kind: "choice", options: ["marginal", "whole"].map((mode) => [mode, say(mode)]), value: now.mode },
    { name: "counts", label: w("rebates.counts"), kind: "many", options: PAID.map((one) => [one, w(`rebates.${one}`)]), value: now.counts || PAID.slice(0, 3) },
    { name: "cap_fen", label: w("rebates.cap"), kind: "money", value: now.cap_fen },
    { name: "min_payout_fen", label: w("rebates.min"), kind: "money", value: now.min_payout_fen },
    { name: "valid_months", label: w("rebates.valid"), kind: "number", value: now.valid_months ?? 12 },
    list("categories"), list("not_categories"), list("brands"), list("not_brands"),
    { name: "stores", label: w("rebates.stores"), kind: "many", options: stores.map((one) => [one.id, one.name]), value: now.stores },
    { name: "levels", label: w("rebates.levels"), kind: "many", options: levels.map((one) => [one.code, one.name]), value: now.levels },
    { name: "key_accounts", label: w("rebates.key_accounts"), kind: "tick", value: now.key_accounts },
    { name: "for_owner", label: w("rebates.for_owner"), kind: "tick", value: now.for_owner },
    { name: "stackable", label: w("rebates.stackable"), kind: "tick", value: now.stackable },
    living && { name: "counts_from", label: w("rebates.counts_from"), kind: "choice", options: ["next_period", "current_period"].map((one) => [one, w(`rebates.${one}`)]) },
  ].filter(Boolean);
}

function tiersOf(text) {
  return text.split("\n").map((line) => line.trim().split(/\s+/)).filter(([first]) => first).map(([from, percent]) => {
    const fen = parseYuan(from);
    const bp = Math.round(Number((percent || "").replace("%", "")) * 100);
    if (fen === null || !Number.isFinite(bp)) throw Object.assign(new Error(w("rebates.tiers_bad")), { name: "ApiError", fields: [{ pointer: "/tiers", message: w("rebates.tiers_bad") }] });
    return { from_fen: fen, rate_bp: bp };
  });
}

function termsOf(values, before = {}) {
  return {
    ...before,
    tiers: tiersOf(values.tiers),
    mode: values.mode || "marginal",
    counts: values.counts,
    cap_fen: values.cap_fen,
    min_payout_fen: values.min_payout_fen || 1,
    valid_months: values.valid_months ?? 12,
    ...Object.fromEntries(["categories", "not_categories", "brands", "not_brands"].map((name) => [name, codes(values[name])])),
    stores: values.stores,
    levels: values.levels,
    key_accounts: values.key_accounts,
    for_owner: values.for_owner,
    stackable: values.stackable,
  };
}

const bodyOf = (values) => ({ title: values.title, period: values.period, first_on: values.first_on, last_on: values.last_on, terms: termsOf(values) });

function changeOf(scheme, values, living) {
  const body = { version: scheme.version, title: values.title, terms: termsOf(values, scheme.terms) };
  return living ? { ...body, counts_from: values.counts_from || "next_period" } : { ...body, first_on: values.first_on, last_on: values.last_on };
}
