/** What a coupon is, in the few words and figures that stand on it. Pure. */
import { date, local, shortMoney } from "../shared/format.js";
import { t } from "./texts.js";

const DAY_MS = 86_400_000;
const SOON_DAYS = 3;

/** The figure printed large: `{ lead, number, unit }`, or `{ word }` where no figure says it. */
export function figure(coupon) {
  const { kind, face_fen: faceFen } = coupon;
  if (kind === "percent") return { number: zhe(coupon.rate_bp), unit: t("coupon.zhe") };
  if (kind === "exchange") return { word: t("coupon.exchange") };
  if (kind === "service") return { word: t("coupon.service") };
  if (kind === "shipping" && !faceFen) return { word: t("coupon.free_shipping") };
  const fen = isValue(coupon) && coupon.balance > 0 ? coupon.balance : faceFen;
  return { lead: "¥", number: shortMoney(fen).slice(1) };
}

/** A percentage off as it is said of coupons: 1000 → `9`, 1250 → `8.75`. */
export function zhe(rateBp) {
  return String(Number(((10_000 - rateBp) / 1000).toFixed(3)));
}

/** Whether it has a balance that several sales use up. */
export function isValue(coupon) {
  return coupon.unit === "fen";
}

/** From which amount on it is good; what is given where that is the point of it. */
export function threshold(coupon) {
  const from = coupon.min_spend_fen > 0 ? t("coupon.from", { amount: shortMoney(coupon.min_spend_fen) }) : "";
  if (coupon.kind === "exchange") return from || t("coupon.pieces", { count: coupon.pieces });
  if (coupon.kind === "service") return from || t("coupon.times", { count: coupon.pieces });
  return from || t("coupon.no_threshold");
}

/** The local day of an instant: `2026-11-22`. */
export function dayOf(at) {
  const { year, month, day } = local(at);
  return `${year}-${String(month).padStart(2, "0")}-${String(day).padStart(2, "0")}`;
}

/** Whole days from one date to another. */
export function daysBetween(from, to) {
  return Math.round((Date.parse(to) - Date.parse(from)) / DAY_MS);
}

/** Whether it can still be used, and not for long. */
export function isSoon(coupon, today) {
  if (coupon.state !== "available" || !coupon.expires_on || coupon.valid_from > today) return false;
  const left = daysBetween(today, coupon.expires_on);
  return left >= 0 && left <= SOON_DAYS;
}

/** Until when it is good, or how it ended. */
export function validity(coupon, today) {
  if (coupon.state === "used") return coupon.ended_at ? t("coupon.used_on", { date: date(coupon.ended_at) }) : t("coupon.used");
  if (coupon.state === "given" || coupon.state === "void") return t(`coupon.${coupon.state}`);
  if (coupon.state === "expired") return coupon.expires_on ? t("coupon.expired_on", { date: date(coupon.expires_on) }) : t("coupon.expired");
  if (coupon.valid_from > today) return t("coupon.begins", { date: date(coupon.valid_from) });
  if (!coupon.expires_on) return t("coupon.forever");
  const left = daysBetween(today, coupon.expires_on);
  if (left === 0) return t("coupon.last_day");
  if (left === 1) return t("coupon.tomorrow");
  return left <= SOON_DAYS ? t("coupon.days_left", { count: left, date: date(coupon.expires_on) }) : t("coupon.until", { date: date(coupon.expires_on) });
}

/** From when to when it is good, as one of its conditions. */
export function period(coupon) {
  const from = date(coupon.valid_from);
  if (coupon.expires_on === coupon.valid_from) return t("coupon.period_day", { date: from });
  return coupon.expires_on ? t("coupon.period", { from, to: date(coupon.expires_on) }) : t("coupon.period_from", { from });
}

/** Dates inside a sentence of the server as we write them: `2026-11-22` → `2026年11月22日`. */
export function withDates(text) {
  return text.replace(/\d{4}-\d{2}-\d{2}/g, date);
}

/** A number to read aloud: its letter, then groups of four. */
export function couponNumber(id) {
  return [id.slice(0, 1), ...(id.slice(1).match(/.{1,4}/g) || [])].join(" ");
}
