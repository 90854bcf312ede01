/**
 * Every screen of the console, in the order of the navigation. A screen is one file in `screens/` and one line here:
 *
 *     { path: "boxes", title: "意见箱", group: "voice", icon: "inbox", roles: MANAGERS, load: () => import("./screens/boxes.js") },
 *
 * `path` is its address (`/admin#/boxes`), `roles` who finds it in the navigation (the calls it makes decide what anybody may do).
 * Without `icon` it is not in the navigation: it is reached from another screen. With `todo: true` its module also exports
 * `todo(given)`, and the first screen says how much waits there. How to write one: docs/console.md.
 */
export const EVERYBODY = ["admin", "manager", "clerk"];
export const MANAGERS = ["admin", "manager"];
export const HEAD_OFFICE = ["admin"];

/** The groups of the navigation, in order; one without a screen that the caller may see is not shown. */
export const GROUPS = [
  ["start", ""],
  ["members", "会员"],
  ["voice", "会员之声"],
  ["care", "触达与关怀"],
  ["chain", "门店"],
];

export const SCREENS = [
  { path: "home", title: "工作台", group: "start", icon: "home", roles: EVERYBODY, load: () => import("./screens/home.js") },
  { path: "contact", title: "会员卡片", group: "members", icon: "card", roles: EVERYBODY, load: () => import("./screens/contact.js") },
  { path: "members", title: "会员列表", group: "members", icon: "people", roles: EVERYBODY, todo: true, load: () => import("./screens/members.js") },
  { path: "cases", title: "反馈处理", group: "voice", icon: "case", roles: EVERYBODY, todo: true, load: () => import("./screens/cases.js") },
  { path: "case", title: "反馈", group: "voice", roles: EVERYBODY, load: () => import("./screens/case.js") },
  { path: "case-figures", title: "反馈统计", group: "voice", roles: MANAGERS, load: () => import("./screens/case_figures.js") },
  { path: "suggestions", title: "意见箱", group: "voice", icon: "inbox", roles: EVERYBODY, todo: true, load: () => import("./screens/suggestions.js") },
  { path: "suggestion", title: "意见", group: "voice", roles: EVERYBODY, load: () => import("./screens/suggestion.js") },
  { path: "suggestion-boxes", title: "管理意见箱", group: "voice", roles: HEAD_OFFICE, load: () => import("./screens/suggestion_boxes.js") },
  { path: "surveys", title: "问卷", group: "voice", icon: "survey", roles: EVERYBODY, load: () => import("./screens/surveys.js") },
  { path: "survey", title: "问卷", group: "voice", roles: EVERYBODY, load: () => import("./screens/survey.js") },
  { path: "chats", title: "客服", group: "voice", icon: "chat", roles: EVERYBODY, todo: true, load: () => import("./screens/chats.js") },
  { path: "batches", title: "消息群发", group: "care", icon: "mail", roles: MANAGERS, load: () => import("./screens/batches.js") },
  { path: "message-templates", title: "消息模板", group: "care", icon: "template", roles: MANAGERS, load: () => import("./screens/message_templates.js") },
  { path: "message-figures", title: "消息统计", group: "care", icon: "chart", roles: MANAGERS, load: () => import("./screens/message_figures.js") },
  { path: "labels", title: "地址标签", group: "care", icon: "card", roles: MANAGERS, load: () => import("./screens/labels.js") },
  { path: "announcements", title: "公告", group: "care", icon: "horn", roles: MANAGERS, load: () => import("./screens/announcements.js") },
  { path: "announcement", title: "公告", group: "care", roles: MANAGERS, load: () => import("./screens/announcement.js") },
  { path: "care", title: "关怀待办", group: "care", icon: "cake", roles: EVERYBODY, todo: true, load: () => import("./screens/care.js") },
  { path: "care-plans", title: "关怀计划", group: "care", icon: "heart", roles: HEAD_OFFICE, load: () => import("./screens/care_plans.js") },
  { path: "handbook", title: "服务手册", group: "care", icon: "book", roles: EVERYBODY, load: () => import("./screens/handbook.js") },
  { path: "chapter", title: "手册章节", group: "care", roles: HEAD_OFFICE, load: () => import("./screens/chapter.js") },
  { path: "stores", title: "门店与终端", group: "chain", icon: "shop", roles: MANAGERS, load: () => import("./screens/stores.js") },
  { path: "staff", title: "员工", group: "chain", icon: "badge", roles: HEAD_OFFICE, load: () => import("./screens/staff.js") },
];

/** The screen at an address, or null. */
export function screenAt(path) {
  return SCREENS.find((screen) => screen.path === path) || null;
}

/** What a role finds in the navigation: `[title of the group, screens]`. */
export function navigation(role) {
  return GROUPS
    .map(([code, title]) => [title, SCREENS.filter((screen) => screen.group === code && screen.icon && screen.roles.includes(role))])
    .filter(([, screens]) => screens.length > 0);
}
