/** What a till does beside sales (F11): each by its number. */
import { h } from "/static/shared/dom.js";
import { openDialog } from "./dialogs.js";
import * as identity from "./identity.js";
import * as memberCards from "./member_cards.js";
import * as pinPad from "./pin_pad.js";
import * as recharge from "./recharge.js";
import * as shift from "./shift.js";
import { t } from "./texts.js";

const WAYS = [["identify", identity.open], ["recharge", recharge.open], ["shift", shift.open], ["member_card", memberCards.open], ["pin", pinPad.open]];

/** Open the menu. */
export function open() {
  const go = (run) => { dialog.close(); run(); };
  const dialog = openDialog({
    title: t("till.title"),
    body: h("div", { class: "stack tight" }, WAYS.map(([name, run], index) => h("button", {
      class: "cell", type: "button", id: `till-${name}`, autofocus: index === 0, onclick: () => go(run),
    }, h("kbd", null, String(index + 1)), h("span", { class: "grow" }, t(`till.${name}`))))),
  });
  dialog.element.addEventListener("keydown", (event) => {
    const way = WAYS[Number(event.key) - 1];
    if (way) {
      event.preventDefault();
      go(way[1]);
    }
  });
}
