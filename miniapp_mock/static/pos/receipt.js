/** Receipts: what one says (plain data, kept to print it again) and how it looks on 80 mm paper. */
import { h, s } from "/static/shared/dom.js";
import { count, dateTime, money, yuan } from "/static/shared/format.js";
import { textPath } from "./barcode128.js";
import { serverNow } from "./clock.js";
import { cutFen, gross } from "./prices.js";
import { t } from "./texts.js";

/** A completed sale as its receipt shows it; names and cash come from the till's own memo. */
export function receiptOf(sale, memo, context) {
  return {
    kind: "sale", saleId: sale.id, orderNo: sale.order_no, at: sale.at || new Date(serverNow()).toISOString(),
    chain: context.chain_name, store: context.store.name, terminal: context.terminal.name || context.terminal.id, cashier: memo.cashier,
    member: memo.member, total: sale.total_fen, saved: sale.discount_fen, payable: sale.payable_fen,
    tenders: sale.tenders.map((tender) => ({ ...tender, title: memo.coupons?.[tender.coupon_id] ?? memo.gifts?.[tender.reference] })),
    earned: sale.points_earned, balances: sale.balances, change: memo.change, cashGiven: memo.cashGiven,
    lines: memo.lines.map((line) => ({
      name: line.name, sku: line.sku, qty: line.qty, price: line.unit_price_fen, sum: gross(line) - cutFen(line), cut: cutFen(line),
    })),
  };
}

/** A refund as its slip shows it. */
export function refundReceiptOf(refund, sale, lines, reason, context, cashier) {
  return {
    kind: "refund", saleId: sale.id, orderNo: sale.order_no, at: refund.at || new Date(serverNow()).toISOString(),
    chain: context.chain_name, store: context.store.name, terminal: context.terminal.name || context.terminal.id, cashier,
    payable: refund.refund_fen, tenders: refund.by_tender, clawed: refund.points_clawed_back, returned: refund.points_returned, reason, lines,
    coupons: (refund.coupons_returned || []).filter((coupon) => coupon.state === "available").length,
  };
}

/** What a tender is called: a coupon by its title, a gift card by its last digits. */
export const tenderName = (tender) => (tender.title ? `${t(`tender.${tender.type}`)} ${tender.title}` : t(`tender.${tender.type}`));

const row = (label, value, look = "") => h("div", { class: `slip-row ${look}` }, h("span", null, label), h("span", { class: "num" }, value));
const rule = () => h("div", { class: "slip-rule", "aria-hidden": "true" });

function barcode(orderNo) {
  const bars = textPath(orderNo, 30);
  if (!bars) return null;
  return s("svg", {
    class: "slip-code", viewBox: `-10 0 ${bars.width + 20} 30`, preserveAspectRatio: "none", role: "img", "aria-label": orderNo,
  }, s("path", { d: bars.path, fill: "#000" }));
}

function lineRows(line) {
  return h("div", { class: "slip-line" },
    h("div", null, line.name || line.sku),
    line.price === undefined
      ? row(`×${line.qty}`, yuan(line.sum))
      : row(`${yuan(line.price)} ×${line.qty}${line.cut ? `  −${yuan(line.cut)}` : ""}`, yuan(line.sum)));
}

function head(data) {
  return [
    h("h3", { class: "slip-title" }, data.chain), h("p", { class: "center" }, data.store),
    data.kind === "refund" ? h("p", { class: "slip-kind" }, t("receipt.refund")) : null,
    rule(),
    row(t("receipt.order"), data.orderNo), row(t("receipt.time"), dateTime(data.at)), row(t("receipt.terminal"), data.terminal),
    data.cashier ? row(t("receipt.cashier"), data.cashier) : null,
    data.member ? row(t("receipt.member"), `${data.member.name} ${data.member.level?.name || ""}`) : null,
    rule(),
  ];
}

function saleFoot(data) {
  return [
    row(t("receipt.total"), money(data.total)), data.saved ? row(t("receipt.saved"), `−${money(data.saved)}`) : null,
    row(t("receipt.payable"), money(data.payable), "slip-big"),
    data.tenders.map((tender) => row(tenderName(tender), money(tender.amount_fen))),
    data.cashGiven ? [row(t("receipt.given"), money(data.cashGiven)), row(t("receipt.change"), money(data.change))] : null,
    rule(),
    data.earned ? row(t("receipt.earned"), `+${count(data.earned)}`) : null,
    data.balances ? [row(t("receipt.stored"), money(data.balances.stored_fen)), row(t("receipt.points"), count(data.balances.points))] : null,
    Number.isFinite(data.giftLeft) ? row(t("receipt.gift_left"), money(data.giftLeft)) : null,
  ];
}

function refundFoot(data) {
  return [
    row(t("receipt.refunded"), money(data.payable), "slip-big"),
    data.tenders.map((tender) => row(t(`tender.${tender.type}`), money(tender.amount_fen))),
    data.clawed ? row(t("receipt.clawed"), count(data.clawed)) : null, data.returned ? row(t("receipt.returned"), count(data.returned)) : null,
    data.coupons ? row(t("receipt.coupons_returned"), t("member.coupon_count", { count: data.coupons })) : null,
    row(t("receipt.reason"), data.reason), rule(), h("p", { class: "slip-sign" }, t("receipt.signature")),
  ];
}

/** The slip as an element, for the screen or for paper. */
export function slip(data) {
  const lines = data.lines.map(lineRows);
  return h("article", { class: "slip" },
    head(data), lines, lines.length ? rule() : null, data.kind === "refund" ? refundFoot(data) : saleFoot(data), rule(),
    barcode(data.orderNo), h("p", { class: "center num" }, data.orderNo), h("p", { class: "center" }, t("receipt.thanks")));
}

const paper = new CSSStyleSheet(); // a roll has no page height of its own: each slip sets it
document.adoptedStyleSheets = [...document.adoptedStyleSheets, paper];

/** Print it through the browser. */
export const print = (data) => printPaper(slip(data));

/** Print a slip that is an element. */
export function printPaper(element) {
  const place = document.getElementById("print");
  place.replaceChildren(element);
  const heightMm = Math.ceil((place.firstChild.getBoundingClientRect().height * 25.4) / 96) + 2;
  paper.replaceSync(`@page { size: 80mm ${heightMm}mm; margin: 0; }`);
  window.print();
}
