/** Order numbers: counted up on this machine for each day of the store. */
import { local } from "/static/shared/format.js";
import { serverNow } from "./clock.js";
import { change, state } from "./state.js";
import { takeOrderNo } from "./store.js";

const ABOVE_ALL = 10000;

/** The day of an order number, in the store's zone: `261123`. */
export function orderDay() {
  const { year, month, day } = local(serverNow());
  return [year % 100, month, day].map((part) => String(part).padStart(2, "0")).join("");
}

/** Above every number that this terminal gave out today, also where its counter was lost: from the second of the day. */
export function leastFree() {
  const { hour, minute, second } = local(serverNow());
  return ABOVE_ALL + (hour * 60 + minute) * 60 + second;
}

/** A number that was never given out. */
export const freshNumber = (least) => takeOrderNo(state.context.terminal.id, orderDay(), least);

/** Give the basket a number. */
export async function takeNumber(least) {
  const orderNo = await freshNumber(least);
  change((now) => { now.orderNo = orderNo; });
}

/** The basket's number, which it gets now if it has none; without a basket a number of its own. */
export async function numberAtHand() {
  if (!state.lines.length) return freshNumber();
  if (!state.orderNo) await takeNumber();
  return state.orderNo;
}
