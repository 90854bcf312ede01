/** When, from which devices and how often staff log in; how much of a member's is at once; devices that wait for a word. */
import { h } from "/static/shared/dom.js";
import { attempt, confirm, toast } from "../parts/dialogs.js";
import { formDialog } from "../parts/form.js";
import { stamp } from "../parts/format.js";
import { factList, head, pill, section } from "../parts/states.js";
import { table } from "../parts/table.js";
import { words } from "../texts.js";

const w = words({
  "lc.title": "登录管控",
  "lc.note": "几秒内生效；管理员角色不受时段限制",
  "lc.edit": "修改",
  "lc.hours": "登录时段（每行一条：星期 开始-结束 角色 门店，* 为不限）",
  "lc.hours_note": "例：1,2,3,4,5 09:00-22:00 clerk S1；可跨午夜；某人没有对应的时段则不限",
  "lc.hours_wrong": "第 {row} 行看不懂",
  "lc.no_hours": "不限",
  "lc.known": "只允许已知设备登录（新设备须动态验证码，或由总部允许）",
  "lc.tries": "密码连错几次锁定",
  "lc.minutes": "锁定几分钟",
  "lc.sessions": "会员同一微信最多登录几处",
  "lc.devices": "会员最多几台离线会员码设备",
  "lc.yes": "是",
  "lc.no": "否",
  "lc.saved": "已保存",
  "lc.list": "员工设备",
  "lc.who": "员工",
  "lc.agent": "设备",
  "lc.address": "地址",
  "lc.seen": "最近使用",
  "lc.state": "状态",
  "lc.waiting": "待允许",
  "lc.known_state": "已知",
  "lc.revoked": "已移除",
  "lc.actions": "操作",
  "lc.approve": "允许",
  "lc.revoke": "移除",
  "lc.revoke_ask": "移除 {name} 的这台设备？",
  "lc.revoke_text": "它的登录会话马上结束。",
  "lc.done": "已办理",
  "lc.none": "还没有登记的设备",
  "lc.todo": "台员工设备等待允许",
});

const CONTROL = "/v1/admin/login-control";
const DEVICES = "/v1/admin/staff-devices";
const LOOKS = { waiting: "gold", known: "brand" };

/** How many devices wait, for the first screen. */
export async function todo({ api, me, signal }) {
  if (!me.may("staff.manage")) return null;
  const { items } = await api.get(DEVICES, { state: "waiting" }, { signal });
  return { count: items.length, more: false, text: w("lc.todo"), query: {} };
}

export const hoursText = (one) => `${one.days} ${one.begin}-${one.end} ${one.role || "*"} ${one.store_id || "*"}`;

/** A line of hours, or null for what is none. */
export function readHours(line) {
  const [, days, begin, end, role, store] = /^\s*([1-7](?:,[1-7])*)\s+(\d\d:\d\d)-(\d\d:\d\d)(?:\s+(\S+))?(?:\s+(\S+))?\s*$/.exec(line) || [];
  if (!days) return null;
  return { days: days.split(",").map(Number), begin, end, role: role && role !== "*" ? role : null, store_id: store && store !== "*" ? store : null };
}

export async function open({ api, signal }) {
  let now = null;

  const facts = section(async () => {
    now = await api.get(CONTROL, {}, { signal });
    return h("div", { class: "card" }, factList([
      [w("lc.hours"), now.hours.length ? h("div", null, now.hours.map((one) => h("div", null, hoursText(one)))) : w("lc.no_hours")],
      [w("lc.known"), w(now.known_devices ? "lc.yes" : "lc.no")],
      [w("lc.tries"), now.staff_tries], [w("lc.minutes"), now.staff_lock_minutes],
      [w("lc.sessions"), now.member_sessions], [w("lc.devices"), now.member_devices],
    ]));
  }, { signal });

  async function edit() {
    const saved = await formDialog({
      title: w("lc.title"),
      fields: [
        { name: "hours", label: w("lc.hours"), kind: "lines", rows: 4, most: 4000, note: w("lc.hours_note"), value: now.hours.map(hoursText).join("\n") },
        { name: "known_devices", label: w("lc.known"), kind: "tick", value: now.known_devices },
        { name: "staff_tries", label: w("lc.tries"), kind: "number", value: now.staff_tries, required: true },
        { name: "staff_lock_minutes", label: w("lc.minutes"), kind: "number", value: now.staff_lock_minutes, required: true },
        { name: "member_sessions", label: w("lc.sessions"), kind: "number", value: now.member_sessions, required: true },
        { name: "member_devices", label: w("lc.devices"), kind: "number", value: now.member_devices, required: true },
      ],
      onSubmit: (values) => {
        const hours = (values.hours || "").split("\n").filter((line) => line.trim()).map((line, row) => {
          const read = readHours(line);
          const why = w("lc.hours_wrong", { row: row + 1 });
          if (!read) throw Object.assign(new Error(why), { name: "ApiError", detail: why, fields: [{ pointer: "/hours", message: why }] });
          return read;
        });
        return api.put(CONTROL, { ...values, hours, version: now.version }, { again: false });
      },
    });
    if (saved) { toast(w("lc.saved")); facts.reload(); }
  }

  async function revoke(one) {
    if (!(await confirm(w("lc.revoke_ask", { name: one.username }), { content: w("lc.revoke_text"), confirmText: w("lc.revoke"), danger: true }))) return;
    await attempt(() => api.remove(`${DEVICES}/${one.id}`), w("lc.done"));
    list.reload();
  }

  async function approve(one) {
    await attempt(() => api.post(`${DEVICES}/${one.id}/approve`, {}, { again: true }), w("lc.done"));
    list.reload();
  }

  const button = (text, one, run, look = "soft") => h("button", { type: "button", class: `button compact ${look}`, "aria-label": `${text} ${one.username}`, onclick: () => attempt(() => run(one)) }, text);
  const list = table({
    label: w("lc.list"),
    signal,
    load: () => api.get(DEVICES, {}, { signal }),
    none: { icon: "lock", title: w("lc.none") },
    columns: [
      { title: w("lc.who"), cell: (one) => h("span", { class: "strong" }, one.username) },
      { title: w("lc.agent"), hide: "narrow", cell: (one) => h("span", { class: "small", title: one.agent }, one.agent.slice(0, 48)) },
      { title: w("lc.address"), hide: "narrow", cell: (one) => h("span", { class: "num" }, one.address) },
      { title: w("lc.seen"), cell: (one) => stamp(one.seen_at) },
      { title: w("lc.state"), cell: (one) => pill(w(one.state === "known" ? "lc.known_state" : `lc.${one.state}`), LOOKS[one.state]) },
      { title: w("lc.actions"), cell: (one) => h("div", { class: "row-actions" }, one.state === "waiting" && button(w("lc.approve"), one, approve, "primary"), one.state !== "revoked" && button(w("lc.revoke"), one, revoke, "danger")) },
    ],
  });
  return [head(w("lc.title"), { note: w("lc.note"), actions: [h("button", { type: "button", class: "button primary", onclick: () => attempt(edit) }, w("lc.edit"))] }), facts, h("h2", null, w("lc.list")), list];
}
