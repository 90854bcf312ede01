/** Who wants to be a member: let in or refused, one or many at a time; and the rules that decide without anybody looking. */
import { h } from "/static/shared/dom.js";
import { attempt, tell, toast } from "../parts/dialogs.js";
import { formDialog } from "../parts/form.js";
import { stamp } from "../parts/format.js";
import { factList, head, pill } from "../parts/states.js";
import { table } from "../parts/table.js";
import { words } from "../texts.js";

const w = words({
  "reg.title": "注册审核",
  "reg.note": "等待审核的申请、已有的决定和认领；规则按顺序判断，第一条符合的生效",
  "reg.pending": "待审核",
  "reg.approved": "已通过",
  "reg.rejected": "已拒绝",
  "reg.conflict": "认领姓名不符",
  "reg.waiting": "位顾客等待注册审核",
  "reg.name": "姓名",
  "reg.given": "填写的是 {name}",
  "reg.phone": "手机号",
  "reg.channel": "渠道",
  "reg.channel_phone": "手机",
  "reg.channel_staff": "门店登记",
  "reg.channel_till": "收银台",
  "reg.store": "门店",
  "reg.at": "申请时间",
  "reg.by": "依据",
  "reg.claimed": "认领已有会员",
  "reg.pick": "选择",
  "reg.pick_all": "全选",
  "reg.actions": "操作",
  "reg.approve": "通过",
  "reg.reject": "拒绝",
  "reg.approve_picked": "通过所选",
  "reg.reject_picked": "拒绝所选",
  "reg.reason": "原因（申请人会看到）",
  "reg.done": "已办理",
  "reg.done_many": "{ok} 位已办理，{not} 位没有办理",
  "reg.none": "没有这样的申请",
  "reg.nothing": "请先选择申请",
  "reg.rules": "审核方式与规则",
  "reg.mode": "审核方式",
  "reg.automatic": "自动通过",
  "reg.mode_rules": "按规则",
  "reg.queue": "人工审核",
  "reg.rule_list": "规则（每行一条：名称 | 条件 | 结果 | 原因）",
  "reg.rule_note": "条件：store=S1,S2 referred=yes age>=18 age<=60 phone=170,171 channel=phone,staff,till hour=22-6 属性代码=值；结果：approve、queue、reject。例：未成年 | age<=17 | reject | 须年满 18 岁",
  "reg.otherwise": "都不符合时",
  "reg.otherwise_reason": "都不符合而拒绝时的原因",
  "reg.saved": "已保存，几秒内生效",
  "reg.rule_wrong": "第 {row} 行：{why}",
  "reg.try": "试算",
  "reg.birthday": "生日",
  "reg.referred": "有推荐人",
  "reg.hour": "几点（0–23，不填为现在）",
  "reg.outcome": "结果",
  "reg.out_approve": "直接通过",
  "reg.out_queue": "等待审核",
  "reg.out_reject": "拒绝",
  "reg.rule": "依据规则",
  "reg.no_rule": "没有规则符合",
  "reg.unmet": "不符合 {rule}",
  "reg.if_channels": "渠道",
  "reg.if_store_ids": "门店",
  "reg.if_referred": "推荐人",
  "reg.if_age_from": "年龄下限",
  "reg.if_age_to": "年龄上限",
  "reg.if_phone_prefixes": "号段",
  "reg.if_attributes": "扩展属性",
  "reg.if_hours": "时段",
  "reg.create": "登记新会员",
  "reg.card": "会员卡号（选填）",
  "reg.consents": "客人已阅读并同意",
  "reg.consents_about": "未勾选的必要协议，会员首次打开手机页面时再请其确认",
  "reg.consents_note": "纸质协议存放处，或未同意的原因（选填）",
  "reg.created": "已登记，会员号 {number}",
});

const STATES = ["pending", "approved", "rejected", "conflict"];
const LOOKS = { pending: "gold", approved: "brand", rejected: "danger" };
const LIST = "/v1/admin/registrations";
const POLICY = "/v1/admin/registration/policy";
const MOST_AT_ONCE = 100;
const OUTCOMES = ["approve", "queue", "reject"];

/** How many wait, for the first screen. */
export async function todo({ api, me, signal }) {
  if (!me.may("members.decide")) return null;
  const { pending } = await api.get(LIST, { state: "pending", limit: 1 }, { signal });
  return { count: pending, more: false, text: w("reg.waiting"), query: { state: "pending" } };
}

/** One rule as a line of text, and back; throws what is wrong with it. */
export function ruleText({ title, when, outcome, reason }) {
  const parts = [
    when.channels && `channel=${when.channels}`, when.store_ids && `store=${when.store_ids}`,
    when.referred !== undefined && when.referred !== null && `referred=${when.referred ? "yes" : "no"}`,
    when.age_from !== undefined && when.age_from !== null && `age>=${when.age_from}`, when.age_to !== undefined && when.age_to !== null && `age<=${when.age_to}`,
    when.phone_prefixes && `phone=${when.phone_prefixes}`,
    ((when.hour_from ?? null) !== null || (when.hour_to ?? null) !== null) && `hour=${when.hour_from ?? 0}-${when.hour_to ?? 24}`,
    ...Object.entries(when.attributes || {}).map(([code, values]) => `${code}=${values}`),
  ].filter(Boolean);
  return [title, parts.join(" "), outcome, reason].filter((part) => part !== null && part !== undefined).join(" | ");
}

/** What was written for an attribute, as its type has it. */
const VALUES = { boolean: (text) => ["yes", "true", "是"].includes(text), number: Number };

export function readRule(line, types = {}) {
  const [title, conditions = "", outcome = "", reason = ""] = line.split("|").map((part) => part.trim());
  if (!OUTCOMES.includes(outcome)) throw new Error("approve / queue / reject");
  const when = {};
  for (const part of conditions.split(/\s+/).filter(Boolean)) {
    const [, name, sign, value] = /^([a-z][a-z0-9_]*)(>=|<=|=)(.+)$/.exec(part) || [];
    if (!name) throw new Error(part);
    const list = value.split(",").filter(Boolean);
    if (name === "age" && sign !== "=") when[sign === ">=" ? "age_from" : "age_to"] = Number(value);
    else if (sign !== "=") throw new Error(part);
    else if (name === "channel") when.channels = list;
    else if (name === "store") when.store_ids = list;
    else if (name === "phone") when.phone_prefixes = list;
    else if (name === "referred") when.referred = value === "yes";
    else if (name === "hour") [when.hour_from, when.hour_to] = value.split("-").map(Number);
    else when.attributes = { ...when.attributes, [name]: list.map(VALUES[types[name]] || String) };
  }
  return { title, when, outcome, ...(reason && { reason }) };
}

export async function open({ api, me, place, signal, href, keys }) {
  const state = STATES.includes(place.query.state) ? place.query.state : "pending";
  const picked = new Set();

  const reasonOf = () => formDialog({ title: w("reg.reject"), submit: w("reg.reject"), danger: true, fields: [{ name: "reason", label: w("reg.reason"), required: true, most: 200 }], onSubmit: (values) => values });

  async function decide(one, approve) {
    const body = approve ? {} : await reasonOf();
    if (!body) return;
    await attempt(() => api.post(`${LIST}/${one.id}/${approve ? "approve" : "reject"}`, body, { again: true }), w("reg.done"));
    list.reload();
  }

  async function decideMany(approve) {
    if (!picked.size) { toast(w("reg.nothing")); return; }
    const body = approve ? {} : await reasonOf();
    if (!body) return;
    const { results } = await api.post(`${LIST}/decide`, { application_ids: [...picked], approve, ...body }, { again: true });
    const ok = Object.values(results).filter((result) => result === (approve ? "approved" : "rejected")).length;
    picked.clear();
    toast(w("reg.done_many", { ok, not: Object.keys(results).length - ok }));
    list.reload();
  }

  async function setRules() {
    const [now, { items: defined }] = await Promise.all([api.get(POLICY), api.get("/v1/admin/member-attributes")]);
    const types = Object.fromEntries(defined.map((one) => [one.code, one.type]));
    const outcomes = OUTCOMES.map((one) => [one, w(`reg.out_${one}`)]);
    const saved = await formDialog({
      title: w("reg.rules"),
      fields: [
        { name: "mode", label: w("reg.mode"), kind: "choice", value: now.mode, options: [["automatic", w("reg.automatic")], ["rules", w("reg.mode_rules")], ["queue", w("reg.queue")]] },
        { name: "rules", label: w("reg.rule_list"), kind: "lines", rows: 6, most: 8000, note: w("reg.rule_note"), value: now.rules.map(ruleText).join("\n") },
        { name: "otherwise", label: w("reg.otherwise"), kind: "choice", value: now.otherwise, options: outcomes },
        { name: "otherwise_reason", label: w("reg.otherwise_reason"), value: now.otherwise_reason, most: 200 },
      ],
      onSubmit: (values) => {
        const rules = (values.rules || "").split("\n").filter((line) => line.trim()).map((line, row) => {
          try { return readRule(line, types); } catch (error) {
            const why = w("reg.rule_wrong", { row: row + 1, why: error.message });
            throw Object.assign(new Error(why), { name: "ApiError", detail: why, fields: [{ pointer: "/rules", message: why }] });
          }
        });
        return api.put(POLICY, { ...values, rules, version: now.version }, { again: false });
      },
    });
    if (saved) toast(w("reg.saved"));
  }

  async function simulate() {
    const said = await formDialog({
      title: w("reg.try"),
      submit: w("reg.try"),
      fields: [
        { name: "phone", label: w("reg.phone"), required: true, most: 16 },
        { name: "birthday", label: w("reg.birthday"), kind: "date" },
        { name: "store_id", label: w("reg.store"), most: 16 },
        { name: "referred", label: w("reg.referred"), kind: "tick" },
        { name: "hour", label: w("reg.hour"), kind: "number" },
      ],
      onSubmit: (values) => api.post("/v1/admin/registration/simulate", values, { again: true }),
    });
    if (!said) return;
    await tell(w("reg.try"), factList([
      [w("reg.outcome"), w(`reg.out_${said.outcome}`)],
      [w("reg.rule"), said.rule || w("reg.no_rule")],
      [w("reg.reason"), said.reason],
      ...said.before.map((one) => [w("reg.unmet", { rule: one.rule }), one.unmet.map((name) => w(`reg.if_${name}`)).join("、")]),
    ]));
  }

  async function create() {
    const purposes = (await api.get("/v1/privacy/purposes")).items;
    const versions = Object.fromEntries(purposes.map((one) => [one.code, one.version]));
    const agreed = (codes) => codes.map((purpose) => ({ purpose, version: versions[purpose] }));
    const made = await formDialog({
      title: w("reg.create"),
      fields: [
        { name: "phone", label: w("reg.phone"), required: true, most: 16 },
        { name: "name", label: w("reg.name"), required: true, most: 40 },
        { name: "birthday", label: w("reg.birthday"), kind: "date" },
        { name: "store_id", label: w("reg.store"), most: 16 },
        { name: "card_no", label: w("reg.card"), most: 32 },
        { name: "consents", label: w("reg.consents"), kind: "many", options: purposes.map((one) => [one.code, one.title]), value: [], note: w("reg.consents_about") },
        { name: "consents_note", label: w("reg.consents_note"), most: 200 },
      ],
      onSubmit: (values) => api.post("/v1/admin/members", { ...values, consents: agreed(values.consents), consents_note: values.consents_note || "" }),
    });
    if (made) { toast(w("reg.created", { number: made.member_no })); list.reload(); }
  }

  function pick(one) {
    const node = h("button", { type: "button", class: "button compact", "aria-pressed": "false", "aria-label": `${w("reg.pick")} ${one.name}` }, w("reg.pick"));
    node.addEventListener("click", () => {
      const on = !picked.delete(one.id);
      if (on) picked.add(one.id);
      node.setAttribute("aria-pressed", String(on));
      node.classList.toggle("primary", on);
    });
    return node;
  }
  const act = (text, run, look = "") => h("button", { type: "button", class: `button ${look}`, onclick: () => attempt(run) }, text);
  const small = (one, approve) => h("button", { type: "button", class: `button compact ${approve ? "soft" : "danger"}`, "aria-label": `${w(approve ? "reg.approve" : "reg.reject")} ${one.name}`, onclick: () => attempt(() => decide(one, approve)) }, w(approve ? "reg.approve" : "reg.reject"));
  const list = table({
    label: w("reg.title"),
    signal,
    load: ({ cursor }) => api.get(LIST, { ...(state === "conflict" ? { conflict: true } : { state }), cursor }, { signal }),
    none: { icon: "people", title: w("reg.none") },
    columns: [
      state === "pending" && { title: w("reg.pick"), width: "narrow", cell: pick },
      { title: w("reg.name"), cell: (one) => h("span", null, h("a", { class: "strong", href: href("contact", { member: one.member_id }) }, one.name), one.name_given && h("span", { class: "muted tiny" }, ` ${w("reg.given", { name: one.name_given })}`)) },
      { title: w("reg.phone"), cell: (one) => h("span", { class: "num" }, one.phone_masked) },
      { title: w("reg.channel"), hide: "narrow", cell: (one) => w(`reg.channel_${one.channel}`) },
      { title: w("reg.store"), hide: "narrow", cell: (one) => one.store_id || "—" },
      { title: w("reg.at"), cell: (one) => stamp(one.applied_at) },
      { title: w("reg.by"), cell: (one) => h("span", null, pill(w(`reg.${one.state}`), LOOKS[one.state]), " ", [one.claimed && w("reg.claimed"), one.rule, one.decided_by_name, one.reason].filter(Boolean).join(" · ")) },
      state === "pending" && { title: w("reg.actions"), cell: (one) => h("div", { class: "row-actions" }, small(one, true), small(one, false)) },
    ].filter(Boolean),
  });
  const tabs = h("nav", { class: "tabs", "aria-label": w("reg.title") }, STATES.map((one) => h("a", { class: "tab", href: href("registrations", { state: one }), "aria-current": one === state && "page" }, w(`reg.${one}`))));
  const pickAll = () => [...list.querySelectorAll('button[aria-pressed="false"]')].slice(0, MOST_AT_ONCE - picked.size).forEach((node) => node.click());
  const many = state === "pending" && h("div", { class: "row-actions" }, act(w("reg.pick_all"), pickAll), act(w("reg.approve_picked"), () => decideMany(true), "soft"), act(w("reg.reject_picked"), () => decideMany(false), "danger"));
  keys({ n: [w("reg.create"), () => attempt(create)] });
  const actions = [act(w("reg.try"), simulate), me.may("registration.rules") && act(w("reg.rules"), setRules), me.may("members.create") && act(w("reg.create"), create, "primary")].filter(Boolean);
  return [head(w("reg.title"), { note: w("reg.note"), actions }), tabs, many, list].filter(Boolean);
}
