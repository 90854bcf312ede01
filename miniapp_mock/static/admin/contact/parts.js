/** What the contact card is made of; each takes the card's answer and returns a node, or null where there is nothing. */
import { h, s } from "/static/shared/dom.js";
import { glyph } from "../icons.js";
import { ago, count, date, day, dayTime, discount, money, shortDate, shortMoney } from "../parts/format.js";
import { pill } from "../parts/states.js";
import { linkTo } from "./links.js";
import { w } from "./words.js";

const NEAR_DAYS = 14;
const PURCHASES = 6; // the timeline has the others
const LOOKS = { active: "brand", pending: "gold", frozen: "danger" };

function labelled(label, value) {
  return value && h("span", { class: "who-fact" }, h("span", { class: "muted" }, label), " ", h("span", { class: "num" }, value));
}

function birthday(profile) {
  if (!profile.birthday_day) return null;
  const [month, of] = profile.birthday_day.split("-").map(Number);
  const soon = profile.days_to_birthday;
  if (soon === 0) return pill(w("contact.birthday_today"), "gold");
  if (soon <= NEAR_DAYS) return pill(w("contact.birthday_soon", { days: soon }), "gold");
  return labelled(w("contact.birthday"), profile.birthday ? date(profile.birthday) : `${month}月${of}日`);
}

/** How far the next level is: a bar, and what is missing. */
function progress(profile) {
  const next = profile.next_level;
  if (!next) return profile.member_no ? h("p", { class: "muted tiny" }, w("contact.top")) : null;
  const share = next.progress_bp / 100;
  return h("div", { class: "who-next" },
    s("svg", { viewBox: "0 0 200 6", class: "who-bar", preserveAspectRatio: "none", "aria-hidden": "true" }, s("rect", { width: 200, height: 6, rx: 3, class: "who-bar-ground" }), s("rect", { width: Math.max(4, share * 2), height: 6, rx: 3, class: "who-bar-done" })),
    h("p", { class: "muted tiny num" }, w("contact.next", { name: next.name, amount: shortMoney(next.missing_fen) })));
}

/** The band above: who it is. */
export function who(card, actions) {
  const { profile } = card;
  return h("section", { class: "card who" },
    h("span", { class: "who-mark", "aria-hidden": "true" }, [...profile.name][0]),
    h("div", { class: "who-main" },
      h("div", { class: "who-name" }, h("h2", null, profile.name), pill(profile.level_name, "gold"), pill(w(`status.${profile.status}`), LOOKS[profile.status]),
        profile.gender && profile.gender !== "unknown" && h("span", { class: "muted small" }, w(`gender.${profile.gender}`)),
        profile.discount_bp > 0 && h("span", { class: "muted small" }, discount(profile.discount_bp))),
      h("div", { class: "who-facts small" },
        labelled(w("contact.phone"), profile.phone_masked),
        labelled(w("contact.number"), profile.member_no),
        labelled(w("contact.store"), profile.store_name || profile.store_id),
        labelled(w("contact.joined"), profile.joined_at && day(profile.joined_at)),
        labelled(w("contact.stage"), profile.stage && w(`contact.stage_${profile.stage}`)),
        birthday(profile),
        Object.entries(profile.attribute_words || {}).slice(0, 4).map(([name, value]) => pill(`${name}：${value}`)))),
    h("div", { class: "who-side" }, progress(profile), h("div", { class: "who-actions" }, actions)));
}

function figure(icon, label, value, notes) {
  return h("div", { class: "figure" }, h("dt", { class: "muted tiny" }, glyph(icon, 15), label), h("dd", { class: "figure-value num" }, value), notes.filter(Boolean).map((note) => h("dd", { class: "muted tiny num" }, note)));
}

/** What there is of value, coupons and cards. */
export function held({ wallet, coupons, cards }) {
  if (!wallet && !coupons && !cards) return null;
  const soonest = wallet && wallet.points.expiring[0];
  return h("section", { class: "card held" },
    h("dl", { class: "figures" },
      wallet && figure("wallet", w("contact.stored"), money(wallet.stored.total_fen), [
        w("contact.stored_parts", { principal: shortMoney(wallet.stored.principal_fen), bonus: shortMoney(wallet.stored.bonus_fen) }),
        wallet.rebate_fen > 0 && w("contact.rebate", { amount: money(wallet.rebate_fen) })]),
      wallet && figure("star", w("contact.points"), count(wallet.points.available), [
        soonest && w("contact.points_expiring", { count: count(soonest.points), on: shortDate(soonest.on) }),
        wallet.points.pending > 0 && w("contact.points_pending", { count: count(wallet.points.pending) })]),
      coupons && figure("ticket", w("contact.coupons"), count(coupons.available), [coupons.first_expires_on && w("contact.coupons_first", { on: shortDate(coupons.first_expires_on) })])),
    coupons && coupons.items.length > 0 && h("ul", { class: "lines" }, coupons.items.slice(0, 3).map((one) => h("li", { class: "line" }, h("span", { class: "clip" }, one.title), h("span", { class: "muted tiny nowrap num" }, one.expires_on ? w("contact.coupon_until", { on: shortDate(one.expires_on) }) : w("contact.coupon_forever"))))),
    cards && cards.items.length > 0 && h("ul", { class: "lines" }, cards.items.slice(0, 4).map((one) => h("li", { class: "line" }, h("span", { class: "clip" }, one.title), h("span", { class: "muted tiny nowrap num" }, onCard(one))))));
}

const UNITS = { uses: "次", stamps: "章", points: "分", pieces: "张" };

function onCard(card) {
  if (card.progress) return `${card.progress.have}/${card.progress.goal}`;
  if (card.balance) return card.balance.unit === "fen" ? money(card.balance.amount) : `${count(card.balance.amount)} ${UNITS[card.balance.unit]}`;
  return card.expires_on ? w("contact.coupon_until", { on: shortDate(card.expires_on) }) : card.subtitle;
}

function articles(one) {
  const names = one.articles.join("、");
  return one.pieces > one.articles.length ? w("contact.more_articles", { names, count: one.pieces }) : names;
}

function stateOf(one) {
  const plain = one.state === "completed" || one.state === "received";
  return plain && !one.refunded_fen ? null : pill(one.refunded_fen > 0 ? w("contact.refunded", { amount: shortMoney(one.refunded_fen) }) : w(`contact.state.${one.state}`), one.refunded_fen > 0 || one.state === "cancelled" ? "danger" : "brand");
}

/** The last purchases. */
export function purchases(card) {
  if (!card.purchases) return null;
  const { items } = card.purchases;
  return h("section", { class: "card purchases" },
    h("h3", null, w("contact.purchases"), card.view !== "chain" && h("span", { class: "muted tiny" }, w("contact.own_store_only"))),
    items.length === 0 ? h("p", { class: "muted small" }, w("contact.no_purchases")) : h("ul", { class: "lines" }, items.slice(0, PURCHASES).map((one) => h("li", { class: "line purchase" },
      glyph(one.kind === "order" ? "cart" : "bag", 17),
      h("span", { class: "grow purchase-text" }, h("span", { class: "clip" }, articles(one)), h("span", { class: "muted tiny num clip" }, `${dayTime(one.at)} · ${one.kind === "order" ? `${w("contact.online")} · ` : ""}${one.store_name}`)),
      stateOf(one),
      h("span", { class: "strong num nowrap" }, money(one.payable_fen))))));
}

/** How often the member comes, and what they buy again and again. */
export function habits({ habits: found }) {
  if (!found) return null;
  return h("section", { class: "card habits" },
    h("h3", null, w("contact.favourites"),
      h("span", { class: "muted tiny num" }, [`${w("contact.visits")} ${w("contact.times", { count: found.visits_90_days })}`, found.last_on && `${w("contact.last")} ${shortDate(found.last_on)}`].filter(Boolean).join(" · "))),
    found.favourites.length === 0 ? h("p", { class: "muted small" }, w("contact.no_purchases")) : h("ul", { class: "chips" }, found.favourites.map((one) => h("li", { class: "chip" }, h("span", { class: "clip" }, one.name), h("span", { class: "muted tiny num nowrap" }, w("contact.favourite", { times: one.times, pieces: one.pieces }))))));
}

function dealing({ icon, text, note = "", mark = null, href = null }) {
  const inner = [glyph(icon, 16), h("span", { class: "grow clip" }, text), note && h("span", { class: "muted tiny nowrap num" }, note), mark];
  return h("li", null, href ? h("a", { class: "line dealing", href }, inner) : h("div", { class: "line dealing" }, inner));
}

const WAITS = new Set(["waiting", "robot"]);

/** What is between the member and the chain now: talk, cases, care, surveys. */
export function dealings(card) {
  const { conversation, cases, care, surveys, suggestions } = card;
  const rows = [
    conversation && dealing({ icon: "chat", text: `${w("contact.conversation")} · ${w(`conversation.${conversation.state}`)}`, note: ago(conversation.last_at), mark: conversation.unread > 0 && pill(w("contact.unanswered", { count: conversation.unread }), WAITS.has(conversation.state) ? "danger" : "gold"), href: linkTo("conversation", conversation.id) }),
    ...(cases ? cases.items.filter((one) => one.state !== "closed").slice(0, 2).map((one) => dealing({ icon: "case", text: `${w(`case.${one.kind}`)}：${one.words}`, mark: pill(w(`case.state.${one.state}`), Date.parse(one.due_at) < Date.now() && WAITING.has(one.state) ? "danger" : "brand"), href: linkTo("case", one.id) })) : []),
    ...(care ? care.items.filter((one) => one.state === "open").slice(0, 2).map((one) => dealing({ icon: "heart", text: one.title, note: one.due_on ? w("contact.due", { on: shortDate(one.due_on) }) : "", mark: pill(w("care.open"), "gold"), href: linkTo("care", one.id) })) : []),
    suggestions && suggestions.items.length > 0 && dealing({ icon: "inbox", text: suggestions.items[0].words, note: suggestions.items[0].box, href: linkTo("suggestion", suggestions.items[0].id) }),
    surveys && surveys.items.length > 0 && dealing({ icon: "survey", text: surveys.items[0].title, note: w("contact.answered", { on: shortDate(surveys.items[0].answered_on) }), href: linkTo("survey", surveys.items[0].id) }),
  ].filter(Boolean);
  if (card.view === "guest") return null;
  return h("section", { class: "card dealings" }, h("h3", null, w("contact.dealings")), rows.length ? h("ul", { class: "lines" }, rows) : h("p", { class: "muted small" }, w("contact.no_dealings")));
}

const WAITING = new Set(["received", "assigned", "in_progress", "reopened"]);
