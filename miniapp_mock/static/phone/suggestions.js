/** Suggestion boxes: signed suggestions, and tickets and receipts for those without a name. */
import { newKey } from "../shared/api.js";
import { blind } from "../shared/tickets.js";

const PAGE = 20;
const TICKETS = "suggestion_tickets";
const AT_A_TIME = 5;

export function createSuggestions(app) {
  const { api, wx } = app;
  let filling = null;
  let receipt = ""; // what was typed or shown last; it is kept nowhere
  const path = (id) => `/v1/member/suggestions/${encodeURIComponent(id)}`;
  const random = async (length) => new Uint8Array((await wx.getRandomValues({ length })).randomValues);

  function kept() {
    const stock = wx.getStorageSync(TICKETS) || { items: [], until: "" };
    return Date.parse(stock.until) > api.serverNow() ? stock : { items: [], until: "" };
  }

  async function fill() {
    if (kept().items.length) return;
    const key = await api.unnamed("GET", "/v1/anonymous/key");
    const underWay = [];
    for (let i = 0; i < AT_A_TIME; i += 1) underWay.push(await blind(key, random));
    const answer = await api.post("/v1/member/suggestion-tickets", { key_id: key.key_id, blinded: underWay.map(({ blinded }) => blinded) });
    wx.setStorageSync(TICKETS, { until: key.good_until, items: answer.signatures.map((signature, i) => underWay[i].finish(signature)) });
  }

  function drop(ticket) {
    const stock = kept();
    wx.setStorageSync(TICKETS, { ...stock, items: stock.items.filter((one) => one !== ticket) });
  }

  const suggestions = {
    boxes: () => app.seen.get("/v1/member/suggestion-boxes"),
    write: (boxId, body, key) => api.post(`/v1/member/suggestion-boxes/${encodeURIComponent(boxId)}/suggestions`, body, { key }),
    mine: (cursor) => api.get("/v1/member/suggestions", { limit: PAGE, ...(cursor ? { cursor } : {}) }),
    read: (id) => api.get(path(id)),
    add: (id, body, key) => api.post(`${path(id)}/messages`, body, { key }),
    rate: (id, body) => api.put(`${path(id)}/rating`, body),

    /** Have tickets at hand before they are needed: so fetching one and using it lie apart. */
    prepare() {
      filling ||= fill().finally(() => { filling = null; });
      return filling;
    },

    /** Write without a name; the receipt is told here and nowhere else. The ticket is kept until the answer is there. */
    async whisper(body) {
      await suggestions.prepare();
      const [ticket] = kept().items;
      try {
        const answer = await api.unnamed("POST", "/v1/anonymous/suggestions", { shown: ticket, body });
        drop(ticket);
        receipt = answer.receipt;
        return answer;
      } catch (error) {
        if (error.status === 401 || error.code === "ticket_spent") drop(ticket);
        throw error;
      }
    },

    receipt: () => receipt,
    forgetReceipt() { receipt = ""; },
    /** Read by a receipt; it is remembered while the page is open. */
    async follow(code) {
      const found = await api.unnamed("GET", "/v1/anonymous/suggestion", { shown: code });
      receipt = code;
      return found;
    },
    addUnnamed: (body, key) => api.unnamed("POST", "/v1/anonymous/suggestion/messages", { shown: receipt, body, key }),
    rateUnnamed: (body) => api.unnamed("PUT", "/v1/anonymous/suggestion/rating", { shown: receipt, body }),
    newKey: () => newKey(wx),
  };
  return suggestions;
}
