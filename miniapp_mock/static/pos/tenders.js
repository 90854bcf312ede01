/**
 * How a payable amount is shared over tenders. A choice is `{ fixed, cashGiven, rest, reference }`: amounts the cashier set,
 * the cash the customer handed over, and the one tender that takes what is left. Pure functions.
 */
export const ORDER = ["stored", "points", "rebate", "cash", "external"];

/** Stored value pays all that it can. */
export function freshChoice() {
  return { fixed: {}, cashGiven: null, rest: "stored", reference: "" };
}

/** The amounts by tender, what is still missing, and the change to give; `limits` are the member's balances in fen. */
export function allocate(payable, choice, limits) {
  const amounts = { stored: 0, points: 0, rebate: 0, cash: 0, external: 0 };
  let left = payable;
  const take = (type, wish) => {
    let fen = Math.max(0, Math.min(wish, left, limits[type] ?? Infinity));
    if (type === "points") fen -= fen % (limits.pointsStep || 1);
    amounts[type] += fen;
    left -= fen;
  };
  for (const type of ["points", "rebate", "external", "stored"]) if (choice.fixed[type] !== undefined) take(type, choice.fixed[type]);
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
export function saleTenders({ amounts }, reference) {
  return ORDER.filter((type) => amounts[type] > 0).map((type) => {
    const tender = { type, amount_fen: amounts[type] };
    if (type === "external" && reference) tender.reference = reference;
    return tender;
  });
}

/** What a customer is likely to hand over for `fen`: the exact sum and the next round ones. */
export function likelyCash(fen) {
  const rounded = [1000, 5000, 10000].map((step) => Math.ceil(fen / step) * step);
  return [...new Set([fen, ...rounded])].filter((value) => value > 0).slice(0, 4);
}
