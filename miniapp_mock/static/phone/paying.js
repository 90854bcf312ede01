/** What WeChat is left to pay of orders that stand, and the way to the result. */
import { problemText, t } from "./texts.js";

/**
 * Let the member pay what is due (`payment` of a placed or an open order); true where the cashier took it. A cancel is no
 * failure: the order waits for its payment.
 */
async function payNow(app, payment) {
  try {
    await app.wx.requestPayment({ ...payment.pay_params, outTradeNo: payment.id });
    return true;
  } catch (error) {
    if (!error.errMsg) throw error;
    app.toast(/cancel/.test(error.errMsg) ? t("recharge.cancelled") : error.errMsg.replace(/^requestPayment:fail\s*/, ""));
    return false;
  }
}

/** After placing: the cashier where something is due, then the result. */
export async function payPlaced(app, placed) {
  if (placed.payment) await payNow(app, placed.payment).catch((error) => app.toast(problemText(error)));
  app.go(`order-result?${placed.orders.map(({ id }) => encodeURIComponent(id)).join(",")}`, { replace: true });
}

/** Pay an order that waits for it. */
export async function payOrder(app, order) {
  return payNow(app, await app.orders.payAgain(order.id));
}
