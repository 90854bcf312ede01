/** Words of feedback that several screens use. */
import { words } from "./texts.js";

export const cw = words({
  "kind.complaint": "投诉",
  "kind.opinion": "建议",
  "kind.praise": "表扬",
  "kind.consultation": "咨询",
  "channel.phone": "电话",
  "channel.shop": "门店",
  "channel.miniapp": "小程序",
  "channel.service": "客服",
  "state.received": "已收到",
  "state.assigned": "已指派",
  "state.in_progress": "处理中",
  "state.answered": "已答复",
  "state.confirmed": "已确认",
  "state.reopened": "重开",
  "state.closed": "已办结",
  "priority.low": "低",
  "priority.normal": "普通",
  "priority.high": "高",
  "priority.urgent": "紧急",
  "outcome.solved": "已解决",
  "outcome.explained": "已说明",
  "outcome.compensated": "已补偿",
  "outcome.unfounded": "不属实",
  "outcome.duplicate": "重复反馈",
});

export const KINDS = ["complaint", "opinion", "praise", "consultation"];
export const CHANNELS = ["phone", "shop", "service"];
export const PRIORITIES = ["low", "normal", "high", "urgent"];
export const OUTCOMES = ["solved", "explained", "compensated", "unfounded", "duplicate"];
export const STATE_LOOKS = { received: "gold", assigned: "gold", in_progress: "gold", reopened: "danger", answered: "brand", confirmed: "brand", closed: "" };

/** Options of a choice: `[value, text]`. */
export const options = (group, values) => values.map((value) => [value, cw(`${group}.${value}`)]);

/** The coupons that can be given now, for head office: `[template id, title]`; the first hundred, the newest first. */
export async function activeCoupons(api, signal) {
  const { items } = await api.get("/v1/admin/coupons/templates", { state: "active", limit: 100 }, { signal });
  return items.map((one) => [one.id, one.title]);
}
