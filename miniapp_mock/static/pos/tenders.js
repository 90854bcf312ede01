/**
 * How a payable amount is shared over tenders. A choice is `{ fixed, cashGiven, rest, reference }`: amounts the cashier set,
 * the cash the customer handed over, and the one tender that takes what is left; the gift cards to use, `{ reference, title,
 * balance }` each, in this order; and the coupons to use, by id, whose amounts the server sets: `payable` here is what they
 * leave. Pure functions.
 */
export const ORDER = ["stored", "points", "rebate", "gift_card", "cash", "external"];
export const MOST_GIFTS = 5;

/** Stored value pays all that it can. */
export function freshChoice() {
  return { fixed: {}, cashGiven: null, rest: "stored", reference: "", coupons: [], gifts: [] };
}

/** The amounts by tender, what is still missing, and the change to give; `limits` are the member's balances in fen. */
export function allocate(payable, choice, limits) {
  const amounts = Object.fromEntries(ORDER.map((type) => [type, 0]));
  let left = payable;
  const take = (type, wish) => {
    let fen = Math.max(0, Math.min(wish, left, limits[type] ?? Infinity));
    if (type === "points") fen -= fen % (limits.pointsStep || 1);
    amounts[type] += fen;
    left -= fen;
  };
  for (const type of ["points", "rebate", "gift_card", "external", "stored"]) if (choice.fixed[type] !== undefined) take(type, choice.fixed[type]);
  if (choice.cashGiven !== null) take("cash", choice.cashGiven);
  if (choice.rest) take(choice.rest, left - (choice.fixed[choice.rest] !== undefined ? left : 0));
  const change = choice.cashGiven !== null ? Math.max(0, choice.cashGiven - amounts.cash) : 0;
  return { amounts, remaining: left, change };
}

/** The cashier chose a tender: points and rebate switch on and off; others take what is missing, or take over the rest. */
export function press(choice, type, payable, limits) {
  const next = { ...choice, fixed: { ...choice.fixed } };
  const { amounts, remaining } = allocate(payable, choice, limits);
  if (type === "points" || type === "rebate") {
    if (amounts[type] > 0) {
      delete next.fixed[type];
      if (!next.rest) next.rest = "stored";
    } else next.fixed[type] = limits[type] ?? 0;
    return next;
  }
  if (next.rest === type && remaining === 0 && amounts[type] > 0) return next;
  if (remaining > 0 && next.rest && next.rest !== type && amounts[next.rest] > 0) {
    if (next.rest === "cash") next.cashGiven = amounts.cash;
    else next.fixed[next.rest] = amounts[next.rest];
  }
  delete next.fixed[type];
  if (type === "cash") next.cashGiven = null;
  else if (remaining === 0 && amounts.cash > 0) next.cashGiven = null;
  next.rest = type;
  return next;
}

/** Pay with these gift cards, with all that is on them. */
export function withGifts(choice, gifts) {
  const fixed = { ...choice.fixed };
  delete fixed.gift_card;
  if (gifts.length) fixed.gift_card = giftsWorth(gifts);
  return { ...choice, gifts, fixed, rest: choice.rest || "stored" };
}

/** What is on these gift cards together. */
export const giftsWorth = (gifts) => gifts.reduce((sum, { balance }) => sum + balance, 0);

/** An amount over the gift cards, the first as far as it goes. */
function giftTenders(amount, gifts) {
  let left = amount;
  return gifts.map(({ reference, balance }) => {
    const fen = Math.min(balance, left);
    left -= fen;
    return { type: "gift_card", amount_fen: fen, reference };
  }).filter((tender) => tender.amount_fen > 0);
}

/** The cashier typed an amount (null: emptied the field). */
export function edit(choice, type, fen) {
  const next = { ...choice, fixed: { ...choice.fixed } };
  if (type === "cash") next.cashGiven = fen;
  else if (fen === null) delete next.fixed[type];
  else next.fixed[type] = fen;
  if (fen === null) next.rest ||= type;
  else if (next.rest === type) next.rest = null;
  return next;
}

/** The tenders of a sale's body, in their fixed order, none of zero. */
export function saleTenders({ amounts }, { reference, gifts }) {
  return ORDER.filter((type) => amounts[type] > 0).flatMap((type) => {
    if (type === "gift_card") return giftTenders(amounts[type], gifts);
    const tender = { type, amount_fen: amounts[type] };
    if (type === "external" && reference.trim()) tender.reference = reference.trim();
    return tender;
  });
}

/** What a customer is likely to hand over for `fen`: the exact sum and the next round ones. */
export function likelyCash(fen) {
  const rounded = [1000, 5000, 10000].map((step) => Math.ceil(fen / step) * step);
  return [...new Set([fen, ...rounded])].filter((value) => value > 0).slice(0, 4);
}
