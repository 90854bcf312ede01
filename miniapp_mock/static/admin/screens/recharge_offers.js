/** Recharge offers: what is paid, what is given on top, how long that is good, and in which turn it is spent. */
import { h } from "/static/shared/dom.js";
import { formDialog } from "../parts/form.js";
import { count, money, stamp } from "../parts/format.js";
import { head, pill } from "../parts/states.js";
import { table } from "../parts/table.js";
import { words } from "../texts.js";

const w = words({
  "offers.title": "充值优惠",
  "offers.note": "改动只影响以后的充值；已充值的余额按当时约定的顺序消费",
  "offers.none": "还没有充值优惠",
  "offers.new": "新建优惠",
  "offers.pay": "充值金额",
  "offers.bonus": "赠送金额",
  "offers.points": "赠送积分",
  "offers.first_only": "仅限首次充值",
  "offers.days": "赠送几天内有效（不填不过期）",
  "offers.days_of": "{count} 天",
  "offers.forever": "不过期",
  "offers.spend": "消费顺序",
  "offers.by_expiry": "先到期先用",
  "offers.principal_first": "先用本金",
  "offers.bonus_first": "先用赠送",
  "offers.starts_at": "从何时起",
  "offers.ends_at": "到何时止",
  "offers.store": "限门店会员",
  "offers.any_store": "不限",
  "offers.active": "启用",
  "offers.sort": "排序（小的在前）",
  "offers.state": "状态",
  "offers.on": "启用中",
  "offers.off": "已停用",
  "offers.time": "时间",
  "offers.always": "长期",
  "offers.actions": "操作",
  "offers.edit": "修改",
});

const OFFERS = "/v1/admin/recharge-offers";
const ORDERS = ["by_expiry", "principal_first", "bonus_first"];

export async function open({ api, me, signal }) {
  const { items: stores } = await api.get("/v1/admin/stores", {}, { signal });
  const writes = me.may("recharges.write");

  async function write(offer = null) {
    const done = await formDialog({
      title: offer ? `${w("offers.edit")} ${money(offer.pay_fen)}` : w("offers.new"),
      fields: [
        { name: "pay_fen", label: w("offers.pay"), kind: "money", required: true, value: offer?.pay_fen },
        { name: "bonus_fen", label: w("offers.bonus"), kind: "money", value: offer?.bonus_fen || null },
        { name: "points", label: w("offers.points"), kind: "number", value: offer?.points || null },
        { name: "bonus_valid_days", label: w("offers.days"), kind: "number", value: offer?.bonus_valid_days },
        { name: "spend", label: w("offers.spend"), kind: "choice", options: ORDERS.map((order) => [order, w(`offers.${order}`)]), value: offer?.spend },
        { name: "first_only", label: w("offers.first_only"), kind: "tick", value: offer?.first_only },
        { name: "store_id", label: w("offers.store"), kind: "choice", options: [["", w("offers.any_store")], ...stores.map((store) => [store.id, store.name])], value: offer?.store_id },
        { name: "starts_at", label: w("offers.starts_at"), kind: "time", value: offer?.starts_at },
        { name: "ends_at", label: w("offers.ends_at"), kind: "time", value: offer?.ends_at },
        { name: "sort", label: w("offers.sort"), kind: "number", value: offer?.sort || null },
        { name: "active", label: w("offers.active"), kind: "tick", value: offer ? offer.active : true },
      ],
      onSubmit: (values) => {
        const body = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null && value !== ""));
        return offer ? api.put(`${OFFERS}/${encodeURIComponent(offer.id)}`, body) : api.post(OFFERS, body);
      },
    });
    if (done) list.reload();
  }

  const time = (offer) => (offer.starts_at || offer.ends_at ? `${offer.starts_at ? stamp(offer.starts_at) : ""} – ${offer.ends_at ? stamp(offer.ends_at) : ""}` : w("offers.always"));
  const list = table({
    label: w("offers.title"),
    signal,
    load: () => api.get(OFFERS, {}, { signal }),
    none: { icon: "wallet", title: w("offers.none") },
    columns: [
      { title: w("offers.pay"), number: true, cell: (offer) => h("span", { class: "num strong" }, money(offer.pay_fen)) },
      { title: w("offers.bonus"), number: true, cell: (offer) => money(offer.bonus_fen) },
      { title: w("offers.points"), number: true, hide: "narrow", cell: (offer) => count(offer.points) },
      { title: w("offers.days"), hide: "narrow", cell: (offer) => (offer.bonus_valid_days ? w("offers.days_of", { count: offer.bonus_valid_days }) : w("offers.forever")) },
      { title: w("offers.spend"), cell: (offer) => w(`offers.${offer.spend}`) },
      { title: w("offers.time"), hide: "narrow", cell: time },
      { title: w("offers.state"), cell: (offer) => pill(w(offer.active ? "offers.on" : "offers.off"), offer.active ? "brand" : "") },
      { title: w("offers.actions"), cell: (offer) => writes && h("button", { type: "button", class: "button compact soft", "aria-label": `${w("offers.edit")} ${money(offer.pay_fen)}`, onclick: () => write(offer) }, w("offers.edit")) },
    ],
  });
  return [head(w("offers.title"), { note: w("offers.note"), actions: writes ? h("button", { type: "button", class: "button primary", onclick: () => write() }, w("offers.new")) : [] }), list];
}
