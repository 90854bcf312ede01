/** What waits for a second person: decide it, or see what became of what one asked for. */
import { h } from "/static/shared/dom.js";
import { attempt, confirm } from "../parts/dialogs.js";
import { formDialog } from "../parts/form.js";
import { ago, stamp } from "../parts/format.js";
import { head, pill } from "../parts/states.js";
import { table } from "../parts/table.js";
import { words } from "../texts.js";

const w = words({
  "approvals.title": "审批",
  "approvals.todo": "待我审批",
  "approvals.mine": "我申请的",
  "approvals.all": "全部",
  "approvals.tied": "账号有关联",
  "approvals.tied_note": "最近批准的事项中，申请与批准的两个登录当时可能在同一人手里（90 天内由同一人建立或重置密码）。可能，不等于就是。",
  "approvals.tied_none": "没有这样的审批",
  "approvals.decided": "批准人",
  "approvals.held": "可能同时持有者",
  "approvals.kind": "事项",
  "approvals.summary": "内容",
  "approvals.reason": "原因",
  "approvals.asked": "申请人",
  "approvals.state": "状态",
  "approvals.waiting": "等待审批",
  "approvals.approved": "已批准",
  "approvals.rejected": "已驳回",
  "approvals.withdrawn": "已撤回",
  "approvals.expired": "已过期",
  "approvals.actions": "操作",
  "approvals.approve": "批准",
  "approvals.approve_ask": "批准：{summary}？",
  "approvals.approve_text": "批准后立即执行。",
  "approvals.reject": "驳回",
  "approvals.note": "理由",
  "approvals.withdraw": "撤回",
  "approvals.withdraw_ask": "撤回：{summary}？",
  "approvals.done": "已办理",
  "approvals.none": "没有待审批的事项",
  "approvals.some": "项待审批",
});

const PATH = "/v1/admin/approvals";
const VIEWS = { todo: { todo: true }, mine: { mine: true }, all: {} };
const TIED_DAYS = 90;

export async function todo({ api, signal }) {
  const { items, next_cursor: more } = await api.get(PATH, { todo: true, limit: 50 }, { signal });
  return { count: items.length, text: w("approvals.some"), more: Boolean(more) };
}

/** For auditors: what was approved although one person may have held both logins. */
function tied({ api, signal }) {
  const who = (person, at) => h("div", null, person.name, at && h("p", { class: "muted tiny" }, stamp(at)));
  return table({
    label: w("approvals.tied"), signal,
    load: ({ cursor }) => api.get(`${PATH}/tied`, { days: TIED_DAYS, cursor }, { signal }),
    none: { icon: "survey", title: w("approvals.tied_none") },
    columns: [
      { title: w("approvals.summary"), cell: (one) => h("div", null, h("span", { class: "strong" }, one.summary), h("p", { class: "muted tiny" }, one.title)) },
      { title: w("approvals.asked"), cell: (one) => who(one.asked_by, one.asked_at) },
      { title: w("approvals.decided"), cell: (one) => who(one.decided_by, one.decided_at) },
      { title: w("approvals.held"), cell: (one) => one.held_by.map((person) => person.name).join("、") },
    ],
  });
}

export async function open({ api, me, place, signal, href }) {
  const views = [...Object.keys(VIEWS), ...(me.may("audit.read") ? ["tied"] : [])];
  const view = views.includes(place.query.view) ? place.query.view : "todo";
  const tabs = views.map((name) => h("a", { class: `button ${name === view ? "soft" : ""}`.trim(), href: href("approvals", { view: name }), "aria-current": name === view ? "page" : null }, w(`approvals.${name}`)));
  if (view === "tied") return [head(w("approvals.title"), { note: w("approvals.tied_note"), actions: tabs }), tied({ api, signal })];

  async function approve(one) {
    if (!(await confirm(w("approvals.approve_ask", { summary: one.summary }), { content: `${one.reason} ${w("approvals.approve_text")}`, confirmText: w("approvals.approve") }))) return;
    await attempt(() => api.post(`${PATH}/${one.id}/approve`), w("approvals.done"));
    list.reload();
  }
  async function reject(one) {
    if (await formDialog({ title: `${w("approvals.reject")} · ${one.summary}`, fields: [{ name: "note", label: w("approvals.note"), kind: "lines", required: true, most: 300 }], onSubmit: (values) => api.post(`${PATH}/${one.id}/reject`, values) })) list.reload();
  }
  async function withdraw(one) {
    if (!(await confirm(w("approvals.withdraw_ask", { summary: one.summary }), { confirmText: w("approvals.withdraw"), danger: true }))) return;
    await attempt(() => api.post(`${PATH}/${one.id}/withdraw`), w("approvals.done"));
    list.reload();
  }

  const button = (what, one, run, look = "") => h("button", { type: "button", class: `button compact ${look}`.trim(), "aria-label": `${w(`approvals.${what}`)} ${one.summary}`, onclick: () => run(one) }, w(`approvals.${what}`));
  const look = { waiting: "gold", approved: "brand", rejected: "danger" };
  const list = table({
    label: w("approvals.title"), signal,
    load: ({ cursor }) => api.get(PATH, { ...VIEWS[view], cursor, limit: 50 }, { signal }),
    none: { icon: "survey", title: w("approvals.none") },
    columns: [
      { title: w("approvals.kind"), cell: (one) => one.title },
      { title: w("approvals.summary"), cell: (one) => h("div", null, h("span", { class: "strong" }, one.summary), h("p", { class: "muted tiny" }, one.reason)) },
      { title: w("approvals.asked"), cell: (one) => h("div", null, one.asked_by_name, h("p", { class: "muted tiny", title: stamp(one.asked_at) }, ago(one.asked_at))) },
      { title: w("approvals.state"), cell: (one) => h("div", null, pill(w(`approvals.${one.state}`), look[one.state] || ""), one.decided_by_name && h("p", { class: "muted tiny" }, [one.decided_by_name, one.note].filter(Boolean).join("：")) ) },
      { title: w("approvals.actions"), cell: (one) => h("div", { class: "row-actions" }, one.decidable && button("approve", one, approve, "primary"), one.decidable && button("reject", one, reject), one.withdrawable && button("withdraw", one, withdraw)) },
    ],
  });
  return [head(w("approvals.title"), { actions: tabs }), list];
}
