/** What an order is, where it stands, and what paid for it, in words. Pure. */
import { count, money } from "../shared/format.js";
import { known, t } from "./texts.js";

/** What the list can be narrowed to, "" for all. */
export const LISTED = ["", "awaiting_payment", "paid", "ready_for_pickup", "shipped", "received", "after"];

const PAID = { express: "order.state_to_ship", spot: "order.state_to_bring" };

/** How it stands, for its heading. */
export function stateWord(order) {
  if (order.status === "paid") return t(PAID[order.delivery] || "order.state_preparing");
  return known(`order.state_${order.status}`) ? t(`order.state_${order.status}`) : order.status;
}

/** What happens next, or what one should do. */
export function stateHint(order) {
  const key = order.status === "paid" ? `order.hint_paid_${order.delivery}` : `order.hint_${order.status}`;
  return known(key) ? t(key, { spot: order.spot || "" }) : "";
}

/** How an order reaches the member: "快递配送", "到店自提", "送到 A1". */
export function deliveryWord({ delivery: kind, spot }) {
  if (spot) return t("order.to_spot", { spot });
  return known(`order.by_${kind}`) ? t(`order.by_${kind}`) : kind;
}

const NO_CITY = ["县", "省直辖县", "自治区直辖县"]; // what the list of regions calls a city that is none

/** Province, city and district, as a label has them. */
export const placeWord = (to) => `${to.province}${to.city === to.province || NO_CITY.includes(to.city) ? "" : to.city}${to.district}`;

/** "王**": a name, for a screen that others may see. */
export const veiledName = (name) => `${[...name][0] || ""}**`;

/** "138****0000": a phone number, likewise. */
export const veiledPhone = (phone) => (phone.length < 7 ? "****" : `${phone.slice(0, 3)}****${phone.slice(-4)}`);

/** Why sending costs what it costs: the rule, and what the parcel weighs. */
export const freightWord = (freight) => [t("checkout.freight"), freight.title, t("checkout.weight", { kg: String(Math.ceil(freight.weight_g / 10) / 100) })].join(" · ");

/** What took something off, or came on top. */
export function stepWord(step) {
  if (step.title) return step.title;
  return known(`step.${step.kind}`) ? t(`step.${step.kind}`) : step.kind;
}

/** "¥12.00" of one who pays, "−¥12.00" of what is taken off. */
export const offWord = (fen) => (fen > 0 ? money(-fen) : money(0));

/** What coupons took of an order, and what they left to pay. */
export function couponSums({ payable_fen: fen, tenders }) {
  const off = tenders.filter(({ type }) => type === "coupon").reduce((sum, { amount_fen: taken }) => sum + taken, 0);
  return { off, due: fen - off };
}

/** The lines of an order in a few words: "山谷苹果 等 3 件". */
export function linesWord(lines) {
  const pieces = lines.reduce((sum, { qty }) => sum + qty, 0);
  return lines.length > 1 ? t("order.lines_and", { name: lines[0].name, count: pieces }) : `${lines[0]?.name || ""} ×${pieces}`;
}

export const tenderWord = (type) => (known(`tender.${type}`) ? t(`tender.${type}`) : type);

/** What a tender paid, points with their count. */
export const tenderAmount = (tender) => (tender.points ? `${t("common.points", { count: count(tender.points) })} · ${money(tender.amount_fen)}` : money(tender.amount_fen));

/** How a request stands; while WeChat owes its part, that the money is on its way. */
export const afterWord = (one) => (one.refund_status === "refunding" ? t("after.refunding") : t(`after.state_${one.status}`));

/** A carrier by WeChat's code for it. */
export const carrierWord = (code) => (known(`carrier.${code}`) ? t(`carrier.${code}`) : code);

/** What may be asked of an order that stands so: before the goods leave, only money can come back. */
export function afterKinds(status) {
  if (["paid", "ready_for_pickup"].includes(status)) return ["refund"];
  return ["shipped", "received"].includes(status) ? ["return", "refund", "exchange"] : [];
}

const UNINVOICED = ["coupon", "points", "gift_card"];

/** Whether an invoice can name anything of it: money paid, and not all was given back. What points, coupons and gift cards paid is on none. */
export const canInvoice = ({ tenders, payable_fen: all, refunded_fen: back }) => back < all && tenders.some(({ type, amount_fen: fen }) => fen > 0 && !UNINVOICED.includes(type));

const HOLDING = ["requested", "approved", "on_the_way", "received", "refunded"];

/** Pieces by line that no request has. */
export function piecesLeft(lines, requests) {
  const left = new Map(lines.map(({ line_no: no, qty }) => [no, qty]));
  for (const { lines: held } of requests.filter(({ status }) => HOLDING.includes(status))) {
    for (const { line_no: no, qty } of held) left.set(no, Math.max(0, (left.get(no) || 0) - qty));
  }
  return left;
}
