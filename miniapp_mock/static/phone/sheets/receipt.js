/** The receipt of a sale that just went through. */
import { h } from "../../shared/dom.js";
import { openDialog } from "../../shared/dialog.js";
import { count, money, signedCount } from "../../shared/format.js";
import { glyph } from "../icons.js";
import { fact } from "../parts.js";
import { known, t } from "../texts.js";

const LINES_SHOWN = 4;
const shown = new Set();

/** Whether the member has seen this sale's receipt. */
export const receiptShown = (saleId) => shown.has(saleId);

/** Show it once a sale; `data` is the event's `{ sale, store, balances }`. */
export function showReceipt(app, data) {
  const { sale, store } = data;
  if (sale.id && shown.has(sale.id)) return;
  shown.add(sale.id);
  const balances = data.balances || sale.balances || {};
  const body = h(
    "div",
    { class: "sheet-body stack receipt" },
    h("div", { class: "receipt-head", role: "status" },
      h("span", { class: "done-mark" }, glyph("check", 34)),
      h("h2", null, t("receipt.title")),
      store?.name && h("p", { class: "muted small" }, store.name)),
    h("p", { class: "big-amount num" }, money(sale.payable_fen)),
    earned(sale),
    h("dl", { class: "facts" },
      goods(sale),
      sale.discount_fen > 0 && fact(t("receipt.discount"), money(sale.discount_fen), { look: "brand" }),
      (sale.tenders || []).map((tender) => fact(known(`tender.${tender.type}`) ? t(`tender.${tender.type}`) : tender.type, money(tender.amount_fen)))),
    h("dl", { class: "facts sunk" },
      Number.isFinite(balances.stored_fen) && fact(t("receipt.balance"), money(balances.stored_fen), { look: "strong" }),
      Number.isFinite(balances.points) && fact(t("receipt.points"), count(balances.points), { look: "gold strong" }),
      sale.order_no && fact(t("receipt.order"), sale.order_no)),
    h("div", { class: "sheet-actions" },
      h("button", { type: "button", class: "button", onclick: () => { dialog.close(); app.go("entries"); } }, t("receipt.entries")),
      h("button", { type: "button", class: "button primary", autofocus: true, onclick: () => dialog.close() }, t("common.done"))),
  );
  const dialog = openDialog(body, { label: t("receipt.title") });
}

function earned(sale) {
  if (!(sale.points_earned > 0)) return null;
  return h("p", { class: "earned" }, glyph("star", 18), h("span", null, t("receipt.earned")), h("strong", { class: "num" }, signedCount(sale.points_earned)));
}

/** The lines by name where the server tells names (the first few), else their sum. */
function goods(sale) {
  const lines = sale.lines || [];
  if (!lines.length) return null;
  const pieces = lines.reduce((sum, line) => sum + (line.qty || 0), 0);
  if (!lines.some((line) => line.name)) return fact(t("receipt.pieces_sum", { count: pieces }), money(sale.total_fen));
  const rows = lines.slice(0, LINES_SHOWN).map((line) => fact(`${line.name || line.sku} ${t("receipt.pieces", { qty: line.qty })}`, money(line.payable_fen)));
  if (lines.length > LINES_SHOWN) rows.push(h("div", { class: "fact" }, h("dt", { class: "muted" }, t("receipt.more_lines", { count: lines.length }))));
  return rows;
}
