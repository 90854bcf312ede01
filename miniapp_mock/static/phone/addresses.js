/** The address book, which lives at the server; lists are masked, one address is whole. */

export function createAddresses(app) {
  const { api } = app;
  const path = (id) => `/v1/member/addresses/${encodeURIComponent(id)}`;

  return {
    list: async () => (await api.get("/v1/member/addresses")).items,
    get: (id) => api.get(path(id)),
    /** Add one (the same again adds nothing, so a lost answer is asked for once more), or change the one of this id. */
    save: (body, id = "") => (id ? api.put(path(id), body) : api.post("/v1/member/addresses", body)),
    drop: (id) => api.delete(path(id)),
    /** The one that is offered first, whole; null where the book is empty. */
    async first() {
      const [one] = (await api.get("/v1/member/addresses")).items;
      return one ? api.get(path(one.id)) : null;
    },
  };
}
