/** Members by status; who waits for approval is let in or refused, and who misbehaves is frozen. */
import { fill, h } from "/static/shared/dom.js";
import { attributeFilter } from "../parts/attribute_filter.js";
import { attempt, confirm } from "../parts/dialogs.js";
import { formDialog } from "../parts/form.js";
import { day, money } from "../parts/format.js";
import { head, pill } from "../parts/states.js";
import { table } from "../parts/table.js";
import { words } from "../texts.js";

const w = words({
  "members.title": "会员列表",
  "members.note": "最新的在前；按手机号、卡号或会员码找一位，请用会员卡片",
  "members.filter": "筛选",
  "members.unfilter": "清除筛选",
  "members.filtered": "已筛选",
  "members.any": "不限",
  "members.begins": "姓名开头",
  "members.stage": "生命周期",
  "members.from": "加入日期自",
  "members.until": "加入日期至",
  "members.card_type": "会员卡种",
  "members.ends_from": "有效期止，从",
  "members.ends_to": "有效期止，到",
  "members.profile": "资料",
  "members.status": "会员状态",
  "members.name": "姓名",
  "members.number": "会员号",
  "members.phone": "手机号",
  "members.level": "等级",
  "members.state": "状态",
  "members.store": "所属门店",
  "members.growth": "成长值",
  "members.since": "加入日期",
  "members.valid": "有效期至",
  "members.actions": "操作",
  "members.approve": "通过",
  "members.reject": "拒绝",
  "members.freeze": "冻结",
  "members.unfreeze": "解冻",
  "members.done": "已办理",
  "members.freeze_ask": "冻结 {name}？",
  "members.freeze_text": "冻结后不能出示会员码，也不能使用余额和积分，直到解冻。",
  "members.reject_ask": "拒绝 {name} 的注册？",
  "members.reject_text": "对方可以再次申请。",
  "members.none": "没有这种状态的会员",
});

const STATUSES = ["active", "pending", "frozen", "expired"];
const LOOKS = { active: "brand", pending: "gold", frozen: "danger", expired: "gold" };
const STEPS = { pending: ["approve", "reject"], active: ["freeze"], frozen: ["unfreeze"], expired: ["freeze"] };
const ASKED = new Set(["freeze", "reject"]);

const STAGES = [["potential", "潜在"], ["new", "新会员"], ["returning", "回头客"], ["loyal", "忠实"], ["dormant", "沉睡"], ["lost", "流失"]];

/** What was filled in, as the search takes it; what is empty does not limit. */
const filterOf = (values) => Object.fromEntries(Object.entries(values).filter(([, value]) => (Array.isArray(value) ? value.length : value)));

export async function open({ api, me, place, signal, go, href }) {
  const status = STATUSES.includes(place.query.status) ? place.query.status : "active";
  const get = async (what) => (await api.get(`/v1/admin/${what}`, {}, { signal })).items;
  const [levels, stores, defined, cards] = await Promise.all([get("levels"), get("stores"), get("member-attributes"), me.may("member_cards.read") ? get("member-card-types") : []]);
  const mine = me.store_id ? "store" : "office";
  const asked = defined.filter((one) => !one.archived && one.seen_by.includes(mine) && (!one.see_permission || me.may(one.see_permission)));
  let wanted = {};
  const said = h("p", { class: "muted small", role: "status" });

  async function filter() {
    const any = [["", w("members.any")]];
    const conditions = await formDialog({
      title: w("members.filter"),
      submit: w("members.filter"),
      fields: [
        { name: "level", label: w("members.level"), kind: "choice", value: wanted.level || "", options: [...any, ...levels.map((one) => [one.code, one.name])] },
        !me.store_id && { name: "store_id", label: w("members.store"), kind: "choice", value: wanted.store_id || "", options: [...any, ...stores.map((one) => [one.id, one.name])] },
        { name: "stage", label: w("members.stage"), kind: "choice", value: wanted.stage || "", options: [...any, ...STAGES] },
        cards.length > 0 && { name: "card_type", label: w("members.card_type"), kind: "choice", value: wanted.card_type || "", options: [...any, ...cards.map((one) => [one.code, one.name])] },
        { name: "name", label: w("members.begins"), value: wanted.name, most: 40 },
        { name: "registered_from", label: w("members.from"), kind: "date", value: wanted.registered_from },
        { name: "registered_until", label: w("members.until"), kind: "date", value: wanted.registered_until },
        { name: "valid_until_from", label: w("members.ends_from"), kind: "date", value: wanted.valid_until_from },
        { name: "valid_until_to", label: w("members.ends_to"), kind: "date", value: wanted.valid_until_to },
        asked.length > 0 && attributeFilter(asked, wanted.attributes),
      ].filter(Boolean),
      onSubmit: async (values) => {
        const chosen = filterOf(values);
        await api.post("/v1/admin/members/search", { status, ...chosen, limit: 1 }, { again: true });
        return { chosen };
      },
    });
    if (!conditions) return;
    show(conditions.chosen);
  }

  function show(chosen) {
    wanted = chosen;
    const clear = h("button", { type: "button", class: "link", onclick: () => show({}) }, w("members.unfilter"));
    fill(said, ...(Object.keys(wanted).length ? [w("members.filtered"), " ", clear] : []));
    list.reload();
  }

  async function step(member, what) {
    if (ASKED.has(what) && !(await confirm(w(`members.${what}_ask`, { name: member.name }), { content: w(`members.${what}_text`), confirmText: w(`members.${what}`), danger: true }))) return;
    await attempt(() => api.post(`/v1/admin/members/${member.id}/${what}`), w("members.done"));
    await list.reload();
  }

  const list = table({
    label: w("members.title"),
    signal,
    load: ({ cursor }) => api.post("/v1/admin/members/search", { status, ...wanted, ...(cursor ? { cursor } : {}) }, { signal, again: true }),
    none: { icon: "people", title: w("members.none") },
    open: (member) => go("contact", { member: member.id }),
    columns: [
      { title: w("members.name"), cell: (member) => h("a", { class: "strong", href: href("contact", { member: member.id }) }, member.name) },
      { title: w("members.number"), cell: (member) => h("span", { class: "num" }, member.member_no) },
      { title: w("members.phone"), cell: (member) => h("span", { class: "num" }, member.phone_masked) },
      { title: w("members.level"), cell: (member) => pill(member.level.name, "gold") },
      { title: w("members.state"), cell: (member) => pill(w(`status.${member.status}`), LOOKS[member.status]) },
      { title: w("members.store"), hide: "narrow", cell: (member) => member.store_id || "—" },
      { title: w("members.growth"), number: true, hide: "narrow", cell: (member) => money(member.growth_fen) },
      { title: w("members.valid"), hide: "narrow", cell: (member) => h("span", { class: "num" }, member.valid_until || "—") },
      { title: w("members.since"), hide: "narrow", cell: (member) => h("span", { class: "num" }, day(member.created_at)) },
      { title: w("members.profile"), cell: (member) => h("a", { class: "button compact soft", "aria-label": `${w("members.profile")} ${member.name}`, href: href("member", { id: member.id }) }, w("members.profile")) },
      me.may("members.decide") && { title: w("members.actions"), cell: (member) => h("div", { class: "row-actions" }, STEPS[member.status].map((what) => h("button", { type: "button", class: `button compact ${ASKED.has(what) ? "danger" : "soft"}`, "aria-label": `${w(`members.${what}`)} ${member.name}`, onclick: () => step(member, what) }, w(`members.${what}`)))) },
    ].filter(Boolean),
  });
  const tabs = h("nav", { class: "tabs", "aria-label": w("members.status") }, STATUSES.map((one) => h("a", { class: "tab", href: href("members", { status: one }), "aria-current": one === status && "page" }, w(`status.${one}`))));
  const button = h("button", { type: "button", class: "button", onclick: filter }, w("members.filter"));
  return [head(w("members.title"), { note: w("members.note"), actions: [button] }), tabs, said, list];
}
