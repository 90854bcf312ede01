/** 卡券: the member's coupons, by what became of them. */
import { fill, h } from "../../shared/dom.js";
import { busy, emptyState, linkCell, staleNote, trouble } from "../parts.js";
import { ticketLink, ticketSkeletons } from "../ticket.js";
import { problemText, t } from "../texts.js";

const STATES = ["available", "used", "expired"];
const ENOUGH = 6; // coupons that fill the screen

let left = null; // { state, items, cursor, scroll }: where one was before one looked at a coupon

export function couponsScreen(app) {
  const asked = location.hash.split("?")[1];
  const before = app.route() === "coupon" ? left : null;
  left = null;
  let state = before?.state || (STATES.includes(asked) ? asked : "available");
  let items = before?.items || [];
  let cursor = before?.cursor || null;
  let drawn = false;
  let round = 0;

  const tabs = STATES.map((name) => h("button", { type: "button", role: "tab", id: `tab-${name}`, "aria-controls": "coupons", class: "segment", onclick: () => select(name) }));
  const note = h("div", { hidden: true });
  const list = h("div", null);
  const more = h("button", { type: "button", class: "button plain wide", hidden: true, onclick: () => busy(more, next) }, t("coupons.more"));
  const end = h("p", { class: "tiny muted center end-note", hidden: true }, t("coupons.end"));
  const panel = h("div", { id: "coupons", role: "tabpanel", class: "stack" }, note, list, more, end);
  const node = h(
    "div",
    { class: "page stack coupons" },
    h("section", { class: "card flush" }, linkCell({ icon: "gift", text: t("centre.title"), value: t("coupons.centre_hint"), onclick: () => app.go("coupon-centre") })),
    h("div", { class: "segments", role: "tablist", "aria-label": t("coupons.tabs"), onkeydown: arrow }, tabs),
    panel,
  );

  function select(name) {
    state = name;
    items = [];
    cursor = null;
    drawn = false;
    markTabs();
    follow();
    if (!drawn) wait();
    refresh();
  }

  function arrow(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const at = (STATES.indexOf(state) + step + STATES.length) % STATES.length;
    select(STATES[at]);
    tabs[at].focus();
  }

  function markTabs() {
    const usable = app.coupons.known("available")?.available;
    tabs.forEach((tab, i) => {
      const on = STATES[i] === state;
      tab.setAttribute("aria-selected", String(on));
      tab.tabIndex = on ? 0 : -1;
      fill(tab, t(`coupons.${STATES[i]}`), STATES[i] === "available" && usable > 0 && h("span", { class: "segment-count num" }, ` ${usable}`));
    });
    panel.setAttribute("aria-labelledby", `tab-${state}`);
  }

  function wait() {
    note.hidden = true;
    more.hidden = true;
    end.hidden = true;
    fill(list, ticketSkeletons(4));
  }

  /** Draw what is kept of this state, unless it is what is shown already; pages behind the first go when that has changed. */
  function follow() {
    markTabs();
    const kept = app.coupons.known(state);
    if (!kept) return;
    const same = items.length >= kept.items.length && JSON.stringify(items.slice(0, kept.items.length)) === JSON.stringify(kept.items);
    if (drawn && same) return;
    if (!same || !items.length) {
      items = kept.items;
      cursor = kept.next;
    }
    draw();
  }

  async function refresh() {
    round += 1;
    const mine = round;
    try {
      await app.coupons.load(state);
      if (mine === round) note.hidden = true;
    } catch (error) {
      if (mine === round) missed(error);
    }
  }

  /** The list could not be fetched: what is known stays, with the time from which it is. */
  function missed(error) {
    const at = app.coupons.knownAt(state);
    if (!at) {
      fill(list, h("div", { class: "card" }, trouble(error, () => { wait(); refresh(); })));
      return;
    }
    note.hidden = false;
    fill(note, staleNote(at));
  }

  async function next() {
    const base = items;
    try {
      const page = await app.coupons.more(state, cursor);
      if (items !== base) return; // another tab, or the first page has changed
      const known = new Set(items.map((item) => item.id));
      items = [...items, ...page.items.filter((item) => !known.has(item.id))];
      cursor = page.next_cursor;
      draw();
    } catch (error) {
      app.toast(problemText(error));
    }
  }

  function draw() {
    drawn = true;
    more.hidden = !cursor;
    end.hidden = Boolean(cursor) || items.length < ENOUGH;
    const focused = list.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    fill(list, items.length ? h("ul", { class: "tickets" }, items.map((item) => h("li", null, ticketLink(app, item)))) : h("div", { class: "card" }, nothing()));
    if (focused) list.querySelector(`a[href="${focused}"]`)?.focus({ preventScroll: true });
  }

  function nothing() {
    const [action, onAction] = state === "available" ? ["coupons.to_centre", () => app.go("coupon-centre")] : ["coupons.to_available", () => select("available")];
    return emptyState({ icon: "ticket", title: t(`coupons.empty_${state}`), hint: t(`coupons.empty_${state}_hint`), action: t(action), onAction });
  }

  const near = new IntersectionObserver(([seen]) => {
    if (seen.isIntersecting && !more.hidden) busy(more, next);
  }, { rootMargin: "300px" });
  near.observe(more);
  markTabs();
  const stops = [
    app.store.watch(["coupons"], follow),
    app.store.watch(["online"], refresh),
    app.events.listen((type) => {
      if (["sale_completed", "sale_refunded", "coupon_issued"].includes(type)) refresh();
    }),
  ];
  if (!drawn) wait();

  return {
    title: t("coupons.title"),
    node,
    shown: (screen) => {
      if (before) screen.scrollTop = before.scroll;
    },
    leave() {
      left = { state, items, cursor, scroll: node.parentElement?.scrollTop || 0 };
      round += 1;
      near.disconnect();
      stops.forEach((stop) => stop());
    },
  };
}
