/**
 * Orders: what is about to be bought, its quote, placing it once, and those there are.
 *
 * A checkout that was sent and not answered is kept with its key and its exact body. Until its fate is known nothing else is
 * placed: the same request goes out again, after a restart too, and brings the first answer.
 */
import { newKey } from "../shared/api.js";
import { createIntents } from "./intents.js";

const PAGE = 10;
const MANY = 100;
const DRAFT = "session:checkout";
const UNDECIDED = [401, 429];

export function createOrders(app) {
  const { api, seen, store, wx } = app;
  const { once } = createIntents(app);
  let draft = resumed();

  /** The checkout that this page was at before it was loaded again, where it is still the same member's. */
  function resumed() {
    const kept = wx.getStorageSync(DRAFT);
    const mine = kept && kept.member_id === store.get("member")?.id;
    return mine ? { ...kept.draft, address: null, spot: null, shown: [], tenders: null } : null;
  }

  const path = (id, rest = "") => `/v1/member/orders/${encodeURIComponent(id)}${rest}`;

  /**
   * Send what is kept until its fate is known: its answer, or the refusal; while nothing is known it stays kept. The payment
   * PIN goes along and is never kept: what was placed with it answers without it. Of one that went out before, a refusal for want
   * of the PIN says nothing.
   */
  async function send(intent, pin, again = false) {
    try {
      const placed = await api.post("/v1/member/orders", pin ? { ...intent.body, pin } : intent.body, { key: intent.key });
      store.set({ order_intent: null });
      return placed;
    } catch (error) {
      const unsaid = UNDECIDED.includes(error.status) || (again && /^pin_/.test(error.code));
      if ((error.undone && !again) || (error.status < 500 && !unsaid)) store.set({ order_intent: null });
      throw error;
    }
  }

  return {
    /** Begin a checkout of these lines (`{ sku, qty, store_id }`); its choices are made on the way. */
    begin({ lines, fromCart = false }) {
      const spot = app.spot.of(lines);
      draft = { lines, fromCart, spot, delivery: spot ? "spot" : "pickup", address: null, coupons: null, stored: true, points: false, cards: [], shown: [], tenders: null, notes: {} };
    },
    draft: () => draft,

    /**
     * Keep its choices over a reload, as long as this visit: the address by its id only, gift cards only where they are the member's own.
     * One at a table is not kept: who comes back may sit elsewhere.
     */
    keep() {
      if (!draft || draft.spot) return wx.removeStorageSync(DRAFT);
      const { address, spot, shown, tenders, ...choices } = draft;
      const cards = draft.cards.filter((id) => !shown.some((one) => one.id === id));
      return wx.setStorageSync(DRAFT, { member_id: store.get("member")?.id, draft: { ...choices, cards, address_id: address?.id || draft.address_id } });
    },

    quote: (body) => api.post("/v1/member/orders/quote", body),

    /** What was sent without an answer, or null. */
    undecided: () => store.get("order_intent"),

    /** Learn what became of it; null where there is none. */
    async settle(pin) {
      const intent = store.get("order_intent");
      return intent ? send(intent, pin, true) : null;
    },

    /** Place it, once: resolves to the answer of `/v1/member/orders`. */
    async place(body, pin) {
      if (store.get("order_intent")) throw new Error("another checkout is undecided");
      const intent = { key: await newKey(wx), body };
      store.set({ order_intent: intent });
      return send(intent, pin);
    },

    done() {
      draft = null;
      wx.removeStorageSync(DRAFT);
    },

    /** A page of orders in these states. */
    list: (query, cursor) => (cursor ? api.get("/v1/member/orders", { ...query, limit: PAGE, cursor }) : seen.get("/v1/member/orders", { ...query, limit: PAGE })),
    get: (id) => seen.get(path(id)),
    /** How far it is: parcels, or the code that fetches it. */
    delivery: (id) => seen.get(path(id, "/delivery"), {}, { veil: ({ receiver, ...rest }) => rest }), // nobody's address stays on the phone
    cancel: (id) => once(path(id, "/cancel")),
    payAgain: (id) => api.post(path(id, "/pay")),
    receive: (id) => once(path(id, "/receipt")),
    review: (id, body) => once(path(id, "/reviews"), body),
    /** How its invoice stands; null while none was asked for. */
    async invoice(id) {
      const { items: [known = null] } = await api.get("/v1/member/invoices", { order_id: id, limit: 1 });
      return known;
    },
    askInvoice: (id, body) => api.put(path(id, "/invoice"), body),
    /** A page of the invoices that were asked for, newest first. */
    async invoices(cursor) {
      const page = await api.get("/v1/member/invoices", cursor ? { limit: PAGE, cursor } : { limit: PAGE });
      return { ...page, items: page.items.map((one) => ({ ...one, id: one.order_id })) };
    },

    /** What was asked of orders, newest first; of one order where it is named. */
    afterSales: (cursor) => (cursor ? api.get("/v1/member/after-sales", { limit: PAGE, cursor }) : seen.get("/v1/member/after-sales", { limit: PAGE })),
    afterSalesOf: async (id) => (await seen.get("/v1/member/after-sales", { order_id: id, limit: MANY })).items,
    afterSale: (id) => seen.get(`/v1/member/after-sales/${encodeURIComponent(id)}`),
    askAfterSale: (id, body) => once(path(id, "/after-sales"), body),
    cancelAfterSale: (id) => once(`/v1/member/after-sales/${encodeURIComponent(id)}/cancel`),
    sendBack: (id, body) => api.post(`/v1/member/after-sales/${encodeURIComponent(id)}/parcel`, body),
  };
}
