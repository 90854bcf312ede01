/**
 * What was seen stays readable: the last answers to reads, kept on the phone and shown with their time where the network does
 * not answer. So nobody waits for long, and a pick-up code is there in a cellar.
 */
const INDEX = "seen";
const MOST = 60;
const MOST_CHARS = 100_000;
const PATIENCE_MS = 3000;

/** Whether this says nothing of what was asked: the network, or a server that is not there. */
const lost = (error) => error.name === "NetworkError" || error.status >= 500;

export function createSeen({ api, store, wx }) {
  let index = wx.getStorageSync(INDEX) || []; // names, the one that was read last at the end
  const arrived = new Map(); // answers that came after the last one was shown, until they are asked for
  const backs = new Set(); // what is to run when there is something new to show
  let era = 0; // counts members: what was asked for one is not kept for the next

  const nameOf = (path, query) => `seen:${path}?${new URLSearchParams(Object.entries(query || {}).sort())}`;

  function keep(name, data) {
    const kept = { at: Date.now(), data };
    if (JSON.stringify(kept).length > MOST_CHARS) return;
    const names = [...index.filter((one) => one !== name), name];
    for (const old of names.slice(0, -MOST)) wx.removeStorageSync(old);
    index = names.slice(-MOST);
    wx.setStorageSync(INDEX, index);
    wx.setStorageSync(name, kept);
  }

  const stale = ({ at, data }) => ({ ...data, stale_at: at });

  function taken(name) {
    const data = arrived.get(name);
    arrived.delete(name);
    return data;
  }

  const tellBack = () => [...backs].forEach((run) => run());
  let was = store.get("online");
  store.watch(["online"], () => {
    const now = store.get("online");
    if (now && !was) tellBack();
    was = now;
  });

  return {
    /**
     * The answer to a read (an object). Where none comes soon, the last one with `stale_at`, when that was; without one, the
     * error. `veil(data)` is what may be kept of it.
     */
    async get(path, query, { veil = (data) => data } = {}) {
      const name = nameOf(path, query);
      const kept = wx.getStorageSync(name) || null;
      if (arrived.has(name)) return taken(name);
      if (kept && !store.get("online")) return stale(kept);
      const mine = era;
      let late = false;
      const asked = api.get(path, query).then((data) => {
        if (mine !== era) return data;
        keep(name, veil(data));
        if (late) {
          arrived.set(name, data);
          tellBack();
        }
        return data;
      });
      if (!kept) return asked;
      const patience = new Promise((resolve) => { setTimeout(() => { late = true; resolve(stale(kept)); }, PATIENCE_MS); });
      return Promise.race([asked.catch((error) => { if (lost(error)) return stale(kept); throw error; }), patience]);
    },

    /** Run this when the network comes back, or an answer that was late; returns the function that ends it. */
    onBack(run) {
      backs.add(run);
      return () => backs.delete(run);
    },

    /** Forget all of it: somebody else is here. */
    clear() {
      era += 1;
      arrived.clear();
      for (const name of index) wx.removeStorageSync(name);
      index = [];
      wx.removeStorageSync(INDEX);
    },
  };
}
