/** A run of rebates: how far it is, what it comes to by tier and store, its statements; closed, paid, stopped or thrown away. */
import { fill, h } from "/static/shared/dom.js";
import { drawn } from "../parts/chart.js";
import { attempt, confirm } from "../parts/dialogs.js";
import { count, money, stamp } from "../parts/format.js";
import { factList, head, section } from "../parts/states.js";
import { table } from "../parts/table.js";
import { rows, runState, say, statementState, tierName } from "../rebate_words.js";
import { words } from "../texts.js";

const w = words({
  "rebate_run.title": "{period}返利{kind}",
  "rebate_run.back": "返回",
  "rebate_run.state": "状态",
  "rebate_run.progress": "已计算会员",
  "rebate_run.statements": "对账单",
  "rebate_run.amount": "应返（含更正）",
  "rebate_run.payout": "待发放",
  "rebate_run.paid": "已发放",
  "rebate_run.refused": "发放失败",
  "rebate_run.people": "{count} 份，{amount}",
  "rebate_run.started": "开始",
  "rebate_run.close": "确认对账单",
  "rebate_run.close_ask": "确认 {count} 份对账单，共 {amount}？",
  "rebate_run.close_text": "确认后会员可见，不再变动；之后的退货与补登计入下一期。金额较大时须由另一人审批。",
  "rebate_run.closed": "已确认",
  "rebate_run.asked": "已提交，等待另一人审批",
  "rebate_run.pay": "发放",
  "rebate_run.retry": "重试失败的",
  "rebate_run.pay_ask": "发放 {amount} 到会员返利账户？",
  "rebate_run.paying": "已开始发放",
  "rebate_run.cancel": "取消",
  "rebate_run.stop": "暂停发放",
  "rebate_run.cancel_ask": "取消这个批次？",
  "rebate_run.cancel_text": "草稿全部作废，可以重新生成。",
  "rebate_run.stop_text": "已发放的不变，可以继续发放。",
  "rebate_run.cancelled": "已办理",
  "rebate_run.tiers": "按档位",
  "rebate_run.stores": "按承担门店",
  "rebate_run.scheme": "方案",
  "rebate_run.tier": "档位",
  "rebate_run.members": "会员数",
  "rebate_run.base": "计返金额",
  "rebate_run.fen": "应返",
  "rebate_run.corrected": "更正",
  "rebate_run.store": "门店",
  "rebate_run.list": "对账单",
  "rebate_run.none": "没有对账单",
  "rebate_run.member": "会员",
  "rebate_run.brought": "上期结转",
  "rebate_run.out": "发放",
  "rebate_run.carried": "结转下期",
  "rebate_run.pdf": "PDF",
  "rebate_run.downloaded": "已下载",
  "rebate_run.chart": "返利按档位",
});

const RUNS = "/v1/admin/rebates/runs";
const LOOK_AGAIN_MS = 2000;

export async function open({ api, me, place, signal, href }) {
  const path = `${RUNS}/${encodeURIComponent(place.query.id || "")}`;
  const top = h("div", { class: "stack" });
  const works = me.may("rebates.work");
  let run = null;

  const results = section(async () => {
    const [found, chart] = await Promise.all([api.get(path, {}, { signal }), api.text(`${path}/chart`, {}, { signal })]);
    run = found.run;
    draw();
    return [
      found.tiers.length > 0 && h("section", { class: "card" }, drawn(chart, w("rebate_run.chart"))),
      h("h2", null, w("rebate_run.tiers")),
      rows(w("rebate_run.tiers"), [
        [w("rebate_run.scheme"), (one) => one.scheme],
        [w("rebate_run.tier"), (one) => tierName(one.tier)],
        [w("rebate_run.members"), (one) => count(one.members), true],
        [w("rebate_run.base"), (one) => money(one.base_fen), true],
        [w("rebate_run.fen"), (one) => money(one.fen), true],
      ], found.tiers),
      h("h2", null, w("rebate_run.stores")),
      rows(w("rebate_run.stores"), [
        [w("rebate_run.scheme"), (one) => one.scheme],
        [w("rebate_run.store"), (one) => one.store_id],
        [w("rebate_run.base"), (one) => money(one.base_fen), true],
        [w("rebate_run.fen"), (one) => money(one.fen), true],
        [w("rebate_run.corrected"), (one) => money(one.corrected_fen), true],
      ], found.stores),
    ].filter(Boolean);
  }, { signal, className: "stack" });

  const list = table({
    label: w("rebate_run.list"), signal, none: { icon: "empty", title: w("rebate_run.none") },
    load: ({ cursor }) => api.get(`${path}/statements`, { cursor }, { signal }),
    columns: [
      { title: w("rebate_run.member"), cell: (one) => h("span", null, one.name_masked, " ", h("span", { class: "muted num" }, one.member_no)) },
      { title: w("rebate_run.state"), cell: (one) => h("span", null, statementState(one.state), one.refusal && h("span", { class: "muted small" }, ` ${one.refusal}`)) },
      { title: w("rebate_run.fen"), number: true, cell: (one) => money(one.amount_fen) },
      { title: w("rebate_run.corrected"), number: true, hide: "narrow", cell: (one) => money(one.corrected_fen) },
      { title: w("rebate_run.brought"), number: true, hide: "narrow", cell: (one) => money(one.brought_fen) },
      { title: w("rebate_run.out"), number: true, cell: (one) => money(one.payout_fen) },
      { title: w("rebate_run.carried"), number: true, hide: "narrow", cell: (one) => money(one.carried_fen) },
      { title: w("rebate_run.pdf"), cell: (one) => h("button", { type: "button", class: "button compact soft", "aria-label": `${w("rebate_run.pdf")} ${one.member_no}`, onclick: () => attempt(() => api.download(`/v1/admin/rebates/statements/${encodeURIComponent(one.id)}/file`, { format: "pdf" }, `rebate-${one.member_no}.pdf`), w("rebate_run.downloaded")) }, w("rebate_run.pdf")) },
    ],
  });

  async function act(what, ask, content, done, danger = false) {
    if (!(await confirm(ask, { content, confirmText: w(`rebate_run.${what}`), danger }))) return;
    const call = what === "close" ? () => api.post(`${path}/close`, {}, { key: api.newKey() }) : () => api.post(`${path}/${what === "stop" ? "cancel" : what}`, {}, { again: false });
    await attempt(call, done);
    await again();
  }

  async function again() {
    await results.reload();
    list.reload();
  }

  function draw() {
    const amount = money(run.payout_fen - run.paid_fen);
    const button = (text, work, look = "") => h("button", { type: "button", class: `button ${look}`, onclick: work }, text);
    const statements = run.kind === "statements";
    const asks = works && statements && run.state === "draft";
    const pays = works && statements && (run.state === "closed" || (run.state === "paid" && run.refused > 0));
    fill(top,
      head(w("rebate_run.title", { period: run.title, kind: say(run.kind) }), { actions: [
        h("a", { class: "button plain", href: href("rebates") }, w("rebate_run.back")),
        statements && button("CSV", () => attempt(() => api.download(`${path}/file`, { format: "csv" }, `rebates-${run.first_on}.csv`), w("rebate_run.downloaded"))),
        works && ["building", "draft"].includes(run.state) && button(w("rebate_run.cancel"), () => act("cancel", w("rebate_run.cancel_ask"), w("rebate_run.cancel_text"), w("rebate_run.cancelled"), true), "danger"),
        works && run.state === "paying" && button(w("rebate_run.stop"), () => act("stop", w("rebate_run.stop"), w("rebate_run.stop_text"), w("rebate_run.cancelled"), true), "danger"),
        asks && button(w("rebate_run.close"), () => act("close", w("rebate_run.close_ask", { count: count(run.statements), amount: money(run.payout_fen) }), w("rebate_run.close_text"), w("rebate_run.closed")), "primary"),
        pays && button(w(run.refused ? "rebate_run.retry" : "rebate_run.pay"), () => act("pay", w("rebate_run.pay_ask", { amount }), "", w("rebate_run.paying")), "primary"),
      ] }),
      h("section", { class: "card" }, factList([
        [w("rebate_run.state"), h("span", null, runState(run.state), run.state === "draft" && run.approval_id && h("span", { class: "muted small" }, ` ${w("rebate_run.asked")}`))],
        [w("rebate_run.progress"), h("span", { class: "num" }, `${count(run.done)} / ${count(run.total)}`)],
        [w("rebate_run.amount"), h("span", { class: "num" }, money(run.amount_fen))],
        statements && [w("rebate_run.payout"), h("span", { class: "num" }, w("rebate_run.people", { count: count(run.to_pay - run.paid), amount }))],
        statements && [w("rebate_run.paid"), h("span", { class: "num" }, w("rebate_run.people", { count: count(run.paid), amount: money(run.paid_fen) }))],
        run.refused > 0 && [w("rebate_run.refused"), h("span", { class: "num danger" }, count(run.refused))],
        [w("rebate_run.started"), h("span", { class: "num" }, stamp(run.created_at))],
      ].filter(Boolean))));
    if (["building", "paying"].includes(run.state)) {
      setTimeout(() => { if (!signal.aborted) again(); }, LOOK_AGAIN_MS);
    }
  }

  return [top, results, h("h2", null, w("rebate_run.list")), list];
}
