/** Cashier shifts: the list, differences that wait, and the report as a file. */
import { h } from "/static/shared/dom.js";
import { attempt } from "../parts/dialogs.js";
import { form } from "../parts/form.js";
import { day, signedMoney, stamp } from "../parts/format.js";
import { head, pill } from "../parts/states.js";
import { table } from "../parts/table.js";
import { standing, w } from "./shift_words.js";

export async function open({ api, me, place, signal, note, go }) {
  const { items: stores } = await api.get("/v1/admin/stores", {}, { signal });
  let query = { ...place.query };
  const asked = () => ({ ...query, differs: query.differs ? "true" : undefined });
  const search = form({
    submit: w("shifts.search"),
    fields: [
      !me.store_id && { name: "store_id", label: w("shifts.store"), kind: "choice", value: query.store_id, options: [["", w("shifts.all")], ...stores.map((one) => [one.id, one.name])] },
      { name: "from", label: w("shifts.from"), kind: "date", value: query.from },
      { name: "to", label: w("shifts.to"), kind: "date", value: query.to },
      { name: "differs", label: w("shifts.only_open"), kind: "tick", value: Boolean(query.differs) },
    ].filter(Boolean),
    onSubmit: async (values) => { query = values; note(values); await list.reload(); },
  });
  search.classList.add("card", "filters");
  const list = table({
    label: w("shifts.title"), signal, open: (one) => go("shift", { id: one.id }),
    load: ({ cursor }) => api.get("/v1/admin/shifts", { ...asked(), cursor }, { signal }),
    none: { icon: "shop", title: w("shifts.none") },
    columns: [
      { title: w("shifts.terminal"), cell: (one) => h("span", { class: "strong" }, one.terminal_id) },
      { title: w("shifts.cashier"), cell: (one) => one.cashier },
      { title: w("shifts.opened"), cell: (one) => stamp(one.opened_at) },
      { title: w("shifts.closed_at"), cell: (one) => (one.closed_at ? stamp(one.closed_at) : pill(w("shifts.open"), "gold")), hide: "narrow" },
      { title: w("shifts.z"), cell: (one) => (one.z_number ? `Z${one.z_number}` : "—"), hide: "narrow" },
      { title: w("shifts.difference"), cell: (one) => (one.closed_at ? h("span", { class: "row tight" }, h("span", { class: "num" }, signedMoney(one.difference_fen)), standing(one.difference || "none")) : "—") },
    ],
  });
  const today = day(new Date().toISOString());
  const take = () => {
    const span = { from: query.from || `${today.slice(0, 8)}01`, to: query.to || today, store_id: query.store_id, by: "shift", format: "xlsx" };
    return attempt(() => api.download("/v1/admin/reports/shifts/file", span, "shifts.xlsx"), w("shifts.exported"));
  };
  const actions = h("button", { type: "button", class: "button", onclick: take }, w("shifts.export"));
  return [head(w("shifts.title"), { note: w("shifts.note"), actions }), search, list];
}
