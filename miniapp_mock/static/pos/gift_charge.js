/** What follows a gift card that paid without a member: the receipt of its basket. */
import { money } from "/static/shared/format.js";
import { giveBack } from "./gift_back.js";
import { notify } from "./notices.js";
import { cutFen, gross } from "./prices.js";
import { receiptOf } from "./receipt.js";
import { showResult } from "./result.js";
import { clearSale, state } from "./state.js";
import { t } from "./texts.js";

/** The card was charged; `total` is what the basket costs, 0 without one. What the card did not pay, the till takes in cash. */
export async function charged(charge, total) {
  if (!total) {
    const action = { text: t("gift.back"), run: () => giveBack(charge) };
    notify(t("gift.charged", { amount: money(charge.amount_fen) }), { detail: t("gift.left", { balance: money(charge.balance_fen) }), stays: true, action });
    return;
  }
  const memo = { lines: state.lines, change: 0, cashGiven: null, cashier: state.cashier, member: null };
  const receipt = receiptOf(asSale(charge, total), memo, state.context);
  clearSale();
  await showResult({ ...receipt, charge, giftLeft: charge.balance_fen, collect: total - charge.amount_fen });
}

/** A charge with its basket in the shape of a sale, as receipts know it. */
function asSale(charge, total) {
  const tenders = [{ type: "gift_card", amount_fen: charge.amount_fen }];
  if (total > charge.amount_fen) tenders.push({ type: "cash", amount_fen: total - charge.amount_fen });
  return {
    id: charge.id, order_no: charge.order_no, at: charge.at, payable_fen: total, tenders, points_earned: 0, balances: null,
    total_fen: state.lines.reduce((sum, line) => sum + gross(line), 0), discount_fen: state.lines.reduce((sum, line) => sum + cutFen(line), 0),
  };
}
