/** The right side below the member: what is to pay, how it is paid, and the button that settles. */
import { fill, h } from "/static/shared/dom.js";
import { count, money, parseYuan, yuan } from "/static/shared/format.js";
import * as entitlements from "./entitlements.js";
import * as gifts from "./gifts.js";
import { picture } from "./icons.js";
import { isUp, watch } from "./line.js";
import { announce, dismiss } from "./notices.js";
import { couponsShown, limits, pointsValue, prices, shares } from "./quotes.js";
import { settle } from "./settle.js";
import { change, onChange, state } from "./state.js";
import { edit, giftsWorth, likelyCash, press } from "./tenders.js";
import { t } from "./texts.js";

const ICONS = { stored: "wallet", points: "star", rebate: "rebate", gift_card: "gift", cash: "cash", external: "card" };
const KEYS = { gift_card: "F1", cash: "F6", external: "F7" };
const TYPES = Object.keys(ICONS);

function choose(next) {
  dismiss(); // what a notice said of the amounts is no longer so
  change((now) => { now.choice = next; });
}

/** Let a tender take what is missing, and put the caret into its amount. */
export function use(type) {
  if (type === "gift_card") {
    gifts.press();
    return;
  }
  if (!state.lines.length) return;
  choose(press(state.choice, type, prices().due, limits()));
  const input = document.getElementById(`amount-${type}`);
  if (type === "cash" || type === "external") setTimeout(() => { input.focus(); input.select(); }, 0);
}

/** Which gift cards pay, or could. */
function giftHint() {
  const { gifts: chosen } = state.choice;
  if (chosen.length) return chosen.map(({ title, balance }) => t("pay.gift_chosen", { last4: title.slice(-4), balance: money(balance) })).join("、");
  const own = entitlements.giftCards();
  return own.length ? t("pay.available", { amount: money(giftsWorth(own.map((card) => ({ balance: card.balance_fen })))) }) : t("pay.gift_hint");
}

function available(type, amounts) {
  const { member } = state;
  if (type === "cash") {
    const given = state.choice.cashGiven;
    return given !== null && amounts.cash > 0 ? t("pay.cash_given", { amount: money(given) }) : t("pay.cash_hint");
  }
  if (type === "external") return t("pay.external_hint");
  if (type === "gift_card") return giftHint();
  if (!member) return t("pay.after_scan");
  if (type === "points") {
    const points = member.wallet.points.available;
    return points > 0 ? t("pay.points_available", { count: count(points), amount: money(pointsValue(points)) }) : t("pay.points_debt");
  }
  const fen = limits()[type];
  return fen ? t("pay.available", { amount: money(fen) }) : t("pay.nothing_stored");
}

function tenderRow(type) {
  const hint = h("span", { class: "tiny muted clip num", id: `hint-${type}` });
  const input = h("input", {
    class: "input amount num", id: `amount-${type}`, inputmode: "decimal", autocomplete: "off", maxlength: "12", placeholder: "0.00",
    "aria-label": t("pay.amount_of", { tender: t(`pay.${type}`) }), "aria-describedby": `hint-${type}`,
  });
  const choice = h("button", {
    class: "tender-use", type: "button", id: `use-${type}`, "aria-label": t("pay.use", { tender: t(`pay.${type}`) }), onclick: () => use(type),
  },
    h("span", { class: "tender-mark" }, picture(ICONS[type], 20)),
    h("span", { class: "tender-text" }, h("span", { class: "strong" }, t(`pay.${type}`), KEYS[type] ? h("kbd", null, KEYS[type]) : null), hint));
  const row = h("div", { class: "tender", dataset: { type } }, choice, input);
  input.addEventListener("focus", () => input.select());
  input.addEventListener("input", () => {
    const text = input.value.trim();
    const fen = text === "" ? null : parseYuan(text);
    const wrong = text !== "" && fen === null;
    input.setAttribute("aria-invalid", String(wrong));
    if (!wrong) choose(edit(state.choice, type, fen));
  });
  input.addEventListener("keydown", (event) => { if (event.key === "Enter") { event.preventDefault(); settle(); } });
  input.addEventListener("blur", () => { input.setAttribute("aria-invalid", "false"); change(() => {}); });
  return { row, input, choice, hint };
}

/** What the chosen coupons take off, among the tenders; the cross does without them. */
function couponRow() {
  const names = h("span", { class: "tiny muted clip", id: "hint-coupon" });
  const amount = h("output", { class: "coupon-amount num strong", id: "amount-coupon" });
  const row = h("div", { class: "tender on", dataset: { type: "coupon" }, hidden: true },
    h("span", { class: "tender-use" },
      h("span", { class: "tender-mark" }, picture("ticket", 20)),
      h("span", { class: "tender-text" }, h("span", { class: "strong" }, t("tender.coupon")), names)),
    amount,
    h("button", {
      class: "icon-button", type: "button", id: "drop-coupons", "aria-label": t("coupons.drop"), onclick: () => choose({ ...state.choice, coupons: [] }),
    }, picture("close", 18)));
  return { row, names, amount };
}

function drawCoupons({ row, names, amount }, fen) {
  const chosen = couponsShown().shown.filter((coupon) => state.choice.coupons.includes(coupon.id));
  row.hidden = !chosen.length;
  names.textContent = chosen.map((coupon) => coupon.title).join("、");
  amount.textContent = fen ? `−${money(fen)}` : "…";
}

function draw(type, { row, input, choice, hint }, { amounts }, max) {
  const mine = ["stored", "points", "rebate", "gift_card"].includes(type);
  const usable = state.lines.length > 0 && (!mine || (state.member && max[type] > 0));
  const shown = type === "cash" && state.choice.cashGiven !== null ? state.choice.cashGiven : amounts[type];
  row.classList.toggle("on", amounts[type] > 0);
  row.hidden = type === "rebate" && !max.rebate;
  choice.disabled = !usable && type !== "gift_card"; // a card that is shown is asked for its number
  choice.setAttribute("aria-pressed", String(amounts[type] > 0));
  input.disabled = !usable;
  hint.textContent = available(type, amounts);
  if (document.activeElement !== input) input.value = shown > 0 ? yuan(shown) : "";
}

function quickCash(place, amounts, total) {
  const onCash = amounts.cash > 0 || document.activeElement?.id === "amount-cash";
  const due = state.choice.cashGiven === null ? amounts.cash : Math.max(amounts.cash, total);
  const likely = onCash ? likelyCash(due || total) : [];
  place.hidden = !likely.length;
  fill(place, likely.map((fen, i) => h("button", {
    class: "button compact num", type: "button", onclick: () => choose(edit(state.choice, "cash", fen)),
  }, i === 0 ? t("pay.exact") : `¥${fen / 100}`)));
}

function sumLines(sums) {
  const parts = [];
  if (sums.member || sums.cut) parts.push(h("span", null, t("pay.listed", { amount: money(sums.total) })));
  if (sums.member) parts.push(h("span", { class: "gold" }, t("pay.member_cut", { amount: money(sums.member) })));
  if (sums.cut) parts.push(h("span", { class: "brand" }, t("pay.cut", { amount: money(sums.cut) })));
  return parts;
}

/** Whether the sale will wait for the phone: the quote says so, and before it came the limit does. */
function needsPhone(sums, amounts) {
  const limit = state.context?.limits?.password_free_sale_fen ?? Infinity;
  return Boolean(state.member) && (sums.phone || state.member.entry === "typed" || amounts.stored + amounts.points + amounts.rebate + amounts.gift_card > limit);
}

/** What is still to do before the sale can be settled, in a word and an amount. */
function standing(sums, { amounts, remaining, change: back }) {
  if (!state.member) return [t("pay.scan_first"), 0];
  if (back > 0) return [t("pay.change"), back];
  if (remaining > 0) return [t("pay.left"), remaining];
  return [t(needsPhone(sums, amounts) ? "pay.phone" : "pay.settled"), 0];
}

/** What a screen reader hears when the sums change. */
function spokenSums(sums, { remaining }) {
  if (!state.lines.length || !state.member) return "";
  const left = remaining ? `，${t("pay.left_spoken", { amount: money(remaining) })}` : "";
  return `${t("pay.total")} ${money(sums.payable)}${left}`;
}

export function build() {
  const total = h("output", { class: "total num", id: "payable" });
  const parts = h("p", { class: "total-parts tiny muted num" });
  const earned = h("p", { class: "tiny gold num" });
  const rows = Object.fromEntries(TYPES.map((type) => [type, tenderRow(type)]));
  const coupons = couponRow();
  const quick = h("div", { class: "quick-cash", hidden: true });
  const reference = h("input", {
    class: "input small-input", id: "reference", maxlength: "64", autocomplete: "off", placeholder: t("pay.reference"), "aria-label": t("pay.reference"),
  });
  reference.addEventListener("input", () => choose({ ...state.choice, reference: reference.value }));
  const leftLabel = h("span", { class: "small" });
  const left = h("output", { class: "left-amount num", id: "remaining" });
  const leftRow = h("div", { class: "left-row" }, leftLabel, left);
  const go = h("button", { class: "button primary settle", type: "button", id: "settle", onclick: () => settle() },
    h("span", { class: "settle-text" }),
    h("kbd", null, "F9"),
  );
  const goText = go.firstChild;
  let said = "";

  const show = () => {
    const sums = prices();
    const split = shares();
    const max = limits();
    total.textContent = money(sums.payable);
    total.classList.toggle("long", sums.payable >= 10000000);
    fill(parts, sumLines(sums));
    earned.textContent = sums.earned ? t("pay.earn", { count: count(sums.earned) }) : "";
    drawCoupons(coupons, sums.coupon);
    for (const type of TYPES) draw(type, rows[type], split, max);
    quickCash(quick, split.amounts, sums.due - split.amounts.stored - split.amounts.points - split.amounts.rebate - split.amounts.gift_card - split.amounts.external);
    reference.parentElement.hidden = split.amounts.external === 0;
    if (document.activeElement !== reference) reference.value = state.choice.reference;
    const waits = state.lines.length > 0;
    const asks = waits && !state.member;
    leftRow.classList.toggle("due", waits && !asks && split.remaining > 0);
    leftRow.classList.toggle("change", !asks && split.change > 0);
    const [label, fen] = waits ? standing(sums, split) : ["", 0];
    leftLabel.textContent = label;
    left.textContent = fen ? money(fen) : "";
    go.classList.toggle("not-yet", waits && (asks || split.remaining > 0));
    go.disabled = !waits;
    go.setAttribute("aria-busy", String(state.settling));
    goText.textContent = state.settling ? t("pay.settling") : t("pay.settle");
    const say = spokenSums(sums, split);
    if (say && say !== said && sums.exact) announce(say);
    if (sums.exact || !say) said = say;
  };

  const view = [
    h("section", { class: "card sums", "aria-label": t("pay.total") },
      h("div", { class: "row between" }, h("span", { class: "muted" }, t("pay.total")), total), h("div", { class: "row between" }, parts, earned)),
    h("section", { class: "card pay", "aria-label": t("pay.methods") },
      h("div", { class: "tenders" }, coupons.row, TYPES.flatMap((type) => [
        rows[type].row,
        type === "cash" ? quick : null,
        type === "external" ? h("div", { class: "reference" }, reference) : null,
      ])),
      h("div", { class: "pay-foot" }, leftRow, go)),
  ];
  onChange(show);
  watch(() => { go.classList.toggle("offline-now", !isUp()); });
  document.addEventListener("focusin", show);
  return view;
}
