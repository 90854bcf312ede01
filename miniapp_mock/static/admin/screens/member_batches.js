/** Many members changed at once: who is meant is counted first, above a bound a second person decides, a job does it. */
import { h } from "/static/shared/dom.js";
import { audienceField, audienceWords } from "../parts/audience.js";
import { attempt, confirm, tell, toast } from "../parts/dialogs.js";
import { formDialog } from "../parts/form.js";
import { count, stamp } from "../parts/format.js";
import { factList, head, pill } from "../parts/states.js";
import { table } from "../parts/table.js";
import { words } from "../texts.js";

const w = words({
  "bat.title": "批量任务",
  "bat.note": "提交时算好的会员才会变更；超过限额的由另一人在“审批”里批准后才开始",
  "bat.new": "新的批量变更",
  "bat.kind": "变更事项",
  "bat.next": "下一步",
  "bat.preview": "看看有谁",
  "bat.reason": "原因",
  "bat.whom": "变更谁",
  "bat.statuses": "会员状态（不选为正常会员）",
  "bat.s_active": "正常",
  "bat.s_expired": "已到期",
  "bat.s_frozen": "已冻结",
  "bat.s_pending": "待审核",
  "bat.valid_from": "有效期自",
  "bat.valid_until": "有效期至（不填为长期）",
  "bat.months": "延长几个月",
  "bat.days": "延长几天",
  "bat.meant": "{count} 位会员",
  "bat.meant_ask": "确定变更 {count} 位会员？",
  "bat.needs": "超过限额，提交后由另一人审批",
  "bat.go": "提交",
  "bat.sent": "已提交",
  "bat.waits": "已提交，等待另一人审批",
  "bat.progress": "进度",
  "bat.changed": "已变更",
  "bat.state": "状态",
  "bat.who": "提交人",
  "bat.actions": "操作",
  "bat.waiting": "待审批",
  "bat.running": "处理中",
  "bat.failed": "已停止",
  "bat.failed_at": "停在会员",
  "bat.resume": "继续",
  "bat.done": "已完成",
  "bat.cancelled": "已取消",
  "bat.show": "详情",
  "bat.rows": "逐人结果",
  "bat.refresh": "刷新",
  "bat.cancel": "取消",
  "bat.cancel_ask": "取消“{title}”？",
  "bat.cancel_text": "还没变更的会员不再变更；已变更的不变。",
  "bat.saved": "已办理",
  "bat.none": "还没有批量任务",
  "bat.unchanged": "原本如此",
  "bat.status_conflict": "状态不允许",
  "bat.not_registered": "未注册",
});

const BATCHES = "/v1/admin/member-batches";
const SHOWN = 6;
const LOOK_EVERY_MS = 2000;
const LOOKS = { waiting: "gold", running: "brand", failed: "danger" };
const STATUSES = ["active", "expired", "frozen", "pending"];
/** Whom one means by a change: who is over is to go on, too. */
const MEANT = { validity: ["active", "expired"], validity_extend: ["active", "expired"], freeze: ["active", "expired"], unfreeze: ["frozen"] };
const FIELDS = {
  validity: [{ name: "valid_from", kind: "date" }, { name: "valid_until", kind: "date" }],
  validity_extend: [{ name: "months", kind: "number" }, { name: "days", kind: "number" }],
  freeze: [],
  unfreeze: [],
};

export async function open({ api, me, signal, keys }) {
  async function begin() {
    const [{ items: kinds }, { items: levels }, stores] = await Promise.all([
      api.get(`${BATCHES}/kinds`), api.get("/v1/admin/levels"), me.may("stores.read") ? api.get("/v1/admin/stores").then((found) => found.items) : [],
    ]);
    const known = kinds.filter((one) => FIELDS[one.code]);
    const chosen = await formDialog({ title: w("bat.new"), submit: w("bat.next"), fields: [{ name: "kind", label: w("bat.kind"), kind: "choice", options: known.map((one) => [one.code, one.title]), value: known[0]?.code }], onSubmit: (values) => values });
    if (!chosen) return;
    const asked = await formDialog({
      title: known.find((one) => one.code === chosen.kind).title,
      submit: w("bat.preview"),
      fields: [
        ...FIELDS[chosen.kind].map((one) => ({ ...one, label: w(`bat.${one.name}`) })),
        { name: "reason", label: w("bat.reason"), required: true, most: 200 },
        { name: "statuses", label: w("bat.statuses"), kind: "many", options: STATUSES.map((one) => [one, w(`bat.s_${one}`)]), value: MEANT[chosen.kind] },
        audienceField({ levels, stores: me.store_id ? [] : stores, label: w("bat.whom"), ends: true }),
      ],
      onSubmit: async ({ reason, statuses, audience, ...values }) => {
        const change = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null));
        const body = { kind: chosen.kind, reason, change, audience: { ...audience, ...(statuses.length && { statuses }) } };
        return { body, found: await api.post(`${BATCHES}/preview`, body, { again: true }) };
      },
    });
    if (!asked) return;
    const { body, found } = asked;
    const content = factList([
      [w("bat.meant", { count: count(found.members) }), found.needs_approval ? w("bat.needs") : "✓"],
      ...found.first.slice(0, SHOWN).map((one) => [one.member_no, one.name_masked]),
    ]);
    if (!found.members) { await tell(w("bat.meant", { count: 0 }), content); return; }
    if (!(await confirm(w("bat.meant_ask", { count: count(found.members) }), { content, confirmText: w("bat.go") }))) return;
    const made = await api.post(BATCHES, body, { key: api.newKey() });
    toast(w(made.state === "waiting" ? "bat.waits" : "bat.sent"));
    list.reload();
  }

  async function show(one) {
    const [found, { items: levels }, { items: stores }] = await Promise.all([api.get(`${BATCHES}/${one.id}`), api.get("/v1/admin/levels"), api.get("/v1/admin/stores")]);
    const statuses = found.audience.statuses || ["active"];
    await tell(found.title, factList([
      [w("bat.reason"), found.reason],
      [w("bat.whom"), [audienceWords(found.audience, { levels, stores }), statuses.map((status) => w(`bat.s_${status}`)).join("、")].filter(Boolean).join(" · ")],
      [w("bat.progress"), `${count(found.done)} / ${count(found.members)}`],
      found.failed_member_id && [w("bat.failed_at"), `${found.failed_member_no} ${found.failure}`],
      ...Object.entries(found.results).map(([result, many]) => [w(`bat.${result}`), count(many)]),
    ].filter(Boolean)));
  }

  async function resume(one) {
    await attempt(() => api.post(`${BATCHES}/${one.id}/resume`, {}, { again: true }), w("bat.saved"));
    list.reload();
  }

  async function cancel(one) {
    if (!(await confirm(w("bat.cancel_ask", { title: one.title }), { content: w("bat.cancel_text"), confirmText: w("bat.cancel"), danger: true }))) return;
    await attempt(() => api.post(`${BATCHES}/${one.id}/cancel`, {}, { again: true }), w("bat.saved"));
    list.reload();
  }

  const button = (text, one, run, look = "soft") => h("button", { type: "button", class: `button compact ${look}`, "aria-label": `${text} ${one.title}`, onclick: () => attempt(() => run(one)) }, text);
  const rows = (one) => api.download(`${BATCHES}/${one.id}/rows.csv`, {}, `batch-${one.id}.csv`);
  /** While something is worked on the list shows how far it is, unless somebody is about to press something in it. */
  const later = () => setTimeout(() => { if (signal.aborted) return; if (list.contains(document.activeElement)) later(); else list.reload(); }, LOOK_EVERY_MS);

  const list = table({
    label: w("bat.title"),
    signal,
    load: async ({ cursor }) => {
      const page = await api.get(BATCHES, { cursor }, { signal });
      if (!cursor && page.items.some((one) => one.state === "running")) later();
      return page;
    },
    none: { icon: "people", title: w("bat.none") },
    columns: [
      { title: w("bat.kind"), width: "wide", cell: (one) => h("span", null, h("span", { class: "strong" }, one.title), h("span", { class: "muted tiny" }, ` ${one.reason}`)) },
      { title: w("bat.progress"), cell: (one) => h("span", { class: "num" }, `${count(one.done)} / ${count(one.members)}`) },
      { title: w("bat.changed"), number: true, hide: "narrow", cell: (one) => count(one.changed) },
      { title: w("bat.state"), cell: (one) => pill(w(`bat.${one.state}`), LOOKS[one.state]) },
      { title: w("bat.who"), hide: "narrow", cell: (one) => h("span", null, one.staff_name, h("span", { class: "muted tiny" }, ` ${stamp(one.created_at)}`)) },
      { title: w("bat.actions"), cell: (one) => h("div", { class: "row-actions" }, button(w("bat.show"), one, show), button(w("bat.rows"), one, rows), one.state === "failed" && button(w("bat.resume"), one, resume, "primary"), ["waiting", "running", "failed"].includes(one.state) && button(w("bat.cancel"), one, cancel, "danger")) },
    ],
  });
  const act = (text, run, look = "") => h("button", { type: "button", class: `button ${look}`, onclick: () => attempt(run) }, text);
  keys({ n: [w("bat.new"), () => attempt(begin)] });
  return [head(w("bat.title"), { note: w("bat.note"), actions: [act(w("bat.refresh"), () => list.reload()), act(w("bat.new"), begin, "primary")] }), list];
}
