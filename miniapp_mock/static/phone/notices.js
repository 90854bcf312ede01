/** What the chain tells its members: announcements, with which of them were read, and the handbook. */
import { t } from "./texts.js";

const PAGE = 20;
const MOST = 98; // the server counts to 99

/** How many announcements are unread, in words; nothing where none is. */
export function unreadText(count) {
  if (!count) return "";
  return count > MOST ? t("notice.unread_most") : t("notice.unread", { count });
}

export function createNotices(app) {
  const { api, seen, store } = app;
  const path = (id, what = "") => `/v1/member/announcements/${encodeURIComponent(id)}${what}`;

  /** A page of announcements; the first also tells how many are unread. */
  async function list(cursor, limit = PAGE) {
    if (cursor) return api.get("/v1/member/announcements", { limit, cursor });
    const page = await seen.get("/v1/member/announcements", { limit });
    store.set({ unread_notices: page.unread });
    return page;
  }

  return {
    list,
    /** One with its text; that it was read is told at once, and again the next time where that failed. */
    async open(id) {
      const found = await seen.get(path(id));
      if (!found.read) api.post(path(id, "/read")).then(() => store.set({ unread_notices: Math.max(0, (store.get("unread_notices") || 0) - 1) })).catch(() => undefined);
      return found;
    },
    contents: () => seen.get("/v1/member/handbook"),
    chapter: (id) => seen.get(`/v1/member/handbook/pages/${encodeURIComponent(id)}`),
    search: (q) => api.get("/v1/member/handbook/search", { q }),
  };
}
