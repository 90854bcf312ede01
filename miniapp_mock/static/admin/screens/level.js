/** One member's level: until when, what keeps it, what was given, and how it came to be so. */
import { h, s } from "/static/shared/dom.js";
import { amount, ends, w } from "../level_words.js";
import { attempt } from "../parts/dialogs.js";
import { formDialog } from "../parts/form.js";
import { date, discount, stamp } from "../parts/format.js";
import { factList, head, pill, section } from "../parts/states.js";
import { table } from "../parts/table.js";

export async function open({ api, me, place, signal, href }) {
  const base = `/v1/admin/members/${encodeURIComponent(place.query.id || "")}`;
  const { items: levels } = await api.get("/v1/admin/levels", {}, { signal });
  const name = (code) => levels.find((one) => one.code === code)?.name || code;
  const card = section(async () => drawn(await api.get(`${base}/level`, {}, { signal })), { signal, className: "stack" });
  const agreed = section(async () => agreement(await api.get(`${base}/key-account`, {}, { signal }).catch((error) => { if (error.status === 404) return null; throw error; })), { signal });
  const history = table({
    label: w("lv.history"),
    signal,
    load: ({ cursor }) => api.get(`${base}/level-history`, { cursor, limit: 50 }, { signal }),
    none: { icon: "chart", title: w("lv.no_history") },
    columns: [
      { title: w("lv.since"), cell: (one) => h("span", { class: "num" }, date(one.on)) },
      { title: w("lv.change"), cell: (one) => pill(w(`lv.why_${one.why}`)) },
      { title: w("lv.level"), cell: (one) => (one.source === one.level ? one.level_name : `${one.source_name} → ${one.level_name}`) },
      { title: w("lv.until"), cell: (one) => h("span", { class: "num" }, ends(one.until)) },
      { title: w("lv.reason"), width: "wide", hide: "narrow", cell: (one) => h("span", { class: "small muted" }, [one.note, one.by].filter(Boolean).join(" · ")) },
    ],
  });

  function drawn(found) {
    return [
      h("section", { class: "card stack" },
        h("div", { class: "row wrap" }, pill(found.level.name, "gold"), found.lent && pill(w("lv.lent", { name: found.level.name })), found.locked && pill(w("lv.locked"), "danger"), found.granted && pill(found.granted_until ? w("lv.granted_until", { day: date(found.granted_until) }) : w("lv.granted"))),
        factList([[w("lv.own"), found.own_level.name], [w("lv.since"), found.since && date(found.since)], [w("lv.until"), found.since && ends(found.until)], [w("st.stage"), found.stage && `${w(`stage.${found.stage}`)}（${w("lv.since")} ${date(found.stage_since)}）`]]),
        found.keep && goal(w("lv.keep_title"), found.keep),
        found.next.map((one) => goal(w("lv.next_title", { name: one.name }), one))),
      found.grants.length > 0 && h("section", { class: "card stack" }, h("h2", null, w("lv.grants")), found.grants.map((one) => h("div", { class: "row wrap" },
        pill(name(one.level), one.live ? "gold" : ""), h("span", { class: "small grow" }, one.reason), h("span", { class: "small muted num" }, `${stamp(one.at)} – ${ends(one.until)}`),
        one.live && me.may("levels.grant") && h("button", { type: "button", class: "button compact", "aria-label": w("lv.take_of", { name: name(one.level) }), onclick: () => take(one) }, w("lv.take"))))),
    ];
  }

  function agreement(found) {
    if (!me.may("groups.read") || (!found && !me.may("groups.manage"))) return [];
    return h("section", { class: "card stack" }, h("h2", null, w("lv.key")),
      found && factList([[w("lv.key_staff_name"), found.staff_name], [w("lv.key_discount"), found.discount_bp ? discount(found.discount_bp) : null], [w("lv.key_locked"), found.level_locked ? "✓" : null], [w("lv.key_note"), found.note], [w("lv.since"), stamp(found.since)]]),
      me.may("groups.manage") && h("div", { class: "row wrap" },
        h("button", { type: "button", class: "button compact", onclick: () => agree(found) }, w(found ? "lv.key_change" : "lv.key_put")),
        found && h("button", { type: "button", class: "button compact danger", onclick: async () => { if (await attempt(() => api.post(`${base}/key-account/end`), w("lv.key_ended"))) reload(); } }, w("lv.key_end"))));
  }

  async function agree(found) {
    const done = await formDialog({
      title: w(found ? "lv.key_change" : "lv.key_put"),
      fields: [
        { name: "staff_id", label: w("lv.key_staff"), value: found?.staff_id || me.id, required: true, most: 19 },
        { name: "discount", label: w("lv.key_discount"), value: found?.discount_bp ? String(found.discount_bp / 100) : "" },
        { name: "level_locked", label: w("lv.key_locked"), kind: "tick", value: found?.level_locked },
        { name: "note", label: w("lv.key_note"), kind: "lines", rows: 2, value: found?.note, most: 200 },
      ],
      onSubmit: (values) => api.put(`${base}/key-account`, { staff_id: values.staff_id, discount_bp: values.discount ? Math.round(Number(values.discount) * 100) : null, level_locked: values.level_locked, note: values.note || "" }),
    });
    if (done) reload();
  }

  async function give() {
    const key = api.newKey();
    const made = await formDialog({
      title: w("lv.give"),
      note: w("lv.give_note"),
      fields: [
        { name: "level", label: w("lv.level"), kind: "choice", options: levels.map((one) => [one.code, one.name]) },
        { name: "reason", label: w("lv.reason"), required: true, most: 200 },
        { name: "until", label: w("lv.to"), kind: "date" },
      ],
      onSubmit: (values) => api.post(`${base}/level-grants`, values, { key }),
    });
    if (made) reload();
  }

  async function take(grant) {
    const done = await formDialog({ title: w("lv.take_of", { name: name(grant.level) }), fields: [{ name: "reason", label: w("lv.reason"), required: true, most: 200 }], onSubmit: (values) => api.post(`${base}/level-grants/${encodeURIComponent(grant.id)}/end`, values) });
    if (done) { await attempt(async () => undefined, w("lv.taken")); reload(); }
  }

  function reload() { card.reload(); agreed.reload(); history.reload(); }

  const actions = [
    h("a", { class: "button", href: href("contact", { member: place.query.id }) }, w("lv.back")),
    me.may("levels.grant") && h("button", { type: "button", class: "button primary", onclick: give }, w("lv.give")),
  ].filter(Boolean);
  return [head(w("lv.of_member"), { actions }), card, agreed, history];
}

function goal(title, found) {
  return h("div", { class: "stack" },
    h("p", { class: "small strong" }, title, found.met && pill(w("lv.met"), "brand")),
    found.criteria.map((one) => {
      const share = Math.min(1, one.have / one.wanted) * 200;
      return h("div", null,
        s("svg", { viewBox: "0 0 200 6", class: "who-bar", preserveAspectRatio: "none", "aria-hidden": "true" }, s("rect", { width: 200, height: 6, rx: 3, class: "who-bar-ground" }), s("rect", { width: Math.max(4, share), height: 6, rx: 3, class: "who-bar-done" })),
        h("p", { class: "tiny muted num" }, w("lv.have", { have: amount(one.metric, one.have), wanted: amount(one.metric, one.wanted) }), one.missing > 0 && `，${w("lv.lacks", { missing: amount(one.metric, one.missing) })}`));
    }));
}
