/** Giving back what a gift card paid without a member. */
import { money } from "/static/shared/format.js";
import * as errands from "./errands.js";
import { notify, trouble } from "./notices.js";
import { t } from "./texts.js";

/** Give all of a charge back to its card; true where that is done. */
export async function giveBack(charge) {
  try {
    const body = { amount_fen: charge.amount_fen, reason: t("reason.wrong") };
    const path = `/v1/pos/gift-cards/charges/${encodeURIComponent(charge.id)}/refunds`;
    const refund = await errands.run(path, body, { what: t("gift.back_errand", { amount: money(charge.amount_fen) }), orderNo: charge.order_no });
    if (refund) notify(t("gift.given_back", { amount: money(refund.amount_fen), balance: money(refund.balance_fen) }), { stays: true });
    return Boolean(refund);
  } catch (error) {
    trouble(error);
    return false;
  }
}
