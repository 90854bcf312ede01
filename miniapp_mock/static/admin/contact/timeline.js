/** What happened between the member and the chain, newest first, out of all the sections that came. */
import { h } from "/static/shared/dom.js";
import { glyph } from "../icons.js";
import { ago, dateTime, signedMoney } from "../parts/format.js";
import { pill } from "../parts/states.js";
import { linkTo } from "./links.js";
import { w } from "./words.js";

const OF_PURCHASES = new Set(["sale", "order", "order_held", "refund", "order_refund", "sale_refund"]);

// By section: what of it is an event: when, what it looks like, what it says, what stands beside it, where it leads.
const MOMENTS = {
  purchases: ({ items }) => items.map((one) => ({ at: one.at, icon: one.kind === "order" ? "cart" : "bag", text: one.kind === "order" ? w("contact.in_mall") : w("contact.at_store", { store: one.store_name }), aside: signedMoney(-one.payable_fen) })),
  movements: ({ items }) => items.filter((one) => !OF_PURCHASES.has(one.kind)).map((one) => ({ at: one.at, icon: "wallet", text: one.title, aside: signedMoney(one.amount_fen) })),
  letters: ({ items }) => items.map((one) => ({ at: one.at, icon: "mail", text: one.title })),
  suggestions: ({ items }) => items.map((one) => ({ at: one.at, icon: "inbox", text: w("contact.suggestion", { box: one.box }), more: one.words, href: linkTo("suggestion", one.id) })),
  cases: ({ items }) => items.map((one) => ({ at: one.at, icon: "case", text: w(`case.${one.kind}`), more: one.words, href: linkTo("case", one.id) })),
  surveys: ({ items }) => items.map((one) => ({ at: `${one.answered_on}T04:00:00Z`, icon: "survey", text: w("contact.survey", { title: one.title }), href: linkTo("survey", one.id) })),
  care: ({ items }) => items.map((one) => ({ at: one.at, icon: "heart", text: w("contact.care_moment", { title: one.title }), more: w(`care.${one.state}`), href: linkTo("care", one.id) })),
};

function row(one) {
  const text = h("span", { class: "grow moment-text" }, h("span", { class: "clip" }, one.text), one.more && h("span", { class: "muted tiny clip" }, one.more));
  const inner = [glyph(one.icon, 16), text, one.aside && h("span", { class: "num nowrap small" }, one.aside), h("time", { class: "muted tiny nowrap num", datetime: one.at, title: dateTime(one.at) }, ago(one.at))];
  return h("li", { class: "moment" }, one.href ? h("a", { class: "moment-row", href: one.href }, inner) : h("div", { class: "moment-row" }, inner));
}

/** The column of what happened. */
export function timeline(card) {
  const moments = Object.entries(MOMENTS).flatMap(([section, read]) => (card[section] ? read(card[section]) : [])).sort((a, b) => (a.at < b.at ? 1 : -1));
  return h("section", { class: "card timeline", tabindex: "0", "aria-label": w("contact.timeline") },
    h("h3", null, w("contact.timeline"), card.letters && card.letters.unread > 0 && pill(w("contact.unread", { count: card.letters.unread }), "gold")),
    moments.length === 0 ? h("p", { class: "muted small" }, w("contact.no_timeline")) : h("ol", { class: "lines" }, moments.map(row)));
}
