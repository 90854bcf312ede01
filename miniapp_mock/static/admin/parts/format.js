/** How the console writes amounts and times; everything of `shared/format.js`, and what only lists need. */
export * from "/static/shared/format.js";
import { local } from "/static/shared/format.js";

const two = (value) => String(value).padStart(2, "0");

/** An instant → `2026-11-22 09:05`: short, and columns of it stand below each other. */
export function stamp(at) {
  const parts = at ? local(at) : null;
  return parts ? `${parts.year}-${two(parts.month)}-${two(parts.day)} ${two(parts.hour)}:${two(parts.minute)}` : "—";
}

/** An instant → `2026-11-22`. */
export function day(at) { return stamp(at).slice(0, 10); }

/** An instant → how long ago, roughly: `刚刚`, `5 分钟前`, `3 小时前`, `2 天前`, else the day. */
export function ago(at, now = Date.now()) {
  const minutes = Math.floor((now - Date.parse(at)) / 60000);
  if (!Number.isFinite(minutes)) return "—";
  if (minutes < 1) return "刚刚";
  if (minutes < 60) return `${minutes} 分钟前`;
  if (minutes < 48 * 60) return minutes < 24 * 60 ? `${Math.floor(minutes / 60)} 小时前` : "昨天";
  return minutes < 30 * 24 * 60 ? `${Math.floor(minutes / (24 * 60))} 天前` : day(at);
}
