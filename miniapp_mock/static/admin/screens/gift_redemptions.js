/** What was redeemed for points: handed over by the code, sent, called off, taken back. */
import { h } from "/static/shared/dom.js";
import { attempt, tell, toast } from "../parts/dialogs.js";
import { formDialog } from "../parts/form.js";
import { count, day, money, stamp } from "../parts/format.js";
import { factList, head, pill } from "../parts/states.js";
import { table } from "../parts/table.js";
import { words } from "../texts.js";

const w = words({
  "redeemed.title": "礼品兑换",
  "redeemed.note": "本店待领取、待寄出的礼品；到店领取凭会员手机上的领取码",
  "redeemed.none": "没有兑换记录",
  "redeemed.tabs": "状态",
  "redeemed.open": "待处理",
  "redeemed.all": "全部",
  "redeemed.waiting": "待领取",
  "redeemed.to_send": "待寄出",
  "redeemed.sent": "已寄出",
  "redeemed.handed_over": "已领取",
  "redeemed.given": "已到账",
  "redeemed.cancelled": "已取消",
  "redeemed.expired": "逾期未领",
  "redeemed.returned": "已退回",
  "redeemed.state": "状态",
  "redeemed.gift": "礼品",
  "redeemed.who": "会员",
  "redeemed.price": "使用",
  "redeemed.points": "{count} 积分",
  "redeemed.store": "地点",
  "redeemed.due": "最后领取日",
  "redeemed.at": "兑换时间",
  "redeemed.actions": "操作",
  "redeemed.by_code": "凭码交付",
  "redeemed.code": "领取码（G 加 10 位数字）",
  "redeemed.at_store": "门店",
  "redeemed.hand_over": "确认交付",
  "redeemed.hand_over_what": "{member}：{title}",
  "redeemed.handed": "已交付",
  "redeemed.gone": "这件礼品已经不在待领取状态",
  "redeemed.send": "寄出",
  "redeemed.receiver": "收件人",
  "redeemed.carrier": "快递公司编码（如 SF）",
  "redeemed.number": "快递单号",
  "redeemed.cancel": "取消",
  "redeemed.cancel_note": "取消原因（会员会收到通知）",
  "redeemed.back": "退回",
  "redeemed.reason": "原因",
  "redeemed.reason_damaged": "破损",
  "redeemed.reason_wrong_goods": "发错",
  "redeemed.reason_not_received": "未收到",
  "redeemed.reason_goodwill": "客情",
  "redeemed.reason_other": "其他",
  "redeemed.memo": "说明",
  "redeemed.restock": "实物放回货架（不勾选为报损）",
  "redeemed.done": "已办理",
  "redeemed.history": "记录",
});

const PATH = "/v1/admin/gift-redemptions";
const TABS = ["open", "all"];
const LOOKS = { waiting: "brand", to_send: "brand", cancelled: "", expired: "", returned: "danger" };
/** What was redeemed, and how many where it is more than one. */
const nameOf = ({ title, quantity }) => (quantity > 1 ? `${title} ×${quantity}` : title);
const REASONS = ["damaged", "wrong_goods", "not_received", "goodwill", "other"];

export async function open({ api, me, place, signal, href, keys }) {
  const tab = TABS.includes(place.query.tab) ? place.query.tab : place.query.gift ? "all" : "open";
  const one = (made, what = "") => `${PATH}/${encodeURIComponent(made.id)}${what}`;
  const { items: stores } = await api.get("/v1/admin/stores", {}, { signal });

  /** By the code: looked up first, so that whoever hands it over sees what it is. */
  async function byCode() {
    let found = null;
    const asked = await formDialog({
      title: w("redeemed.by_code"),
      fields: [
        stores.length > 1 && { name: "store_id", label: w("redeemed.at_store"), kind: "choice", options: stores.map((store) => [store.id, store.name]), required: true },
        { name: "code", label: w("redeemed.code"), required: true, most: 32 },
      ].filter(Boolean),
      submit: w("redeemed.by_code"),
      onSubmit: async (values) => {
        found = { ...(await api.post("/v1/admin/gift-pickups", values, { again: true })), code: values.code };
        return found;
      },
    });
    if (!asked || !found) return;
    if (found.status !== "waiting") { toast(w("redeemed.gone"), 4000); return; }
    const done = await formDialog({
      title: w("redeemed.hand_over_what", { member: found.member_name_masked, title: nameOf(found) }),
      fields: [],
      submit: w("redeemed.hand_over"),
      onSubmit: () => api.post(one(found, "/handover"), { code: found.code }, { again: true }),
    });
    if (done) { toast(w("redeemed.handed")); list.reload(); }
  }

  async function send(made) {
    const to = await api.post(one(made, "/receiver"), {}, { again: true }).catch(() => null);
    const lines = to && [to.name, to.phone, `${to.province}${to.city}${to.district}${to.street}`].join("，");
    const fields = [
      { name: "carrier", label: w("redeemed.carrier"), required: true, most: 32, value: "SF", note: lines ? `${w("redeemed.receiver")}：${lines}` : "" },
      { name: "tracking_no", label: w("redeemed.number"), required: true, most: 40 },
    ];
    if (await formDialog({ title: `${w("redeemed.send")}：${nameOf(made)}`, fields, submit: w("redeemed.send"), onSubmit: (values) => api.post(one(made, "/send"), values, { again: true }) })) done();
  }

  async function cancel(made) {
    const fields = [{ name: "note", label: w("redeemed.cancel_note"), required: true, most: 200 }];
    if (await formDialog({ title: `${w("redeemed.cancel")}：${nameOf(made)}`, fields, submit: w("redeemed.cancel"), danger: true, onSubmit: (values) => api.post(one(made, "/cancel"), values, { again: true }) })) done();
  }

  async function takeBack(made) {
    const fields = [
      { name: "reason", label: w("redeemed.reason"), kind: "choice", options: REASONS.map((reason) => [reason, w(`redeemed.reason_${reason}`)]), required: true },
      { name: "note", label: w("redeemed.memo"), required: true, most: 200 },
      made.kind === "goods" && { name: "restock", label: w("redeemed.restock"), kind: "tick", value: true },
    ].filter(Boolean);
    if (await formDialog({ title: `${w("redeemed.back")}：${nameOf(made)}`, fields, submit: w("redeemed.back"), danger: true, onSubmit: (values) => api.post(one(made, "/return"), values, { again: true }) })) done();
  }

  async function history(made) {
    await attempt(async () => {
      const { items } = await api.get(one(made, "/changes"));
      await tell(nameOf(made), factList([[w("redeemed.at"), stamp(made.at)], ...items.map((change) => [stamp(change.at), `${change.action} · ${change.staff_id}`])]));
    });
  }

  function done() {
    toast(w("redeemed.done"));
    list.reload();
  }

  const button = (text, made, run, look = "soft") => h("button", { type: "button", class: `button compact ${look}`.trim(), "aria-label": `${text} ${made.id}`, onclick: () => attempt(() => run(made)) }, text);
  const handles = me.may("gifts.handle");
  const list = table({
    label: w("redeemed.title"),
    signal,
    load: ({ cursor }) => api.get(PATH, { open_only: tab === "open" || null, gift_id: place.query.gift || null, member_id: place.query.member || null, cursor, limit: 50 }, { signal }),
    none: { icon: "star", title: w("redeemed.none") },
    columns: [
      { title: w("redeemed.state"), cell: (made) => pill(w(`redeemed.${made.status}`), LOOKS[made.status]) },
      { title: w("redeemed.gift"), width: "wide", cell: (made) => h("span", { class: "strong" }, nameOf(made)) },
      { title: w("redeemed.who"), cell: (made) => `${made.member_name_masked} ${made.member_no}` },
      { title: w("redeemed.price"), number: true, hide: "narrow", cell: (made) => [w("redeemed.points", { count: count(made.points) }), made.pay_fen > 0 && money(made.pay_fen)].filter(Boolean).join(" + ") },
      { title: w("redeemed.store"), hide: "narrow", cell: (made) => stores.find((store) => store.id === made.place_id)?.name || made.place_id || "" },
      { title: w("redeemed.due"), hide: "narrow", cell: (made) => (made.status === "waiting" ? made.due_on : made.tracking_no || (made.out_at ? day(made.out_at) : "")) },
      { title: w("redeemed.actions"), cell: (made) => h("div", { class: "row-actions" },
        button(w("redeemed.history"), made, history),
        handles && ["to_send", "sent"].includes(made.status) && button(w("redeemed.send"), made, send, made.status === "to_send" ? "primary" : "soft"),
        handles && ["waiting", "to_send"].includes(made.status) && button(w("redeemed.cancel"), made, cancel, ""),
        me.may("gifts.return") && ["sent", "handed_over", "given"].includes(made.status) && button(w("redeemed.back"), made, takeBack, "danger")) },
    ],
  });
  const tabs = h("nav", { class: "tabs", "aria-label": w("redeemed.tabs") }, TABS.map((name) => h("a", { class: "tab", href: href("gift-redemptions", { ...place.query, tab: name }), "aria-current": name === tab && "page" }, w(`redeemed.${name}`))));
  if (handles) keys({ c: [w("redeemed.by_code"), () => attempt(byCode)] });
  return [head(w("redeemed.title"), { note: w("redeemed.note"), actions: handles ? h("button", { type: "button", class: "button primary", onclick: () => attempt(byCode) }, w("redeemed.by_code")) : [] }), tabs, list];
}

/** How many wait to leave, for the first screen. */
export async function todo({ api, me, signal }) {
  if (!me.may("gifts.handle")) return { count: 0, text: w("redeemed.open") };
  const { items, next_cursor: more } = await api.get(PATH, { open_only: true, limit: 100 }, { signal });
  return { count: items.length, more: Boolean(more), text: w("redeemed.open") };
}
