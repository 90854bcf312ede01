/** Member cards at the counter: found by number, given to who stands there, lost, replaced; and one member's cards and PIN. */
import { fill, h } from "/static/shared/dom.js";
import { w } from "../card_words.js";
import { formDialog } from "../parts/form.js";
import { date, money, stamp } from "../parts/format.js";
import { empty, factList, head, pill, section, trouble } from "../parts/states.js";

const CARDS = "/v1/admin/member-cards";
const LOOKS = { issued: "brand", lost: "danger" };
const WHO = [
  { name: "code", label: w("mc.code"), most: 32 },
  { name: "phone", label: w("mc.phone"), most: 20 },
];

export async function open(given) {
  const { place, me, api, keys } = given;
  if (place.query.id) return ofMember(given, place.query.id);
  const input = h("input", { class: "input num", inputmode: "numeric", autocomplete: "off", maxlength: 24, "aria-label": w("mc.search"), placeholder: w("mc.search") });
  const stage = h("div", { class: "stack", "aria-live": "polite" }, h("div", { class: "card" }, empty({ icon: "card", title: w("mc.begin"), hint: w("mc.begin_hint") })));

  async function find() {
    const number = input.value.replace(/\D/g, "");
    if (!number) { input.focus(); return; }
    try {
      await show((await api.post(`${CARDS}/search`, { card_no: number }, { again: true })).id);
    } catch (error) {
      fill(stage, error.status === 404 || error.code === "validation_failed" ? h("div", { class: "card" }, empty({ icon: "search", title: w("mc.none"), hint: w("mc.none_hint") })) : trouble(error, find));
    }
  }

  async function show(id) {
    const { card, history } = await api.get(`${CARDS}/${encodeURIComponent(id)}`);
    fill(stage, drawn(given, card, () => show(id), show), past(history));
  }

  async function issue() {
    const made = await formDialog({
      title: w("mc.issue"),
      note: w("mc.issue_note"),
      submit: w("mc.issue"),
      fields: [{ name: "card_no", label: w("mc.card_no"), required: true, most: 24, value: input.value }, ...WHO],
      onSubmit: ({ card_no: number, ...who }) => api.post(`${CARDS}/issue`, { card_no: number.replace(/\D/g, ""), ...who }),
    });
    if (made) show(made.id);
  }

  const may = me.may("member_cards.issue");
  if (may) keys({ n: [w("mc.issue"), issue] });
  const search = h("form", { class: "contact-search", role: "search", onsubmit: (event) => { event.preventDefault(); find(); } }, input, h("button", { class: "button" }, w("mc.find")));
  return [head(w("mc.title"), { note: w("mc.note"), actions: may ? [h("button", { type: "button", class: "button primary", onclick: issue }, w("mc.issue"))] : [] }), search, stage];
}

/** A card with what can be done about it; `reload()` after that, `show(id)` for another. */
function drawn(given, card, reload, show) {
  const { me, api, href } = given;
  const base = `${CARDS}/${encodeURIComponent(card.id)}`;
  const no = card.number;
  const act = (name, { note = "", danger = false } = {}) => async () => {
    const done = await formDialog({ title: w(`mc.${name}_of`, { no }), note, danger, submit: w(`mc.${name}`), fields: [{ name: "reason", label: w("mc.reason"), required: true, most: 200 }], onSubmit: (values) => api.post(`${base}/${name}`, values) });
    if (done) reload();
  };
  const replace = async () => {
    const made = await formDialog({
      title: w("mc.replace_of", { no }),
      note: w("mc.issue_note"),
      submit: w("mc.replace"),
      fields: [{ name: "card_no", label: w("mc.new_no"), required: true, most: 24 }, ...WHO, { name: "reason", label: w("mc.reason"), required: true, most: 200 }],
      onSubmit: ({ card_no: number, ...rest }) => api.post(`${base}/replace`, { card_no: number.replace(/\D/g, ""), ...rest }),
    });
    if (made) show(made.id);
  };
  const can = me.may("member_cards.issue");
  const held = card.state === "issued" || card.state === "lost";
  const button = (name, go, look = "") => h("button", { type: "button", class: `button compact ${look}`, "aria-label": w(`mc.${name}_of`, { no }), onclick: go }, w(`mc.${name}`));
  return h("section", { class: "card stack" },
    h("div", { class: "row wrap" }, h("h2", { class: "grow num" }, no), pill(w(`mc.state_${card.state}`), LOOKS[card.state] || ""), card.virtual && pill(w("mc.virtual"))),
    factList([[w("mc.type"), card.type_name], [w("mc.issuer"), card.issuer_id], [w("mc.bound"), card.bound_at && stamp(card.bound_at)], [w("mc.until"), card.valid_until && date(card.valid_until)], [w("mc.deposit"), card.deposit_fen > 0 ? money(card.deposit_fen) + w(`mc.deposit_${card.deposit_state}`) : null], [w("mc.fee"), card.fee_fen > 0 ? money(card.fee_fen) + w(card.fee_paid ? "mc.fee_paid" : "mc.fee_due") : null]]),
    h("div", { class: "row wrap" },
      card.member_id && !given.place.query.id && h("a", { class: "button compact", href: href("member-cards", { id: card.member_id }) }, w("mc.member")),
      can && card.state === "issued" && button("lost", act("lost"), "danger"),
      can && card.state === "lost" && button("found", act("found")),
      can && held && button("replace", replace),
      can && !["replaced", "void", "expired"].includes(card.state) && button("void", act("void", { note: w("mc.void_note"), danger: true }), "danger")));
}

function past(history) {
  return h("section", { class: "card stack" }, h("h2", null, w("mc.history")), h("ol", { class: "stack" }, history.map((one) => h("li", { class: "row wrap small" },
    h("span", { class: "num muted" }, stamp(one.at)), pill(w(`mc.state_${one.state}`), LOOKS[one.state] || ""), h("span", null, w(`mc.way_${one.way}`)), one.store_id && h("span", { class: "muted" }, one.store_id), one.reason && h("span", { class: "muted" }, one.reason)))));
}

/** One member's cards and payment PIN. */
function ofMember(given, id) {
  const { api, me, signal } = given;
  const base = `/v1/admin/members/${encodeURIComponent(id)}`;
  const cards = section(async () => {
    const { items } = await api.get(`${base}/cards`, {}, { signal });
    if (!items.length) return h("div", { class: "card" }, empty({ icon: "card", title: w("mc.no_cards") }));
    return items.map((card) => drawn(given, card, () => cards.reload(), () => cards.reload()));
  }, { signal, className: "stack" });
  const pin = me.may("pins.reset") && section(async () => pinOf(await api.get(`${base}/pin`, {}, { signal })), { signal });

  function pinOf(found) {
    const act = (name, note) => async () => {
      const done = await formDialog({ title: w(`pin.${name}`), note, submit: w(`pin.${name}`), danger: name === "initialise", fields: [{ name: "code", label: w("mc.code"), required: true, most: 32 }, { name: "reason", label: w("mc.reason"), required: true, most: 200 }], onSubmit: (values) => api.post(`${base}/pin/${name}`, values) });
      if (done) pin.reload();
    };
    return h("section", { class: "card stack" },
      h("div", { class: "row wrap" }, h("h2", { class: "grow" }, w("pin.title")), pill(w(`pin.state_${found.state}`), found.state === "to_set" ? "danger" : ""), found.locked_until && pill(w("pin.locked", { until: stamp(found.locked_until) }), "danger")),
      factList([[w("pin.changed"), found.changed_at && stamp(found.changed_at)], [found.lower_until && w("pin.lower", { until: stamp(found.lower_until) }), found.lower_until && money(found.lower_left_fen)]]),
      h("div", { class: "row wrap" },
        h("button", { type: "button", class: "button compact danger", onclick: act("initialise", w("pin.note")) }, w("pin.initialise")),
        found.locked_until && h("button", { type: "button", class: "button compact", onclick: act("unlock", w("pin.unlock_note")) }, w("pin.unlock"))),
      found.acts.length > 0 && h("ol", { class: "stack", "aria-label": w("pin.acts") }, found.acts.map((one) => h("li", { class: "row wrap small" },
        h("span", { class: "num muted" }, stamp(one.at)), pill(w(`pin.act_${one.act}`)), one.store_id && h("span", { class: "muted" }, one.store_id), h("span", { class: "muted" }, one.reason)))));
  }

  return [head(w("mc.of_member")), cards, pin || null];
}
