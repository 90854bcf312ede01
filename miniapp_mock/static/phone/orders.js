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
const UNDECIDED = [401, 429];

export function createOrders(app) {
  const { api, store, wx } = app;
  const { once } = createIntents(app);
  let draft = null;

  const path = (id, rest = "") => `/v1/member/orders/${encodeURIComponent(id)}${rest}`;

  /** Send what is kept until its fate is known: its answer, or the refusal; while nothing is known it stays kept. */
  async function send(intent) {
    try {
      const placed = await api.post("/v1/member/orders", intent.body, { key: intent.key });
      store.set({ order_intent: null });
      return placed;
    } catch (error) {
      if (error.status < 500 && !UNDECIDED.includes(error.status)) store.set({ order_intent: null });
      throw error;
    }
  }

  return {
    /** Begin a checkout of these lines (`{ sku, qty, store_id }`); its choices are made on the way. */
    begin({ lines, fromCart = false }) {
      draft = { lines, fromCart, delivery: "pickup", address: null, coupons: null, stored: true, points: false, tenders: null, notes: {} };
    },
    draft: () => draft,

    quote: (body) => api.post("/v1/member/orders/quote", body),

    /** What was sent without an answer, or null. */
    undecided: () => store.get("order_intent"),

    /** Learn what became of it; null where there is none. */
    async settle() {
      const intent = store.get("order_intent");
      return intent ? send(intent) : null;
    },

    /** Place it, once: resolves to the answer of `/v1/member/orders`. */
    async place(body) {
      if (store.get("order_intent")) throw new Error("another checkout is undecided");
      const intent = { key: await newKey(wx), body };
      store.set({ order_intent: intent });
      return send(intent);
    },

    done() {
      draft = null;
    },

    /** A page of orders in these states. */
    list: (query, cursor) => api.get("/v1/member/orders", cursor ? { ...query, limit: PAGE, cursor } : { ...query, limit: PAGE }),
    get: (id) => api.get(path(id)),
    /** How far it is: parcels, or the code that fetches it. */
    delivery: (id) => api.get(path(id, "/delivery")),
    cancel: (id) => once(path(id, "/cancel")),
    payAgain: (id) => api.post(path(id, "/pay")),
    receive: (id) => once(path(id, "/receipt")),
    review: (id, body) => once(path(id, "/reviews"), body),

    /** What was asked of orders, newest first; of one order where it is named. */
    afterSales: (cursor) => api.get("/v1/member/after-sales", cursor ? { limit: PAGE, cursor } : { limit: PAGE }),
    async afterSalesOf(id) {
      const { items } = await api.get("/v1/member/after-sales", { limit: MANY });
      return items.filter(({ order_id: of }) => of === id);
    },
    afterSale: (id) => api.get(`/v1/member/after-sales/${encodeURIComponent(id)}`),
    askAfterSale: (id, body) => once(path(id, "/after-sales"), body),
    cancelAfterSale: (id) => once(`/v1/member/after-sales/${encodeURIComponent(id)}/cancel`),
    sendBack: (id, body) => api.post(`/v1/member/after-sales/${encodeURIComponent(id)}/parcel`, body),
  };
}
