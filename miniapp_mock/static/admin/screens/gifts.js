/** The gift catalogue: what points are redeemed for, at which price, for whom and how often. */
import { h } from "/static/shared/dom.js";
import { attempt, confirm, tell } from "../parts/dialogs.js";
import { formDialog } from "../parts/form.js";
import { count, money, stamp } from "../parts/format.js";
import { factList, head, pill } from "../parts/states.js";
import { table } from "../parts/table.js";
import { words } from "../texts.js";

const w = words({
  "gifts.title": "积分商城",
  "gifts.note": "会员用积分兑换的礼品；改动只影响以后的兑换",
  "gifts.none": "还没有礼品",
  "gifts.new_goods": "新建实物",
  "gifts.new_coupon": "新建优惠券",
  "gifts.new_stored": "新建储值",
  "gifts.goods": "实物",
  "gifts.coupon": "优惠券",
  "gifts.stored": "储值",
  "gifts.draft": "草稿",
  "gifts.published": "已上架",
  "gifts.withdrawn": "已下架",
  "gifts.name": "名称",
  "gifts.kind": "类型",
  "gifts.price": "价格",
  "gifts.points_of": "{count} 积分",
  "gifts.taken": "已兑",
  "gifts.left": "剩余",
  "gifts.unlimited": "不限",
  "gifts.state": "状态",
  "gifts.actions": "操作",
  "gifts.edit": "修改",
  "gifts.publish": "上架",
  "gifts.withdraw": "下架",
  "gifts.withdraw_ask": "下架“{title}”？",
  "gifts.withdraw_text": "会员不再看到它；已兑换的照常领取。",
  "gifts.history": "记录",
  "gifts.saved": "已办理",
  "gifts.points": "积分",
  "gifts.pay_fen": "另付金额（储值支付，不填为 0）",
  "gifts.about": "说明",
  "gifts.picture": "图片编号（商品图片库）",
  "gifts.sku": "商品编号",
  "gifts.template": "优惠券模板编号",
  "gifts.stored_fen": "到账金额（赠送余额）",
  "gifts.stored_days": "几天内有效（不填不过期）",
  "gifts.pickup": "可到店领取",
  "gifts.stores": "领取门店（不选为全部）",
  "gifts.pickup_days": "几天内领取",
  "gifts.ship_from": "快递从哪里发货（不选不寄送）",
  "gifts.no_shipping": "不寄送",
  "gifts.per_member": "每人最多几件",
  "gifts.per_member_day": "每人每天最多几件",
  "gifts.total": "一共几件",
  "gifts.day_total": "每天共几件",
  "gifts.levels": "限会员等级（不选不限）",
  "gifts.starts_at": "从何时起",
  "gifts.ends_at": "到何时止",
  "gifts.sort": "排序（小的在前）",
});

const GIFTS = "/v1/admin/gifts";
const LOOKS = { published: "brand", draft: "gold" };

export async function open({ api, me, signal, go }) {
  const [{ items: levels }, { items: stores }] = await Promise.all([api.get("/v1/admin/levels", {}, { signal }), api.get("/v1/admin/stores", {}, { signal })]);
  const writes = me.may("gifts.write");
  const places = me.may("stock.read") ? (await api.get("/v1/admin/stock/places", {}, { signal })).items : stores;
  const path = (gift, what = "") => `${GIFTS}/${encodeURIComponent(gift.id)}${what}`;

  async function write(kind, gift = null) {
    const done = await formDialog({
      title: gift ? gift.title : w(`gifts.new_${kind}`),
      fields: fieldsOf(kind, gift, { levels, stores, places }),
      onSubmit: (values) => {
        const body = { ...clean(values), kind };
        return gift ? api.put(path(gift), { ...body, version: gift.version }, { again: false }) : api.post(GIFTS, body);
      },
    });
    if (done) list.reload();
  }

  async function move(gift, what) {
    if (what === "withdraw" && !(await confirm(w("gifts.withdraw_ask", { title: gift.title }), { content: w("gifts.withdraw_text"), confirmText: w("gifts.withdraw"), danger: true }))) return;
    await attempt(() => api.post(path(gift, `/${what}`), {}, { again: true }), w("gifts.saved"));
    list.reload();
  }

  async function history(gift) {
    await attempt(async () => {
      const { items } = await api.get(path(gift, "/changes"));
      await tell(gift.title, factList(items.map((one) => [stamp(one.at), `${one.action} · ${one.staff_id}`])));
    });
  }

  const button = (text, gift, run, look = "soft") => h("button", { type: "button", class: `button compact ${look}`, "aria-label": `${text} ${gift.title}`, onclick: () => run(gift) }, text);
  const list = table({
    label: w("gifts.title"),
    signal,
    load: ({ cursor }) => api.get(GIFTS, { cursor, limit: 50 }, { signal }),
    open: (gift) => go("gift-redemptions", { gift: gift.id }),
    none: { icon: "star", title: w("gifts.none") },
    columns: [
      { title: w("gifts.name"), width: "wide", cell: (gift) => h("span", { class: "strong" }, gift.title) },
      { title: w("gifts.kind"), cell: (gift) => w(`gifts.${gift.kind}`) },
      { title: w("gifts.price"), cell: (gift) => h("span", { class: "num" }, [w("gifts.points_of", { count: count(gift.points) }), gift.pay_fen > 0 && money(gift.pay_fen)].filter(Boolean).join(" + ")) },
      { title: w("gifts.taken"), number: true, cell: (gift) => count(gift.taken) },
      { title: w("gifts.left"), number: true, hide: "narrow", cell: (gift) => (gift.left === null ? w("gifts.unlimited") : count(gift.left)) },
      { title: w("gifts.state"), cell: (gift) => pill(w(`gifts.${gift.state}`), LOOKS[gift.state]) },
      { title: w("gifts.actions"), cell: (gift) => h("div", { class: "row-actions" },
        button(w("gifts.history"), gift, history),
        writes && button(w("gifts.edit"), gift, (one) => write(one.kind, one)),
        writes && gift.state !== "published" && button(w("gifts.publish"), gift, (one) => move(one, "publish"), "primary"),
        writes && gift.state === "published" && button(w("gifts.withdraw"), gift, (one) => move(one, "withdraw"), "danger")) },
    ],
  });
  const make = (kind, look = "") => writes && h("button", { type: "button", class: `button ${look}`, onclick: () => write(kind) }, w(`gifts.new_${kind}`));
  return [head(w("gifts.title"), { note: w("gifts.note"), actions: [make("stored"), make("coupon"), make("goods", "primary")] }), list];
}

/** What the API takes: what is empty is not said. */
const clean = (values) => Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null && value !== ""));

/** Names are those of the body, so that what the server refuses is shown at its field. */
function fieldsOf(kind, gift, { levels, stores, places }) {
  const own = {
    goods: [
      { name: "sku", label: w("gifts.sku"), required: true, most: 40, value: gift?.sku },
      { name: "pickup", label: w("gifts.pickup"), kind: "tick", value: gift ? gift.pickup : true },
      { name: "stores", label: w("gifts.stores"), kind: "many", options: stores.map((one) => [one.id, one.name]), value: gift?.stores },
      { name: "pickup_days", label: w("gifts.pickup_days"), kind: "number", value: gift?.pickup_days ?? 7 },
      { name: "ship_from", label: w("gifts.ship_from"), kind: "choice", options: [["", w("gifts.no_shipping")], ...places.map((one) => [one.id, one.name])], value: gift?.ship_from },
    ],
    coupon: [{ name: "template_id", label: w("gifts.template"), required: true, most: 16, value: gift?.template_id }],
    stored: [
      { name: "stored_fen", label: w("gifts.stored_fen"), kind: "money", required: true, value: gift?.stored_fen },
      { name: "stored_days", label: w("gifts.stored_days"), kind: "number", value: gift?.stored_days },
    ],
  }[kind];
  return [
    { name: "title", label: w("gifts.name"), required: true, most: 40, value: gift?.title },
    { name: "points", label: w("gifts.points"), kind: "number", required: true, value: gift?.points },
    kind !== "stored" && { name: "pay_fen", label: w("gifts.pay_fen"), kind: "money", value: gift?.pay_fen || null },
    ...own,
    { name: "note", label: w("gifts.about"), kind: "lines", most: 500, value: gift?.note },
    { name: "picture", label: w("gifts.picture"), most: 64, value: gift?.picture },
    { name: "per_member", label: w("gifts.per_member"), kind: "number", value: gift?.per_member },
    { name: "per_member_day", label: w("gifts.per_member_day"), kind: "number", value: gift?.per_member_day },
    { name: "total", label: w("gifts.total"), kind: "number", value: gift?.total },
    { name: "day_total", label: w("gifts.day_total"), kind: "number", value: gift?.day_total },
    { name: "levels", label: w("gifts.levels"), kind: "many", options: levels.map((one) => [one.code, one.name]), value: gift?.levels },
    { name: "starts_at", label: w("gifts.starts_at"), kind: "time", value: gift?.starts_at },
    { name: "ends_at", label: w("gifts.ends_at"), kind: "time", value: gift?.ends_at },
    { name: "sort", label: w("gifts.sort"), kind: "number", value: gift?.sort || null },
  ].filter(Boolean);
}
