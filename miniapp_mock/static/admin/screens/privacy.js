/** Privacy: who wants to be erased, whose data was asked for, what is asked of members and in which words; asked for in a member's name. */
import { h } from "/static/shared/dom.js";
import { handoutColumns } from "../handout_words.js";
import { attempt, tell } from "../parts/dialogs.js";
import { formDialog } from "../parts/form.js";
import { money, stamp } from "../parts/format.js";
import { head, pill } from "../parts/states.js";
import { table } from "../parts/table.js";
import { words } from "../texts.js";

const w = words({
  "privacy.title": "隐私",
  "privacy.note": "注销有冷静期，期间可撤回；个人数据由会员在手机上下载，没有手机的当面交付",
  "privacy.erasures": "注销申请",
  "privacy.exports": "个人数据",
  "privacy.handouts": "当面交付",
  "privacy.texts": "授权文本",
  "privacy.state": "状态",
  "privacy.cooling": "冷静期",
  "privacy.erasing": "清除中",
  "privacy.done": "已注销",
  "privacy.withdrawn": "已撤回",
  "privacy.lapsed": "已失效",
  "privacy.waiting": "准备中",
  "privacy.ready": "可下载",
  "privacy.failed": "未成功",
  "privacy.gone": "已删除",
  "privacy.member": "会员号",
  "privacy.given_up": "放弃的权益",
  "privacy.who": "申请",
  "privacy.by_member": "会员",
  "privacy.by_staff": "员工",
  "privacy.why": "原因",
  "privacy.asked_at": "申请时间",
  "privacy.due_at": "生效时间",
  "privacy.until": "可下载至",
  "privacy.rows": "行数",
  "privacy.actions": "操作",
  "privacy.withdraw": "撤回",
  "privacy.none": "没有申请",
  "privacy.ask_erasure": "代会员申请注销",
  "privacy.ask_export": "代会员申请个人数据",
  "privacy.ask_note": "会员在场并要求时办理；注销由第二人在“审批”中同意",
  "privacy.give_up": "会员明确放弃余额、积分、优惠券等权益",
  "privacy.nobody": "没有这个会员",
  "privacy.sent": "已提交，待第二人审批",
  "privacy.purpose": "用途",
  "privacy.version": "版本",
  "privacy.required": "必需",
  "privacy.optional": "可选",
  "privacy.off": "停用",
  "privacy.body": "内容",
  "privacy.publish": "发布新版本",
  "privacy.publish_note": "必需用途的新内容会在会员下次打开时再次征求同意",
  "privacy.name": "名称",
  "privacy.read": "查看",
  "privacy.going": "个账号在注销冷静期",
});

const TABS = ["erasures", "exports", "handouts", "texts"];
const LISTS = { handouts: "hand-outs" }; // where the API says it otherwise
const LOOKS = { cooling: "gold", erasing: "gold", done: "brand", ready: "brand", lapsed: "danger", failed: "danger" };
const PATH = "/v1/admin/privacy";
const amount = (stake) => `${stake.title} ${stake.unit === "fen" ? money(stake.amount) : stake.amount}`;

/** How many accounts are about to be erased, for the first screen. */
export async function todo({ api, signal }) {
  const { items, next_cursor: more } = await api.get(`${PATH}/erasures`, { state: "cooling", limit: 100 }, { signal });
  return { count: items.length, more: Boolean(more), text: w("privacy.going") };
}

export async function open({ api, me, place, signal, href, go }) {
  const tab = TABS.includes(place.query.tab) ? place.query.tab : "erasures";

  /** A form about a member who is named by number or phone; `send(member, values)` does it, `then(member)` comes after. */
  async function forMember(title, fields, send, then) {
    const who = { name: "query", label: w("privacy.member"), required: true, most: 20 };
    const reason = { name: "reason", label: w("privacy.why"), kind: "lines", required: true, most: 200 };
    const submit = async ({ query, ...values }) => {
      const member = (await api.post("/v1/admin/members/search", { query })).items[0];
      if (!member) throw Object.assign(new Error(w("privacy.nobody")), { name: "ApiError", detail: w("privacy.nobody") });
      await send(member, values);
      return member;
    };
    const member = await formDialog({ title, note: w("privacy.ask_note"), fields: [who, reason, ...fields], submit: title, onSubmit: submit });
    if (member) await then(member);
  }
  const askErasure = () => {
    const key = api.newKey();
    const giveUp = { name: "give_up", label: w("privacy.give_up"), kind: "tick", value: false };
    return forMember(w("privacy.ask_erasure"), [giveUp], (member, values) => api.post(`${PATH}/erasures`, { member_id: member.id, ...values }, { key }), () => attempt(async () => list.reload(), w("privacy.sent")));
  };
  /** What follows is done on the archive's own screen: it says how far it is, and hands it out. */
  const askExport = () => forMember(w("privacy.ask_export"), [], (member, values) => api.post(`${PATH}/exports`, { member_id: member.id, ...values }), (member) => go("archive", { member: member.id }));

  async function withdraw(erasure) {
    const fields = [{ name: "reason", label: w("privacy.why"), kind: "lines", required: true, most: 200 }];
    if (await formDialog({ title: w("privacy.withdraw"), fields, submit: w("privacy.withdraw"), onSubmit: (values) => api.post(`${PATH}/erasures/${encodeURIComponent(erasure.id)}/withdraw`, values) })) list.reload();
  }
  async function publish(purpose) {
    const fields = [
      { name: "title", label: w("privacy.name"), value: purpose.title, required: true, most: 40 },
      { name: "body", label: w("privacy.body"), kind: "lines", rows: 10, value: purpose.body, required: true, most: 20000, note: w("privacy.publish_note") },
    ];
    const keep = { required: purpose.required, active: purpose.active, sort: purpose.sort, version: purpose.version };
    if (await formDialog({ title: w("privacy.publish"), fields, onSubmit: (values) => api.put(`${PATH}/purposes/${purpose.code}`, { ...keep, ...values }) })) list.reload();
  }

  const button = (text, about, run) => h("button", { type: "button", class: "button compact", "aria-label": `${text} ${about}`, onclick: run }, text);
  const state = { title: w("privacy.state"), cell: (item) => pill(w(`privacy.${item.state}`), LOOKS[item.state]) };
  const member = { title: w("privacy.member"), cell: (item) => h("span", { class: "num" }, item.member_no) };
  const who = { title: w("privacy.who"), hide: "narrow", cell: (item) => w(item.by_staff ? "privacy.by_staff" : "privacy.by_member") };
  const why = { title: w("privacy.why"), width: "wide", cell: (item) => item.reason };
  const archive = { title: w("privacy.actions"), cell: (item) => h("a", { class: "button compact", href: href("archive", { member: item.member_id }), "aria-label": `${w("privacy.handouts")} ${item.member_no}` }, w("privacy.handouts")) };
  const at = (title, name, hide) => ({ title: w(title), hide, cell: (item) => h("span", { class: "num" }, item[name] ? stamp(item[name]) : "") });
  const columns = {
    erasures: [state, member, { title: w("privacy.given_up"), width: "wide", cell: (item) => item.given_up.map(amount).join("、") }, who, why, at("privacy.asked_at", "asked_at", "narrow"), at("privacy.due_at", "due_at"),
      { title: w("privacy.actions"), cell: (item) => me.may("privacy.serve") && item.state === "cooling" && button(w("privacy.withdraw"), item.member_no, () => withdraw(item)) }],
    exports: [state, member, who, why, { title: w("privacy.rows"), number: true, cell: (item) => item.rows }, at("privacy.asked_at", "asked_at"), at("privacy.until", "until", "narrow"), archive],
    handouts: [member, ...handoutColumns(), archive],
    texts: [
      { title: w("privacy.purpose"), cell: (item) => item.title },
      { title: w("privacy.version"), number: true, cell: (item) => item.version },
      { title: w("privacy.state"), cell: (item) => (item.active ? w(item.required ? "privacy.required" : "privacy.optional") : w("privacy.off")) },
      { title: w("privacy.body"), width: "wide", hide: "narrow", cell: (item) => h("span", { class: "clip" }, item.body.slice(0, 60)) },
      { title: w("privacy.actions"), cell: (item) => h("div", { class: "row-actions" }, button(w("privacy.read"), item.title, () => tell(item.title, item.body)), me.may("privacy.texts") && button(w("privacy.publish"), item.title, () => publish(item))) },
    ],
  };
  const list = table({
    label: w(`privacy.${tab}`),
    signal,
    load: ({ cursor }) => (tab === "texts" ? api.get(`${PATH}/purposes`, {}, { signal }) : api.get(`${PATH}/${LISTS[tab] || tab}`, { cursor, limit: 50 }, { signal })),
    none: { icon: "lock", title: w("privacy.none") },
    columns: columns[tab],
  });
  const tabs = h("nav", { class: "tabs", "aria-label": w("privacy.title") }, TABS.map((name) => h("a", { class: "tab", href: href("privacy", { tab: name }), "aria-current": name === tab && "page" }, w(`privacy.${name}`))));
  const begin = (text, run) => h("button", { type: "button", class: "button", onclick: run }, text);
  const actions = [
    tab === "exports" && me.may("privacy.serve") && begin(w("privacy.ask_export"), askExport),
    tab === "erasures" && me.may("privacy.erase") && begin(w("privacy.ask_erasure"), askErasure),
  ].filter(Boolean);
  return [head(w("privacy.title"), { note: w("privacy.note"), actions }), tabs, list];
}
