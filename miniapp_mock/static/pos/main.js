/** Starts the till: one window, one terminal, the basket of before, what was left undecided; then the screens. */
import { fill, h } from "/static/shared/dom.js";
import * as api from "./api.js";
import * as aside from "./aside.js";
import * as attempts from "./attempts.js";
import { countHeld } from "./basket.js";
import * as basketView from "./basket_view.js";
import { serverNow } from "./clock.js";
import { dialogOpen, takeScan, takesCodes } from "./dialogs.js";
import * as gifts from "./gifts.js";
import * as header from "./header.js";
import { picture } from "./icons.js";
import * as identity from "./identity.js";
import * as keys from "./keys.js";
import { pause } from "./line.js";
import * as member from "./member.js";
import { notify, parts as notices, trouble, ways } from "./notices.js";
import * as payView from "./pay_view.js";
import * as pickup from "./pickup.js";
import * as quotes from "./quotes.js";
import * as refund from "./refund.js";
import * as result from "./result.js";
import * as scanner from "./scanner.js";
import * as search from "./search.js";
import * as setup from "./setup.js";
import { change, onChange, restoreBasket, state } from "./state.js";
import { settings } from "./store.js";
import { t, troubleText } from "./texts.js";
import * as tables from "./tables.js";
import * as toServe from "./to_serve.js";
import * as views from "./views.js";

const LOCK = "huiyuan-pos";
const RECENT_MS = 10 * 60 * 1000;
const BOOT_RETRY_MS = 4000;

const app = document.getElementById("app");

function message(mark, title, text, action) {
  fill(app, h("main", { class: "setup" }, h("div", { class: "card setup-card center", role: "status" },
    h("div", { class: "setup-mark" }, picture(mark, 34)), h("h1", null, title), h("p", { class: "muted small" }, text), action)));
}

/** Hold the till for this window; another one that takes it over gets a message here. */
function holdWindow() {
  if (!navigator.locks) return Promise.resolve();
  const lost = () => {
    document.querySelectorAll("dialog[open]").forEach((dialog) => dialog.remove());
    message(
      "store",
      t("tab.title"),
      t("tab.text"),
      h("button", { class: "button primary", type: "button", onclick: () => { sessionStorage.setItem("huiyuan-pos-take", "yes"); location.reload(); } }, t("tab.take")),
    );
  };
  const steal = sessionStorage.getItem("huiyuan-pos-take") === "yes";
  sessionStorage.removeItem("huiyuan-pos-take");
  return new Promise((resolve) => {
    const held = () => { resolve(); return new Promise(() => {}); };
    const patience = AbortSignal.timeout(1500); // a reload: the page before may still hold it
    navigator.locks.request(LOCK, steal ? { steal: true } : { signal: patience }, held).catch(lost);
  });
}

function buildScreens() {
  const till = h("main", { class: "till", id: "till" },
    h("section", { class: "card goods" }, search.build((code) => member.read(code, "typed")), basketView.build()),
    h("div", { class: "side" }, member.build(), payView.build()));
  views.add("till", till, { enter: () => search.focus() });
  let held = false;
  onChange(({ settling }) => { // what is being settled must not change meanwhile
    if (settling === held) return;
    held = settling;
    till.inert = settling;
    document.getElementById("top").inert = settling;
    if (!settling && views.current() === "till" && !dialogOpen()) search.focus();
  });
  fill(app, header.build(), h("div", { class: "stage" }, setup.build(), till, result.build(), refund.build(), pickup.build(), tables.build(), notices[0]), notices[1]);
}

/** Where a scan goes depends on what it is, not on where the focus is. */
function onScan(text) {
  if ((state.settling && !takesCodes()) || views.current() === "setup" || !state.context) return;
  const isMember = scanner.isMemberCode(text);
  if (dialogOpen() && (!isMember || takesCodes())) {
    takeScan(text);
    return;
  }
  document.querySelectorAll("dialog[open]").forEach((dialog) => dialog.querySelector(".pane-head button")?.click());
  if (scanner.isPickupCode(text) || scanner.isGiftCode(text)) {
    pickup.scanned(text);
    return;
  }
  if (views.current() === "refund" || (!isMember && refund.isOrderNo(text))) {
    if (!isMember) refund.scanned(text);
    return;
  }
  if (views.current() !== "till") views.show("till");
  if (isMember) member.read(text, "scanned");
  else if (scanner.isGiftCard(text)) gifts.open(text);
  else if (scanner.isMemberCard(text)) identity.ask({ card_no: text });
  else search.addScanned(text);
}

async function useTerminal(terminal, context) {
  api.useTerminal(terminal);
  change((now) => { now.context = context; });
  await settings.set("context", context);
  document.getElementById("top").hidden = false;
  await member.restore();
  views.show("till");
  await countHeld();
  const open = await attempts.unfinished();
  const mine = open.find((attempt) => attempt.memo.orderNo === state.orderNo) || open.findLast((attempt) => serverNow() - attempt.begunAt < RECENT_MS);
  aside.start();
  toServe.start();
  if (mine) await aside.takeUp(mine);
}

/** What the server says of this terminal; where it cannot be reached, what it said last. */
async function contextOf(terminal) {
  for (;;) {
    try {
      return await api.getContext(terminal);
    } catch (error) {
      if (error.status === 401 || error.status === 403) return null;
      const kept = await settings.get("context");
      if (kept?.terminal.id === terminal.id) return kept;
      trouble(error);
      await pause(BOOT_RETRY_MS);
    }
  }
}

async function start() {
  await holdWindow();
  state.cashier = (await settings.get("cashier")) || "";
  restoreBasket();
  buildScreens();
  quotes.start();
  keys.start();
  scanner.listen(onScan, () => (views.current() === "till" && !dialogOpen() ? search.box : null));
  const terminal = await setup.keptTerminal();
  const context = terminal && (await contextOf(terminal));
  ways.unauthenticated = { text: t("setup.again"), run: () => views.show("setup", useTerminal) };
  if (context) await useTerminal(terminal, context);
  else {
    views.show("setup", useTerminal);
    if (terminal) notify(t("setup.revoked"), { bad: true });
  }
}

start().catch((error) => {
  console.error(error);
  message(
    "warn",
    t("trouble.boot"),
    error.name === "Problem" ? troubleText(error).title : String(error.message),
    h("button", { class: "button primary", type: "button", onclick: () => location.reload() }, t("common.retry")),
  );
});
