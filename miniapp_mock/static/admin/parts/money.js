/** What the screens about money say alike: sides that agree or not, and what became of a difference. */
import { h } from "/static/shared/dom.js";
import { money } from "./format.js";
import { pill } from "./states.js";
import { words } from "../texts.js";

const w = words({
  "money.only_there": "微信有、本方无",
  "money.only_here": "本方有、微信无",
  "money.amount": "金额不符",
  "money.transaction": "支付单号不符",
  "money.refund_failed": "退款失败",
  "money.open": "待处理",
  "money.working": "处理中",
  "money.resolved": "已处理",
  "money.gone": "已自行消除",
  "money.payment": "收款",
  "money.refund": "退款",
  "money.refunded_by_hand": "已手工退款",
  "money.booked_by_hand": "已手工入账",
  "money.other_system": "其他系统的交易",
  "money.wechat_corrects": "微信次日更正",
  "money.accepted": "确认差额",
  "money.other": "其他",
  "money.head_office": "总部",
});

export const WHATS = ["only_there", "only_here", "amount", "transaction", "refund_failed"];
export const RESOLUTIONS = ["refunded_by_hand", "booked_by_hand", "other_system", "wechat_corrects", "accepted", "other"];
const LOOKS = { open: "danger", working: "gold", resolved: "brand", gone: "" };

/** The words for a code of theirs. */
export const say = (code) => w(`money.${code}`);

/** How far a difference is. */
export const standing = (state) => pill(say(state), LOOKS[state]);

/** What is wrong, or nothing. */
export const wrong = (what) => (what ? pill(say(what), "danger") : "");

/** Fen in a column; what one side does not know is a dash. */
export const fen = (amount) => h("span", { class: "num" }, amount === null ? "—" : money(amount));

/** A store in words; none is head office. */
export const store = (id) => id || say("head_office");
