/** Gift cards at the till (F1): one that is shown pays with its PIN, with or without a member; one that is sold is loaded. */
import { h } from "/static/shared/dom.js";
import { date, inGroups, money, parseYuan, yuan } from "/static/shared/format.js";
import * as api from "./api.js";
import { button, field, openDialog } from "./dialogs.js";
import * as entitlements from "./entitlements.js";
import * as errands from "./errands.js";
import { charged } from "./gift_charge.js";
import { announce, dismiss, notify, trouble } from "./notices.js";
import { numberAtHand } from "./numbers.js";
import { prices } from "./quotes.js";
import { isGiftCard } from "./scanner.js";
import { change, state } from "./state.js";
import { MOST_GIFTS, giftsWorth, withGifts } from "./tenders.js";
import { t, troubleText } from "./texts.js";

const NUMBER = 16;

const digitsOf = (text, most) => text.replace(/[０-９]/g, (c) => String.fromCharCode(c.charCodeAt(0) - 0xfee0)).replace(/\D/g, "").slice(0, most);

function choose(gifts) {
  dismiss();
  change((now) => { now.choice = withGifts(now.choice, gifts); });
}

/** Pay with a card that the member bound, or do without it again. */
export function toggle(card) {
  const { gifts } = state.choice;
  if (gifts.some(({ id }) => id === card.id)) choose(gifts.filter(({ id }) => id !== card.id));
  else add({ id: card.id, reference: card.id, title: card.number_masked, balance: card.balance_fen });
}

function add(gift) {
  const others = state.choice.gifts.filter(({ id }) => id !== gift.id);
  if (others.length < MOST_GIFTS) choose([...others, gift]);
  else notify(t("gift.most", { count: MOST_GIFTS }), { bad: true });
}

/** The tender was tapped: off where it was on. */
export const press = () => (state.choice.gifts.length ? choose([]) : more());

/** Pay with the member's own cards as far as they are needed; where there are none, or more is wanted, with one that is shown (F1). */
export function more() {
  if (state.choice.gifts.length) return open();
  const { due } = prices();
  const gifts = [];
  for (const card of entitlements.giftCards()) {
    if (giftsWorth(gifts) >= due || gifts.length === MOST_GIFTS) break;
    gifts.push({ id: card.id, reference: card.id, title: card.number_masked, balance: card.balance_fen });
  }
  return gifts.length && state.lines.length ? choose(gifts) : open();
}

/** A field for a card's number: typed in groups of four, or scanned. */
function numberField(value) {
  const input = h("input", { class: "input big num", id: "gift-number", inputmode: "numeric", autocomplete: "off", maxlength: "24", value: inGroups(value), autofocus: !value });
  input.addEventListener("input", () => {
    const before = digitsOf(input.value.slice(0, input.selectionStart), NUMBER).length;
    input.value = inGroups(digitsOf(input.value, NUMBER));
    const caret = before + Math.floor(Math.max(0, before - 1) / 4);
    input.setSelectionRange(caret, caret);
  });
  return { ...field(t("gift.number"), input), number: () => digitsOf(input.value, NUMBER), take(text) { input.value = inGroups(text); } };
}

const enter = (run) => (event) => { if (event.key === "Enter") { event.preventDefault(); run(); } };

/** Ask for the number and the PIN of a card that is shown. */
export function open(scanned = "") {
  const cardNo = numberField(scanned);
  const pin = field(t("gift.pin"), h("input", { class: "input big num secret", id: "gift-pin", inputmode: "numeric", autocomplete: "off", maxlength: "12", autofocus: Boolean(scanned) }));
  const go = button(t("gift.check"), check, "primary", { id: "gift-check" });
  const take = (text) => {
    if (isGiftCard(text)) {
      cardNo.take(text);
      cardNo.complain("");
      pin.input.focus();
    } else if (document.activeElement === pin.input) { // a PIN pad types as fast as a scanner
      pin.input.value = text;
      check();
    }
  };
  cardNo.input.addEventListener("keydown", enter(() => pin.input.focus()));
  pin.input.addEventListener("keydown", enter(check));
  const dialog = openDialog({
    title: t("gift.title"), onScan: take,
    body: [h("p", { class: "small muted" }, t(state.member ? "gift.hint_member" : "gift.hint")), cardNo.wrapper, pin.wrapper],
    actions: [button(t("gift.load"), () => { dialog.close(); load(cardNo.number()); }, "", { id: "gift-load" }), go],
  });

  async function check() {
    const number = cardNo.number();
    cardNo.complain(isGiftCard(number) ? "" : t("gift.number_wrong"));
    pin.complain(isGiftCard(number) && !pin.input.value ? t("gift.pin_missing") : "");
    if (!isGiftCard(number)) return cardNo.input.focus();
    if (!pin.input.value || go.getAttribute("aria-busy") === "true") return pin.input.focus();
    go.setAttribute("aria-busy", "true");
    try {
      const card = await api.checkGiftCard(number, digitsOf(pin.input.value, 12));
      dialog.close();
      return found(card);
    } catch (error) {
      pin.complain(troubleText(error).title);
      return pin.input.select();
    } finally {
      go.setAttribute("aria-busy", "false");
    }
  }
}

/** The card is good: it pays the member's sale, or is charged for somebody who is no member. */
function found(card) {
  if (!state.member) return charge(card);
  add({ id: card.card_id, reference: card.card_token, title: card.number_masked, balance: card.balance_fen });
  announce(t("gift.chosen", { number: card.number_masked, balance: money(card.balance_fen) }));
  if (!state.lines.length) notify(t("gift.chosen", { number: card.number_masked, balance: money(card.balance_fen) }));
  return undefined;
}

const about = (card) => h("div", { class: "gift-about" },
  h("p", { class: "row between" }, h("span", { class: "strong" }, card.title), h("span", { class: "small muted num" }, card.number_masked)),
  h("p", { class: "gift-balance num" }, money(card.balance_fen)),
  card.valid_until ? h("p", { class: "small muted num" }, t("service.until", { date: date(card.valid_until) })) : null);

/** A field for an amount in yuan; `fen()` is what it says, or null. */
function amountField(label, fen) {
  const input = h("input", { class: "input big num", id: "gift-amount", inputmode: "decimal", autocomplete: "off", maxlength: "12", autofocus: true, value: fen ? yuan(fen) : "" });
  input.addEventListener("focus", () => input.select());
  return { ...field(label, input), fen: () => parseYuan(input.value.trim()) };
}

async function charge(card) {
  const total = state.lines.length ? prices().payable : 0;
  const amount = amountField(t("gift.charge_amount"), Math.min(total, card.balance_fen));
  const ok = () => {
    const fen = amount.fen();
    if (fen > 0 && fen <= card.balance_fen && (!total || fen <= total)) dialog.close(fen);
    else amount.complain(t("gift.amount_wrong", { max: money(total ? Math.min(total, card.balance_fen) : card.balance_fen) }));
  };
  amount.input.addEventListener("keydown", enter(ok));
  const dialog = openDialog({
    title: t("gift.charge_title"),
    body: [about(card), total ? h("p", { class: "row between small" }, h("span", { class: "muted" }, t("gift.basket")), h("span", { class: "num" }, money(total))) : null, amount.wrapper, h("p", { class: "small muted" }, t("gift.charge_hint"))],
    actions: [button(t("common.cancel"), () => dialog.close(null)), button(t("gift.charge"), ok, "primary", { id: "gift-charge" })],
  });
  const fen = await dialog.closed;
  if (!fen) return;
  const orderNo = await numberAtHand();
  try {
    const body = { card_token: card.card_token, order_no: orderNo, amount_fen: fen };
    const answer = await errands.run("/v1/pos/gift-cards/charges", body, { what: t("gift.charge_errand", { amount: money(fen) }), orderNo });
    if (answer) await charged(answer, total);
  } catch (error) {
    trouble(error, { text: t("gift.again"), run: () => open() });
  }
}

/** Load a card that is sold. */
async function load(scanned) {
  const cardNo = numberField(scanned);
  const amount = amountField(t("gift.load_amount"), 0);
  amount.input.autofocus = false;
  const ok = () => {
    const number = cardNo.number();
    const typed = amount.input.value.trim();
    cardNo.complain(isGiftCard(number) ? "" : t("gift.number_wrong"));
    amount.complain(typed && !(amount.fen() > 0) ? t("gift.amount_bad") : "");
    if (isGiftCard(number) && (!typed || amount.fen() > 0)) dialog.close({ card_no: number, ...(typed ? { amount_fen: amount.fen() } : {}) });
  };
  for (const { input } of [cardNo, amount]) input.addEventListener("keydown", enter(ok));
  const dialog = openDialog({
    title: t("gift.load_title"), onScan: (text) => { if (isGiftCard(text)) { cardNo.take(text); amount.input.focus(); } },
    body: [h("p", { class: "small muted" }, t("gift.load_hint")), cardNo.wrapper, amount.wrapper],
    actions: [button(t("common.cancel"), () => dialog.close(null)), button(t("gift.load_do"), ok, "primary", { id: "gift-load-do" })],
  });
  const wish = await dialog.closed;
  if (!wish) return;
  try {
    const orderNo = await numberAtHand();
    const loaded = await errands.run("/v1/pos/gift-cards/activate", { ...wish, order_no: orderNo }, { what: t("gift.load_errand"), orderNo });
    if (loaded) notify(t("gift.loaded", { number: loaded.number_masked, amount: money(loaded.amount_fen) }), { detail: t("gift.loaded_detail", { order: orderNo }), stays: true, action: { text: t("gift.unload"), run: () => unload(loaded) } });
  } catch (error) {
    trouble(error);
  }
}

async function unload(loaded) {
  try {
    const undone = await errands.run(`/v1/pos/gift-cards/activations/${encodeURIComponent(loaded.id)}/undo`, {}, { what: t("gift.unload_errand"), orderNo: loaded.order_no });
    if (undone) notify(t("gift.unloaded", { number: loaded.number_masked }));
  } catch (error) {
    trouble(error);
  }
}
