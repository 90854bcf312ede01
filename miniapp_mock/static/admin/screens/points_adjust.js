/** Points put right: for one member, or by a table with a trial run; a second person approves where the sum asks for it. */
import { h } from "/static/shared/dom.js";
import { attempt, confirm, tell, toast } from "../parts/dialogs.js";
import { formDialog } from "../parts/form.js";
import { count, stamp } from "../parts/format.js";
import { factList, head, pill } from "../parts/states.js";
import { table } from "../parts/table.js";
import { words } from "../texts.js";

const w = words({
  "adjust.title": "积分调整",
  "adjust.note": "每人每天合计超过限额的调整，由另一人在“审批”里批准后才入账",
  "adjust.one": "调整一位会员",
  "adjust.many": "导入表格",
  "adjust.member": "会员号或手机号",
  "adjust.member_none": "没有这位会员",
  "adjust.points": "积分（扣减填负数）",
  "adjust.reason": "原因",
  "adjust.text": "说明",
  "adjust.expires_on": "到期日（只用于发放，不填按默认）",
  "adjust.compensation": "客诉补偿",
  "adjust.correction": "差错更正",
  "adjust.goodwill": "回馈",
  "adjust.abuse": "违规扣回",
  "adjust.migration": "旧系统迁移",
  "adjust.other": "其他",
  "adjust.posted": "已入账",
  "adjust.waits": "已提交，等待另一人审批",
  "adjust.name": "名称",
  "adjust.file": "CSV 表格",
  "adjust.file_note": "列：member_no、points、reason、text，可加 expires_on；先试算，不写入",
  "adjust.try": "试算",
  "adjust.import": "导入",
  "adjust.import_good": "跳过有误的行，导入其余",
  "adjust.tried": "试算结果",
  "adjust.good": "可导入",
  "adjust.given": "发放",
  "adjust.taken": "扣减",
  "adjust.flaws": "有误",
  "adjust.row": "第 {row} 行 {field}",
  "adjust.rows": "{count} 行",
  "adjust.state": "状态",
  "adjust.progress": "进度",
  "adjust.since": "提交时间",
  "adjust.actions": "操作",
  "adjust.waiting": "待审批",
  "adjust.running": "处理中",
  "adjust.failed": "已停止",
  "adjust.failed_at": "停在第 {row} 行",
  "adjust.resume": "继续",
  "adjust.done": "已完成",
  "adjust.cancelled": "已取消",
  "adjust.cancel": "取消",
  "adjust.cancel_ask": "取消“{title}”？",
  "adjust.cancel_text": "还没入账的行不再处理；已入账的不变。",
  "adjust.show": "详情",
  "adjust.refused": "未入账 {count} 行",
  "adjust.none": "还没有批量调整",
  "adjust.saved": "已办理",
  "adjust.no_file": "请选择文件",
});

const REASONS = ["compensation", "correction", "goodwill", "abuse", "migration", "other"];
const LOOKS = { waiting: "gold", running: "brand", failed: "danger" };
const BATCHES = "/v1/admin/points-batches";

export async function open({ api, signal, keys }) {
  async function adjust() {
    const key = api.newKey();
    const done = await formDialog({
      title: w("adjust.one"),
      fields: [
        { name: "member", label: w("adjust.member"), required: true, most: 40 },
        { name: "points", label: w("adjust.points"), kind: "number", required: true },
        { name: "reason", label: w("adjust.reason"), kind: "choice", options: REASONS.map((code) => [code, w(`adjust.${code}`)]), value: "compensation" },
        { name: "text", label: w("adjust.text"), required: true, most: 200 },
        { name: "expires_on", label: w("adjust.expires_on"), kind: "date" },
      ],
      onSubmit: async ({ member, ...body }) => {
        const { items } = await api.get("/v1/admin/members", { query: member });
        if (items.length !== 1) throw Object.assign(new Error(w("adjust.member_none")), { name: "ApiError", detail: w("adjust.member_none"), fields: [{ pointer: "/member", message: w("adjust.member_none") }] });
        return api.post(`/v1/admin/members/${items[0].id}/points-adjustments`, body, { key });
      },
    });
    if (done) toast(w(done.status === "posted" ? "adjust.posted" : "adjust.waits"));
  }

  /** Choose a table, see what it would do, then send it; the same file under the same key is the same batch. */
  async function bring() {
    const file = h("input", { type: "file", accept: ".csv,text/csv", class: "input", "aria-label": w("adjust.file") });
    const problem = h("p", { class: "field-error" });
    const chosen = await formDialog({
      title: w("adjust.many"),
      submit: w("adjust.try"),
      fields: [
        { name: "title", label: w("adjust.name"), required: true, most: 40 },
        { name: "file", node: h("div", { class: "field" }, h("label", null, w("adjust.file")), file, h("p", { class: "muted tiny" }, w("adjust.file_note")), problem), read: () => file.files[0] || undefined, mark: (text) => { problem.textContent = text && w("adjust.no_file"); }, input: file },
      ],
      onSubmit: async (values) => {
        const data = new Blob([await values.file.arrayBuffer()], { type: "text/csv" });
        return { title: values.title, data, tried: await api.post(`${BATCHES}/dry-run`, data, { again: true }) };
      },
    });
    if (!chosen) return;
    const { tried } = chosen;
    const facts = factList([
      [w("adjust.good"), w("adjust.rows", { count: count(tried.good) })],
      [w("adjust.given"), count(tried.given)],
      [w("adjust.taken"), count(tried.taken)],
      ...tried.flaws.slice(0, 50).map((flaw) => [w("adjust.row", { row: flaw.row, field: flaw.field }), flaw.message]),
    ]);
    if (!tried.good) { await tell(w("adjust.tried"), facts); return; }
    if (!(await confirm(w("adjust.tried"), { content: facts, confirmText: w(tried.flaws_total ? "adjust.import_good" : "adjust.import") }))) return;
    await attempt(() => api.post(`${BATCHES}?${new URLSearchParams({ title: chosen.title, skip_bad: String(tried.flaws_total > 0) })}`, chosen.data, { key: api.newKey() }), w(tried.needs_approval ? "adjust.waits" : "adjust.saved"));
    list.reload();
  }

  async function show(batch) {
    await attempt(async () => {
      const found = await api.get(`${BATCHES}/${encodeURIComponent(batch.id)}`);
      await tell(found.title, factList([
        [w("adjust.progress"), `${count(found.posted)} / ${count(found.rows)}`],
        [w("adjust.given"), count(found.given)],
        [w("adjust.taken"), count(found.taken)],
        found.failed_row !== null && [w("adjust.failed_at", { row: found.failed_row }), found.failure],
        ...found.refused_rows.map((row) => [w("adjust.row", { row: row.row, field: "" }), row.code]),
      ].filter(Boolean)));
    });
  }

  async function resume(batch) {
    await attempt(() => api.post(`${BATCHES}/${encodeURIComponent(batch.id)}/resume`, {}, { again: true }), w("adjust.saved"));
    list.reload();
  }

  async function cancel(batch) {
    if (!(await confirm(w("adjust.cancel_ask", { title: batch.title }), { content: w("adjust.cancel_text"), confirmText: w("adjust.cancel"), danger: true }))) return;
    await attempt(() => api.post(`${BATCHES}/${encodeURIComponent(batch.id)}/cancel`, {}, { again: true }), w("adjust.saved"));
    list.reload();
  }

  const button = (text, batch, run, look = "soft") => h("button", { type: "button", class: `button compact ${look}`, "aria-label": `${text} ${batch.title}`, onclick: () => run(batch) }, text);
  const list = table({
    label: w("adjust.title"),
    signal,
    load: () => api.get(BATCHES, {}, { signal }),
    none: { icon: "star", title: w("adjust.none") },
    columns: [
      { title: w("adjust.name"), width: "wide", cell: (batch) => h("span", { class: "strong" }, batch.title) },
      { title: w("adjust.given"), number: true, cell: (batch) => count(batch.given) },
      { title: w("adjust.taken"), number: true, cell: (batch) => count(batch.taken) },
      { title: w("adjust.progress"), cell: (batch) => h("span", { class: "num" }, `${count(batch.posted)} / ${count(batch.rows)}`, batch.refused > 0 && h("span", { class: "muted tiny" }, ` ${w("adjust.refused", { count: batch.refused })}`)) },
      { title: w("adjust.state"), cell: (batch) => pill(w(`adjust.${batch.state}`), LOOKS[batch.state]) },
      { title: w("adjust.since"), hide: "narrow", cell: (batch) => stamp(batch.created_at) },
      { title: w("adjust.actions"), cell: (batch) => h("div", { class: "row-actions" }, button(w("adjust.show"), batch, show), batch.state === "failed" && button(w("adjust.resume"), batch, resume, "primary"), ["waiting", "running", "failed"].includes(batch.state) && button(w("adjust.cancel"), batch, cancel, "danger")) },
    ],
  });
  const act = (text, run, look = "") => h("button", { type: "button", class: `button ${look}`, onclick: () => attempt(run) }, text);
  keys({ n: [w("adjust.one"), () => attempt(adjust)] });
  return [head(w("adjust.title"), { note: w("adjust.note"), actions: [act(w("adjust.many"), bring), act(w("adjust.one"), adjust, "primary")] }), list];
}
