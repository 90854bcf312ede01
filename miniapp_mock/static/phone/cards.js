/** The member's cards: the list of all as it was fetched last stays on the phone; each card's page asks for its own. */

const ENTRIES = 20;

export function createCards(app) {
  const { api, store } = app;
  const one = (kind, id) => `/v1/member/${kind}/${encodeURIComponent(id)}`;
  let underway = null;

  async function fetchAll() {
    const { items } = await api.get("/v1/member/cards");
    store.set({ cards: items, cards_at: api.serverNow() });
  }

  return {
    /** All that was fetched last, and when; null where it never was. */
    known: () => store.get("cards"),
    knownAt: () => store.get("cards_at"),

    /** Fetch all and keep them; who asks meanwhile waits for the same answer. */
    load() {
      underway ||= fetchAll().finally(() => { underway = null; });
      return underway;
    },

    /** A card from the list that is kept, or null. */
    find: (kinds, id) => (store.get("cards") || []).find((card) => kinds.includes(card.kind) && card.id === id) || null,

    /** Make a printed gift card one's own; asked again, it answers the same. */
    bind: (cardNo, pin) => api.post("/v1/member/gift-cards", { card_no: cardNo, pin }),
    /** What is on a card that nobody has bound, with a token that it pays this member's orders with for a quarter of an hour. */
    check: (cardNo, pin) => api.post("/v1/member/gift-cards/check", { card_no: cardNo, pin }),
    giftCard: (id) => api.get(one("gift-cards", id)),
    giftEntries: (id, cursor) => api.get(`${one("gift-cards", id)}/entries`, cursor ? { cursor, limit: ENTRIES } : { limit: ENTRIES }),

    pass: (id) => api.get(one("passes", id)),

    /** What one can collect for, with what one has. */
    campaigns: () => api.get("/v1/member/campaign-cards").then(({ items }) => items),
    campaignCard: (id) => api.get(one("campaign-cards", id)),
    checkIn: (id) => api.post(`${one("campaign-cards", id)}/check-in`),
    redeem: (id) => api.post(`${one("campaign-cards", id)}/redeem`),
  };
}
