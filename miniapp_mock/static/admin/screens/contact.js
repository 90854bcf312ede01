/**
 * The contact card: who this is, at a glance. Found by what is typed, pasted or scanned anywhere on the screen, or by the address a
 * soft-phone opens (`#/contact?phone=…`), which is taken out of it before anything is asked.
 */
import { fill, h } from "/static/shared/dom.js";
import { glyph } from "../icons.js";
import * as parts from "../contact/parts.js";
import { timeline } from "../contact/timeline.js";
import { w } from "../contact/words.js";
import { attempt, confirm, toast } from "../parts/dialogs.js";
import { busy, empty, loading, trouble } from "../parts/states.js";

const LOOKUP = "/v1/admin/contacts/lookup";
const BY_ADDRESS = ["phone", "member_no", "text"];
const MOST_RECENT = 6;

let recent = []; // who was looked at, in this tab and as long as it lives: {id, name}

export async function open(given) {
  const { api, me, place, signal } = given;
  const input = h("input", { class: "input", id: "contact-search", placeholder: w("contact.placeholder"), "aria-label": w("contact.search"), autocomplete: "off", spellcheck: "false", maxlength: 80, enterkeyhint: "search" });
  const button = h("button", { class: "button primary" }, glyph("search", 18), w("contact.find"));
  const form = h("form", { class: "contact-search", role: "search", onsubmit: (event) => { event.preventDefault(); find({ text: input.value.trim() }); } }, input, h("kbd", null, "/"), button);
  const stage = h("div", { class: "contact-stage", "aria-live": "polite" });
  let shown = null;

  async function show(work) {
    fill(stage, loading(8));
    await busy(button, async () => {
      try {
        shown = await work();
        if (!signal.aborted) put(shown);
      } catch (error) {
        if (!signal.aborted) fill(stage, refusal(error, () => show(work)));
      }
    });
  }

  function find(wanted) {
    if (Object.values(wanted).every((value) => !value)) { input.focus(); return; }
    show(() => api.post(LOOKUP, wanted, { again: true, signal }));
  }

  const reopen = (id) => show(() => api.get(`/v1/admin/contacts/${encodeURIComponent(id)}`, {}, { signal }));

  function put(card) {
    input.value = "";
    const { profile } = card;
    const guest = card.view === "guest";
    given.note(guest ? {} : { member: profile.id });
    if (!guest) recent = [{ id: profile.id, name: profile.name }, ...recent.filter((one) => one.id !== profile.id)].slice(0, MOST_RECENT);
    const columns = [
      h("div", { class: "contact-column" }, parts.held(card), parts.dealings(card)),
      h("div", { class: "contact-column" }, parts.purchases(card), parts.habits(card)),
      h("div", { class: "contact-column" }, timeline(card)),
    ];
    fill(stage,
      guest && h("p", { class: "notice" }, glyph("lock", 18), h("span", null, w("contact.guest"))),
      card.partial.length > 0 && h("p", { class: "notice", role: "status" }, glyph("clock", 18), h("span", { class: "grow" }, w("contact.partial", { sections: card.partial.map((code) => w(`section.${code}`)).join("、") })), !guest && h("button", { type: "button", class: "button plain compact", onclick: () => reopen(profile.id) }, w("common.retry"))),
      parts.who(card, actions(card)),
      h("div", { class: "contact-grid" }, columns));
  }

  function actions({ view, profile }) {
    if (view === "guest") return [];
    const step = { active: "freeze", frozen: "unfreeze" }[profile.status];
    return [
      h("button", { type: "button", class: "button compact", onclick: () => reopen(profile.id) }, w("contact.refresh"), h("kbd", null, "r")),
      me.may("members.read") && h("a", { class: "button compact", href: given.href("level", { id: profile.id }) }, w("contact.level")),
      me.may("member_cards.read") && h("a", { class: "button compact", href: given.href("member-cards", { id: profile.id }) }, w("contact.member_cards")),
      me.may("members.decide") && step && h("button", { type: "button", class: `button compact ${step === "freeze" ? "danger" : "soft"}`, onclick: () => move(profile, step) }, w(`contact.${step}`)),
    ];
  }

  async function move(profile, step) {
    if (step === "freeze" && !(await confirm(w("contact.freeze_ask", { name: profile.name }), { content: w("contact.freeze_text"), confirmText: w("contact.freeze"), danger: true }))) return;
    if (await attempt(() => api.post(`/v1/admin/members/${profile.id}/${step}`), w("contact.done"))) reopen(profile.id);
  }

  function refusal(error, again) {
    if (error.status === 404) return h("div", { class: "card" }, empty({ icon: "person", title: w("contact.none"), hint: w("contact.none_hint") }));
    if (error.code === "validation_failed") return h("div", { class: "card" }, empty({ icon: "search", title: w("contact.unclear"), hint: w("contact.empty_hint") }));
    if (error.status === 429) return h("div", { class: "card" }, empty({ icon: "lock", title: w("contact.limited", { minutes: Math.max(1, Math.ceil((error.retryAfterS || 60) / 60)) }) }));
    return trouble(error, again);
  }

  function welcome() {
    const address = `${location.origin}/admin#/contact?phone=13900000000`;
    return h("div", { class: "card" }, empty({ icon: "card", title: w("contact.empty"), hint: w("contact.empty_hint") }),
      recent.length > 0 && h("div", { class: "recent" }, h("span", { class: "muted small" }, w("contact.recent")), recent.map((one) => h("button", { type: "button", class: "button soft compact", onclick: () => reopen(one.id) }, one.name))),
      me.may("contact.full") && h("p", { class: "muted tiny center softphone" }, w("contact.softphone", { address })));
  }

  /** A scanner types fast and ends with Enter, wherever the focus is: what it types goes into the search. */
  function onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || document.querySelector("dialog[open]")) return;
    if (/^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName) || !/^[0-9+]$/.test(event.key)) return;
    event.preventDefault();
    input.value = event.key;
    input.focus();
    input.setSelectionRange(1, 1);
  }

  function onPaste(event) {
    if (/^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName) || document.querySelector("dialog[open]")) return;
    const text = (event.clipboardData ? event.clipboardData.getData("text") : "").trim();
    if (!text) return;
    event.preventDefault();
    if (text.length > 80) { toast(w("contact.none")); return; }
    find({ text });
  }

  document.addEventListener("keydown", onKey, { signal });
  document.addEventListener("paste", onPaste, { signal });
  given.keys({
    "/": [w("contact.search"), () => input.focus()],
    r: [w("contact.refresh"), () => shown && shown.view !== "guest" && reopen(shown.profile.id)],
  });

  const by = BY_ADDRESS.find((name) => place.query[name]);
  if (by) {
    given.note({}); // neither the address bar nor the history keeps a number
    find({ [by === "phone" ? "text" : by]: place.query[by] });
  } else if (place.query.member) reopen(place.query.member);
  else fill(stage, welcome());
  if (!place.query.member) setTimeout(() => { if (!signal.aborted) input.focus(); });
  return [form, stage];
}
