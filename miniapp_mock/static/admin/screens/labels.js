/** Address labels for letters by post: asked for, made in the background, downloaded as PDF. */
import { h } from "/static/shared/dom.js";
import { attempt } from "../parts/dialogs.js";
import { formDialog } from "../parts/form.js";
import { count, stamp } from "../parts/format.js";
import { head, pill } from "../parts/states.js";
import { table } from "../parts/table.js";
import { words } from "../texts.js";

const w = words({
  "labels.title": "地址标签",
  "labels.note": "寄给同意收信、并留有收货地址的会员；PDF 保存一周，请按实际大小打印",
  "labels.new": "打印标签",
  "labels.layout": "纸张",
  "labels.skip": "第一张已用掉几格",
  "labels.skip_note": "用了一半的标签纸可以接着用",
  "labels.batch": "寄给",
  "labels.batch_none": "按下面的条件",
  "labels.batch_one": "群发：{title}",
  "labels.levels": "等级（不选为全部）",
  "labels.stores": "门店（不选为全部）",
  "labels.purpose": "寄什么",
  "labels.purpose_marketing": "优惠活动",
  "labels.purpose_care": "会员关怀",
  "labels.purpose_survey": "问卷",
  "labels.made": "时间",
  "labels.state": "状态",
  "labels.waiting": "生成中",
  "labels.done": "已生成",
  "labels.failed": "未生成",
  "labels.nobody": "没有可打印的会员",
  "labels.count": "标签",
  "labels.pages": "页",
  "labels.no_address": "没有地址",
  "labels.no_consent": "不收信件",
  "labels.download": "下载",
  "labels.download_one": "下载 {at} 的标签",
  "labels.downloaded": "已开始下载",
  "labels.none": "还没有打印过标签",
});

const LABELS = "/v1/admin/messages/labels";
const PURPOSES = ["marketing", "care", "survey"];
const LOOK_EVERY_MS = 2000;
const MOST_LOOKS = 60;

export async function open({ api, me, signal, keys }) {
  const [{ items: layouts }, { items: batches }, { items: levels }, { items: stores }] = await Promise.all([
    api.get("/v1/admin/messages/label-layouts", {}, { signal }),
    api.get("/v1/admin/messages/batches", { limit: 20 }, { signal }),
    api.get("/v1/admin/levels", {}, { signal }),
    api.get("/v1/admin/stores", {}, { signal }),
  ]);
  const names = Object.fromEntries(layouts.map((one) => [one.code, one.name]));
  let looks = 0;

  const list = table({
    label: w("labels.title"),
    signal,
    load: async ({ cursor }) => {
      const page = await api.get(LABELS, { cursor, limit: 50 }, { signal });
      if (page.items.some((one) => one.state === "waiting")) lookAgain();
      return page;
    },
    none: { icon: "mail", title: w("labels.none") },
    columns: [
      { title: w("labels.made"), cell: (one) => h("span", { class: "num" }, stamp(one.created_at)) },
      { title: w("labels.layout"), width: "wide", cell: (one) => names[one.layout] || one.layout },
      { title: w("labels.state"), cell: (one) => pill(one.state === "done" && !one.labels ? w("labels.nobody") : w(`labels.${one.state}`), one.state === "done" && one.labels ? "brand" : "") },
      { title: w("labels.count"), number: true, cell: (one) => count(one.labels) },
      { title: w("labels.pages"), number: true, hide: "narrow", cell: (one) => count(one.pages) },
      { title: w("labels.no_address"), number: true, hide: "narrow", cell: (one) => count(one.no_address) },
      { title: w("labels.no_consent"), number: true, hide: "narrow", cell: (one) => count(one.no_consent) },
      { title: w("labels.download"), cell: (one) => one.labels > 0 && h("button", { type: "button", class: "button compact soft", "aria-label": w("labels.download_one", { at: stamp(one.created_at) }), onclick: () => attempt(() => api.download(`${LABELS}/${encodeURIComponent(one.id)}/pdf`, {}, `labels-${one.id}.pdf`), w("labels.downloaded")) }, w("labels.download")) },
    ],
  });

  function lookAgain() {
    looks += 1;
    if (looks <= MOST_LOOKS) setTimeout(() => { if (!signal.aborted) list.reload(); }, LOOK_EVERY_MS);
  }

  async function print() {
    const key = api.newKey();
    const made = await formDialog({
      title: w("labels.new"),
      submit: w("labels.new"),
      fields: [
        { name: "layout", label: w("labels.layout"), kind: "choice", options: layouts.map((one) => [one.code, one.name]) },
        { name: "skip", label: w("labels.skip"), kind: "number", value: 0, note: w("labels.skip_note") },
        { name: "batch_id", label: w("labels.batch"), kind: "choice", options: [["", w("labels.batch_none")], ...batches.map((one) => [one.id, w("labels.batch_one", { title: one.title })])] },
        { name: "purpose", label: w("labels.purpose"), kind: "choice", options: PURPOSES.map((one) => [one, w(`labels.purpose_${one}`)]) },
        { name: "levels", label: w("labels.levels"), kind: "many", options: levels.map((one) => [one.code, one.name]) },
        !me.store_id && { name: "stores", label: w("labels.stores"), kind: "many", options: stores.map((one) => [one.id, one.name]) },
      ].filter(Boolean),
      onSubmit: (values) => api.post(LABELS, asked(values), { key }),
    });
    if (made) { looks = 0; list.reload(); }
  }

  keys({ n: [w("labels.new"), print] });
  return [head(w("labels.title"), { note: w("labels.note"), actions: h("button", { type: "button", class: "button primary", onclick: print }, w("labels.new")) }), list];
}

/** What is asked for: a batch's letters, or an audience; conditions that are empty are left out. */
function asked({ layout, skip, batch_id: batch, purpose, levels, stores }) {
  const common = { layout, skip: skip || 0 };
  if (batch) return { ...common, batch_id: batch };
  const audience = { ...(levels?.length ? { levels } : {}), ...(stores?.length ? { store_ids: stores } : {}) };
  return { ...common, audience, purpose };
}
