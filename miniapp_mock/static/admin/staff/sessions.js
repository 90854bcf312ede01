/** Living sessions and the history of log-ins, one's own or somebody's. */
import { h } from "/static/shared/dom.js";
import { stamp } from "../parts/format.js";
import { pill } from "../parts/states.js";
import { table } from "../parts/table.js";
import { words } from "../texts.js";

const w = words({
  "sessions.title": "登录会话",
  "sessions.device": "设备",
  "sessions.unknown": "未知设备",
  "sessions.address": "地址",
  "sessions.since": "登录时间",
  "sessions.seen": "最近活动",
  "sessions.current": "当前",
  "sessions.actions": "操作",
  "sessions.end": "结束",
  "sessions.none": "没有登录会话",
  "logins.title": "登录记录",
  "logins.at": "时间",
  "logins.outcome": "结果",
  "logins.done": "成功",
  "logins.failed": "失败",
  "logins.none": "还没有登录记录",
});

const KNOWN = [[/MicroMessenger/, "微信"], [/Edg\//, "Edge"], [/Chrome\//, "Chrome"], [/Firefox\//, "Firefox"], [/Safari\//, "Safari"]];
const SYSTEMS = [[/iPhone|iPad/, "iOS"], [/Android/, "Android"], [/Windows/, "Windows"], [/Mac OS X/, "macOS"], [/Linux/, "Linux"]];

/** `Mozilla/5.0 (Windows …) Chrome/…` → `Chrome · Windows`. */
export function device(agent) {
  const of = (list) => list.find(([form]) => form.test(agent || ""))?.[1];
  return [of(KNOWN), of(SYSTEMS)].filter(Boolean).join(" · ") || (agent || "").slice(0, 40) || w("sessions.unknown");
}

export function sessionTable({ load, end, signal }) {
  return table({
    label: w("sessions.title"), signal, load, none: { icon: "lock", title: w("sessions.none") },
    columns: [
      { title: w("sessions.device"), cell: (one) => h("span", null, device(one.agent), " ", one.current && pill(w("sessions.current"), "brand")) },
      { title: w("sessions.address"), cell: (one) => one.address || "—" },
      { title: w("sessions.since"), cell: (one) => stamp(one.created_at), hide: "narrow" },
      { title: w("sessions.seen"), cell: (one) => (one.seen_at ? stamp(one.seen_at) : "—") },
      { title: w("sessions.actions"), cell: (one) => end && !one.current && h("button", { type: "button", class: "button compact", "aria-label": `${w("sessions.end")} ${device(one.agent)}`, onclick: () => end(one) }, w("sessions.end")) },
    ],
  });
}

export function loginTable({ load, signal }) {
  return table({
    label: w("logins.title"), signal, load, none: { icon: "clock", title: w("logins.none") },
    columns: [
      { title: w("logins.at"), cell: (one) => stamp(one.at) },
      { title: w("logins.outcome"), cell: (one) => (one.code ? pill(w("logins.failed"), "danger") : pill(w("logins.done"), "brand")) },
      { title: w("sessions.address"), cell: (one) => one.address },
    ],
  });
}
