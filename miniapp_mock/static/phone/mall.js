/** The catalogue as the phone asks for it: at the store that was chosen, by category, word and order; what was looked for last. */

const PAGE = 20;
const RECENT = 8;
const FRESH_MS = 60_000;

export function createMall(app) {
  const { api, store, seen } = app;
  const kept = new Map(); // what changes seldom: name → { at, work }

  /** Ask once a minute. */
  function seldom(name, ask) {
    const known = kept.get(name);
    if (known && Date.now() - known.at < FRESH_MS) return known.work;
    const work = ask();
    kept.set(name, { at: Date.now(), work });
    work.catch(() => kept.delete(name));
    return work;
  }

  const storeId = () => store.get("mall_store")?.id;

  const names = new Map(); // of stores, by id

  /** The stores where the mall sells. */
  const stores = () => seldom("stores", async () => {
    const { items } = await seen.get("/v1/member/mall/stores");
    for (const { id, name } of items) names.set(id, name);
    return items;
  });

  /** The store that was chosen; else the member's own, else the first. Keeps it. */
  async function chosenStore() {
    const all = await stores();
    const wanted = storeId() || store.get("member")?.store_id;
    const found = all.find(({ id }) => id === wanted) || all[0] || null;
    store.set({ mall_store: found && { id: found.id, name: found.name } });
    return found;
  }

  async function at() {
    return { store_id: storeId() || (await chosenStore())?.id || "" };
  }

  async function stock(skus) {
    const { items } = await api.get("/v1/member/mall/stock", { ...(await at()), skus: skus.join(",") });
    return new Map(items.map(({ sku, available }) => [sku, available]));
  }

  return {
    stores,
    chosenStore,
    /** What a store is called, once `stores()` has been asked; else its id. */
    storeName: (id) => names.get(id) || id,
    choose({ id, name }) {
      store.set({ mall_store: { id, name } });
    },

    /** The first page: banners, categories, what is cheaper for a while. */
    home: async () => seen.get("/v1/member/mall/home", await at()),

    /** Whether the store that was chosen sends goods, and from what on that may be free: `{ sends, free_from_fen }`. */
    async delivery() {
      const where = await at();
      return seldom(`delivery ${where.store_id}`, () => seen.get("/v1/member/mall/delivery", where));
    },

    /** By what one can look for products: `{ categories, brands, attributes }`. */
    filters: () => seldom("filters", () => seen.get("/v1/member/mall/filters")),

    /** A page of products; `wish` holds what narrows and orders them, empty values left out. */
    async products(wish, cursor) {
      const query = { ...(await at()), limit: PAGE };
      for (const [name, value] of Object.entries({ ...wish, cursor })) {
        if (value !== "" && value !== null && value !== undefined && value !== false) query[name] = value;
      }
      return cursor ? api.get("/v1/member/mall/products", query) : seen.get("/v1/member/mall/products", query);
    },

    /** A product with its articles and how many are left of each; `available` is missing where nobody counts or can say. */
    async product(id) {
      const product = await seen.get(`/v1/member/mall/products/${encodeURIComponent(id)}`, await at());
      const counted = product.skus.filter(({ tracked }) => tracked).map(({ sku }) => sku);
      const left = counted.length && !product.stale_at ? await stock(counted).catch(() => new Map()) : new Map();
      const skus = product.skus.map((one) => ({ ...one, available: left.get(one.sku) }));
      return { ...product, skus, ...leastOf(skus), sold_out: skus.every(({ available }) => available === 0) };
    },

    searches: () => store.get("searches") || [],
    /** Remember a word at the head of those looked for. */
    searched(word) {
      store.set({ searches: [word, ...(store.get("searches") || []).filter((one) => one !== word)].slice(0, RECENT) });
    },
    forgetSearches: () => store.set({ searches: [] }),
  };
}

/** The cheapest article's price, as the product's; `several`: others cost more. */
function leastOf(skus) {
  const least = skus.reduce((best, one) => (one.price_fen < best.price_fen ? one : best));
  const { list_fen, price_fen, price_kind, price_until } = least;
  return { list_fen, price_fen, price_kind, price_until, several: skus.some((one) => one.price_fen !== price_fen) };
}
