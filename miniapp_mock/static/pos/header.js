/** The top line: whose till this is, whether the server is reached, and the ways to other things. */
import { fill, h } from "/static/shared/dom.js";
import { money, time } from "/static/shared/format.js";
import { openList } from "./aside.js";
import * as basket from "./basket.js";
import { serverNow } from "./clock.js";
import { button, openDialog } from "./dialogs.js";
import { picture } from "./icons.js";
import * as gifts from "./gifts.js";
import { isUp, watch } from "./line.js";
import { notify } from "./notices.js";
import { priceBasket } from "./prices.js";
import { open as openResult } from "./result.js";
import { openSettings } from "./setup.js";
import { lastReceipt, onChange } from "./state.js";
import { t } from "./texts.js";
import * as tillMenu from "./till_menu.js";
import * as views from "./views.js";

async function openHeld() {
  const rows = await basket.listHeld();
  const dialog = openDialog({
    title: t("held.title"),
    body: rows.length
      ? h("ul", { class: "cells held" }, rows.map((row) => {
        const sums = priceBasket(row.lines, 0);
        const names = row.lines.slice(0, 2).map((line) => line.name).join("、");
        return h("li", null, h("button", { class: "cell", type: "button", onclick: () => { dialog.close(); basket.recall(row); } },
          picture("pause"), h("span", { class: "grow" },
            h("span", { class: "strong clip block" }, row.lines.length > 2 ? t("held.more", { names }) : names),
            h("span", { class: "small muted num" }, t("held.row", { time: time(row.id), pieces: sums.pieces })),
          ),
          h("span", { class: "num strong" }, money(sums.payable))));
      }))
      : h("div", { class: "empty" }, picture("pause", 40), h("p", null, t("held.empty"))),
    actions: [button(t("common.close"), () => dialog.close())],
  });
}

function showLast() {
  const data = lastReceipt();
  if (data) openResult(data);
  else notify(t("result.none"));
}

const tool = (id, name, text, run) => h("button", { class: "tool", type: "button", id, onclick: run },
  picture(name, 20),
  h("span", null, text),
  h("span", { class: "badge num", hidden: true }),
);

function badge(element, number) {
  const mark = element.querySelector(".badge");
  mark.hidden = number === 0;
  mark.textContent = String(number);
}

export function build() {
  const who = h("div", { class: "who" });
  const order = h("span", { class: "small muted num", id: "order-no" });
  const pill = h("span", { class: "pill", id: "line-state", role: "status" });
  const clock = h("time", { class: "num muted" });
  const aside = h("button", { class: "pill danger as-button", type: "button", id: "aside", hidden: true, onclick: openList });
  const held = tool("recall", "recall", t("pos.recall"), openHeld);
  const toServe = tool("to-tables", "table", t("pos.tables"), () => views.show("tables"));
  const tools = h("nav", { class: "tools" },
    held,
    tool("last", "receipt", t("pos.last"), showLast),
    tool("gift", "gift", t("pos.gift"), () => gifts.open()),
    toServe,
    tool("to-pickup", "bag", t("pos.pickup"), () => views.show("pickup")),
    tool("to-refund", "refund", t("pos.refund"), () => views.show("refund")),
    tool("till-menu", "badge", t("till.menu"), tillMenu.open),
    tool("settings", "gear", t("pos.settings"), openSettings),
  );
  const banner = h("div", { class: "offline", id: "offline", role: "alert", hidden: true }, picture("offline", 18), t("pos.offline_banner"));

  let context = null;
  onChange((now) => {
    if (now.context !== context && now.context) {
      context = now.context;
      fill(who, h("span", { class: "logo" }, picture("store", 20)), h("div", { class: "who-text" },
        h("span", { class: "strong clip" }, context.chain_name), h("span", { class: "tiny muted clip" }, `${context.store.name} · ${context.terminal.name || context.terminal.id}${now.cashier ? ` · ${now.cashier}` : ""}`)));
    }
    order.textContent = now.orderNo ? `${t("pos.order")} ${now.orderNo}` : "";
    badge(held, now.heldCount);
    badge(toServe, now.toServeCount);
    aside.hidden = now.asideCount === 0;
    aside.textContent = t("pos.undecided", { count: now.asideCount });
  });
  const showLine = () => {
    pill.className = `pill ${isUp() ? "brand" : "danger"}`;
    fill(pill, h("span", { class: "dot", "aria-hidden": "true" }), t(isUp() ? "pos.online" : "pos.offline"));
    banner.hidden = isUp();
  };
  watch(showLine);
  showLine();
  const tick = () => { clock.textContent = time(serverNow()); };
  tick();
  setInterval(tick, 1000);
  return h("header", { class: "top", id: "top", hidden: true },
    h("div", { class: "top-row" }, who, h("span", { class: "grow" }), order, aside, pill, clock, tools),
    banner,
  );
}
