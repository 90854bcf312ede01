/** The keyboard of the till screen. Dialogs, the result and the refund screen have their own keys. */
import * as basket from "./basket.js";
import { dialogOpen } from "./dialogs.js";
import * as gifts from "./gifts.js";
import { askCut, askQty } from "./line_dialogs.js";
import { ask } from "./member.js";
import { dismiss } from "./notices.js";
import { use } from "./pay_view.js";
import * as search from "./search.js";
import { settle } from "./settle.js";
import { state } from "./state.js";
import * as strips from "./strips.js";
import * as tillMenu from "./till_menu.js";
import * as views from "./views.js";

const onLine = (run) => () => { if (state.selected >= 0) run(state.selected); };

const FUNCTION_KEYS = {
  F1: gifts.more,
  F2: onLine(askQty),
  F3: search.focus,
  F4: onLine(askCut),
  F6: () => use("cash"),
  F7: () => use("external"),
  F8: ask,
  F9: settle,
  F10: strips.focus,
  F11: tillMenu.open,
  F12: () => views.show("tables"),
};

const inField = (target) => target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement;

function move(by) {
  if (state.lines.length) basket.select(Math.max(0, Math.min(state.lines.length - 1, state.selected + by)));
}

function onKey(event) {
  if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
  const till = views.current() === "till" && !dialogOpen();
  if (/^F([1-9]|1[0-2])$/.test(event.key) && event.key !== "F5") event.preventDefault(); // never the browser's own meaning, wherever we are
  if (!till) return;
  const run = FUNCTION_KEYS[event.key];
  const searching = event.target === search.box;
  const typing = inField(event.target) && !(searching && !search.box.value);
  if (run) {
    search.close();
    run();
  } else if (event.key === "Escape") {
    dismiss();
    search.focus();
  } else if (event.key === "ArrowUp" || event.key === "ArrowDown") {
    event.preventDefault();
    move(event.key === "ArrowUp" ? -1 : 1);
  } else if (event.key === "Delete" && !typing) {
    if (state.selected >= 0) basket.remove(state.selected);
  } else if (event.key.length === 1 && event.key !== " " && !inField(event.target)) {
    search.focus(); // the key then lands in the search box
  }
}

export function start() {
  document.addEventListener("keydown", onKey);
}
