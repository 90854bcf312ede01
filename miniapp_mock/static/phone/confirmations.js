/** Payments that wait for the member's word: fetched, announced, shown one at a time. */
import { confirmationSheet } from "./sheets/confirmation.js";

export function createConfirmations(app) {
  const answered = new Set();
  let sheet = null;

  const alive = (item) => !answered.has(item.id) && !(Date.parse(item.expires_at) <= app.api.serverNow());
  const listed = () => app.store.get("confirmations").filter(alive);

  async function show(item) {
    if (sheet) return;
    sheet = confirmationSheet(app, item);
    const result = await sheet.closed;
    sheet = null;
    if (result === "answered") {
      answered.add(item.id);
      app.store.set({ confirmations: listed() });
      const [next] = listed();
      if (next) show(next);
    }
  }

  return {
    /** A new one has come: show it. */
    add(item) {
      if (!item || !item.id || !alive(item)) return;
      const others = listed().filter((known) => known.id !== item.id);
      app.store.set({ confirmations: [...others, item] });
      app.wx.vibrateShort();
      show(item);
    },

    /** Ask the server which wait; one that is new here is shown. */
    async fetch() {
      const { items = [] } = await app.api.get("/v1/member/confirmations");
      const known = new Set(app.store.get("confirmations").map((item) => item.id));
      app.store.set({ confirmations: items.filter(alive) });
      const fresh = items.filter(alive).find((item) => !known.has(item.id));
      if (fresh) show(fresh);
    },

    /** Show the first that waits, at the member's wish. */
    open() {
      const [first] = listed();
      if (first) show(first);
      else app.store.set({ confirmations: [] });
    },

    /** The till cancelled a sale, or it ran out of time: say so where it is being looked at. */
    gone(saleId, cancelled) {
      if (sheet && sheet.saleId === saleId) sheet.gone(cancelled);
      app.store.set({ confirmations: listed().filter((item) => item.sale_id !== saleId) });
    },

    /** A sale went through: it waits no longer. */
    settled(saleId) {
      const rest = listed().filter((item) => item.sale_id !== saleId);
      for (const item of listed()) if (item.sale_id === saleId) answered.add(item.id);
      app.store.set({ confirmations: rest });
      if (sheet && sheet.saleId === saleId) sheet.close("answered");
    },
  };
}
