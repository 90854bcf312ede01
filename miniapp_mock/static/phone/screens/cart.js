/** 购物车: what was put aside, by store; what is chosen of it goes to the checkout. */
import { fill, h } from "../../shared/dom.js";
import { money } from "../../shared/format.js";
import { picture, pricePill, priceTag, stepper } from "../goods.js";
import { glyph } from "../icons.js";
import { busy, emptyState, skeletonRows, trouble } from "../parts.js";
import { known, problemText, t } from "../texts.js";

const MOST = 99;
const SETTLE_MS = 350; // taps on the stepper that follow each other are one change

/** What is seen of a checkbox that is as large as a finger. */
const tickMark = () => h("span", { class: "tick-mark", "aria-hidden": "true" }, glyph("check", 16));

export function cartScreen(app) {
  const node = h("div", { class: "page stack cart" });
  const edit = h("button", { type: "button", class: "link", hidden: true, onclick: () => setEditing(!editing) });
  const all = h("input", { type: "checkbox", id: "cart-all", onchange: () => choose(goodLines(), all.checked) });
  const sum = h("span", { class: "cart-sum" });
  const go = h("button", { type: "button", class: "button primary", onclick: () => busy(go, act) });
  const foot = h("div", { class: "row grow cart-bar", hidden: true }, h("label", { class: "row", for: "cart-all" }, h("span", { class: "tick" }, all, tickMark()), h("span", null, t("cart.select_all"))), h("span", { class: "grow" }, sum), go);
  let cart = null;
  let editing = false;
  let gone = false;
  const timers = new Map();

  const lines = () => cart.groups.flatMap((group) => group.lines);
  const goodLines = () => lines().filter((line) => editing || !line.reason);
  const chosen = () => goodLines().filter((line) => app.cart.isChosen(line));

  function choose(some, on) {
    app.cart.choose(some, on);
    draw();
  }

  function setEditing(on) {
    editing = on;
    draw();
  }

  function draw() {
    const focused = node.contains(document.activeElement) ? document.activeElement.id : "";
    edit.hidden = foot.hidden = !lines().length && !cart.invalid.length;
    fill(edit, t(editing ? "cart.edit_done" : "cart.edit"));
    if (edit.hidden) {
      fill(node, h("div", { class: "card" }, emptyState({ icon: "cart", title: t("cart.empty"), hint: t("cart.empty_hint"), action: t("goods.to_mall"), onAction: () => app.go("mall") })));
      return;
    }
    fill(node, cart.groups.map(drawGroup), cart.invalid.length > 0 && drawInvalid());
    drawFoot();
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  }

  function drawGroup({ store, lines: own }) {
    const able = own.filter((line) => editing || !line.reason);
    const on = able.length > 0 && able.every((line) => app.cart.isChosen(line));
    return h(
      "section",
      { class: "card flush", "aria-label": store.name },
      h("div", { class: "cart-store" },
        h("label", { class: "tick" }, h("input", { type: "checkbox", id: `store-${store.id}`, checked: on, "aria-label": t("cart.select_store", { name: store.name }), onchange: (event) => choose(able, event.currentTarget.checked) }), tickMark()),
        glyph("shop", 20, "cell-icon"), h("h2", { class: "clip grow" }, store.name)),
      h("ul", { class: "cart-lines" }, own.map(drawLine)),
    );
  }

  function drawLine(line) {
    const most = Math.max(1, Math.min(MOST, line.available ?? MOST));
    const step = stepper({ qty: line.qty, most: Math.max(most, line.qty), name: line.name, onchange: (qty) => change(line, qty) });
    const product = `#/product?${encodeURIComponent(line.product_id)}`;
    return h(
      "li",
      { class: `cart-line${line.reason ? " over" : ""}` },
      h("label", { class: "tick" }, h("input", { type: "checkbox", id: `line-${line.id}`, checked: app.cart.isChosen(line) && (editing || !line.reason), disabled: Boolean(line.reason) && !editing, "aria-label": t("cart.select", { name: line.name }), onchange: (event) => choose([line], event.currentTarget.checked) }), tickMark()),
      h("a", { href: product, tabindex: "-1", "aria-hidden": "true" }, picture(line.picture)),
      h("div", { class: "cart-text" },
        h("a", { class: "cart-name", href: product }, line.name),
        line.spec && h("span", { class: "tiny muted" }, line.spec),
        line.reason && h("span", { class: "small danger" }, reasonWord(line)),
        h("div", { class: "cart-foot" }, h("span", { class: "cart-price" }, priceTag(line), pricePill(line)), step.node)),
    );
  }

  function drawInvalid() {
    return h(
      "section",
      { class: "card flush", "aria-label": t("cart.invalid") },
      h("div", { class: "row between cart-store" }, h("h2", { class: "cart-invalid-title" }, t("cart.invalid")), h("button", { type: "button", class: "link small", onclick: () => remove(cart.invalid) }, t("cart.clear_invalid"))),
      h("ul", { class: "cart-lines" }, cart.invalid.map((line) => h(
        "li",
        { class: "cart-line over" },
        h("button", { type: "button", class: "icon-button", "aria-label": t("cart.remove_of", { name: line.name }), onclick: () => remove([line]) }, glyph("trash", 20)),
        picture(line.picture),
        h("div", { class: "cart-text" }, h("span", { class: "cart-name" }, line.name), line.spec && h("span", { class: "tiny muted" }, line.spec), h("span", { class: "small danger" }, reasonWord(line))),
      ))),
    );
  }

  function reasonWord(line) {
    if (line.reason === "out_of_stock" && line.available > 0) return t("cart.few", { count: line.available });
    return known(`cart.reason_${line.reason}`) ? t(`cart.reason_${line.reason}`) : t("cart.reason_other");
  }

  function drawFoot() {
    const wanted = chosen();
    const able = goodLines();
    const pieces = wanted.reduce((total, line) => total + line.qty, 0);
    all.checked = able.length > 0 && wanted.length === able.length;
    all.disabled = !able.length;
    const total = wanted.reduce((fen, line) => fen + line.qty * line.price_fen, 0);
    fill(sum, !editing && [h("span", { class: "num" }, h("span", { class: "small muted" }, `${t("cart.total")} `), h("span", { class: "strong" }, money(total))), h("span", { class: "tiny muted" }, t("cart.total_note"))]);
    go.className = `button ${editing ? "danger" : "primary"}`;
    go.disabled = !pieces;
    fill(go, editing ? t("cart.remove_chosen", { count: wanted.length }) : t("cart.checkout", { count: pieces }));
  }

  /** A new quantity is seen at once and sent when the taps rest. */
  function change(line, qty) {
    line.qty = qty;
    drawFoot();
    clearTimeout(timers.get(line.id));
    timers.set(line.id, setTimeout(() => send(line), SETTLE_MS));
  }

  async function send(line) {
    timers.delete(line.id);
    try {
      keep(await app.cart.setQty(line, line.qty));
    } catch (error) {
      app.toast(problemText(error));
      load({ quiet: true });
    }
  }

  async function flush() {
    const waiting = [...timers.keys()];
    for (const id of waiting) {
      clearTimeout(timers.get(id));
      const line = lines().find((one) => one.id === id);
      if (line) await send(line);
    }
  }

  async function act() {
    if (editing) return remove(chosen());
    await flush();
    const wanted = chosen();
    if (!wanted.length) return undefined;
    app.orders.begin({ lines: wanted.map(({ sku, qty, store_id }) => ({ sku, qty, store_id })), fromCart: true });
    return app.go("checkout");
  }

  async function remove(some) {
    try {
      keep(await app.cart.remove(some));
      app.toast(t("cart.removed"));
    } catch (error) {
      app.toast(problemText(error));
    }
  }

  function keep(answer) {
    if (gone || timers.size) return; // the next answer will be newer
    cart = answer;
    if (!lines().length && !cart.invalid.length) editing = false;
    draw();
  }

  async function load({ quiet = false } = {}) {
    if (!quiet) fill(node, h("div", { class: "card flush" }, skeletonRows(4)));
    try {
      keep(await app.cart.load());
    } catch (error) {
      if (!gone && !(quiet && cart)) fill(node, h("div", { class: "card" }, trouble(error, load)));
    }
  }

  load();
  return {
    title: t("cart.title"),
    node,
    tool: edit,
    foot,
    parent: "mall",
    leave() {
      gone = true;
      if (cart) flush();
    },
  };
}
