/** Head office: kinds of cards, batches, who hands cards out within which quota, and what goes where. */
import { h } from "/static/shared/dom.js";
import { w } from "../card_words.js";
import { attempt, confirm, tell } from "../parts/dialogs.js";
import { formDialog } from "../parts/form.js";
import { count, stamp } from "../parts/format.js";
import { factList, head, pill } from "../parts/states.js";
import { table } from "../parts/table.js";

const BASE = "/v1/admin/member-card";

export async function open({ api, signal }) {
  const [{ items: levels }, { items: stores }] = await Promise.all([api.get("/v1/admin/levels", {}, { signal }), api.get("/v1/admin/stores", {}, { signal })]);
  let known = [];
  const button = (text, onclick, look = "") => h("button", { type: "button", class: `button compact ${look}`, onclick }, text);

  const types = table({
    label: w("stock.types"),
    signal,
    load: async () => { const { items } = await api.get(`${BASE}-types`, {}, { signal }); known = items; return { items }; },
    none: { icon: "card", title: w("stock.no_types") },
    columns: [
      { title: w("stock.name"), width: "wide", cell: (one) => [h("span", { class: "strong" }, one.name), " ", h("span", { class: "muted small" }, one.code)] },
      { title: w("stock.scheme"), cell: (one) => h("span", { class: "num" }, w("stock.scheme_of", { prefix: one.prefix, length: one.length, check: one.check_digit ? w("stock.check") : "" })) },
      { title: w("stock.level"), hide: "narrow", cell: (one) => levels.find((level) => level.code === one.level)?.name || "—" },
      { title: w("stock.left"), number: true, hide: "narrow", cell: (one) => count(one.numbers_left) },
      { title: w("mc.state"), cell: (one) => [pill(w(one.active ? "stock.active" : "stock.closed"), one.active ? "brand" : ""), one.automatic && pill(w("mc.virtual"), "gold")] },
      { title: w("stock.edit"), cell: (one) => h("button", { type: "button", class: "button compact", "aria-label": w("stock.edit_of", { name: one.name }), onclick: () => putType(one) }, w("stock.edit")) },
    ],
  });
  const batches = table({
    label: w("stock.batches"),
    signal,
    load: ({ cursor }) => api.get(`${BASE}-batches`, { cursor, limit: 20 }, { signal }),
    none: { icon: "inbox", title: w("stock.no_batches") },
    columns: [
      { title: w("stock.batch"), cell: (one) => h("span", { class: "num" }, one.id) },
      { title: w("mc.type"), cell: (one) => known.find((type) => type.code === one.type_code)?.name || one.type_code },
      { title: w("stock.made"), number: true, cell: (one) => `${count(one.made)} / ${count(one.total)}` },
      { title: w("stock.note"), hide: "narrow", cell: (one) => one.note },
      { title: w("stock.created"), hide: "narrow", cell: (one) => h("span", { class: "num" }, stamp(one.created_at)) },
      { title: w("mc.state"), cell: (one) => h("div", { class: "row wrap" }, pill(w(`stock.batch_${one.state}`), one.state === "ready" ? "brand" : ""),
        one.state === "ready" && button(w("stock.export"), () => take(one)), one.state === "making" && button(w("stock.stop"), () => step(`${BASE}-batches/${one.id}/stop`, "stock.stopped", batches), "danger")) },
    ],
  });
  const issuers = table({
    label: w("stock.issuers"),
    signal,
    load: ({ cursor }) => api.get(`${BASE}-issuers`, { cursor, limit: 50 }, { signal }),
    columns: [
      { title: w("stock.name"), width: "wide", cell: (one) => [h("span", { class: "strong" }, one.name), " ", h("span", { class: "muted small num" }, one.id)] },
      { title: w("mc.type"), cell: (one) => pill(w(`stock.kind_${one.kind}`)) },
      { title: w("stock.contact"), hide: "narrow", cell: (one) => one.contact || "—" },
      { title: w("stock.taken"), number: true, cell: (one) => `${count(one.taken)} / ${count(one.quota)}` },
      { title: w("mc.state"), cell: (one) => pill(w(one.active ? "stock.is_active" : "stock.inactive"), one.active ? "brand" : "danger") },
      { title: w("stock.edit"), cell: (one) => h("div", { class: "row wrap" }, button(w("stock.stock"), () => showStock(one)), h("button", { type: "button", class: "button compact", "aria-label": w("stock.edit_of", { name: one.name }), onclick: () => putIssuer(one) }, w("stock.edit"))) },
    ],
  });
  const moves = table({
    label: w("stock.moves"),
    signal,
    load: ({ cursor }) => api.get(`${BASE}-moves`, { cursor, limit: 20 }, { signal }),
    none: { icon: "exchange", title: w("stock.no_moves") },
    columns: [
      { title: w("stock.kind"), cell: (one) => pill(w(`stock.move_${one.kind}`), one.kind === "void" ? "danger" : "") },
      { title: w("stock.batch"), cell: (one) => h("span", { class: "num" }, `${one.batch_id} ${one.from_serial}–${one.to_serial}`) },
      { title: w("mc.issuer"), cell: (one) => h("span", { class: "num" }, one.issuer_id || "—") },
      { title: w("stock.moved"), number: true, cell: (one) => [`${count(one.moved)} / ${count(one.cards)}`, one.skipped > 0 && h("span", { class: "muted small" }, " ", w("stock.skipped", { count: one.skipped }))] },
      { title: w("mc.reason"), hide: "narrow", cell: (one) => one.reason },
      { title: w("mc.state"), cell: (one) => h("div", { class: "row wrap" }, pill(w(`stock.state_${one.state}`)), one.state === "running" && button(w("stock.cancel"), () => step(`${BASE}-moves/${one.id}/cancel`, "mc.done", moves), "danger")) },
    ],
  });

  async function step(path, done, list) {
    if (await attempt(() => api.post(path), w(done))) { list.reload(); issuers.reload(); }
  }

  async function take(batch) {
    if (!(await confirm(w("stock.export_ask"), { content: w("stock.export_text"), confirmText: w("stock.export") }))) return;
    await attempt(() => api.take(`${BASE}-batches/${batch.id}/export`, `cards-${batch.id}.csv`), w("stock.exported"));
    batches.reload();
  }

  async function putType(type = null) {
    const scheme = type ? [] : [
      { name: "code", label: w("stock.code"), required: true, most: 20 },
      { name: "prefix", label: w("stock.prefix"), required: true, most: 8 },
      { name: "length", label: w("stock.length"), kind: "number", required: true, value: 16 },
      { name: "check_digit", label: w("stock.check_digit"), kind: "tick", value: true },
    ];
    const done = await formDialog({
      title: type ? w("stock.edit_of", { name: type.name }) : w("stock.new_type"),
      fields: [
        { name: "name", label: w("stock.name"), required: true, most: 40, value: type?.name },
        ...scheme,
        { name: "level", label: w("stock.level"), kind: "choice", value: type?.level || "", options: [["", w("stock.no_level")], ...levels.map((one) => [one.code, one.name])] },
        { name: "deposit_fen", label: w("stock.deposit"), kind: "money", value: type?.deposit_fen || null },
        { name: "fee_fen", label: w("stock.fee"), kind: "money", value: type?.fee_fen || null },
        { name: "validity_months", label: w("stock.months"), kind: "number", note: w("stock.months_note"), value: type?.validity_months },
        { name: "colour", label: w("stock.colour"), required: true, most: 7, value: type?.colour || "#0B7A5B" },
        { name: "self_service", label: w("stock.self_service"), kind: "tick", value: type?.self_service },
        { name: "automatic", label: w("stock.automatic"), kind: "tick", value: type?.automatic },
        { name: "active", label: w("stock.active"), kind: "tick", value: type ? type.active : true },
      ],
      onSubmit: (values) => {
        const body = { ...values, deposit_fen: values.deposit_fen || 0, fee_fen: values.fee_fen || 0 };
        return type ? api.put(`${BASE}-types/${encodeURIComponent(type.code)}`, { ...body, version: type.version }) : api.post(`${BASE}-types`, body);
      },
    });
    if (done) types.reload();
  }

  async function addBatch() {
    const done = await formDialog({
      title: w("stock.new_batch"),
      submit: w("stock.new_batch"),
      fields: [{ name: "type_code", label: w("mc.type"), kind: "choice", options: known.filter((one) => one.active).map((one) => [one.code, one.name]) }, { name: "total", label: w("stock.total"), kind: "number", required: true }, { name: "note", label: w("stock.note"), most: 80 }],
      onSubmit: (values) => api.post(`${BASE}-batches`, { ...values, note: values.note || "" }),
    });
    if (done) { batches.reload(); types.reload(); }
  }

  async function putIssuer(issuer = null, kind = "agent") {
    const fields = [
      kind === "store" ? { name: "store_id", label: w("stock.store"), kind: "choice", options: stores.map((one) => [one.id, one.name]) } : { name: "name", label: w("stock.name"), required: true, most: 60, value: issuer?.name },
      kind !== "store" && { name: "contact", label: w("stock.contact"), most: 100, value: issuer?.contact },
      { name: "quota", label: w("stock.quota"), kind: "number", required: true, value: issuer?.quota },
      issuer && { name: "active", label: w("stock.is_active"), kind: "tick", value: issuer.active },
    ].filter(Boolean);
    const done = await formDialog({
      title: issuer ? w("stock.edit_of", { name: issuer.name }) : w(kind === "store" ? "stock.new_store" : "stock.new_agent"),
      fields,
      onSubmit: (values) => {
        if (issuer) return api.put(`${BASE}-issuers/${encodeURIComponent(issuer.id)}`, { ...values, contact: values.contact || "", version: issuer.version });
        return kind === "store" ? api.post(`${BASE}-issuers/stores`, values) : api.post(`${BASE}-issuers/agents`, { ...values, contact: values.contact || "" });
      },
    });
    if (done) issuers.reload();
  }

  async function showStock(issuer) {
    await attempt(async () => {
      const { stock } = await api.get(`${BASE}-issuers/${encodeURIComponent(issuer.id)}`, {}, { signal });
      const name = (code) => known.find((one) => one.code === code)?.name || code;
      tell(w("stock.stock_of", { name: issuer.name }), factList([[w("stock.quota"), count(issuer.quota)], [w("stock.taken"), count(issuer.taken)], ...stock.map((one) => [`${name(one.type_code)} · ${w(`mc.state_${one.state}`)}`, count(one.cards)])]));
    });
  }

  async function addMove() {
    const key = crypto.randomUUID().replaceAll("-", "");
    const done = await formDialog({
      title: w("stock.moves"),
      fields: [
        { name: "kind", label: w("stock.kind"), kind: "choice", options: ["allot", "return", "void"].map((one) => [one, w(`stock.move_${one}`)]) },
        { name: "batch_id", label: w("stock.batch"), kind: "choice", options: batches.items().map((one) => [one.id, `${one.id} (${count(one.made)})`]) },
        { name: "issuer_id", label: w("mc.issuer"), kind: "choice", options: [["", w("stock.nobody")], ...issuers.items().filter((one) => one.kind !== "office").map((one) => [one.id, one.name])] },
        { name: "from_serial", label: w("stock.from"), kind: "number", required: true },
        { name: "to_serial", label: w("stock.to"), kind: "number", required: true },
        { name: "reason", label: w("mc.reason"), required: true, most: 200 },
      ],
      onSubmit: (values) => api.post(`${BASE}-moves`, values, { key }),
    });
    if (done) { moves.reload(); issuers.reload(); }
  }

  const part = (title, list, ...actions) => [h("div", { class: "row wrap" }, h("h2", { class: "grow" }, title), actions), list];
  return [
    head(w("stock.title")),
    part(w("stock.types"), types, button(w("stock.new_type"), () => putType(), "primary")),
    part(w("stock.batches"), batches, button(w("stock.new_batch"), addBatch, "primary")),
    part(w("stock.issuers"), issuers, button(w("stock.new_agent"), () => putIssuer()), button(w("stock.new_store"), () => putIssuer(null, "store"))),
    part(w("stock.moves"), moves, button(w("stock.move"), addMove, "primary")),
  ].flat();
}
