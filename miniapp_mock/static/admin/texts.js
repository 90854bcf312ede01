/**
 * The console's own texts. A screen has a table of its own beside them:
 *
 *     const t = words({ "boxes.answer": "回复" });
 */
import { COMMON, createTexts } from "/static/shared/texts.js";

const TEXTS = {
  ...COMMON,
  "app.title": "管理后台",
  "app.skip": "跳到内容",
  "app.nav": "导航",
  "app.menu": "菜单",
  "app.logout": "退出登录",
  "app.offline": "当前没有网络，恢复后请重试",
  "app.unknown": "没有这个页面",
  "app.unknown_hint": "地址可能写错了，或者你的角色看不到它。",
  "app.to_start": "回到工作台",


  "login.title": "员工登录",
  "login.username": "用户名",
  "login.password": "密码",
  "login.totp": "动态验证码",
  "login.totp_note": "6 位数字，来自验证器；手机不在身边时填恢复码；没有设置可留空",
  "login.submit": "登录",
  "login.wrong": "用户名、密码或动态验证码不正确",
  "login.login_hours": "现在不在您的登录时段内",
  "login.device_unknown": "这台设备还没有被允许。请用动态验证码登录，或联系总部允许这台设备后再试",
  "login.locked": "输错次数太多，请约 {minutes} 分钟后再试",
  "login.ended": "登录已失效，请重新登录，会回到刚才的页面",
  "login.missing": "请填写用户名和密码",
  "login.totp_wrong": "动态验证码是 6 位数字，恢复码是 10 个字符",

  "table.more": "加载更多",
  "table.all": "共 {count} 条，已全部显示",
  "table.some": "已显示 {count} 条",
  "table.none_yet": "找过的会员或记录里还没有，可以继续查找",
  "table.empty": "还没有内容",
  "table.loading_more": "正在加载更多",

  "form.required": "必填",
  "form.wrong": "请检查标红的内容",
  "form.yuan": "请输入金额，例如 12.50",
  "form.number": "请输入整数",
  "form.optional": "选填",

  "keys.title": "键盘快捷键",
  "keys.help": "快捷键",
  "keys.search": "查找会员",
  "keys.close": "关闭对话框",

  "chart.table": "数据表",
  "chart.none": "还没有数据",

  "status.none": "未注册",
  "status.pending": "待审核",
  "status.active": "正常",
  "status.frozen": "已冻结",
  "status.expired": "已到期",
  "gender.male": "男",
  "gender.female": "女",
  "gender.unknown": "未知",

  "error.already_exists": "已经存在同名或同编号的内容",
  "error.case_gift_limit": "超过您可以补偿的额度或今天的件数",
  "error.case_gift_given": "这件反馈已经补偿过",
  "error.case_without_member": "这件反馈没有会员账户，无法发放",
  "error.case_own": "这是您自己的反馈，请由他人补偿",
  "error.case_conflict": "这件反馈刚刚有变化，请刷新后再试",
  "error.coupon_sold_out": "这张券已发完",
  "error.coupon_limit_reached": "这位会员已领过这张券的上限",
  "error.coupon_not_claimable": "这张券现在不能发放",
  "error.member_inactive": "会员已冻结，无法发放",
  "error.export_daily": "这位会员今天已申请过个人数据，请到会员的“个人数据”里查看",
  "error.export_not_ready": "个人数据还在整理，请稍候",
  "error.export_gone": "这份个人数据已过期删除，请重新申请",
  "error.handout_not_granted": "现在不能下载：还没有同意、已被驳回，或已过下载时间",
  "error.erasure_under_way": "这个账号正在注销",
  "error.too_many_approvals": "您等待审批的申请太多，请先办完",
  "error.own_login": "自己的密码和动态验证码请在「我的账户」修改；解锁请找另一位管理员",
  "error.approval_own": "不能审批自己的申请",
  "error.approval_same_hands": "两个登录可能在同一人手里（刚建立或重置），请由另一人审批",
  "error.approval_asker_gone": "申请人已停用，只能驳回；仍需办理请重新申请",
  "error.approval_decided": "这项申请已经办理",
  "error.approval_expired": "这项申请已过期",
  "error.login_locked": "输错次数太多，请稍后再试",
};

/** A text of the console. */
export const t = createTexts(TEXTS);

/** A look-up over the console's texts and a screen's own. */
export function words(own) { return createTexts({ ...TEXTS, ...own }); }

/** What to tell a person of a failure: our word for its code, else the problem's own detail. */
export function problemText(error) {
  const known = error && error.code && TEXTS[`error.${error.code}`];
  if (error && error.code === "validation_failed" && error.detail) return error.detail;
  if (known) return known;
  return (error && error.detail) || TEXTS["error.internal_error"];
}
