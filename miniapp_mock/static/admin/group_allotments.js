/** What a group's owner allots to its people: one by one, by a table with a trial run, and taken back. */
import { h } from "/static/shared/dom.js";
import { attempt, confirm, tell, toast } from "./parts/dialogs.js";
import { formDialog } from "./parts/form.js";
import { count, money, stamp } from "./parts/format.js";
import { factList, pill } from "./parts/states.js";
import { table } from "./parts/table.js";
import { w } from "./group_words.js";

const LOOKS = { waiting: "gold", running: "brand", failed: "danger" };
const XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
const MOST_PAGES = 10;
const shown = (kind, amount) => (kind === "stored" ? money(amount) : w("gr.points", { count: count(amount) }));

/** The section of a group's page; `may`: whether this person allots for the owner. */
export function allotments({ api, base, signal, may }) {
  const path = `${base}/allotments`;
  const batches = `${base}/allotment-batches`;

  /** Everybody who can be allotted to: the group's people but its owner. */
  async function others() {
    const found = [];
    let cursor;
    for (let page = 0; page < MOST_PAGES; page += 1) {
      const answer = await api.get(`${base}/members`, { cursor, limit: 100 }, { signal });
      found.push(...answer.items.filter((one) => !one.left_at && one.role !== "owner"));
      cursor = answer.next_cursor;
      if (!cursor) break;
    }
    return found;
  }

  async function allot() {
    const people = await others();
    if (!people.length) { toast(w("gr.nobody")); return; }
    const key = api.newKey();
    const done = await formDialog({
      title: w("gr.allot"),
      fields: [
        { name: "person_id", label: w("gr.allot_to"), kind: "choice", options: people.map((one) => [one.id, `${one.name_masked} ${one.member_no}`]) },
        { name: "fen", label: w("gr.allot_fen"), kind: "money" },
        { name: "points", label: w("gr.allot_points"), kind: "number", note: w("gr.allot_either") },
        { name: "note", label: w("gr.note"), most: 200 },
      ],
      onSubmit: ({ person_id, fen, points, note }) => {
        if ((fen === null) === (points === null)) throw Object.assign(new Error(w("gr.allot_either")), { name: "ApiError", detail: w("gr.allot_either"), fields: [{ pointer: "/points", message: w("gr.allot_either") }] });
        return api.post(path, { person_id, kind: fen === null ? "points" : "stored", amount: fen ?? points, note: note || "" }, { key });
      },
    });
    if (done) { toast(w("gr.allotted")); list.reload(); }
  }

  async function back(one) {
    const key = api.newKey();
    if (!(await confirm(w("gr.back_ask", { amount: shown(one.kind, one.left), name: one.name }), { content: w("gr.back_text"), confirmText: w("gr.take_back") }))) return;
    await attempt(() => api.post(`${path}/${encodeURIComponent(one.id)}/take-back`, {}, { key }), w("gr.done"));
    list.reload();
  }

  /** Choose a table, see what it would do, then send it. */
  async function bring() {
    const key = api.newKey();
    const file = h("input", { type: "file", accept: ".csv,.xlsx", class: "input", "aria-label": w("gr.file") });
    const problem = h("p", { class: "field-error" });
    const templates = ["xlsx", "csv"].map((form) => h("button", { type: "button", class: "button compact", onclick: () => attempt(() => api.download(`${batches}/template.${form}`, {}, `allotments.${form}`), w("gr.downloaded")) }, w(`gr.template_${form}`)));
    const chosen = await formDialog({
      title: w("gr.allot_many"),
      submit: w("gr.try"),
      fields: [
        { name: "title", label: w("gr.batch"), required: true, most: 40 },
        { name: "file", node: h("div", { class: "field" }, h("label", null, w("gr.file")), file, h("p", { class: "muted tiny" }, w("gr.file_note")), h("div", { class: "row wrap" }, templates), problem), read: () => file.files[0] || undefined, mark: (text) => { problem.textContent = text && w("gr.no_file"); }, input: file },
      ],
      onSubmit: async ({ title, file: picked }) => {
        const kind = /\.xlsx$/i.test(picked.name) ? "xlsx" : "csv";
        const data = new Blob([await picked.arrayBuffer()], { type: kind === "xlsx" ? XLSX : "text/csv" });
        return { title, kind, data, tried: await api.post(`${batches}/dry-run?${new URLSearchParams({ kind })}`, data, { again: true }) };
      },
    });
    if (!chosen) return;
    const { tried } = chosen;
    const facts = factList([
      [w("gr.good"), w("gr.rows", { count: count(tried.good) })],
      [w("gr.stored"), `${money(tried.stored_fen)} / ${money(tried.has_fen)}`],
      [w("gr.points_sum"), `${count(tried.points)} / ${count(tried.has_points)}`],
      ...tried.flaws.slice(0, 50).map((flaw) => [w("gr.row", { row: flaw.row, field: w(`gr.field_${flaw.field}`) }), flaw.message]),
    ]);
    if (!tried.good) { await tell(w("gr.tried"), facts); return; }
    if (!(await confirm(w("gr.tried"), { content: facts, confirmText: w(tried.flaws_total ? "gr.allot_good" : "gr.allot") }))) return;
    const query = new URLSearchParams({ kind: chosen.kind, title: chosen.title, skip_bad: String(tried.flaws_total > 0) });
    await attempt(() => api.post(`${batches}?${query}`, chosen.data, { key }), w(tried.needs_approval ? "gr.waits" : "gr.sent"));
    many.reload();
  }

  async function show(batch) {
    await attempt(async () => {
      const found = await api.get(`${batches}/${encodeURIComponent(batch.id)}`);
      await tell(found.title, factList([
        [w("gr.progress"), `${count(found.posted)} / ${count(found.rows)}`],
        [w("gr.by"), found.staff_name],
        found.failed_row !== null && [w("gr.failed_at", { row: found.failed_row }), found.failure],
        ...found.refused_rows.map((row) => [w("gr.row", { row: row.row, field: row.member_no }), `${shown(row.kind, row.amount)} ${row.code}`]),
      ].filter(Boolean)));
    });
  }

  async function resume(batch) {
    await attempt(() => api.post(`${batches}/${encodeURIComponent(batch.id)}/resume`, {}, { again: true }), w("gr.done"));
    many.reload();
  }

  async function cancel(batch) {
    if (!(await confirm(w("gr.cancel_ask", { title: batch.title }), { content: w("gr.cancel_text"), confirmText: w("gr.cancel"), danger: true }))) return;
    await attempt(() => api.post(`${batches}/${encodeURIComponent(batch.id)}/cancel`, {}, { again: true }), w("gr.done"));
    many.reload();
  }

  const list = table({
    label: w("gr.allotments"),
    signal,
    load: ({ cursor }) => api.get(path, { cursor, limit: 20 }, { signal }),
    none: { icon: "people", title: w("gr.no_allotments") },
    columns: [
      { title: w("gr.name"), cell: (one) => h("span", null, one.name, " ", h("span", { class: "muted num small" }, one.member_no)) },
      { title: w("gr.amount"), number: true, cell: (one) => shown(one.kind, one.amount) },
      { title: w("gr.rest"), number: true, cell: (one) => shown(one.kind, one.left) },
      { title: w("gr.taken"), number: true, hide: "narrow", cell: (one) => shown(one.kind, one.taken) },
      { title: w("gr.note"), hide: "narrow", cell: (one) => one.note },
      { title: w("gr.at"), hide: "narrow", cell: (one) => h("span", { class: "num" }, stamp(one.at), one.by_staff && h("span", { class: "muted tiny" }, ` ${w("gr.by_staff")}`)) },
      { title: w("gr.actions"), cell: (one) => may && one.left > 0 && h("button", { type: "button", class: "button compact", "aria-label": w("gr.take_back_of", { name: one.name, amount: shown(one.kind, one.left) }), onclick: () => back(one) }, w("gr.take_back")) },
    ],
  });
  const many = table({
    label: w("gr.batches"),
    signal,
    load: ({ cursor }) => api.get(batches, { cursor, limit: 10 }, { signal }),
    none: { icon: "list", title: w("gr.no_batches") },
    columns: [
      { title: w("gr.batch"), cell: (one) => h("span", { class: "strong" }, one.title) },
      { title: w("gr.stored"), number: true, cell: (one) => money(one.stored_fen) },
      { title: w("gr.points_sum"), number: true, cell: (one) => count(one.points) },
      { title: w("gr.progress"), cell: (one) => h("span", { class: "num" }, `${count(one.posted)} / ${count(one.rows)}`, one.refused > 0 && h("span", { class: "muted tiny" }, ` ${w("gr.refused", { count: one.refused })}`)) },
      { title: w("gr.batch_state"), cell: (one) => pill(w(`gr.batch_${one.state}`), LOOKS[one.state]) },
      { title: w("gr.at"), hide: "narrow", cell: (one) => stamp(one.created_at) },
      { title: w("gr.actions"), cell: (one) => h("div", { class: "row-actions" },
        h("button", { type: "button", class: "button compact soft", "aria-label": w("gr.show_of", { title: one.title }), onclick: () => show(one) }, w("gr.show")),
        may && one.state === "failed" && h("button", { type: "button", class: "button compact primary", "aria-label": w("gr.resume_of", { title: one.title }), onclick: () => resume(one) }, w("gr.resume")),
        may && ["waiting", "running", "failed"].includes(one.state) && h("button", { type: "button", class: "button compact danger", "aria-label": w("gr.cancel_of", { title: one.title }), onclick: () => cancel(one) }, w("gr.cancel"))) },
    ],
  });
  const act = (text, run, look = "") => h("button", { type: "button", class: `button ${look}`, onclick: () => attempt(run) }, text);
  return [
    h("div", { class: "row wrap" }, h("h2", { class: "grow" }, w("gr.allotments")), may && act(w("gr.allot_many"), bring), may && act(w("gr.allot"), allot, "primary")),
    h("p", { class: "muted small" }, w("gr.allot_hint")), list, h("h2", null, w("gr.batches")), many,
  ];
}
