/** What the server tells the phone, and what the phone does then; while the channel is down it asks by itself. */
import { createLive } from "../shared/live.js";
import { count, money, shortMoney } from "../shared/format.js";
import { showReceipt } from "./sheets/receipt.js";
import { known, t } from "./texts.js";

const POLL_MS = 4000;
const SOON_MS = 400;
const TOLD = ["wallet.recharged", "order.", "after_sale.", "wallet.refund_"]; // letters of what an event tells too
const UNASKED = ["auto", "staff"]; // where coupons come from without a tap

export function createEvents(app) {
  const listeners = new Set();
  let poll = null;
  let soon = null;

  const live = createLive(app.wx, {
    url: "/v1/member/live",
    token: () => app.api.accessToken(),
    onEvent: handle,
    onState(up) {
      if (up) catchUp();
      setPolling(!up);
    },
  });

  function tell(type, data) {
    listeners.forEach((listener) => listener(type, data));
  }

  function handle(type, data) {
    if (type === "confirmation_requested") app.confirmations.add(data);
    if (type === "identity_requested") app.identities.add(data);
    if (type === "override_given") app.toast(t("event.override", { amount: money(data.fen) }));
    if (type === "sale_completed") sold(data);
    if (type === "recharged") recharged(data);
    if (type === "sale_cancelled" || type === "sale_expired") app.confirmations.gone(data.sale_id, type === "sale_cancelled");
    if (type === "sale_rejected") app.confirmations.settled(data.sale_id);
    if (type === "sale_refunded") {
      app.toast(t("event.refunded", { amount: money(data.refund?.refund_fen) }));
      later();
    }
    if (type === "points_earned") {
      app.toast(t("event.points", { count: count(data.points) }));
      later();
    }
    if (type === "coupon_issued") couponCame(data);
    if (type === "message") letterCame(data);
    if (type === "chat" && data.author !== "customer" && app.route() !== "chat") app.toast(t("event.chat_came"));
    if (type === "stamp_earned") app.toast(t("event.stamp", { title: data.title, count: data.given, have: data.have, goal: data.goal }));
    if (type === "reward_earned") {
      app.toast(t("event.reward", { title: data.title }));
      later();
    }
    if (known(`event.${type}`)) {
      app.toast(t(`event.${type}`));
      later();
    }
    if (type === "pin_changed") app.refresh().catch(() => undefined);
    if (type === "recharge_refund") {
      app.toast(t(`recharges.refund_${data.status}`));
      later();
    }
    if (type === "after_sale") {
      app.toast(t("event.request", { state: t(`after.state_${data.status}`) }));
      later();
    }
    if (type === "pass_used") app.toast(t("event.pass_used", { title: data.use.title, count: data.use.qty }));
    if (type === "pass_use_undone") app.toast(t("event.pass_undone", { title: data.use.title }));
    tell(type, data);
  }

  /** A letter stands in the inbox; what an event of its own has just told is not told twice. */
  function letterCame({ kind = "", title }) {
    app.messages.count().catch(() => undefined);
    if (title && !TOLD.some((word) => kind.startsWith(word))) app.toast(title);
  }

  function sold(data) {
    const balances = data.balances || data.sale?.balances;
    const wallet = app.store.get("wallet");
    if (balances && wallet && Number.isFinite(balances.stored_fen)) {
      const points = Number.isFinite(balances.points) ? { ...wallet.points, available: balances.points } : wallet.points;
      app.store.set({ wallet: { ...wallet, stored: { ...wallet.stored, total_fen: balances.stored_fen }, points } });
    }
    app.confirmations.settled(data.sale?.id);
    app.wx.vibrateShort();
    if (data.sale) showReceipt(app, data);
    later();
  }

  /** A coupon is there; one that the member took says so itself. */
  function couponCame(data) {
    if (UNASKED.includes(data.source)) app.toast(t("event.coupon", { title: data.title }));
    app.coupons.load("available").catch(() => undefined);
  }

  function recharged(data) {
    if (app.route() !== "recharge") app.toast(t("result.arrived", { amount: shortMoney(data.pay_fen) }));
    later();
  }

  /** One refresh for a burst of events. */
  function later() {
    clearTimeout(soon);
    soon = setTimeout(() => app.refresh().catch(() => undefined), SOON_MS);
  }

  async function catchUp() {
    await Promise.allSettled([app.confirmations.fetch(), app.identities.fetch(), app.refresh()]);
    tell("caught_up", {});
  }

  function setPolling(on) {
    clearInterval(poll);
    poll = null;
    if (!on || !app.ready()) return;
    poll = setInterval(() => {
      if (document.visibilityState === "visible" && app.store.get("online") && app.ready()) catchUp();
    }, POLL_MS);
  }

  function awake() {
    if (document.visibilityState !== "visible" || !app.ready()) return;
    if (live.isUp()) catchUp();
    else live.hurry();
  }
  document.addEventListener("visibilitychange", awake);
  app.wx.onNetworkStatusChange(({ isConnected }) => {
    if (isConnected) awake();
  });

  return {
    start() {
      live.start();
      setPolling(!live.isUp());
      app.confirmations.fetch().catch(() => undefined);
    },
    stop() {
      live.stop();
      setPolling(false);
    },
    /** Hear every event as `listener(type, data)`, also `caught_up`; returns the function that ends it. */
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
