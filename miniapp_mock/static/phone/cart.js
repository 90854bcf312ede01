/** The cart, which lives at the server and so is the same on all phones; what is chosen of it is this phone's. */
import { pictureAt } from "./goods_words.js";

export function createCart(app) {
  const { api, seen, store } = app;
  const left = new Set(); // what is not chosen

  function keep(answer) {
    const groups = answer.stores.map(({ store_id: id, store_name: name, lines }) => ({ store: { id, name }, lines: lines.map((line) => lineOf(id, line)) }));
    const all = groups.flatMap(({ lines }) => lines);
    store.set({ cart_count: all.filter((line) => line.reason !== "not_on_sale").reduce((sum, { qty }) => sum + qty, 0) });
    return {
      groups: groups.map(({ store: at, lines }) => ({ store: at, lines: lines.filter(({ reason }) => reason !== "not_on_sale") })).filter(({ lines }) => lines.length),
      invalid: all.filter(({ reason }) => reason === "not_on_sale"),
    };
  }

  const path = ({ store_id: storeId, sku }) => `/v1/member/cart/${encodeURIComponent(storeId)}/${encodeURIComponent(sku)}`;
  const load = async () => keep(await seen.get("/v1/member/cart"));

  return {
    load,

    /** Tell how many pieces lie in it; a failure leaves the number. */
    count() {
      load().catch(() => undefined);
    },

    /** Put so many more pieces in. */
    async add(sku, qty) {
      const storeId = store.get("mall_store").id;
      const { groups } = await load();
      const there = groups.flatMap(({ lines }) => lines).find((line) => line.sku === sku && line.store_id === storeId);
      await api.put(path({ store_id: storeId, sku }), { qty: (there?.qty || 0) + qty });
      return load();
    },

    /** Let there be so many pieces of a line. */
    async setQty(line, qty) {
      await api.put(path(line), { qty });
      return load();
    },

    async remove(lines) {
      for (const line of lines) await api.delete(path(line));
      return load();
    },

    isChosen: (line) => !left.has(line.id),
    choose(lines, on) {
      for (const { id } of lines) {
        if (on) left.delete(id);
        else left.add(id);
      }
    },
  };
}

/** A line as it is drawn, with the `reason` for which it cannot be bought: not_on_sale, out_of_stock, or "". */
function lineOf(storeId, line) {
  const short = line.available !== null && line.available !== undefined && line.available < line.qty;
  return {
    ...line,
    id: `${storeId} ${line.sku}`,
    store_id: storeId,
    name: line.name || line.sku,
    picture: pictureAt(line.picture),
    price_kind: line.price_kind || "list",
    reason: !line.on_sale ? "not_on_sale" : short ? "out_of_stock" : "",
  };
}
