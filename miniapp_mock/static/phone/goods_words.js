/** What a product costs and how much of it there is, in words; and which choices are left. Pure. */
import { date, local, shortMoney, time } from "../shared/format.js";
import { t } from "./texts.js";

const FEW = 10;

/** Why the price is below the list price: "会员价", "限时价", or "". */
export function priceWord(priced) {
  return priced.price_kind === "level" || priced.price_kind === "timed" ? t(`goods.price_${priced.price_kind}`) : "";
}

/** Whether the list price is worth striking through. */
export const isCut = (priced) => priced.price_fen < priced.list_fen;

/** How long a timed price lasts: `2 天 03:12:09`, or "" when it is over. */
export function leftOf(untilMs, nowMs) {
  const seconds = Math.floor((untilMs - nowMs) / 1000);
  if (!(seconds > 0)) return "";
  const two = (value) => String(value).padStart(2, "0");
  const clock = `${two(Math.floor((seconds % 86_400) / 3600))}:${two(Math.floor((seconds % 3600) / 60))}:${two(seconds % 60)}`;
  return seconds >= 86_400 ? t("goods.days_left", { days: Math.floor(seconds / 86_400), clock }) : clock;
}

/** Until when, for those who do not watch a clock run: `今天 18:00`, `11月30日 18:00`. */
export function untilWord(at, nowMs) {
  const [end, today] = [local(at), local(nowMs)];
  if (end.day === today.day && end.month === today.month) return t("goods.until_today", { time: time(at) });
  return t("goods.until", { date: date(at).replace(/^\d+年/, ""), time: time(at) });
}

/** What is left of an article: `null` where the mall does not count it. */
export function stockWord(available) {
  if (available === null || available === undefined) return "";
  if (available <= 0) return t("goods.sold_out");
  return available < FEW ? t("goods.few", { count: available }) : t("goods.in_stock");
}

export const isSoldOut = (article) => article.available !== null && article.available !== undefined && article.available <= 0;

/** The article of these values, one for each axis; null where some are open or there is none. */
export function articleOf(skus, values) {
  return skus.find(({ spec }) => spec.length === values.length && spec.every((value, axis) => value === values[axis])) || null;
}

/** Whether a value can still be chosen beside what is chosen on the other axes: "yes", "sold_out", or "none". */
export function choiceOf(skus, values, axis, value) {
  const fits = skus.filter(({ spec }) => spec[axis] === value && spec.every((one, i) => i === axis || !values[i] || one === values[i]));
  if (!fits.length) return "none";
  return fits.every(isSoldOut) ? "sold_out" : "yes";
}

/** What to choose at first: the only article, or the first there is of each axis with one value. */
export function firstChoice(axes, skus) {
  if (skus.length === 1) return [...skus[0].spec];
  return axes.map(({ values }) => (values.length === 1 ? values[0] : ""));
}

/** The span of prices: `¥79 起` where they differ. */
export function fromWord(fen, toFen) {
  return toFen > fen ? t("goods.from", { amount: shortMoney(fen) }) : shortMoney(fen);
}

/** A picture's two addresses, of the large one's. */
export const pictureAt = (url) => (url ? { url, small_url: `${url}/small` } : null);
