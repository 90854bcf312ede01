/** Reading a member's code, and the card that shows who it is. */
import { fill, h } from "/static/shared/dom.js";
import { count, countdown, discount, money } from "/static/shared/format.js";
import * as api from "./api.js";
import { serverNow } from "./clock.js";
import * as cards from "./cards.js";
import * as coupons from "./coupons.js";
import { picture } from "./icons.js";
import { askCode } from "./code_dialog.js";
import { pause } from "./line.js";
import { announce, dismiss, notify, trouble } from "./notices.js";
import { change, dropMember, onChange, state } from "./state.js";
import { keepMember, keptMember } from "./store.js";
import { freshChoice } from "./tenders.js";
import { t } from "./texts.js";

const RETRIES_MS = [400, 1000, 2000]; // within the 30 s in which the same code gives the same answer
const MARGIN_MS = 2000;

let latest = 0;

/** Read a code (`entry` is "scanned" or "typed"); the newest reading wins. */
export async function read(code, entry) {
  latest += 1;
  const mine = latest;
  dismiss();
  change((now) => Object.assign(now, { reading: true, member: null, quote: null, choice: freshChoice() }));
  try {
    const answer = await scanned(code);
    if (mine !== latest) return;
    await take(answer, entry);
  } catch (error) {
    if (mine !== latest) return;
    change((now) => { now.reading = false; });
    trouble(error, { text: t("member.type"), run: ask });
  }
}

/** Serve who was read: `answer` is a scan's. */
export async function take(answer, entry) {
  latest += 1;
  const { member, wallet, coupons: shown = [], entitlements = {} } = answer;
  const read = { scanToken: answer.scan_token, expiresAt: answer.expires_at, entry, id: member.id, name: member.name_masked, level: member.level, notes: member.notes || {}, wallet, coupons: shown, entitlements };
  change((now) => Object.assign(now, { reading: false, member: read }));
  await keepMember(read);
  announce(t("member.read", { name: read.name, level: read.level?.name || "", stored: money(wallet.stored.total_fen) }));
}

async function scanned(code) {
  for (const waitMs of RETRIES_MS) {
    try {
      return await api.scan(code);
    } catch (error) {
      if (error.status !== undefined && error.status < 500) throw error;
      await pause(error.retryAfterMs || waitMs);
    }
  }
  return api.scan(code);
}

/** Let the cashier type the code, or use the camera. */
export async function ask() {
  const answer = await askCode();
  if (answer) await read(answer.code, answer.entry);
}

/** Take back the member read before a reload, while that reading is good. */
export async function restore() {
  const kept = await keptMember();
  if (kept && Date.parse(kept.expiresAt) - MARGIN_MS > serverNow()) change((now) => { now.member = kept; });
}

function blank() {
  const camera = "BarcodeDetector" in window;
  return h("div", { class: "member-blank" },
    h("div", { class: "member-mark" }, picture("scan", 34)),
    h("div", { class: "grow" }, h("p", { class: "strong big-text" }, t("member.scan")), h("p", { class: "small muted" }, t("member.scan_hint"))),
    h("button", { class: "button soft", type: "button", id: "member-type", onclick: ask },
      picture(camera ? "camera" : "keyboard", 20), t(camera ? "member.type_or_look" : "member.type"), h("kbd", null, "F8")));
}

function loading() {
  return h("div", { class: "member-blank", role: "status" },
    h("div", { class: "member-mark skeleton" }), h("div", { class: "grow stack tight" },
      h("div", { class: "skeleton bar-1" }),
      h("div", { class: "skeleton bar-2" }),
    ),
    h("span", { class: "sr-only" }, t("member.reading")));
}

function figure(label, value, look = "") {
  return h("div", { class: "figure" }, h("span", { class: "tiny muted" }, label), h("span", { class: `num strong ${look}` }, value));
}

function card(member, strips) {
  const { stored, points, rebate_fen: rebate } = member.wallet;
  const off = discount(member.level?.discount_bp);
  const held = member.coupons.length ? t("member.coupon_count", { count: member.coupons.length }) : t("member.none");
  return h("div", { class: "member-card" },
    h("div", { class: "row" },
      h("span", { class: "avatar", "aria-hidden": "true" }, member.name.slice(0, 1)),
      h("div", { class: "grow" },
        h("div", { class: "row tight" },
          h("span", { class: "strong big-text clip", id: "member-name" }, member.name),
          h("span", { class: "pill gold" }, member.level?.name || "", off ? ` · ${off}` : ""),
          Object.entries(member.notes || {}).map(([name, text]) => h("span", { class: "pill" }, `${name}：${text}`)),
        ),
        h("p", { class: "tiny muted", id: "member-left" })),
      h("button", { class: "button compact", type: "button", id: "member-change", onclick: dropMember }, t("member.change"))),
    h("div", { class: "figures" },
      figure(t("member.balance"), money(stored.total_fen), "brand"), figure(t("member.points"), count(points.available), "gold"),
      rebate ? figure(t("member.rebate"), money(rebate)) : null, figure(t("member.coupons"), held)),
    strips);
}

function showTime() {
  const { member } = state;
  if (!member) return;
  const leftMs = Date.parse(member.expiresAt) - serverNow() - MARGIN_MS;
  const place = document.getElementById("member-left");
  if (place) place.textContent = member.entry === "typed" ? t("member.typed") : t("member.left", { left: countdown(leftMs / 1000) });
  if (leftMs > 0 || state.settling) return;
  dropMember();
  notify(t("member.dropped"), { bad: true, action: { text: t("member.type"), run: ask } });
}

export function build() {
  const place = h("section", { class: "card member", id: "member", "aria-label": t("member.title") });
  const strips = [coupons.build(), cards.build()];
  let drawn;
  onChange(({ member, reading }) => {
    const wish = reading ? "reading" : member;
    if (drawn === wish && drawn !== undefined) return;
    if (drawn && !wish) keepMember(null);
    drawn = wish;
    fill(place, reading ? loading() : member ? card(member, strips) : blank());
    showTime();
  });
  setInterval(showTime, 1000);
  return place;
}
