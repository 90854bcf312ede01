/** 领券中心: what can be claimed now; one tap claims. */
import { fill, h } from "../../shared/dom.js";
import { count, shortDate } from "../../shared/format.js";
import { dayOf, withDates } from "../coupon_words.js";
import { glyph } from "../icons.js";
import { busy, emptyState, staleNote, trouble } from "../parts.js";
import { redeemSheet } from "../sheets/redeem.js";
import { ticketFace, ticketSkeletons } from "../ticket.js";
import { problemText, t } from "../texts.js";

const FEW = 20; // so many or less are told by number, more by share

export function couponCentreScreen(app) {
  const note = h("div", { hidden: true });
  const list = h("div", null);
  const redeem = h("button", { type: "button", class: "cell", onclick: () => redeemSheet(app) }, glyph("tag", 22, "cell-icon"), h("span", { class: "grow" }, t("centre.redeem")), glyph("next", 18, "chevron"));
  const node = h("div", { class: "page stack centre" }, h("section", { class: "card flush" }, redeem), note, list);
  const refusals = new Map(); // template → the error of the last try
  const open = new Set(); // whose conditions are unfolded
  let cards = new Map(); // template → { text, node }
  let gone = false;

  function draw() {
    const kept = app.coupons.known("centre");
    if (!kept) return;
    const { items } = kept;
    if (!items.length) {
      cards = new Map();
      fill(list, h("div", { class: "card" }, emptyState({ icon: "gift", title: t("centre.empty"), hint: t("centre.empty_hint"), action: t("centre.to_coupons"), onAction: () => app.go("coupons") })));
      return;
    }
    const made = new Map(items.map((item) => [item.template_id, cardOf(item)]));
    const same = made.size === cards.size && [...made.keys()].every((key, i) => key === [...cards.keys()][i]);
    if (!same) fill(list, h("ul", { class: "tickets" }, [...made.values()].map((card) => card.node)));
    cards = made;
  }

  /** The item's card; the one that is shown where nothing of it differs, else a new one in its place, with the focus. */
  function cardOf(offer) {
    const refusal = refusals.get(offer.template_id);
    // the list may be a second older than the refusal
    const item = refusal?.code === "coupon_sold_out" ? { ...offer, state: "sold_out", left: 0 } : offer;
    const problem = refusal ? problemText(refusal) : "";
    const text = JSON.stringify([item, problem]);
    const old = cards.get(item.template_id);
    if (old?.text === text) return old;
    const made = card(item, problem);
    if (old?.node.isConnected) {
      const focused = old.node.contains(document.activeElement);
      old.node.replaceWith(made);
      if (focused) made.querySelector("button, summary")?.focus({ preventScroll: true });
    }
    return { text, node: made };
  }

  function card(item, problem) {
    const rules = h("details", { class: "ticket-more", open: open.has(item.template_id), ontoggle: () => (rules.open ? open.add(item.template_id) : open.delete(item.template_id)) },
      h("summary", { class: "small" }, t("centre.rules"), glyph("next", 16)),
      h("ul", { class: "rules small" }, [item.headline, ...item.lines.slice(1)].map((line) => h("li", null, line))));
    return h(
      "li",
      { class: `ticket with-more${item.state === "sold_out" ? " over" : ""}` },
      ticketFace(item),
      h("div", { class: "ticket-text" },
        h("div", { class: "ticket-head" }, h("h2", { class: "ticket-title" }, item.title), action(item)),
        h("p", { class: "tiny muted num" }, withDates(item.validity)),
        h("p", { class: "tiny muted num" }, limits(item)),
        item.state === "sold_out" ? null : remaining(item),
        h("p", { class: "field-error", role: "alert" }, problem)),
      rules,
    );
  }

  function action(item) {
    if (item.state === "sold_out") return h("span", { class: "pill" }, t("centre.sold_out"));
    if (item.state === "claimed") return h("button", { type: "button", class: "button soft compact", "aria-label": t("centre.use_of", { title: item.title }), onclick: () => app.go("coupons") }, t("centre.use"));
    const button = h("button", { type: "button", class: "button primary compact", "aria-label": t("centre.claim_of", { title: item.title }), onclick: () => busy(button, () => claim(item)) }, t(item.claimed > 0 ? "centre.claim_again" : "centre.claim"));
    return button;
  }

  function limits(item) {
    const parts = [];
    if (item.per_member !== null) parts.push(t(item.claimed > 0 ? "centre.limit_had" : "centre.limit", { count: item.per_member, had: item.claimed }));
    else if (item.claimed > 0) parts.push(t("centre.had", { had: item.claimed }));
    if (item.ends_at) parts.push(t("centre.ends", { date: shortDate(dayOf(item.ends_at)) }));
    return parts.join(" · ");
  }

  function remaining(item) {
    if (item.total === null || item.left === null) return null;
    const share = item.total > 0 ? Math.max(0, Math.min(1, item.left / item.total)) : 0;
    const bar = h("span", { class: "share-left" });
    bar.style.setProperty("width", `${100 * share}%`);
    const text = item.left <= FEW ? t("centre.left_few", { count: count(Math.max(0, item.left)) }) : t("centre.left", { percent: Math.max(1, Math.round(100 * share)) });
    return h("div", { class: "row share-row" }, h("span", { class: "share grow", "aria-hidden": "true" }, bar), h("span", { class: "tiny muted num" }, text));
  }

  async function claim(item) {
    refusals.delete(item.template_id);
    try {
      await app.coupons.claim({ template_id: item.template_id }, item.claimed);
      app.toast(t("centre.done"));
      app.wx.vibrateShort();
      app.coupons.load("available").catch(() => undefined);
    } catch (error) {
      refusals.set(item.template_id, error);
    }
    draw();
    await load();
  }

  async function load() {
    if (!app.coupons.known("centre")) fill(list, ticketSkeletons(4));
    try {
      await app.coupons.loadCentre();
      note.hidden = true;
    } catch (error) {
      if (!gone) missed(error);
    }
  }

  function missed(error) {
    const at = app.coupons.knownAt("centre");
    if (!at) {
      fill(list, h("div", { class: "card" }, trouble(error, load)));
      return;
    }
    note.hidden = false;
    fill(note, staleNote(at));
  }

  const stops = [
    app.store.watch(["coupons"], draw),
    app.store.watch(["online"], load),
  ];
  return {
    title: t("centre.title"),
    node,
    parent: "coupons",
    leave() {
      gone = true;
      stops.forEach((stop) => stop());
    },
  };
}
