/** The checkout: how the goods reach the member, what pays for them, why it costs what it costs; placed once. */
import { fill, h } from "../../shared/dom.js";
import { count, money } from "../../shared/format.js";
import { deliveryCard } from "../delivery_card.js";
import { bodyOf, cardsOf, couponsOf, draftTotals, pointsFor, tendersOf } from "../checkout_words.js";
import { picture } from "../goods.js";
import { pictureAt } from "../goods_words.js";
import { glyph } from "../icons.js";
import { offWord, stepWord, tenderAmount, tenderWord } from "../order_words.js";
import { busy, emptyState, fact, linkCell, skeleton, trouble } from "../parts.js";
import { payWithCardSheet } from "../sheets/bind.js";
import { couponSheet } from "../sheets/coupons.js";
import { orderPinSheet } from "../sheets/order_pin.js";
import { payPlaced } from "../paying.js";
import { problemText, t } from "../texts.js";

const NOTE = 200;
const CARDS = 5; // that pay one checkout

export function checkoutScreen(app) {
  const node = h("div", { class: "page stack checkout" });
  const submit = h("button", { type: "button", class: "button primary", disabled: true, onclick: () => busy(submit, place) }, t("checkout.submit"));
  const total = h("p", { class: "grow cart-sum checkout-sum", role: "status" });
  const foot = h("div", { class: "row grow" }, total, submit);
  const draft = app.orders.draft();
  let quote = null;
  let round = 0;
  let gone = false;
  let wrong = new Map(); // sku → why it cannot be had
  let note = null; // what changed since the member looked
  let best = draft?.coupons === null;
  let far = false; // no store sends to the address that was chosen

  const refusal = h("p", { class: "field-error", role: "alert" });

  /** Ask what it costs now; what is shown stays meanwhile. */
  async function requote() {
    round += 1;
    const mine = round;
    app.orders.keep();
    submit.disabled = true;
    node.setAttribute("aria-busy", "true");
    try {
      const answer = await app.orders.quote(bodyOf(homeless() || far ? { ...draft, delivery: "pickup" } : draft));
      if (mine !== round || gone) return;
      take(answer);
    } catch (error) {
      if (mine !== round || gone) return;
      if (error.code === "address_out_of_range" && !far) tooFar();
      else if (error.code === "spot_invalid" && draft.spot) spotLost();
      else if (tokenOver(error)) forgetShown();
      else if (quote) refused(error);
      else missed(error);
    } finally {
      if (mine === round) node.removeAttribute("aria-busy");
    }
  }

  const tokenOver = (error) => /^gift_card_token_/.test(error.code) && draft.shown.length > 0;
  const homeless = () => draft.delivery === "express" && !draft.address;

  /** What it costs is shown without the way there, which nobody goes. */
  function tooFar() {
    far = true;
    draft.tenders = null;
    requote();
  }

  /** The code of the table is no good any more: the goods can still be fetched. */
  function spotLost() {
    app.spot.lost();
    Object.assign(draft, { spot: null, delivery: "pickup", tenders: null });
    note = t("checkout.spot_lost");
    requote();
  }

  async function chooseKind(kind) {
    far = false;
    draft.delivery = kind;
    if (homeless()) draft.address = await app.addresses.first().catch(() => null);
    if (!gone) change({});
  }

  /** A quote to show; the best coupons are taken once, unasked. */
  function take(answer) {
    quote = answer;
    const suggested = best ? couponsOf(answer) : null;
    best = false;
    if (suggested?.some(({ ids }) => ids.length)) {
      draft.coupons = Object.fromEntries(suggested.map(({ storeId, ids }) => [storeId, ids]));
      draft.tenders = null;
      requote();
      return;
    }
    const tenders = tendersOf(draft, answer, app.store.get("wallet"));
    if (JSON.stringify(tenders) !== JSON.stringify(draft.tenders)) {
      draft.tenders = tenders; // they follow what is left to pay
      requote();
      return;
    }
    submit.disabled = far || homeless();
    draw();
  }

  function missed(error) {
    refusedLine(error);
    if (wrong.size) {
      drawWrong();
      return;
    }
    fill(node, h("div", { class: "card" }, trouble(error, start)));
  }

  /** What a refusal is about: a line, or all of it. */
  function refusedLine(error) {
    const sku = error.problem?.sku;
    if (["out_of_stock", "not_on_sale"].includes(error.code) && sku) {
      const left = error.problem.available;
      wrong = new Map([[sku, error.code === "out_of_stock" && left > 0 ? t("cart.few", { count: left }) : t(`cart.reason_${error.code}`)]]);
      return true;
    }
    return false;
  }

  function refused(error) {
    refusal.textContent = refusedLine(error) ? t("checkout.line_wrong") : problemText(error);
    submit.disabled = wrong.size > 0;
    draw();
    (node.querySelector(".checkout-line.wrong") || refusal).scrollIntoView({ block: "center" });
  }

  /** No quote can be had with a line that is not there: it must go first. */
  function drawWrong() {
    fill(node, h("section", { class: "card stack", role: "alert" },
      h("p", { class: "strong" }, t("checkout.line_wrong")),
      h("ul", { class: "cells" }, draft.lines.filter(({ sku }) => wrong.has(sku)).map((line) => h("li", { class: "row between" }, h("span", null, line.name || line.sku, h("span", { class: "small danger block" }, wrong.get(line.sku))), dropButton(line)))),
      h("button", { type: "button", class: "button wide", onclick: () => app.go("cart", { replace: true }) }, t("checkout.to_cart"))));
  }

  const dropButton = (line) => h("button", { type: "button", class: "button compact", onclick: () => drop(line) }, t("cart.remove"));

  function drop({ sku }) {
    draft.lines = draft.lines.filter((line) => line.sku !== sku);
    draft.tenders = null;
    wrong = new Map();
    refusal.textContent = "";
    best = true;
    if (draft.lines.length) start();
    else app.go("cart", { replace: true });
  }

  function change(part) {
    Object.assign(draft, part, { tenders: null });
    note = null;
    refusal.textContent = "";
    draw();
    requote();
  }

  function draw() {
    const focused = document.activeElement?.id;
    const totals = draftTotals(quote);
    setFoot(true);
    fill(node,
      note && h("p", { class: "notice", role: "alert" }, glyph("alert", 20), note),
      deliveryCard(app, { quote, draft, far, onKind: chooseKind }),
      quote.orders.map(storeCard),
      payCard(totals),
      h("section", { class: "card stack tight" }, h("h2", null, t("checkout.sums")), sums(totals)),
      refusal);
    fill(total, h("span", { class: "num" }, h("span", { class: "small muted" }, `${t(totals.rest > 0 ? "checkout.wechat_rest" : "checkout.to_pay")} `), h("span", { class: "strong" }, money(totals.rest > 0 ? totals.rest : totals.afterCoupons))), totals.off > 0 && h("span", { class: "tiny brand num" }, t("checkout.saved", { amount: money(totals.off) })));
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  }

  function storeCard(part) {
    const text = h("input", { class: "input", id: `note-${part.store_id}`, maxlength: NOTE, autocomplete: "off", placeholder: t("checkout.note_hint"), "aria-label": t("checkout.note"), value: draft.notes[part.store_id] || "", oninput: () => { draft.notes[part.store_id] = text.value.trim(); app.orders.keep(); } });
    return h("section", { class: "card flush", "aria-label": app.mall.storeName(part.store_id) },
      h("div", { class: "cart-store checkout-store" }, glyph("shop", 20, "cell-icon"), h("h2", { class: "clip grow" }, app.mall.storeName(part.store_id))),
      h("ul", { class: "cart-lines" }, part.lines.map(line)),
      h("div", { class: "checkout-note" }, text));
  }

  /** A line with what led from the list price to what it costs. */
  function line(one) {
    const list = one.list_fen * one.qty;
    const why = wrong.get(one.sku);
    return h("li", { class: `checkout-line${why ? " wrong" : ""}` },
      picture(pictureAt(one.picture)),
      h("div", { class: "cart-text" },
        h("span", { class: "cart-name" }, one.name),
        h("span", { class: "tiny muted num" }, [one.spec, `×${one.qty}`].filter(Boolean).join(" · ")),
        one.steps.map((step) => h("span", { class: "tiny brand num" }, `${stepWord(step)} ${offWord(step.off_fen)}`)),
        why && h("span", { class: "row between" }, h("span", { class: "small danger" }, why), dropButton(one))),
      h("span", { class: "checkout-line-sum num" }, h("span", { class: "strong" }, money(one.payable_fen)), list > one.payable_fen && h("s", { class: "tiny muted" }, money(list))));
  }

  function payCard(totals) {
    const wallet = app.store.get("wallet");
    const stored = wallet?.stored?.total_fen ?? 0;
    const points = pointsFor(quote, wallet);
    const coupons = quote.orders.flatMap(({ coupons: held }) => held);
    const usable = coupons.filter(({ usable: good }) => good).length;
    const word = totals.coupons > 0 ? offWord(totals.coupons) : usable ? t("checkout.coupons_usable", { count: usable }) : t("checkout.coupons_none");
    return h("section", { class: "card flush cells" },
      linkCell({ icon: "ticket", text: t("checkout.coupons"), value: h("span", { class: totals.coupons > 0 ? "brand num" : "num" }, word), onclick: () => couponSheet(app, quote, draft, (chosen) => { best = chosen === null; change({ coupons: chosen }); }) }),
      points.points > 0 && toggle("points", t("checkout.points"), t("checkout.points_text", { count: count(points.points), amount: money(points.amount_fen) })),
      cardsOf(draft, quote).map(giftCard),
      stored > 0 && toggle("stored", t("tender.stored"), t("checkout.stored_text", { amount: money(stored) })),
      draft.cards.length < CARDS && linkCell({ icon: "gift", text: t("checkout.card_add"), value: t("checkout.card_add_do"), onclick: () => payWithCardSheet(app, takeCard) }));
  }

  /** A gift card of the member's own; one that cannot pay says why. */
  function giftCard(card) {
    const text = card.usable ? t("checkout.stored_text", { amount: money(card.balance_fen) }) : problemText({ code: card.code });
    const choose = (event) => change({ cards: event.currentTarget.checked ? [...draft.cards, card.id] : draft.cards.filter((id) => id !== card.id) });
    return h("label", { class: "cell toggle" },
      h("span", { class: "grow" }, card.title || t("tender.gift_card"), h("span", { class: "num" }, t("checkout.card_tail", { tail: card.number_masked.slice(-4) })), h("span", { class: "tiny muted block num" }, text)),
      h("input", { type: "checkbox", role: "switch", id: `card-${card.id}`, class: "switch", checked: card.usable && draft.cards.includes(card.id), disabled: !card.usable, onchange: choose }));
  }

  /** One that was shown pays at once; the member's own needs no token. */
  function takeCard({ card_id: id, card_token: token, title, number_masked, balance_fen }) {
    if (!cardsOf(draft, quote).some((one) => one.id === id)) draft.shown = [...draft.shown, { id, token, title, number_masked, balance_fen }];
    change({ cards: [...new Set([...draft.cards, id])] });
  }

  /** The tokens of cards are good for a quarter of an hour: afterwards the rest of the checkout stands without them. */
  function forgetShown() {
    const shown = draft.shown.map(({ id }) => id);
    change({ shown: [], cards: draft.cards.filter((id) => !shown.includes(id)) });
    note = t("checkout.card_again");
  }

  const toggle = (name, title, text) => h("label", { class: "cell toggle" },
    h("span", { class: "grow" }, title, h("span", { class: "tiny muted block num" }, text)),
    h("input", { type: "checkbox", role: "switch", id: `use-${name}`, class: "switch", checked: draft[name], onchange: (event) => change({ [name]: event.currentTarget.checked }) }));

  /** Every step from the list price to what is left to pay. */
  function sums(totals) {
    return h("dl", { class: "facts" },
      fact(t("checkout.goods"), money(totals.list)),
      totals.steps.map((step) => fact(stepWord(step), offWord(step.off_fen), { look: "brand" })),
      fact(t("checkout.freight"), far || homeless() ? "—" : totals.freight ? money(totals.freight) : t("checkout.free")),
      totals.tenders.map((tender) => fact(tenderWord(tender.type), tender.type === "coupon" ? offWord(tender.amount_fen) : tenderAmount(tender), { look: tender.type === "coupon" ? "brand" : "" })),
      totals.earned > 0 && fact(t("checkout.earned"), t("common.points", { count: count(totals.earned) }), { look: "gold" }),
      totals.earned > 0 && totals.earnedBy.length > 0 && fact(t("checkout.earned_by"), totals.earnedBy.join("、")));
  }

  async function place() {
    if (!quote || submit.disabled) return;
    refusal.textContent = "";
    if (!app.store.get("online")) {
      refusedOffline();
      return;
    }
    if (quote.pin_required) await placeWithPin();
    else await attempt(() => app.orders.place(seen()));
  }

  function refusedOffline() {
    refusal.textContent = t(draft.fromCart ? "checkout.offline_cart" : "checkout.offline");
    refusal.scrollIntoView({ block: "center" });
  }

  const seen = () => ({ ...bodyOf(draft), payable_fen: quote.payable_fen, due_fen: quote.due_fen });

  /** More of the member's own value than goes without it: the payment PIN first. */
  async function placeWithPin() {
    const body = app.orders.undecided() ? null : seen();
    const send = (pin) => (body ? app.orders.place(body, pin) : app.orders.settle(pin));
    const ownFen = body ? draftTotals(quote).own : 0;
    const result = await orderPinSheet({ amount: ownFen > 0 ? money(ownFen) : null, send });
    if (result?.answer) await placed(result.answer);
    else if (result?.error) await unplaced(result.error);
    else if (app.orders.undecided()) drawUndecided(null);
  }

  async function attempt(work) {
    let answer;
    try {
      answer = await work();
    } catch (error) {
      await unplaced(error);
      return;
    }
    await placed(answer);
  }

  /** It stands: what WeChat is to pay is paid now, and the result shown. */
  async function placed(answer) {
    if (draft?.fromCart) app.cart.remove(draft.lines).catch(() => undefined);
    app.orders.done();
    app.refresh().catch(() => undefined);
    await payPlaced(app, answer);
  }

  async function unplaced(error) {
    if (gone) return;
    if (error.code === "pin_required") {
      await placeWithPin();
      return;
    }
    if (error.code === "address_out_of_range") {
      tooFar();
      return;
    }
    if (error.code === "spot_invalid" && draft?.spot) {
      spotLost();
      return;
    }
    if (quote && tokenOver(error)) {
      forgetShown();
      return;
    }
    if (error.code === "price_changed") {
      note = t("checkout.price_changed", { before: money(quote.due_fen) });
      draft.tenders = null;
      await requote();
      document.querySelector("main").scrollTop = 0;
      return;
    }
    if (app.orders.undecided()) drawUndecided(error);
    else if (error.code === "crowded") drawCrowded();
    else if (quote && !error.status) refusedOffline(); // it never left the phone
    else if (quote) refused(error);
    else start(); // what a restart had left is refused: the checkout begins anew
  }

  /** Too many order at once: nothing was done, everything is kept, and the same can be sent again. */
  function drawCrowded() {
    const again = h("button", { type: "button", class: "button primary wide", onclick: () => busy(again, () => { submit.disabled = false; return place(); }) }, t("checkout.again"));
    fill(node, h("section", { class: "card result", role: "alert" },
      h("span", { class: "done-mark calm" }, glyph("clock", 34)),
      h("h2", { class: "result-title" }, t("checkout.crowded")),
      h("p", { class: "muted small" }, t(draft.fromCart ? "checkout.crowded_cart" : "checkout.crowded_kept")), again));
    submit.disabled = true;
    setFoot(false);
    again.focus();
  }

  function setFoot(on) {
    foot.parentElement?.toggleAttribute("hidden", !on);
  }

  /** Nobody knows yet whether it stands: the only way on is to ask again. */
  function drawUndecided(error) {
    const again = h("button", { type: "button", class: "button primary wide", onclick: () => busy(again, () => attempt(() => app.orders.settle())) }, t("common.retry"));
    fill(node, h("section", { class: "card result", role: "alert" },
      h("span", { class: "done-mark calm" }, glyph("clock", 34)),
      h("h2", { class: "result-title" }, t("checkout.unknown")),
      h("p", { class: "muted small" }, error ? problemText(error) : t("checkout.unknown_hint")),
      h("p", { class: "muted small" }, t("checkout.unknown_once")), again));
    submit.disabled = true;
    setFoot(false);
    again.focus();
  }

  async function start() {
    if (app.orders.undecided()) return drawUndecided(null);
    if (!draft?.lines.length) {
      fill(node, h("div", { class: "card" }, emptyState({ icon: "cart", title: t("checkout.nothing"), action: t("checkout.to_cart"), onAction: () => app.go("cart", { replace: true }) })));
      return undefined;
    }
    if (!quote) fill(node, h("section", { class: "card" }, skeleton("w50", "w70")), h("section", { class: "card" }, skeleton("w70", "w50", "w70")), h("section", { class: "card" }, skeleton("w100", "w100")));
    await app.mall.stores().catch(() => undefined); // for their names
    if (draft.address_id && !draft.address) draft.address = await app.addresses.get(draft.address_id).catch(() => null); // after a reload
    if (gone) return undefined;
    return requote();
  }

  start();
  // back in the net: what is undecided is asked for again, what could not be priced is priced
  const stopBack = app.seen.onBack(() => {
    if (app.orders.undecided()) attempt(() => app.orders.settle());
    else if (!quote) start();
  });
  const stop = app.store.watch(["wallet"], () => { if (quote && !gone) draw(); });
  return {
    title: t("checkout.title"),
    node,
    foot,
    parent: "cart",
    leave() {
      gone = true;
      round += 1;
      stop();
      stopBack();
    },
  };
}
