/** Members who are one person: pairs that were found, two numbers side by side, what was merged. Another person approves; there is no undo. */
import { h } from "/static/shared/dom.js";
import { attempt, confirm, tell, toast } from "../parts/dialogs.js";
import { formDialog } from "../parts/form.js";
import { count, money, stamp } from "../parts/format.js";
import { factList, head, pill } from "../parts/states.js";
import { table } from "../parts/table.js";
import { words } from "../texts.js";

const w = words({
  "merges.title": "合并会员",
  "merges.note": "来源会员并入目标会员，由另一人在“审批”里批准；合并后不能撤销",
  "merges.pair": "指定两个会员号",
  "merges.source": "来源会员号（并入）",
  "merges.target": "目标会员号（保留）",
  "merges.look": "比对",
  "merges.reason": "原因",
  "merges.ask": "申请合并",
  "merges.asked": "已提交，等待另一人审批",
  "merges.compare": "比对 {source} → {target}",
  "merges.swap": "交换方向",
  "merges.no_undo": "合并后不能撤销。旧单据仍在原会员号下，之后的退款等会转入目标会员。",
  "merges.what": "项目",
  "merges.from": "来源",
  "merges.to": "目标",
  "merges.becomes": "处理",
  "merges.moves": "转入目标",
  "merges.joined": "逐项合并",
  "merges.stays": "留作历史",
  "merges.member_no": "会员号",
  "merges.name": "姓名",
  "merges.phone": "手机",
  "merges.birthday": "生日",
  "merges.level": "等级",
  "merges.store": "门店",
  "merges.principal": "储值本金",
  "merges.bonus": "储值赠金",
  "merges.rebate": "返利",
  "merges.points": "积分",
  "merges.pending": "待生效积分",
  "merges.owed": "欠积分",
  "merges.clash": "冲突",
  "merges.blocked": "暂不能合并",
  "merges.candidates": "疑似重复",
  "merges.same": "同名同生日",
  "merges.similar": "姓名相近、同生日",
  "merges.why": "原因",
  "merges.one": "会员",
  "merges.found": "发现时间",
  "merges.actions": "操作",
  "merges.not_same": "不是同一人",
  "merges.not_same_ask": "{one} 与 {other} 不是同一人？",
  "merges.not_same_text": "之后不再提示这一对。",
  "merges.saved": "已办理",
  "merges.none": "没有疑似重复的会员",
  "merges.done": "合并记录",
  "merges.none_done": "还没有合并过会员",
  "merges.at": "时间",
  "merges.who": "申请 / 批准",
  "merges.moved": "转入",
});

const MERGES = "/v1/admin/merges";
const CANDIDATES = "/v1/admin/merge-candidates";

export async function open({ api, signal, keys }) {
  /** Two members side by side; from here the merge is asked for. */
  async function compare(source_no, target_no) {
    const seen = await api.post(`${MERGES}/preview`, { source_no, target_no }, { again: true });
    const { source, target } = seen;
    const rows = [
      [w("merges.member_no"), source.member_no, target.member_no],
      [w("merges.name"), source.name, target.name],
      [w("merges.phone"), source.phone, target.phone],
      [w("merges.birthday"), source.birthday ?? "–", target.birthday ?? "–"],
      [w("merges.level"), source.level, target.level],
      [w("merges.store"), source.store_id ?? "–", target.store_id ?? "–"],
      [w("merges.principal"), money(source.value.principal_fen), money(target.value.principal_fen)],
      [w("merges.bonus"), money(source.value.bonus_fen), money(target.value.bonus_fen)],
      [w("merges.rebate"), money(source.value.rebate_fen), money(target.value.rebate_fen)],
      [w("merges.points"), count(source.value.points), count(target.value.points)],
      [w("merges.pending"), count(source.value.points_pending), count(target.value.points_pending)],
      [w("merges.owed"), count(source.value.points_owed), count(target.value.points_owed)],
    ].map(([what, mine, theirs]) => [what, mine, theirs, ""]);
    const held = seen.held.map((one) => [one.title, count(one.source), count(one.target), w(`merges.${one.becomes}`)]);
    const cell = (tag, text) => h(tag, null, text);
    const sheet = h("table", { class: "table" },
      h("thead", null, h("tr", null, [w("merges.what"), w("merges.from"), w("merges.to"), w("merges.becomes")].map((text) => cell("th", text)))),
      h("tbody", null, [...rows, ...held].map((row) => h("tr", null, row.map((text) => cell("td", text))))));
    const notes = factList([
      ...seen.clashes.map((one) => [`${w("merges.clash")}：${one.title}`, one.kept]),
      ...seen.obstacles.map((one) => [w("merges.blocked"), `${one.title}（${one.ids.join("、")}）`]),
    ]);
    const content = h("div", { class: "compare", tabindex: "0" }, h("p", { class: "strong" }, w("merges.no_undo")), notes, sheet);
    const title = w("merges.compare", { source: source.member_no, target: target.member_no });
    if (seen.obstacles.length) { await tell(title, content); return; }
    if (!(await confirm(title, { content, confirmText: w("merges.ask"), danger: true }))) return;
    await ask(source_no, target_no);
  }

  async function ask(source_no, target_no) {
    const key = api.newKey();
    const done = await formDialog({
      title: w("merges.ask"),
      fields: [{ name: "reason", label: w("merges.reason"), required: true, most: 300 }],
      onSubmit: ({ reason }) => api.post(MERGES, { source_no, target_no, reason }, { key }),
    });
    if (done) toast(w("merges.asked"));
  }

  async function choose() {
    const two = await formDialog({
      title: w("merges.pair"),
      submit: w("merges.look"),
      fields: [
        { name: "source_no", label: w("merges.source"), required: true, most: 12 },
        { name: "target_no", label: w("merges.target"), required: true, most: 12 },
      ],
      onSubmit: (values) => values,
    });
    if (two) await compare(two.source_no, two.target_no);
  }

  async function dismiss(pair) {
    const names = { one: pair.one.member_no, other: pair.other.member_no };
    if (!(await confirm(w("merges.not_same_ask", names), { content: w("merges.not_same_text"), confirmText: w("merges.not_same") }))) return;
    await attempt(() => api.post(`${CANDIDATES}/${encodeURIComponent(pair.id)}/dismiss`, {}, { again: true }), w("merges.saved"));
    pairs.reload();
  }

  const button = (text, about, run, look = "soft") => h("button", { type: "button", class: `button compact ${look}`, "aria-label": `${text} ${about}`, onclick: () => attempt(run) }, text);
  const who = (person) => h("div", null, h("span", { class: "strong num" }, person.member_no), " ", person.name);
  const pairs = table({
    label: w("merges.candidates"),
    signal,
    load: ({ cursor }) => api.get(CANDIDATES, cursor ? { cursor } : {}, { signal }),
    none: { icon: "heart", title: w("merges.none") },
    columns: [
      { title: w("merges.one"), width: "wide", cell: (pair) => h("div", null, who(pair.one), who(pair.other)) },
      { title: w("merges.birthday"), cell: (pair) => pair.birthday ?? "–" },
      { title: w("merges.why"), cell: (pair) => pill(w(`merges.${pair.why}`), pair.why === "same" ? "gold" : "") },
      { title: w("merges.found"), hide: "narrow", cell: (pair) => stamp(pair.found_at) },
      {
        title: w("merges.actions"),
        cell: (pair) => h("div", { class: "row-actions" },
          button(w("merges.look"), `${pair.one.member_no} → ${pair.other.member_no}`, () => compare(pair.one.member_no, pair.other.member_no)),
          button(w("merges.look"), `${pair.other.member_no} → ${pair.one.member_no}`, () => compare(pair.other.member_no, pair.one.member_no)),
          button(w("merges.not_same"), pair.one.member_no, () => dismiss(pair))),
      },
    ],
  });
  const done = table({
    label: w("merges.done"),
    signal,
    load: ({ cursor }) => api.get(MERGES, cursor ? { cursor } : {}, { signal }),
    none: { icon: "heart", title: w("merges.none_done") },
    columns: [
      { title: w("merges.one"), width: "wide", cell: (merge) => h("span", { class: "num" }, `${merge.source_no} → ${merge.target_no}`) },
      { title: w("merges.moved"), cell: (merge) => `${money(merge.moved.principal_fen + merge.moved.bonus_fen)} · ${count(merge.moved.points)}` },
      { title: w("merges.who"), cell: (merge) => `${merge.asked_by} / ${merge.decided_by}` },
      { title: w("merges.reason"), hide: "narrow", cell: (merge) => merge.reason },
      { title: w("merges.at"), cell: (merge) => stamp(merge.at) },
    ],
  });
  keys({ n: [w("merges.pair"), () => attempt(choose)] });
  return [
    head(w("merges.title"), { note: w("merges.note"), actions: [h("button", { type: "button", class: "button primary", onclick: () => attempt(choose) }, w("merges.pair"))] }),
    h("h2", null, w("merges.candidates")),
    pairs,
    h("h2", null, w("merges.done")),
    done,
  ];
}
