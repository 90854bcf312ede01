/** What the page knows, in one place; screens watch the parts they show. */

const KEPT = ["member", "wallet", "registration", "coupons", "coupons_at", "claims", "cards", "cards_at", "mall_store", "searches", "order_intent", "unread", "unread_notices"];
const SNAPSHOT = "snapshot";

/** A store that keeps what is the member's on the phone, so that the next start shows it at once. */
export function createStore(wx) {
  const kept = wx.getStorageSync(SNAPSHOT) || {};
  const nothing = Object.fromEntries(KEPT.map((key) => [key, null]));
  const state = { ...nothing, ...kept, online: true, confirmations: [] };
  const watchers = new Set();

  return {
    get: (key) => state[key],

    /** Change parts; watchers of parts that differ are called once. */
    set(patch) {
      const changed = Object.keys(patch).filter((key) => JSON.stringify(state[key]) !== JSON.stringify(patch[key]));
      if (!changed.length) return;
      Object.assign(state, patch);
      if (changed.some((key) => KEPT.includes(key))) {
        wx.setStorageSync(SNAPSHOT, Object.fromEntries(KEPT.map((key) => [key, state[key]])));
      }
      for (const watcher of [...watchers]) {
        if (watcher.keys.some((key) => changed.includes(key))) watcher.run();
      }
    },

    /** Call `run` now and after each change of one of `keys`; returns the function that ends it. */
    watch(keys, run) {
      const watcher = { keys, run };
      watchers.add(watcher);
      run();
      return () => watchers.delete(watcher);
    },

    /** Forget the member: somebody signed out. */
    clear() {
      wx.removeStorageSync(SNAPSHOT);
      this.set({ ...nothing, spot: null, confirmations: [] });
      wx.removeStorageSync(SNAPSHOT);
    },
  };
}
