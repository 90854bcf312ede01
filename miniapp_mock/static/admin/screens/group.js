/** One group: its terms, its people, and what they bought together. */
import { fill, h } from "/static/shared/dom.js";
import { groupFields, groupOf } from "../group_form.js";
import { allotments } from "../group_allotments.js";
import { w } from "../group_words.js";
import { attempt, confirm } from "../parts/dialogs.js";
import { field, formDialog } from "../parts/form.js";
import { count, day, discount, money, stamp } from "../parts/format.js";
import { factList, head, pill, section } from "../parts/states.js";
import { table } from "../parts/table.js";

const ROLES = ["member", "manager", "owner"];
const DAY_MS = 86400000;

export async function open({ api, me, place, signal, href }) {
  const base = `/v1/admin/groups/${encodeURIComponent(place.query.id || "")}`;
  const may = me.may("groups.manage");
  const [{ items: levels }, { items: stores }] = await Promise.all([api.get("/v1/admin/levels", {}, { signal }), api.get("/v1/admin/stores", {}, { signal })]);
  const name = (code) => levels.find((one) => one.code === code)?.name || code;
  const terms = section(async () => drawn(await api.get(base, {}, { signal })), { signal, className: "stack" });
  const people = table({
    label: w("gr.members"),
    signal,
    load: ({ cursor }) => api.get(`${base}/members`, { cursor, limit: 50 }, { signal }),
    none: { icon: "people", title: w("gr.no_members") },
    columns: [
      { title: w("gr.member_no"), cell: (one) => h("span", { class: "num" }, one.member_no) },
      { title: w("gr.name"), cell: (one) => one.name_masked },
      { title: w("gr.role"), cell: (one) => pill(w(`gr.role_${one.role}`), one.role === "owner" ? "gold" : "") },
      { title: w("gr.joined"), hide: "narrow", cell: (one) => h("span", { class: "num" }, stamp(one.joined_at)) },
      { title: w("gr.left"), cell: (one) => (one.left_at ? h("span", { class: "num" }, stamp(one.left_at)) : may && h("div", { class: "row wrap" },
        h("button", { type: "button", class: "button compact", "aria-label": w("gr.make_of", { name: one.name_masked }), onclick: () => make(one) }, w("gr.make")),
        h("button", { type: "button", class: "button compact danger", "aria-label": w("gr.remove_of", { name: one.name_masked }), onclick: () => remove(one) }, w("gr.remove")))) },
    ],
  });

  function drawn(group) {
    const actions = may && h("div", { class: "row wrap" },
      h("button", { type: "button", class: "button", onclick: () => edit(group) }, w("gr.edit")),
      h("button", { type: "button", class: "button", onclick: () => move(group) }, w(group.state === "open" ? "gr.close" : "gr.reopen")),
      h("button", { type: "button", class: "button primary", onclick: add }, w("gr.add")));
    return h("section", { class: "card stack" },
      h("div", { class: "row wrap" }, h("h2", { class: "grow" }, group.name), pill(w(`gr.state_${group.state}`), group.state === "open" ? "brand" : ""), group.lends_level && pill(name(group.lends_level), "gold")),
      factList([[w("gr.number"), group.number], [w("gr.contact"), group.contact], [w("gr.discount"), group.discount_bp ? discount(group.discount_bp) : null], [w("gr.members"), `${count(group.members)} / ${count(group.member_limit)}`], [w("gr.spent", { months: group.months }), money(group.spent_fen)], [w("gr.note"), group.note]]),
      actions);
  }

  async function edit(group) {
    const done = await formDialog({ title: w("gr.edit_of", { name: group.name }), fields: groupFields(group, levels, stores), onSubmit: (values) => api.put(base, { ...groupOf(values, levels), version: group.version }) });
    if (done) terms.reload();
  }

  async function move(group) {
    if (await attempt(() => api.post(`${base}/${group.state === "open" ? "close" : "reopen"}`), w("gr.done"))) terms.reload();
  }

  async function add() {
    const done = await formDialog({
      title: w("gr.add"),
      fields: [{ name: "member_no", label: w("gr.member_no"), required: true, most: 12 }, { name: "role", label: w("gr.role"), kind: "choice", options: ROLES.map((one) => [one, w(`gr.role_${one}`)]) }],
      onSubmit: (values) => api.post(`${base}/members`, values),
    });
    if (done) { terms.reload(); people.reload(); }
  }

  async function make(one) {
    const done = await formDialog({ title: w("gr.make_of", { name: one.name_masked }), fields: [{ name: "role", label: w("gr.role"), kind: "choice", value: one.role, options: ROLES.map((role) => [role, w(`gr.role_${role}`)]) }], onSubmit: (values) => api.put(`${base}/members/${encodeURIComponent(one.id)}/role`, values) });
    if (done) people.reload();
  }

  async function remove(one) {
    if (!(await confirm(w("gr.remove_ask", { name: one.name_masked }), { confirmText: w("gr.remove"), danger: true }))) return;
    if (await attempt(() => api.post(`${base}/members/${encodeURIComponent(one.id)}/remove`), w("gr.done"))) { terms.reload(); people.reload(); }
  }

  return [head(w("gr.title"), { actions: [h("a", { class: "button", href: href("groups") }, w("gr.back"))] }), terms, h("h2", null, w("gr.members")), people, ...allotments({ api, base, signal, may }), statement(api, base, signal)];
}

/** What each sub-member bought between two days. */
function statement(api, base, signal) {
  const now = Date.now();
  const from = field({ name: "from", label: w("gr.from"), input: h("input", { type: "date", class: "input", value: day(new Date(now - 29 * DAY_MS).toISOString()) }) });
  const to = field({ name: "to", label: w("gr.to"), input: h("input", { type: "date", class: "input", value: day(new Date(now).toISOString()) }) });
  const asked = () => ({ from: from.input.value, to: to.input.value });
  const body = h("div", null);
  const show = () => attempt(async () => {
    const found = await api.get(`${base}/statement`, asked(), { signal });
    const columns = ["purchases", "spent_fen", "back_fen", "net_fen"];
    const cell = (one, column) => (column === "purchases" ? count(one[column]) : money(one[column]));
    fill(body, h("div", { class: "table-scroll" }, h("table", { class: "table" },
      h("caption", { class: "sr-only" }, w("gr.statement")),
      h("thead", null, h("tr", null, h("th", { scope: "col" }, w("gr.name")), columns.map((one) => h("th", { scope: "col", class: "number" }, w(`gr.${one}`))))),
      h("tbody", null, [...found.items, found.total].map((one) => h("tr", null, h("td", null, one.name_masked, " ", h("span", { class: "muted num small" }, one.member_no)), columns.map((column) => h("td", { class: "number num" }, cell(one, column)))))))));
  });
  return h("section", { class: "card stack" }, h("h2", null, w("gr.statement")),
    h("div", { class: "filters" }, from.node, to.node, h("button", { type: "button", class: "button", onclick: show }, w("gr.show")), h("button", { type: "button", class: "button", onclick: () => attempt(() => api.download(`${base}/statement/file`, { ...asked(), format: "csv" }, "group.csv"), w("gr.downloaded")) }, w("gr.csv"))), body);
}
