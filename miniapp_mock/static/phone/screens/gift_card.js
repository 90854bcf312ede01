/** One gift card: what is on it, how to pay with it, what was paid. */
import { fill, h } from "../../shared/dom.js";
import { dateTime, money } from "../../shared/format.js";
import { cardFace } from "../card_face.js";
import { until } from "../card_words.js";
import { cardPageOf } from "../card_page.js";
import { dayOf } from "../coupon_words.js";
import { busy, emptyState, fact, howToUse, skeletonRows, trouble } from "../parts.js";
import { entryRow } from "../sheets/entry.js";
import { problemText, t } from "../texts.js";

export function giftCardScreen(app) {
  const list = h("div", { class: "card flush" });
  const more = h("button", { type: "button", class: "button plain wide", hidden: true, onclick: () => busy(more, next) }, t("entries.more"));
  let entries = [];
  let cursor = null;

  function draw(card) {
    const today = dayOf(app.api.serverNow());
    const expired = card.valid_until !== null && card.valid_until < today;
    const state = expired ? "expired" : { frozen: "frozen", closed: "closed" }[card.state] || "";
    return [
      cardFace({
        kind: "gift", title: card.title, figure: { number: money(card.balance_fen), unit: "" }, over: Boolean(state),
        state: state && t(`cards.state_${state}`), foot: [card.number_masked, until(card.valid_until, today)],
      }),
      state ? h("section", { class: "card stack tight" }, h("p", { class: "small muted" }, t(`gift_card.${state}`))) : howToUse(app, { title: t("coupon.how"), text: t("gift_card.how_text") }),
      h("section", { class: "stack tight" }, h("div", { class: "row between section-head" }, h("h2", null, t("gift_card.entries"))), list, more),
      card.bound_at && h("section", { class: "card" }, h("dl", { class: "facts" }, fact(t("gift_card.bound"), dateTime(card.bound_at)))),
    ];
  }

  function drawEntries() {
    more.hidden = !cursor;
    fill(list, entries.length ? h("div", { class: "cells" }, entries.map((entry) => entryRow(app, entry, "stored"))) : emptyState({ icon: "list", title: t("gift_card.no_entries") }));
  }

  async function loadEntries(id) {
    if (!list.childElementCount) fill(list, skeletonRows(3));
    try {
      const page = await app.cards.giftEntries(id);
      if (entries.length && page.items[0]?.id === entries[0].id) return;
      entries = page.items;
      cursor = page.next_cursor;
      drawEntries();
    } catch (error) {
      if (!entries.length) fill(list, trouble(error, () => loadEntries(id)));
    }
  }

  async function next() {
    try {
      const page = await app.cards.giftEntries(location.hash.split("?")[1], cursor);
      entries = [...entries, ...page.items];
      cursor = page.next_cursor;
      drawEntries();
    } catch (error) {
      app.toast(problemText(error));
    }
  }

  return cardPageOf(app, { title: t("cards.kind_gift"), kinds: ["gift"], fetch: app.cards.giftCard, draw, loaded: loadEntries });
}
