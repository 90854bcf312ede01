/** Orders from the mall, and gifts for points, that are picked up here: found by the code on the phone, handed over once. */
import { fill, h } from "/static/shared/dom.js";
import { date, dateTime, inGroups } from "/static/shared/format.js";
import * as api from "./api.js";
import * as errands from "./errands.js";
import { picture } from "./icons.js";
import { announce, dismiss, notify, trouble } from "./notices.js";
import { isGiftCode, isPickupCode } from "./scanner.js";
import { change, state } from "./state.js";
import { t } from "./texts.js";
import * as views from "./views.js";

const place = h("main", { class: "pickup", id: "pickup" });
const middle = h("section", { class: "card pickup-order" });
const input = h("input", { class: "input num", id: "pickup-code", autocomplete: "off", spellcheck: "false", maxlength: "24", placeholder: t("pickup.code"), "aria-label": t("pickup.code") });
let order = null;
let code = "";

const codeOf = (text) => text.replace(/[０-９Ｇｇ]/g, (c) => String.fromCharCode(c.charCodeAt(0) - 0xfee0)).toUpperCase().replace(/[^\dG]/g, "");

async function find(text) {
  code = codeOf(text);
  if (!code) return input.focus();
  dismiss();
  if (!isPickupCode(code) && !isGiftCode(code)) {
    notify(t("pickup.wrong"), { bad: true });
    return input.select();
  }
  order = null;
  draw();
  try {
    order = await (isGiftCode(code) ? api.findGift(code) : api.findPickup(code));
    input.value = "";
    draw();
    if (order.handed_at) notify(t(order.gift ? "error.gift_handed_over" : "error.pickup_done"), { bad: true });
    else announce(t("pickup.spoken", { member: order.member_name_masked, count: pieces() }));
    document.getElementById("pickup-do")?.focus();
  } catch (error) {
    input.value = inGroups(code);
    input.select();
    trouble(error, error.status === undefined || error.status >= 500 ? { text: t("common.retry"), run: () => find(code) } : null);
  }
  return undefined;
}

const pieces = () => order.lines.reduce((sum, { qty }) => sum + qty, 0);

function lineRow(line) {
  return h("li", { class: "cell pickup-line" },
    h("span", { class: "pickup-qty num strong" }, line.qty),
    h("div", { class: "grow" }, h("p", { class: "strong" }, line.name), h("p", { class: "small muted num" }, [line.spec, line.sku].filter(Boolean).join(" · "))));
}

function draw() {
  if (!order) return fill(middle, h("div", { class: "empty" }, picture("bag", 56), h("p", { class: "strong" }, t("pickup.empty")), h("p", { class: "small" }, t("pickup.hint"))));
  return fill(middle,
    h("div", { class: "row between pickup-head" },
      h("div", null, h("p", { class: "pickup-member" }, order.member_name_masked), h("p", { class: "small muted num" }, `${order.order_id} · ${order.gift ? t("pickup.gift_until", { date: date(order.due_on) }) : t("pickup.ready", { time: dateTime(order.ready_at) })}`)),
      h("span", { class: `pill ${order.handed_at ? "danger" : "brand"}` }, order.handed_at ? t("pickup.handed", { time: dateTime(order.handed_at) }) : t("pickup.waits"))),
    order.note ? h("p", { class: "notice" }, picture("info", 20), order.note) : null,
    h("ul", { class: "cells pickup-lines" }, order.lines.map(lineRow)),
    h("div", { class: "pickup-foot" },
      h("span", { class: "num strong" }, t("pickup.pieces", { count: pieces() })),
      h("button", { class: "button", type: "button", onclick: again }, t(order.handed_at ? "pickup.next" : "pickup.not_now")),
      order.handed_at ? null : h("button", { class: "button primary settle", type: "button", id: "pickup-do", "aria-busy": String(state.settling), onclick: hand }, h("span", null, t(state.settling ? "pickup.doing" : "pickup.do")), h("kbd", null, "F9"))));
}

function again() {
  order = null;
  code = "";
  input.value = "";
  draw();
  input.focus();
}

/** Hand it over (F9): told once to the server, however often it must be sent. */
async function hand() {
  if (!order || order.handed_at || state.settling) return;
  dismiss();
  const mine = order;
  change((now) => { now.settling = true; });
  draw();
  try {
    const answer = await errands.run(api.pickupPath(mine), { code }, { what: t("pickup.errand"), orderNo: mine.order_id });
    again();
    if (!answer) return;
    notify(t("pickup.done", { member: mine.member_name_masked, count: mine.lines.reduce((sum, { qty }) => sum + qty, 0) }), { stays: true });
    announce(t("pickup.done_spoken"));
  } catch (error) {
    trouble(error, error.status === 409 || error.status === 404 ? { text: t("pickup.look_again"), run: () => find(code) } : null);
  } finally {
    change((now) => { now.settling = false; });
    draw();
    if (!order) input.focus();
  }
}

function enter({ code: scannedCode } = {}) {
  again();
  return scannedCode ? find(scannedCode) : undefined;
}

/** A pick-up code was scanned, wherever the till was. */
export function scanned(text) {
  if (state.settling) return;
  if (views.current() === "pickup") find(text);
  else views.show("pickup", { code: text });
}

export function build() {
  fill(place,
    h("form", { class: "card pickup-find", onsubmit: (event) => { event.preventDefault(); find(input.value); } },
      h("button", { class: "button", type: "button", onclick: () => views.show("till") }, picture("back", 20), t("refund.back"), h("kbd", null, "Esc")),
      h("h1", null, t("pickup.title")), h("span", { class: "grow" }), input,
      h("button", { class: "button primary", type: "submit", id: "pickup-find" }, t("refund.find"))),
    middle);
  views.add("pickup", place, { enter, leave: dismiss });
  document.addEventListener("keydown", (event) => {
    if (views.current() !== "pickup" || document.querySelector("dialog[open]")) return;
    if (event.key === "Escape") views.show("till");
    else if (event.key === "F9") { event.preventDefault(); hand(); }
  });
  return place;
}
