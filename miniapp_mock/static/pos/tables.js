/** Orders from tables and shelves: who waits where, longest first; each is brought and noted once. */
import { fill, h } from "/static/shared/dom.js";
import { time } from "/static/shared/format.js";
import * as api from "./api.js";
import { serverNow } from "./clock.js";
import * as errands from "./errands.js";
import { picture } from "./icons.js";
import { kitchenSlip } from "./kitchen.js";
import { announce, dismiss, notify, trouble } from "./notices.js";
import { printPaper } from "./receipt.js";
import { change, state } from "./state.js";
import { t, troubleText } from "./texts.js";
import { forget, known, onNews, refresh } from "./to_serve.js";
import * as views from "./views.js";

const MINUTE_MS = 60_000;
const SHOWN_MS = 4000; // a row that was brought stays so long: nothing moves under a finger that presses twice
const CHANGED = [404, 409];

const place = h("main", { class: "tables", id: "tables" });
const middle = h("section", { class: "card tables-list", "aria-label": t("tables.title") });
const stale = h("p", { class: "small danger", role: "status" });
const brought = new Map(); // order id → the order, while its row is still shown
const refused = new Map(); // order id → why it is not to be brought
let doing = null; // the id of the one that is being noted

/** "等了 12 分钟". */
function waited({ paid_at: at }) {
  const minutes = Math.floor((serverNow() - Date.parse(at)) / MINUTE_MS);
  return minutes < 1 ? t("tables.just_now") : t("tables.minutes", { count: minutes });
}

function rows() {
  const waiting = known.items || [];
  const gone = [...brought.values()].filter((one) => !waiting.some(({ order_id: id }) => id === one.order_id));
  return [...waiting, ...gone].sort((a, b) => Date.parse(a.paid_at) - Date.parse(b.paid_at));
}

function pieceRow(line) {
  return h("li", { class: "table-piece" }, h("span", { class: "num strong" }, `${line.qty} ×`), h("span", null, line.name, line.spec ? h("span", { class: "small muted" }, ` ${line.spec}`) : null));
}

function orderRow(order) {
  const { order_id: id } = order;
  const done = brought.has(id);
  return h("li", { class: "table-order", id: `table-${id}`, tabindex: "-1", "data-done": String(done), "data-order": id },
    h("div", { class: "table-where" },
      h("p", { class: "table-name" }, order.spot),
      h("p", { class: "small num", "data-waited": order.paid_at }, waited(order)),
      h("p", { class: "small muted clip" }, order.member_name_masked)),
    h("div", { class: "grow" },
      h("ul", null, order.lines.map(pieceRow)),
      order.note ? h("p", { class: "small table-note" }, t("tables.note", { note: order.note })) : null,
      refused.has(id) ? h("p", { class: "small danger", role: "alert" }, refused.get(id)) : null,
      h("p", { class: "tiny muted num" }, id)),
    done
      ? h("p", { class: "pill brand table-done" }, picture("check", 18), t("tables.served"))
      : h("div", { class: "table-acts" },
        h("button", { class: "button", type: "button", id: `slip-${id}`, "aria-label": t("tables.print_of", { spot: order.spot }), onclick: () => printSlip(order) }, picture("printer", 20), t("tables.print")),
        h("button", { class: "button primary", type: "button", id: `serve-${id}`, "aria-label": t("tables.serve_of", { spot: order.spot }), "aria-busy": String(doing === id), onclick: (event) => { if (event.detail < 2) serve(order); } },
          t(doing === id ? "pickup.doing" : "tables.serve"))));
}

function nothing() {
  if (known.items) return h("div", { class: "empty" }, picture("table", 56), h("p", { class: "strong" }, t("tables.empty")), h("p", { class: "small" }, t("tables.empty_hint")));
  if (known.trouble) return h("div", { class: "empty", role: "alert" }, picture("offline", 56), h("p", { class: "strong" }, troubleText(known.trouble).title), h("button", { class: "button soft", type: "button", onclick: refresh }, t("common.retry")));
  return h("div", { class: "tables-wait", "aria-busy": "true" }, Array.from({ length: 3 }, () => h("div", { class: "skeleton" })));
}

/** Draw anew; what has the focus keeps it, also where its button has gone. */
function draw() {
  const focused = document.activeElement;
  const held = middle.contains(focused) ? { id: focused.id, row: focused.closest("[data-order]")?.id } : null;
  const scrolled = middle.firstElementChild?.scrollTop || 0;
  const shown = rows();
  fill(middle, shown.length ? h("ul", { class: "cells table-orders" }, shown.map(orderRow)) : nothing());
  middle.firstElementChild.scrollTop = scrolled;
  stale.textContent = known.trouble && known.at ? t("tables.stale", { time: time(known.at) }) : "";
  if (held) (document.getElementById(held.id) || document.getElementById(held.row) || back).focus({ preventScroll: true });
}

function printSlip(order) {
  printPaper(kitchenSlip(order, state.context.store.name));
  document.getElementById(`slip-${order.order_id}`)?.focus(); // the paper's own look hides the page, and with it what has the focus
}

/** Note that it was brought: told to the server until it answers, however often it is pressed. */
async function serve(order) {
  const { order_id: id } = order;
  if (state.settling || brought.has(id)) return;
  dismiss();
  refused.delete(id);
  doing = id;
  change((now) => { now.settling = true; });
  draw();
  try {
    if (await errands.run(api.servePath(order), {}, { what: t("tables.errand", { spot: order.spot }), orderNo: id })) done(order);
  } catch (error) {
    refuse(order, error);
  } finally {
    doing = null;
    change((now) => { now.settling = false; });
    draw();
  }
}

function done(order) {
  const { order_id: id, spot } = order;
  brought.set(id, order);
  forget(id);
  document.getElementById(`table-${id}`)?.focus({ preventScroll: true });
  announce(t("tables.done", { spot }));
  setTimeout(() => { brought.delete(id); draw(); }, SHOWN_MS);
}

function refuse(order, error) {
  if (error.code === "after_sale_open") refused.set(order.order_id, t("tables.after_sale_open"));
  else if (error.code === "order_not_receivable") notify(t("tables.order_not_receivable", { spot: order.spot }), { bad: true });
  else trouble(error, { text: t("pickup.look_again"), run: refresh });
  if (CHANGED.includes(error.status)) refresh();
}

/** Arrows go from order to order, and to its slip and back; a key that is held down brings nothing. */
function onKey(event) {
  if (views.current() !== "tables" || document.querySelector("dialog[open]") || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape") views.show("till");
  else if (event.key === "Enter" && event.repeat) event.preventDefault();
  else if (event.key === "ArrowUp" || event.key === "ArrowDown") {
    event.preventDefault();
    step(event.key === "ArrowUp" ? -1 : 1);
  } else if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
    const [print, bring] = document.activeElement.closest("[data-order]")?.querySelectorAll("button") || [];
    (event.key === "ArrowLeft" ? print : bring)?.focus();
  }
}

function step(by) {
  const all = [...middle.querySelectorAll("[data-order]")];
  const at = all.indexOf(document.activeElement.closest("[data-order]"));
  const wanted = at < 0 ? 0 : at + by;
  const row = all[Math.max(0, Math.min(all.length - 1, wanted))];
  (row?.querySelector(".button.primary") || row)?.focus();
}

const toFirst = () => (middle.querySelector(".button.primary") || back).focus();

async function enter() {
  draw();
  toFirst();
  await refresh();
  if (document.activeElement === back && views.current() === "tables") toFirst();
}

const back = h("button", { class: "button", type: "button", onclick: () => views.show("till") }, picture("back", 20), t("refund.back"), h("kbd", null, "Esc"));

export function build() {
  fill(place,
    h("header", { class: "card tables-head" }, back, h("h1", null, t("tables.title")), stale, h("span", { class: "grow" }),
      h("p", { class: "small muted tables-keys" }, h("kbd", null, "↑ ↓"), t("tables.key_move"), h("kbd", null, "Enter"), t("tables.serve"), h("kbd", null, "←"), t("tables.print"))),
    middle);
  views.add("tables", place, { enter, leave: dismiss });
  document.addEventListener("keydown", onKey);
  onNews((newcomers) => {
    for (const id of refused.keys()) if (!known.items?.some((one) => one.order_id === id)) refused.delete(id);
    if (newcomers.length) announce(t("tables.came", { spots: newcomers.map(({ spot }) => spot).join("、") }));
    if (views.current() === "tables") draw();
  });
  return place;
}
