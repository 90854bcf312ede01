/** Feedback cases of the member. */
import { newKey } from "../shared/api.js";

const PAGE = 20;
const CASES = "/v1/member/cases";

export function createCases(app) {
  const { api, wx } = app;
  const path = (id) => `${CASES}/${encodeURIComponent(id)}`;

  return {
    list: (cursor) => api.get(CASES, { limit: PAGE, ...(cursor ? { cursor } : {}) }),
    open: (body, key) => api.post(CASES, body, { key }),
    claim: () => api.post(`${CASES}/claim`),
    read: (id) => api.get(path(id)),
    say: (id, body, key) => api.post(`${path(id)}/messages`, body, { key }),
    confirm: (id, version) => api.post(`${path(id)}/confirm`, { version }, { again: true }),
    reopen: (id, body) => api.post(`${path(id)}/reopen`, body, { again: true }),
    rate: (id, body) => api.put(`${path(id)}/rating`, body),
    newKey: () => newKey(wx),
  };
}
