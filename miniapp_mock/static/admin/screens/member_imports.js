/** Members from a table: read first, with what is wrong row by row, then made; a second person approves what they bring along. */
import { h } from "/static/shared/dom.js";
import { attempt, confirm, tell } from "../parts/dialogs.js";
import { formDialog } from "../parts/form.js";
import { count, money, stamp } from "../parts/format.js";
import { factList, head, pill } from "../parts/states.js";
import { table } from "../parts/table.js";
import { words } from "../texts.js";

const w = words({
  "imp.title": "会员导入",
  "imp.note": "先检查，不写入；有一行不对就都不导入，除非选择跳过。储值和积分当天合计超过限额时由另一人审批",
  "imp.template": "下载模板",
  "imp.new": "导入表格",
  "imp.name": "名称",
  "imp.file": "CSV 或 XLSX 表格",
  "imp.no_file": "请选择文件",
  "imp.check": "检查",
  "imp.rows": "行数",
  "imp.good": "可导入",
  "imp.bad": "有误",
  "imp.made": "已导入",
  "imp.claimed": "已认领",
  "imp.opens": "期初储值 / 积分",
  "imp.state": "状态",
  "imp.actions": "操作",
  "imp.waiting": "排队中",
  "imp.reading": "检查中",
  "imp.checked": "待开始",
  "imp.approving": "待审批",
  "imp.writing": "导入中",
  "imp.failed": "已停止",
  "imp.failed_at": "停在第 {row} 行",
  "imp.resume": "继续",
  "imp.done": "已完成",
  "imp.refused": "未导入",
  "imp.cancelled": "已取消",
  "imp.start": "开始",
  "imp.start_ask": "导入“{title}”？",
  "imp.start_skip": "跳过 {bad} 行有误的，导入其余 {good} 位",
  "imp.start_all": "导入 {good} 位",
  "imp.cancel": "取消",
  "imp.cancel_ask": "取消“{title}”？",
  "imp.cancel_text": "还没导入的行不再处理；已导入的会员不变。",
  "imp.show": "详情",
  "imp.report": "逐行报告",
  "imp.refresh": "刷新",
  "imp.row": "第 {row} 行 {field}",
  "imp.none": "还没有导入",
  "imp.saved": "已办理",
  "imp.sent": "已提交检查",
  "imp.needs": "带入的储值或积分超过限额，提交后由另一人审批",
});

const IMPORTS = "/v1/admin/member-imports";
const WORKING = new Set(["waiting", "reading", "writing"]);
const LOOK_EVERY_MS = 2000;
const LOOKS = { checked: "gold", approving: "gold", writing: "brand", reading: "brand", refused: "danger", failed: "danger" };
const OPEN = new Set(["waiting", "reading", "checked", "approving", "writing", "failed"]);
const XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

export async function open({ api, signal, keys }) {
  async function bring() {
    const file = h("input", { type: "file", accept: `.csv,.xlsx,text/csv,${XLSX}`, class: "input", "aria-label": w("imp.file") });
    const problem = h("p", { class: "field-error" });
    const key = api.newKey();
    const sent = await formDialog({
      title: w("imp.new"),
      submit: w("imp.check"),
      fields: [
        { name: "title", label: w("imp.name"), required: true, most: 100 },
        { name: "file", node: h("div", { class: "field" }, h("label", null, w("imp.file")), file, problem), read: () => file.files[0] || undefined, mark: (text) => { problem.textContent = text && w("imp.no_file"); }, input: file },
      ],
      onSubmit: async (values) => {
        const kind = values.file.name.toLowerCase().endsWith(".xlsx") ? "xlsx" : "csv";
        const data = new Blob([await values.file.arrayBuffer()], { type: kind === "xlsx" ? XLSX : "text/csv" });
        return api.post(`${IMPORTS}?${new URLSearchParams({ title: values.title, kind, dry_run: "true" })}`, data, { key });
      },
    });
    if (sent) { await attempt(async () => undefined, w("imp.sent")); list.reload(); }
  }

  async function start(one) {
    const content = [one.bad ? w("imp.start_skip", { bad: count(one.bad), good: count(one.good) }) : w("imp.start_all", { good: count(one.good) }), one.needs_approval && w("imp.needs")].filter(Boolean).join("。");
    if (!(await confirm(w("imp.start_ask", { title: one.title }), { content, confirmText: w("imp.start") }))) return;
    await attempt(() => api.post(`${IMPORTS}/${one.id}/start`, { skip_bad: one.bad > 0 }), w("imp.saved"));
    list.reload();
  }

  async function cancel(one) {
    if (!(await confirm(w("imp.cancel_ask", { title: one.title }), { content: w("imp.cancel_text"), confirmText: w("imp.cancel"), danger: true }))) return;
    await attempt(() => api.post(`${IMPORTS}/${one.id}/cancel`, {}, { again: true }), w("imp.saved"));
    list.reload();
  }

  async function show(one) {
    const found = await api.get(`${IMPORTS}/${one.id}`);
    await tell(found.title, factList([
      [w("imp.rows"), count(found.total)], [w("imp.good"), count(found.good)], [w("imp.bad"), count(found.bad)],
      found.made > 0 && [w("imp.claimed"), `${count(found.claimed)} / ${count(found.made)}`],
      found.failed_row !== null && [w("imp.failed_at", { row: found.failed_row }), found.failure],
      ...Object.entries(found.results).map(([result, many]) => [found.result_texts[result], count(many)]),
      ...found.flaws.map((flaw) => [w("imp.row", { row: flaw.row, field: flaw.column }), flaw.text]),
    ].filter(Boolean)));
  }

  async function resume(one) {
    await attempt(() => api.post(`${IMPORTS}/${one.id}/resume`, {}, { again: true }), w("imp.saved"));
    list.reload();
  }

  const button = (text, one, run, look = "soft") => h("button", { type: "button", class: `button compact ${look}`, "aria-label": `${text} ${one.title}`, onclick: () => attempt(() => run(one)) }, text);
  const report = (one) => api.download(`${IMPORTS}/${one.id}/report.csv`, {}, `import-${one.id}.csv`);
  /** While something is worked on the list shows how far it is, unless somebody is about to press something in it. */
  const later = () => setTimeout(() => { if (signal.aborted) return; if (list.contains(document.activeElement)) later(); else list.reload(); }, LOOK_EVERY_MS);

  const list = table({
    label: w("imp.title"),
    signal,
    load: async ({ cursor }) => {
      const page = await api.get(IMPORTS, { cursor }, { signal });
      if (!cursor && page.items.some((one) => WORKING.has(one.state))) later();
      return page;
    },
    none: { icon: "people", title: w("imp.none") },
    columns: [
      { title: w("imp.name"), width: "wide", cell: (one) => h("span", null, h("span", { class: "strong" }, one.title), h("span", { class: "muted tiny" }, ` ${one.staff_name} ${stamp(one.created_at)}`)) },
      { title: w("imp.good"), number: true, cell: (one) => count(one.good) },
      { title: w("imp.bad"), number: true, cell: (one) => (one.bad ? h("span", { class: "danger" }, count(one.bad)) : "0") },
      { title: w("imp.made"), number: true, cell: (one) => count(one.made) },
      { title: w("imp.claimed"), number: true, hide: "narrow", cell: (one) => count(one.claimed) },
      { title: w("imp.opens"), hide: "narrow", cell: (one) => h("span", { class: "num" }, `${money(one.principal_fen + one.bonus_fen)} / ${count(one.points)}`) },
      { title: w("imp.state"), cell: (one) => pill(w(`imp.${one.state}`), LOOKS[one.state]) },
      { title: w("imp.actions"), cell: (one) => h("div", { class: "row-actions" }, one.state === "checked" && one.good > 0 && button(w("imp.start"), one, start, "primary"), button(w("imp.show"), one, show), button(w("imp.report"), one, report), one.state === "failed" && button(w("imp.resume"), one, resume, "primary"), OPEN.has(one.state) && button(w("imp.cancel"), one, cancel, "danger")) },
    ],
  });
  const act = (text, run, look = "") => h("button", { type: "button", class: `button ${look}`, onclick: () => attempt(run) }, text);
  keys({ n: [w("imp.new"), () => attempt(bring)] });
  const actions = [act(w("imp.refresh"), () => list.reload()), act(w("imp.template"), () => api.download(`${IMPORTS}/template.xlsx`, {}, "members-template.xlsx")), act(w("imp.new"), bring, "primary")];
  return [head(w("imp.title"), { note: w("imp.note"), actions }), list];
}
