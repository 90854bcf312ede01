/** 收货地址: the book; from the checkout, a choice of one. */
import { fill, h } from "../../shared/dom.js";
import { placeWord } from "../order_words.js";
import { glyph } from "../icons.js";
import { emptyState, skeletonRows, trouble } from "../parts.js";
import { problemText, t } from "../texts.js";

export function addressesScreen(app) {
  const choosing = location.hash.split("?")[1] === "choose" && Boolean(app.orders.draft());
  const list = h("div", { class: "stack" });
  const add = h("button", { type: "button", class: "button primary wide", onclick: () => (choosing ? app.go("address?choose", { replace: true }) : app.go("address")) }, glyph("plus", 20), t("address.add"));
  let gone = false;

  function draw(items) {
    fill(list, items.length
      ? h("ul", { class: "card flush cells", "aria-label": t("address.title") }, items.map(row))
      : h("div", { class: "card" }, emptyState({ icon: "pin", title: t("address.empty"), hint: t("address.empty_hint") })));
  }

  function row(one) {
    const now = choosing && app.orders.draft().address?.id === one.id;
    const text = h("span", { class: "grow address-text" },
      h("span", { class: "row address-who" }, h("span", { class: "strong clip" }, one.name), h("span", { class: "num muted" }, one.phone), one.is_default && h("span", { class: "pill brand" }, t("address.default"))),
      h("span", { class: "small muted" }, `${placeWord(one)}${one.street}`));
    const main = h("button", { type: "button", class: "grow address-main", "aria-current": now ? "true" : null, onclick: () => (choosing ? choose(one.id) : edit(one.id)) },
      glyph(now ? "check" : "pin", 22, now ? "brand" : "cell-icon"), text);
    return h("li", { class: "address-row" }, main,
      h("button", { type: "button", class: "icon-button", "aria-label": t("address.edit_of", { name: one.name }), onclick: () => edit(one.id) }, glyph("edit", 20)));
  }

  const edit = (id) => app.go(`address?${encodeURIComponent(id)}`);

  async function choose(id) {
    try {
      app.orders.draft().address = await app.addresses.get(id);
      app.orders.draft().delivery = "express";
      app.back();
    } catch (error) {
      app.toast(problemText(error));
    }
  }

  async function load() {
    fill(list, h("div", { class: "card flush" }, skeletonRows(3)));
    try {
      const items = await app.addresses.list();
      if (!gone) draw(items);
    } catch (error) {
      if (!gone) fill(list, h("div", { class: "card" }, trouble(error, load)));
    }
  }

  load();
  return { title: t(choosing ? "address.choose" : "address.title"), node: h("div", { class: "page stack" }, list), foot: add, parent: choosing ? "checkout" : "me", leave: () => { gone = true; } };
}
