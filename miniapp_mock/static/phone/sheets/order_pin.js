/** The sheet on which a checkout's payment PIN is entered. */
import { h } from "../../shared/dom.js";
import { openDialog } from "../../shared/dialog.js";
import { glyph } from "../icons.js";
import { pinPad } from "../pinpad.js";
import { problemText, t } from "../texts.js";

/**
 * Open it for so much of the member's own value, in words (null where that is not known); `send(pin)` places the order. Resolves to `{ answer }`, or `{ error }` for what no
 * other PIN would mend, or undefined where the member thought better of it.
 */
export async function orderPinSheet({ amount, send }) {
  const problem = h("p", { class: "field-error center", role: "alert" });
  const pad = pinPad(confirm);
  const body = h("div", { class: "sheet-body stack confirm" },
    h("div", { class: "sheet-head" },
      h("button", { type: "button", class: "icon-button", "aria-label": t("common.close"), onclick: () => dialog.close() }, glyph("close", 22)),
      h("h2", { class: "sheet-title" }, t("checkout.pin_title")), h("span")),
    amount && h("p", { class: "big-amount num" }, amount),
    h("p", { class: "center muted small" }, t("confirm.pin")),
    problem, pad.node);
  const dialog = openDialog(body, { label: t("checkout.pin_title"), className: "confirm-sheet" });
  pad.focus();

  async function confirm(pin) {
    problem.textContent = "";
    pad.setBusy(true);
    try {
      dialog.close({ answer: await send(pin) });
    } catch (error) {
      if (error.code !== "pin_invalid") {
        dialog.close({ error });
        return;
      }
      const left = error.problem?.attempts_left ?? error.problem?.tries_left;
      problem.textContent = Number.isFinite(left) ? t("confirm.wrong_left", { count: left }) : problemText(error);
      pad.clear();
    }
  }

  return dialog.closed;
}
