/** A checkout's choices as the request that says them, and its quote's sums. Pure. */

const BP = 10_000;

/** The lines by store, in the order in which the stores first appear. */
function byStore(lines) {
  const stores = new Map();
  for (const line of lines) {
    if (!stores.has(line.store_id)) stores.set(line.store_id, []);
    stores.get(line.store_id).push({ sku: line.sku, qty: line.qty });
  }
  return [...stores];
}

/** How that store's part reaches the member: to a table is brought what its own store sells, the rest is fetched. */
function deliveryOf({ delivery, address, spot }, storeId) {
  if (delivery === "spot") return storeId === spot.store_id ? { kind: "spot", spot_code: spot.code } : { kind: "pickup" };
  return delivery === "express" ? { kind: "express", address_id: address.id } : { kind: "pickup" };
}

/** What is sent to be priced, and to be placed. */
export function bodyOf(draft) {
  const orders = byStore(draft.lines).map(([storeId, lines]) => ({
    store_id: storeId,
    lines,
    delivery: deliveryOf(draft, storeId),
    coupon_ids: draft.coupons?.[storeId] || [],
    note: draft.notes[storeId] || "",
  }));
  return draft.tenders ? { orders, tenders: draft.tenders } : { orders };
}

/** How many points this quote could take of those there are, and what they pay: `{ points, amount_fen }`. */
export function pointsFor(quote, wallet) {
  const { afterCoupons } = draftTotals(quote);
  const points = Math.max(0, Math.min(wallet?.points?.available ?? 0, Math.floor((afterCoupons * BP) / quote.point_value_bp)));
  const amount = Math.floor((points * quote.point_value_bp) / BP);
  return amount > 0 ? { points, amount_fen: amount } : { points: 0, amount_fen: 0 };
}

/** The gift cards there are to choose from: those the quote knows, and those that were shown by number and PIN (`draft.shown`). */
export function cardsOf(draft, quote) {
  const listed = quote.gift_cards || [];
  return [...listed, ...draft.shown.filter(({ id }) => !listed.some((one) => one.id === id)).map((one) => ({ ...one, usable: true }))];
}

/** The gift cards that were chosen and can pay, each with what it pays of `due`: `[{ reference, amount_fen }]`, one that was shown by its token. */
function cardsFor(draft, quote, due) {
  let left = due;
  const tokens = new Map(draft.shown.map(({ id, token }) => [id, token]));
  return cardsOf(draft, quote).filter(({ id, usable }) => usable && draft.cards.includes(id)).map(({ id, balance_fen: balance }) => {
    const amount = Math.min(left, balance);
    left -= amount;
    return { reference: tokens.get(id) || id, amount_fen: amount };
  }).filter(({ amount_fen: fen }) => fen > 0);
}

/**
 * What pays: points where they are wanted, then the gift cards that were chosen, stored value, and WeChat what is left. The last has
 * no amount: it takes the rest, also of a price that has moved.
 */
export function tendersOf(draft, quote, wallet) {
  const points = draft.points ? pointsFor(quote, wallet) : { points: 0, amount_fen: 0 };
  const due = draftTotals(quote).afterCoupons - points.amount_fen;
  const cards = cardsFor(draft, quote, due);
  const rest = cards.reduce((left, { amount_fen: fen }) => left - fen, due);
  const stored = draft.stored ? Math.min(rest, wallet?.stored?.total_fen ?? 0) : 0;
  const tenders = [];
  if (points.points) tenders.push({ type: "points", points: points.points });
  for (const card of cards) tenders.push({ type: "gift_card", ...card });
  if (stored > 0) tenders.push({ type: "stored", amount_fen: stored });
  if (rest > stored) tenders.push({ type: "wechat", amount_fen: rest - stored });
  const last = tenders.at(-1);
  if (last && last.type !== "points") delete last.amount_fen;
  return tenders;
}

/** The best set of coupons for each store's part: `[{ storeId, ids }]`. */
export function couponsOf(quote) {
  return quote.orders.map(({ store_id: storeId, best_coupon_ids: ids }) => ({ storeId, ids }));
}

/** Steps of the same kind and title as one, in the order of the first. */
function together(steps) {
  const sums = new Map();
  for (const step of steps) {
    const name = `${step.kind} ${step.title}`;
    sums.set(name, { ...step, off_fen: (sums.get(name)?.off_fen || 0) + step.off_fen });
  }
  return [...sums.values()];
}

/** The sums over all stores. `rest` is what WeChat is left to pay. */
export function draftTotals(quote) {
  const lines = quote.orders.flatMap((order) => order.lines);
  const tenders = new Map();
  for (const tender of quote.orders.flatMap((order) => order.tenders)) {
    const sum = tenders.get(tender.type) || { type: tender.type, amount_fen: 0, points: 0 };
    tenders.set(tender.type, { ...sum, amount_fen: sum.amount_fen + tender.amount_fen, points: sum.points + (tender.points || 0) });
  }
  const of = (type) => tenders.get(type)?.amount_fen || 0;
  const steps = together(lines.flatMap((line) => line.steps));
  return {
    list: lines.reduce((sum, line) => sum + line.qty * line.list_fen, 0),
    steps,
    freight: quote.orders.reduce((sum, order) => sum + order.freight_fen, 0),
    tenders: [...tenders.values()].filter(({ amount_fen: fen }) => fen > 0),
    coupons: of("coupon"),
    off: steps.reduce((sum, step) => sum + step.off_fen, 0) + of("coupon"),
    rest: of("wechat"),
    own: of("stored") + of("points") + of("rebate") + of("gift_card"),
    afterCoupons: quote.payable_fen - of("coupon"),
    earned: quote.orders.reduce((sum, order) => sum + order.points_earned, 0),
    earnedBy: [...new Set(quote.orders.flatMap((order) => order.earned || []).flatMap(({ base, promotions }) => [base.id && base.title, ...promotions.map(({ title }) => title)]).filter(Boolean))],
  };
}
