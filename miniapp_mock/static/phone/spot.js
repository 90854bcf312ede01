/**
 * Where the member sits or stands: the table or shelf whose code the phone was started with, or scanned. It is kept for a visit,
 * through login, registration and restarts, until the member leaves it.
 */
import { launchedSpot, spotIn } from "./spot_words.js";
import { t } from "./texts.js";

const KEPT = "spot";
const VISIT_MS = 3 * 3600 * 1000;
const WRONG = 422;

export function createSpot(app) {
  const { api, store, wx } = app;
  let unseen = false; // scanned, and the member was not led there yet

  function keep(code) {
    unseen = true;
    wx.setStorageSync(KEPT, { code, at: Date.now() });
  }

  function kept() {
    const { code, at } = wx.getStorageSync(KEPT) || {};
    return Date.now() - at < VISIT_MS ? code : "";
  }

  function forget(trouble = null) {
    wx.removeStorageSync(KEPT);
    store.set({ spot: null, spot_trouble: trouble });
  }

  /** Read the code that is kept, once the member is in; one that was just scanned leads to the goods. */
  async function arrive() {
    const code = kept();
    if (!code) return;
    const lead = unseen;
    unseen = false;
    try {
      const spot = await api.get("/v1/member/spots", { code });
      store.set({ spot, spot_trouble: null });
      app.mall.choose({ id: spot.store_id, name: spot.store_name });
    } catch (error) {
      if (error.status === WRONG) forget({ wrong: true, text: t("error.spot_invalid") });
      else store.set({ spot_trouble: { wrong: false, text: t("spot.unread") } });
    }
    if (lead) show();
  }

  function show() {
    const product = store.get("spot")?.product_id;
    if (app.route() === "mall") app.showRoute();
    else app.go("mall", { replace: !app.route() || app.route() === "home" });
    if (product) app.go(`product?${encodeURIComponent(product)}`);
  }

  const launched = launchedSpot(wx.getLaunchOptionsSync().query);
  if (launched) keep(launched);

  return {
    arrive,
    /** The spot, where any of these lines is its store's; else null. */
    of(lines) {
      const spot = store.get("spot");
      return spot && lines.some(({ store_id: id }) => id === spot.store_id) ? spot : null;
    },
    leave: () => forget(),
    /** The server knows its code no more. */
    lost: () => forget({ wrong: true, text: t("error.spot_invalid") }),

    /** Scan another. */
    async scan() {
      let text;
      try {
        text = (await wx.scanCode({ scanType: ["qrCode"] })).result;
      } catch (error) {
        if (!/cancel/.test(error.errMsg)) app.toast(t("spot.scan_failed"));
        return;
      }
      const code = spotIn(text);
      if (!code) {
        app.toast(t("spot.not_ours"));
        return;
      }
      keep(code);
      await arrive();
    },
  };
}
