/** What the screens say alike of archives that are handed out at the counter. */
import { h } from "/static/shared/dom.js";
import { stamp } from "./parts/format.js";
import { pill } from "./parts/states.js";
import { words } from "./texts.js";

const w = words({
  "handout.state": "状态",
  "handout.state_waiting": "待第二人审批",
  "handout.state_granted": "待下载",
  "handout.state_fetched": "已交付",
  "handout.state_refused": "已驳回",
  "handout.state_lapsed": "审批已撤回或过期",
  "handout.state_over": "已过下载时间",
  "handout.proof": "核对方式",
  "handout.proof_code": "会员码",
  "handout.proof_phone": "手机号",
  "handout.proof_paper": "证件",
  "handout.reason": "说明",
  "handout.asked_at": "申请时间",
  "handout.until": "可下载至",
  "handout.fetched_at": "下载时间",
});

const LOOKS = { waiting: "gold", granted: "brand", fetched: "brand", refused: "danger" };

/** Whether an instant is over; null is none. */
export const over = (at) => Boolean(at) && Date.parse(at) <= Date.now();

/** The state of a hand-out as staff see it: one whose time ran out before it was fetched is `over`. */
export const standing = (one) => (one.state === "granted" && over(one.until) ? "over" : one.state);

/** The columns of a list of hand-outs, without whose they are. */
export function handoutColumns() {
  const at = (name, hide) => ({ title: w(`handout.${name}`), hide, cell: (one) => h("span", { class: "num" }, one[name] ? stamp(one[name]) : "—") });
  return [
    { title: w("handout.state"), cell: (one) => pill(w(`handout.state_${standing(one)}`), LOOKS[standing(one)]) },
    { title: w("handout.proof"), cell: (one) => w(`handout.proof_${one.proof}`) },
    { title: w("handout.reason"), width: "wide", cell: (one) => one.reason },
    at("asked_at", "narrow"),
    at("until", "narrow"),
    at("fetched_at"),
  ];
}
