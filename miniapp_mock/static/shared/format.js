/** How amounts, dates and times are written. Pure functions; no locale of the phone leaks in. */

const ZONE_MS = 8 * 3600 * 1000; // Asia/Shanghai is UTC+8 all year

function grouped(digits) {
  return digits.replace(/\B(?=(\d{3})+$)/g, ",");
}

/** `123450` → `1,234.50`, with a minus sign (U+2212) before negatives. */
export function yuan(fen) {
  if (!Number.isFinite(fen)) return "—";
  const whole = Math.abs(Math.trunc(fen));
  const sign = fen < 0 ? "−" : "";
  return `${sign}${grouped(String(Math.floor(whole / 100)))}.${String(whole % 100).padStart(2, "0")}`;
}

/** `123450` → `¥1,234.50`. */
export function money(fen) {
  if (!Number.isFinite(fen)) return "—";
  return fen < 0 ? `−¥${yuan(-fen)}` : `¥${yuan(fen)}`;
}

/** As `money`, without `.00` where there are no fen: `¥500`, `¥0.50`. */
export function shortMoney(fen) {
  return money(fen).replace(/\.00$/, "");
}

/** With its sign always: `+¥5.00`, `−¥5.00`. */
export function signedMoney(fen) {
  return fen > 0 ? `+${money(fen)}` : money(fen);
}

/** `1234` → `1,234`. */
export function count(value) {
  if (!Number.isFinite(value)) return "—";
  const whole = Math.trunc(value);
  return `${whole < 0 ? "−" : ""}${grouped(String(Math.abs(whole)))}`;
}

/** With its sign always: `+1,234`. */
export function signedCount(value) {
  return value > 0 ? `+${count(value)}` : count(value);
}

/** Yuan typed by a person → fen, or null where it is not an amount: `1,234.5` → 123450. */
export function parseYuan(text) {
  const cleaned = String(text).replace(/[,，\s¥￥]/g, "").replace(/[０-９．。]/g, (c) => (c === "．" || c === "。" ? "." : String.fromCharCode(c.charCodeAt(0) - 0xfee0)));
  const match = /^(\d{1,9})(?:\.(\d{0,2}))?$/.exec(cleaned);
  if (!match) return null;
  return Number(match[1]) * 100 + Number((match[2] || "").padEnd(2, "0"));
}

/** The parts of an instant as a clock in Asia/Shanghai shows them, or null. */
export function local(at) {
  const ms = at instanceof Date ? at.getTime() : typeof at === "number" ? at : Date.parse(at);
  if (!Number.isFinite(ms)) return null;
  const shifted = new Date(ms + ZONE_MS);
  return {
    year: shifted.getUTCFullYear(),
    month: shifted.getUTCMonth() + 1,
    day: shifted.getUTCDate(),
    hour: shifted.getUTCHours(),
    minute: shifted.getUTCMinutes(),
    second: shifted.getUTCSeconds(),
  };
}

const two = (value) => String(value).padStart(2, "0");

/** An instant, or a plain date `2026-11-22`, → `2026年11月22日`. */
export function date(at) {
  const plain = typeof at === "string" && /^(\d{4})-(\d{2})-(\d{2})$/.exec(at);
  if (plain) return `${Number(plain[1])}年${Number(plain[2])}月${Number(plain[3])}日`;
  const parts = local(at);
  return parts ? `${parts.year}年${parts.month}月${parts.day}日` : "—";
}

/** A plain date `2026-11-22` → `11月22日`. */
export function shortDate(plain) {
  const [, month, day] = plain.split("-").map(Number);
  return `${month}月${day}日`;
}

/** An instant → `09:05`. */
export function time(at) {
  const parts = local(at);
  return parts ? `${two(parts.hour)}:${two(parts.minute)}` : "—";
}

/** An instant → `2026年11月22日 09:05`. */
export function dateTime(at) {
  return local(at) ? `${date(at)} ${time(at)}` : "—";
}

/** An instant → `11月22日 09:05`; for lists that already say the year. */
export function dayTime(at) {
  const parts = local(at);
  return parts ? `${parts.month}月${parts.day}日 ${time(at)}` : "—";
}

/** An instant → `2026年11月`. */
export function month(at) {
  const parts = local(at);
  return parts ? `${parts.year}年${parts.month}月` : "—";
}

/** Whole seconds that are left → `1:05`. */
export function countdown(seconds) {
  const left = Math.max(0, Math.floor(seconds));
  return `${Math.floor(left / 60)}:${two(left % 60)}`;
}

/** What a level takes off, in basis points, as Chinese shops say it: 500 → `95折`, 1250 → `87.5折`, 0 → ``. */
export function discount(bp) {
  if (!(bp > 0) || bp >= 10000) return "";
  const left = (10000 - bp) / 100; // 95, 87.5, 90
  const text = left % 10 === 0 ? String(left / 10) : String(left);
  return `${text}折`;
}

/** Digits in groups of four, for reading aloud. */
export function inGroups(digits) {
  return String(digits).replace(/(\d{4})(?=\d)/g, "$1 ");
}
