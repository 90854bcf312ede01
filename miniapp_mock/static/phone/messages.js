/** The member's letters: what came, what was read, and which are wanted. */
import { newKey } from "../shared/api.js";

const INBOX = "/v1/member/inbox";
const LETTERS = "/v1/member/messages";
const EMAIL = "/v1/member/email";

export function createMessages(app) {
  async function list(cursor) {
    const page = await app.api.get(INBOX, cursor ? { cursor } : {});
    app.store.set({ unread: page.unread });
    return page;
  }

  async function count() {
    const { unread } = await app.api.get(`${INBOX}/unread`);
    app.store.set({ unread });
  }

  return {
    list,
    count,
    async read(letter) {
      const read = await app.api.post(`${INBOX}/${encodeURIComponent(letter.id)}/read`);
      if (!letter.read_at) app.store.set({ unread: Math.max(0, (app.store.get("unread") || 0) - 1) });
      return read;
    },
    async readAll() {
      await app.api.post(`${INBOX}/read`);
      app.store.set({ unread: 0 });
    },
    answers: (letter) => app.api.get(`${INBOX}/${encodeURIComponent(letter.id)}/replies`),
    answer: (letter, text, key) => app.api.post(`${INBOX}/${encodeURIComponent(letter.id)}/replies`, { text }, { key }),
    consents: () => app.api.get(`${LETTERS}/consents`),
    say: (channel, purpose, granted) => app.api.put(`${LETTERS}/consents`, { items: [{ channel, purpose, granted }] }),
    email: () => app.api.get(EMAIL),
    putEmail: (email) => app.api.put(EMAIL, { email }),
    confirmEmail: (code) => app.api.post(`${EMAIL}/confirm`, { code }),
    forgetEmail: () => app.api.delete(EMAIL),
    subscriptions: () => app.api.get(`${LETTERS}/subscriptions`),

    /** Ask WeChat's user for one message of each of these templates, and tell the server what was said; true if any was accepted. */
    async subscribe(templateIds) {
      const answer = await app.wx.requestSubscribeMessage({ tmplIds: templateIds });
      const results = Object.fromEntries(templateIds.filter((id) => answer[id]).map((id) => [id, answer[id]]));
      await app.api.post(`${LETTERS}/subscriptions`, { results }, { key: await newKey(app.wx) });
      return Object.values(results).some((word) => word.startsWith("accept"));
    },
  };
}

/** The route of a letter's address: `#/order?1`, or with the id as a further step, `#/cases/1`. */
export function routeOf(link) {
  return link.replace(/^#\//, "").replace(/^([\w-]+)\/([^?]+)$/, "$1?$2");
}
