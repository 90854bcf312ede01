/** The table or shelf whose QR code was scanned: what is ordered there is brought there, until the member leaves it. */
import { fill, h } from "../shared/dom.js";
import { glyph } from "./icons.js";
import { problemText, t } from "./texts.js";

export function createSpots(app) {
  const { api, store } = app;

  return {
    current: () => store.get("spot") || null,

    /** The link of a code opened the page: sit down there, and see what it sells. */
    async arrive() {
      const address = new URL(location.href);
      const code = address.searchParams.get("spot");
      if (!code) return;
      address.searchParams.delete("spot"); // once: whoever comes back later sits elsewhere
      history.replaceState(null, "", address);
      try {
        const spot = await api.get("/v1/member/spots", { code });
        app.mall.choose({ id: spot.store_id, name: spot.store_name });
        store.set({ spot });
        app.go(spot.product_id ? `product?${encodeURIComponent(spot.product_id)}` : "mall");
      } catch (error) {
        app.toast(problemText(error));
      }
    },

    leave: () => store.set({ spot: null }),

    /** The spot, where all of these lines are of its store; else null. */
    of: (lines) => {
      const spot = store.get("spot");
      return spot && lines.every(({ store_id: id }) => id === spot.store_id) ? spot : null;
    },
  };
}

/** A line that says where one sits, with the way to leave it: `{ node, stop() }`. */
export function spotStrip(app) {
  const node = h("div", { class: "notice spot-strip", role: "status", hidden: true });
  const stop = app.store.watch(["spot", "mall_store"], () => {
    const spot = app.spots.current();
    node.hidden = !spot || spot.store_id !== app.store.get("mall_store")?.id;
    fill(node, spot && [glyph("table", 20), h("span", { class: "grow" }, t("spot.here", { name: spot.name })), h("button", { type: "button", class: "link small", onclick: app.spots.leave }, t("spot.leave"))]);
  });
  return { node, stop };
}
