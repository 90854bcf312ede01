/** Groups and key accounts: who has what agreed, and new ones. */
import { h } from "/static/shared/dom.js";
import { w } from "../group_words.js";
import { groupFields, groupOf } from "../group_form.js";
import { formDialog } from "../parts/form.js";
import { count, discount, money, stamp } from "../parts/format.js";
import { head, pill } from "../parts/states.js";
import { table } from "../parts/table.js";

const GROUPS = "/v1/admin/groups";

export async function open({ api, me, signal, go, keys }) {
  const [{ items: levels }, { items: stores }] = await Promise.all([api.get("/v1/admin/levels", {}, { signal }), api.get("/v1/admin/stores", {}, { signal })]);
  const name = (code) => levels.find((one) => one.code === code)?.name || code;
  const list = table({
    label: w("gr.groups"),
    signal,
    load: ({ cursor }) => api.get(GROUPS, { cursor, limit: 50 }, { signal }),
    open: (group) => go("group", { id: group.id }),
    none: { icon: "people", title: w("gr.none") },
    columns: [
      { title: w("gr.number"), cell: (one) => h("span", { class: "num" }, one.number) },
      { title: w("gr.name"), width: "wide", cell: (one) => one.name },
      { title: w("gr.lends"), cell: (one) => [one.lends_level && pill(name(one.lends_level), "gold"), one.discount_bp > 0 && h("span", { class: "small muted" }, " ", discount(one.discount_bp))] },
      { title: w("gr.members"), number: true, cell: (one) => `${count(one.members)} / ${count(one.member_limit)}` },
      { title: w("gr.net_fen"), number: true, hide: "narrow", cell: (one) => money(one.spent_fen) },
      { title: w("gr.store"), hide: "narrow", cell: (one) => one.store_id || w("gr.all_stores") },
      { title: w("gr.since"), cell: (one) => pill(w(`gr.state_${one.state}`), one.state === "open" ? "brand" : "") },
    ],
  });
  const agreed = table({
    label: w("gr.keys"),
    signal,
    load: ({ cursor }) => api.get("/v1/admin/key-accounts", { cursor, limit: 50 }, { signal }),
    open: (one) => go("level", { id: one.member_id }),
    none: { icon: "heart", title: w("gr.no_keys") },
    columns: [
      { title: w("gr.member_no"), cell: (one) => h("span", { class: "num" }, one.member_no) },
      { title: w("gr.name"), cell: (one) => one.name_masked },
      { title: w("gr.staff"), cell: (one) => one.staff_name },
      { title: w("gr.discount"), cell: (one) => (one.discount_bp ? discount(one.discount_bp) : "—") },
      { title: w("gr.level"), cell: (one) => one.level_locked && pill(w("gr.locked"), "danger") },
      { title: w("gr.since"), hide: "narrow", cell: (one) => h("span", { class: "num" }, stamp(one.since)) },
    ],
  });

  async function add() {
    const made = await formDialog({ title: w("gr.new"), fields: groupFields({}, levels, stores), onSubmit: (values) => api.post(GROUPS, groupOf(values, levels)) });
    if (made) go("group", { id: made.id });
  }

  const may = me.may("groups.manage");
  if (may) keys({ n: [w("gr.new"), add] });
  return [head(w("gr.title"), { actions: may ? [h("button", { type: "button", class: "button primary", onclick: add }, w("gr.new"))] : [] }), h("h2", null, w("gr.groups")), list, h("h2", null, w("gr.keys")), agreed];
}
