/**
 * Every text a person reads, by key. A page makes its own `t` from the shared table and its own:
 *
 *     import { createTexts, COMMON } from "/static/shared/texts.js";
 *     export const t = createTexts({ ...COMMON, "pos.settle": "结账", … });
 *     t("pos.left", { amount: "¥5.00" })        // "还差 {amount}" → "还差 ¥5.00"
 *
 * Another language is another table with the same keys.
 */

/** A lookup over `table`; an unknown key is a mistake of ours and shows as the key itself. */
export function createTexts(table) {
  return function t(key, values) {
    const text = table[key];
    if (text === undefined) return key;
    return values ? text.replace(/\{(\w+)\}/g, (whole, name) => (values[name] === undefined ? whole : String(values[name]))) : text;
  };
}

/** Whether `table` has a text for `key`. */
export function hasText(table, key) {
  return Object.prototype.hasOwnProperty.call(table, key);
}

export const COMMON = {
  "common.ok": "好的",
  "common.cancel": "取消",
  "common.confirm": "确定",
  "common.close": "关闭",
  "common.back": "返回",
  "common.retry": "重试",
  "common.loading": "正在加载",
  "common.done": "完成",
  "common.save": "保存",
  "common.offline": "当前没有网络",
  "common.points": "{count} 积分",

  "tender.stored": "余额支付",
  "tender.points": "积分抵扣",
  "tender.rebate": "返利",
  "tender.coupon": "优惠券",
  "tender.gift_card": "礼品卡",
  "tender.cash": "现金",
  "tender.external": "其他支付",

  // what to tell a person for a problem's `code`; anything else shows the problem's own `detail`
  "error.network": "网络不通，请检查网络后重试",
  "error.timeout": "网络太慢，请重试",
  "error.unauthenticated": "登录已失效，请重新登录",
  "error.forbidden": "没有权限进行此操作",
  "error.not_found": "没有找到相关内容",
  "error.validation_failed": "填写的内容有误，请检查",
  "error.idempotency_conflict": "这次操作与上一次不一致，请重新发起",
  "error.code_invalid": "会员码无效，请让会员刷新后再扫",
  "error.code_expired": "会员码已过期，请扫新的码",
  "error.code_used": "会员码已使用过，请扫新的码",
  "error.insufficient_balance": "余额不足",
  "error.pin_reset_required": "支付密码已在门店初始化，请先设置新的支付密码",
  "error.pin_allowance": "支付密码刚重设，暂时只能确认较小的金额",
  "error.pin_conflict": "支付密码没有被锁定",
  "error.pin_acts_limit": "今天办理的次数已用完，请由其他同事办理",
  "error.member_not_present": "出示的动态码或手机号不是这位会员的",
  "error.card_invalid": "没有这个会员卡号，或这张卡还没有发出",
  "error.card_taken": "这张卡已经属于一位会员",
  "error.card_ended": "这张卡已作废或已补卡",
  "error.card_expired": "这张卡已过期",
  "error.card_lost": "这张卡已挂失",
  "error.card_held": "会员已有一张卡，请用补卡办理",
  "error.card_elsewhere": "这张卡不能在这里发出",
  "error.card_type_closed": "这种卡已停发",
  "error.card_type_exists": "代码已有，或卡号会与另一种卡相同",
  "error.card_quota": "超出配额",
  "error.card_issuer_closed": "这个发卡方已停用",
  "error.cards_not_there": "这段序号里有卡不能这样办理",
  "error.card_numbers_scarce": "这种卡的号码太短，再多就容易被猜中",
  "error.card_stock_conflict": "已被别人改动，请刷新后再试",
  "error.card_conflict": "卡的状态已变，请刷新后再试",
  "error.card_virtual_off": "现在不提供电子卡号",
  "error.order_exists": "该单号已经结过账",
  "error.tenders_mismatch": "支付金额与应付金额不一致",
  "error.tender_unsupported": "暂不支持这种支付方式",
  "error.refund_exceeds_paid": "退款金额超过已付金额",
  "error.sale_not_refundable": "这笔交易不能退款",
  "error.sale_completed": "这笔交易已经完成",
  "error.pin_required": "请输入支付密码",
  "error.pin_invalid": "支付密码不正确",
  "error.pin_locked": "支付密码错误次数过多，已暂时锁定",
  "error.coupon_unavailable": "这张优惠券现在不能使用",
  "error.out_of_stock": "库存不足",
  "error.phone_taken": "这个手机号已经是会员，请联系门店处理",
  "error.phone_code_invalid": "手机号验证已失效，请重新验证",
  "error.field_locked": "如需更改，请联系门店",
  "error.already_registered": "你已经注册过了",
  "error.status_conflict": "会员状态不允许此操作，请联系门店",
  "error.sale_not_waiting": "这笔付款已失效",
  "error.stored_limit_reached": "已到储值限额",
  "error.recharge_day_limit_reached": "今天的充值已到限额",
  "error.recharge_not_refundable": "这笔充值没有可退的金额",
  "error.refund_exceeds_principal": "退款金额超过可退金额",
  "error.recharge_refund_under_way": "这笔充值的退款正在处理",
  "error.recharge_refund_conflict": "退款状态已变化，请刷新后再看",
  "error.recharge_refund_not_offered": "充值退款请到门店办理",
  "error.rate_limited": "操作太频繁，请稍后再试",
  "error.payload_too_large": "提交的内容太大",
  "error.unavailable": "系统繁忙，请稍后再试",
  "error.crowded": "现在人太多，请稍后再试",
  "error.outcome_unknown": "结果确认中，请稍候重试，不会重复扣款",
  "error.internal_error": "系统开小差了，请稍后再试",
};
