/**
 * Every screen of the console, in the order of the navigation. A screen is one file in `screens/` and one line here:
 *
 *     { path: "boxes", title: "意见箱", group: "voice", icon: "inbox", needs: "boxes.manage", load: () => import("./screens/boxes.js") },
 *
 * `path` is its address (`/admin#/boxes`), `needs` the permission that shows it (or a list of which one will do; none: everybody). What anybody may do
 * is decided by the calls it makes.
 * Without `icon` it is not in the navigation: it is reached from another screen. With `todo: true` its module also exports
 * `todo(given)`, and the first screen says how much waits there. How to write one: docs/console.md.
 */

/** The groups of the navigation, in order; one without a screen that the caller may see is not shown. */
export const GROUPS = [
  ["start", ""],
  ["members", "会员"],
  ["value", "储值与积分"],
  ["voice", "会员之声"],
  ["care", "触达与关怀"],
  ["money", "财务"],
  ["chain", "门店"],
];

export const SCREENS = [
  { path: "home", title: "工作台", group: "start", icon: "home", load: () => import("./screens/home.js") },
  { path: "approvals", title: "审批", group: "start", icon: "survey", todo: true, load: () => import("./screens/approvals.js") },
  { path: "contact", title: "会员卡片", group: "members", icon: "card", needs: "contact.read", load: () => import("./screens/contact.js") },
  { path: "members", title: "会员列表", group: "members", icon: "people", needs: "members.read", load: () => import("./screens/members.js") },
  { path: "registrations", title: "注册审核", group: "members", icon: "badge", needs: "members.decide", todo: true, load: () => import("./screens/registrations.js") },
  { path: "member-imports", title: "会员导入", group: "members", icon: "inbox", needs: "members.import", load: () => import("./screens/member_imports.js") },
  { path: "member-batches", title: "批量任务", group: "members", icon: "survey", needs: "members.batch", load: () => import("./screens/member_batches.js") },
  { path: "member", title: "会员资料", group: "members", needs: "members.read", load: () => import("./screens/member.js") },
  { path: "member-attributes", title: "扩展属性", group: "members", icon: "template", needs: "member_fields.write", load: () => import("./screens/member_attributes.js") },
  { path: "levels", title: "会员等级", group: "members", icon: "template", needs: "members.read", load: () => import("./screens/levels.js") },
  { path: "level", title: "等级与变更", group: "members", needs: "members.read", load: () => import("./screens/level.js") },
  { path: "member-cards", title: "会员卡", group: "members", icon: "card", needs: "member_cards.read", load: () => import("./screens/member_cards.js") },
  { path: "card-stock", title: "制卡与配卡", group: "members", icon: "inbox", needs: "member_cards.manage", load: () => import("./screens/card_stock.js") },
  { path: "stages", title: "生命周期", group: "members", icon: "chart", needs: "stages.read", load: () => import("./screens/stages.js") },
  { path: "groups", title: "团体与大客户", group: "members", icon: "heart", needs: "groups.read", load: () => import("./screens/groups.js") },
  { path: "group", title: "团体", group: "members", needs: "groups.read", load: () => import("./screens/group.js") },
  { path: "recharge-refunds", title: "充值退款", group: "value", icon: "wallet", needs: "stored.read", todo: true, load: () => import("./screens/recharge_refunds.js") },
  { path: "member-recharges", title: "会员充值记录", group: "value", needs: "stored.read", load: () => import("./screens/member_recharges.js") },
  { path: "stored-value", title: "储值报表", group: "value", icon: "chart", needs: "reports.read", load: () => import("./screens/stored_value.js") },
  { path: "merges", title: "合并会员", group: "members", icon: "heart", needs: "members.merge", load: () => import("./screens/merges.js") },
  { path: "points-adjust", title: "积分调整", group: "value", icon: "wallet", needs: "points.adjust", load: () => import("./screens/points_adjust.js") },
  { path: "points-rules", title: "积分规则", group: "value", icon: "star", needs: "points.read", load: () => import("./screens/points_rules.js") },
  { path: "points-transfers", title: "积分转赠", group: "value", icon: "exchange", needs: "points.adjust", load: () => import("./screens/points_transfers.js") },
  { path: "recharge-offers", title: "充值优惠", group: "value", icon: "wallet", needs: "recharges.read", load: () => import("./screens/recharge_offers.js") },
  { path: "gifts", title: "积分商城", group: "value", icon: "star", needs: "gifts.read", load: () => import("./screens/gifts.js") },
  { path: "gift-redemptions", title: "礼品兑换", group: "value", icon: "inbox", needs: "gifts.read", todo: true, load: () => import("./screens/gift_redemptions.js") },
  { path: "gift-report", title: "积分兑换报表", group: "value", icon: "chart", needs: "reports.read", load: () => import("./screens/gift_report.js") },
  { path: "privacy", title: "隐私", group: "members", icon: "lock", needs: "privacy.read", todo: true, load: () => import("./screens/privacy.js") },
  { path: "archive", title: "当面交付个人数据", group: "members", needs: "privacy.read", load: () => import("./screens/archive.js") },
  { path: "cases", title: "反馈处理", group: "voice", icon: "case", needs: "cases.handle", todo: true, load: () => import("./screens/cases.js") },
  { path: "case", title: "反馈", group: "voice", needs: "cases.handle", load: () => import("./screens/case.js") },
  { path: "case-figures", title: "反馈统计", group: "voice", needs: "cases.report", load: () => import("./screens/case_figures.js") },
  { path: "suggestions", title: "意见箱", group: "voice", icon: "inbox", needs: "suggestions.handle", todo: true, load: () => import("./screens/suggestions.js") },
  { path: "suggestion", title: "意见", group: "voice", needs: "suggestions.handle", load: () => import("./screens/suggestion.js") },
  { path: "suggestion-figures", title: "意见箱统计", group: "voice", needs: "suggestions.handle", load: () => import("./screens/suggestion_figures.js") },
  { path: "suggestion-boxes", title: "管理意见箱", group: "voice", needs: "suggestions.boxes", load: () => import("./screens/suggestion_boxes.js") },
  { path: "surveys", title: "问卷", group: "voice", icon: "survey", needs: "surveys.read", load: () => import("./screens/surveys.js") },
  { path: "survey", title: "问卷", group: "voice", needs: "surveys.read", load: () => import("./screens/survey.js") },
  { path: "chats", title: "客服", group: "voice", icon: "chat", needs: "conversations.handle", todo: true, load: () => import("./screens/chats.js") },
  { path: "chat-guide", title: "客服设置", group: "voice", needs: "conversations.handle", load: () => import("./screens/chat_guide.js") },
  { path: "batches", title: "消息群发", group: "care", icon: "mail", needs: "messages.read", load: () => import("./screens/batches.js") },
  { path: "message-templates", title: "消息模板", group: "care", icon: "template", needs: "messages.read", load: () => import("./screens/message_templates.js") },
  { path: "message-figures", title: "消息统计", group: "care", icon: "chart", needs: "messages.read", load: () => import("./screens/message_figures.js") },
  { path: "labels", title: "地址标签", group: "care", icon: "card", needs: "messages.labels", load: () => import("./screens/labels.js") },
  { path: "announcements", title: "公告", group: "care", icon: "horn", needs: "announcements.manage", load: () => import("./screens/announcements.js") },
  { path: "announcement", title: "公告", group: "care", needs: "announcements.manage", load: () => import("./screens/announcement.js") },
  { path: "care", title: "关怀待办", group: "care", icon: "cake", needs: "care.handle", todo: true, load: () => import("./screens/care.js") },
  { path: "care-plans", title: "关怀计划", group: "care", icon: "heart", needs: "care.plan", load: () => import("./screens/care_plans.js") },
  { path: "handbook", title: "服务手册", group: "care", icon: "book", needs: "handbook.read", load: () => import("./screens/handbook.js") },
  { path: "chapter", title: "手册章节", group: "care", needs: "handbook.write", load: () => import("./screens/chapter.js") },
  { path: "bills", title: "微信对账", group: "money", icon: "scale", needs: "reconciliation.read", todo: true, load: () => import("./screens/bills.js") },
  { path: "bill", title: "对账明细", group: "money", needs: "reconciliation.read", load: () => import("./screens/bill.js") },
  { path: "difference", title: "对账差异", group: "money", needs: "reconciliation.read", load: () => import("./screens/difference.js") },
  { path: "clearing", title: "跨店结算", group: "money", icon: "exchange", needs: "clearing.read", load: () => import("./screens/clearing.js") },
  { path: "rebates", title: "返利方案", group: "money", icon: "star", needs: "rebates.read", load: () => import("./screens/rebates.js") },
  { path: "rebate-run", title: "返利批次", group: "money", needs: "rebates.read", load: () => import("./screens/rebate_run.js") },
  { path: "rebate-report", title: "返利报表", group: "money", icon: "chart", needs: "reports.read", load: () => import("./screens/rebate_report.js") },
  { path: "shifts", title: "收银班次", group: "money", icon: "shop", needs: "shifts.read", load: () => import("./screens/shifts.js") },
  { path: "shift", title: "班次", group: "money", needs: "shifts.read", load: () => import("./screens/shift.js") },
  { path: "discounts", title: "门店折扣", group: "chain", icon: "star", needs: "discounts.read", load: () => import("./screens/discounts.js") },
  { path: "overrides", title: "特价授权", group: "chain", icon: "badge", needs: "overrides.read", load: () => import("./screens/overrides.js") },
  { path: "stores", title: "门店与终端", group: "chain", icon: "shop", needs: "terminals.manage", load: () => import("./screens/stores.js") },
  { path: "staff", title: "员工", group: "chain", icon: "badge", needs: "staff.read", load: () => import("./screens/staff.js") },
  { path: "person", title: "员工", group: "chain", needs: "staff.read", load: () => import("./screens/person.js") },
  { path: "roles", title: "角色与权限", group: "chain", needs: "staff.read", load: () => import("./screens/roles.js") },
  { path: "login-control", title: "登录管控", group: "chain", icon: "lock", needs: "staff.manage", todo: true, load: () => import("./screens/login_control.js") },
  { path: "feeds", title: "数据订阅", group: "chain", icon: "exchange", needs: "feeds.manage", todo: true, load: () => import("./screens/feeds.js") },
  { path: "feed", title: "订阅方", group: "chain", needs: "feeds.manage", load: () => import("./screens/feed.js") },
  { path: "audit", title: "操作日志", group: "chain", icon: "search", needs: "audit.read", load: () => import("./screens/audit.js") },
  { path: "account", title: "我的账户", group: "start", icon: "lock", load: () => import("./screens/account.js") },
];

/** The screen at an address, or null. */
export function screenAt(path) {
  return SCREENS.find((screen) => screen.path === path) || null;
}

/** Whether somebody of the staff has a use for a screen. */
export function sees(me, screen) {
  return !screen.needs || [screen.needs].flat().some((permission) => me.may(permission));
}

/** What somebody finds in the navigation: `[title of the group, screens]`. */
export function navigation(me) {
  return GROUPS
    .map(([code, title]) => [title, SCREENS.filter((screen) => screen.group === code && screen.icon && sees(me, screen))])
    .filter(([, screens]) => screens.length > 0);
}
