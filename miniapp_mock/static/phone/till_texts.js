/** Texts of tills that ask who one is, and of a phone that speaks for a login of the staff. */
export const TILL = {
  "identity.title": "收银台身份确认",
  "identity.text": "{store} 的收银台请求确认您的会员身份",
  "identity.hint": "如果不是您本人在店内，请拒绝。输入支付密码可在本次使用余额，不输入则仅积分。",
  "identity.approve": "是我，仅积分",
  "identity.pin": "输入支付密码并可用余额",
  "identity.reject": "不是我，拒绝",
  "identity.done": "已确认",
  "identity.rejected": "已拒绝",
  "identity.over": "请求已失效",
  "staffphone.title": "绑定员工账户",
  "staffphone.hint": "店长授权特价",
  "staffphone.text": "在管理后台“我的账户”生成绑定码，在此输入。绑定后，您的会员码可在收银台授权特价与充值冲正。",
  "staffphone.code": "绑定码（10 位）",
  "staffphone.go": "绑定",
  "staffphone.done": "已绑定员工账户 {name}",
  "event.override": "您已在收银台授权 {amount}",
};
