/** What a card is, in the few words and figures that stand on it. Pure. */
import { count, date, discount, money } from "../shared/format.js";
import { dayOf, daysBetween } from "./coupon_words.js";
import { t } from "./texts.js";

const SOON_DAYS = 30;
const OVER = ["expired", "used_up", "frozen", "complete"];
const ICONS = { stored: "wallet", points: "star", gift: "gift", discount: "percent", campaign: "stamp", service: "punch", coupon: "ticket", manager: "badge" };
const PAGES = { stored: "entries", points: "entries?points", coupon: "coupons", gift: "gift-card", discount: "pass", service: "pass", campaign: "campaign-card" };

/** The icon of a kind of card. */
export const cardIcon = (kind) => ICONS[kind] || "cards";

/** Where a card's own page is, or null for one that has none. */
export function cardPage(card) {
  const page = PAGES[card.kind];
  if (!page) return null;
  return ["stored", "points", "coupon"].includes(card.kind) ? page : `${page}?${card.id}`;
}

/** Whether nothing can be had from it now. */
export const isCardOver = (card) => OVER.includes(card.state);

/** The figure that stands at its right: `{ number, unit }`, or null. */
export function cardFigure({ balance, progress }) {
  if (progress) return { number: count(progress.have), unit: `/ ${count(progress.goal)}` };
  if (!balance) return null;
  if (balance.unit === "fen") return { number: money(balance.amount), unit: "" };
  return { number: count(balance.amount), unit: t(`cards.unit_${balance.unit}`) };
}

/** Until when it is good; with the days that are left where they are few. */
export function until(expiresOn, today) {
  if (!expiresOn) return t("cards.forever");
  const left = daysBetween(today, expiresOn);
  if (left < 0) return t("cards.ended", { date: date(expiresOn) });
  if (left === 0) return t("coupon.last_day");
  return left <= SOON_DAYS ? t("cards.days_left", { count: left, date: date(expiresOn) }) : t("coupon.until", { date: date(expiresOn) });
}

/** The last day of what ends at that instant. */
export const lastDay = (endsAt) => dayOf(Date.parse(endsAt) - 1);

/** The name of its kind, where its title does not say that already. */
export function kindBeside(card) {
  const kind = t(`cards.kind_${card.kind}`);
  return kind.includes(card.title) || card.title.includes(kind) ? "" : kind;
}

/** What is to be known of its state at a glance, or "" while all is well. */
export const cardState = (card) => (card.state === "active" ? "" : t(`cards.state_${card.kind === "campaign" && card.state === "waiting" ? "full" : card.state}`));

/** What a discount card gives, as `["95折", "1.5 倍积分"]`. */
export function benefits({ discount_bp: bp, points_multiplier_bp: multiplier }) {
  const parts = [];
  if (bp > 0) parts.push(discount(bp) || t("pass.free"));
  if (multiplier > 10_000) parts.push(t("pass.points_times", { times: multiplier / 10_000 }));
  return parts;
}
