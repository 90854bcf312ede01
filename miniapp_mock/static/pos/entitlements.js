/** What the member carries besides wallet and coupons: as the scan told it, and as it changed at this till since. */
import { change, state } from "./state.js";
import { keepMember } from "./store.js";

const held = () => state.member?.entitlements ?? {};

export const giftCards = () => held().gift_cards ?? [];
export const serviceCards = () => held().service_cards ?? [];
export const campaignCards = () => held().campaign_cards ?? [];
export const discountCard = () => held().discount_card ?? null;
export const isManager = () => Boolean(held().manager);

/** What a level or a discount card takes off, whichever is more: in basis points. */
export const discountBp = () => Math.max(state.member?.level?.discount_bp || 0, discountCard()?.discount_bp || 0);

/** A service card was used, or a use was taken back: so many are left (null: they are not counted). */
export async function leftOf(card, usesLeft) {
  if (!state.member) return;
  const others = serviceCards().filter((one) => one.id !== card.id);
  const rest = usesLeft === 0 ? others : [{ ...card, uses_left: usesLeft }, ...others];
  change((now) => { now.member = { ...now.member, entitlements: { ...held(), service_cards: rest } }; });
  await keepMember(state.member);
}
