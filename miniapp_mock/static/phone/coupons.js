/** The member's coupons as the phone keeps them: what was listed last stays for when the network is gone; claims go out once. */
import { createIntents } from "./intents.js";

const PAGE = 20;

export function createCoupons(app) {
  const { api, store } = app;
  const { once } = createIntents(app);

  function keep(name, value) {
    store.set({ coupons: { ...store.get("coupons"), [name]: value }, coupons_at: { ...store.get("coupons_at"), [name]: api.serverNow() } });
    return value;
  }

  const underway = new Map();

  /** Run `fetch` once for all who ask meanwhile. */
  function together(name, fetch) {
    if (!underway.has(name)) underway.set(name, fetch().finally(() => underway.delete(name)));
    return underway.get(name);
  }

  return {
    /** The first page of a state, and when it was fetched; null where it never was. */
    known: (name) => store.get("coupons")?.[name] || null,
    knownAt: (name) => store.get("coupons_at")?.[name] || null,

    /** Fetch the first page of a state and keep it. */
    load: (state) => together(state, async () => {
      const { items, next_cursor: next, available, first_expires_on: first } = await api.get("/v1/member/coupons", { state, limit: PAGE });
      return keep(state, { items, next, available, first });
    }),

    /** Fetch a further page; it is not kept. */
    more: (state, cursor) => api.get("/v1/member/coupons", { state, limit: PAGE, cursor }),

    /** Fetch what can be claimed and keep it. */
    async loadCentre() {
      const { items } = await api.get("/v1/member/coupon-centre");
      return keep("centre", { items });
    },

    detail: (id) => api.get(`/v1/member/coupons/${encodeURIComponent(id)}`),

    /** A coupon from the lists that are kept, or null. */
    find(id) {
      const lists = Object.values(store.get("coupons") || {});
      return lists.flatMap((list) => list.items).find((item) => item.id === id) || null;
    },

    /** What a link offers. */
    offer: (token) => api.get(`/v1/member/coupon-offers/${encodeURIComponent(token)}`),

    /** Claim what `body` names; `had` of it are there already. */
    claim: (body, had) => once("/v1/member/coupons/claim", body, had),

    /** Give a coupon to a friend: the answer's token is the link's. */
    give: (id) => once(`/v1/member/coupons/${encodeURIComponent(id)}/gifts`),
    takeBack: (id, giftId) => api.delete(`/v1/member/coupons/${encodeURIComponent(id)}/gifts/${encodeURIComponent(giftId)}`),

    /** What a friend's link gives, and taking it. */
    gift: (token) => api.get(`/v1/member/coupon-gifts/${encodeURIComponent(token)}`),
    acceptGift: (token) => once(`/v1/member/coupon-gifts/${encodeURIComponent(token)}/accept`),
  };
}
