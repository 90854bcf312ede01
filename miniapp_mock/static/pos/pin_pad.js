/** A member sets their payment PIN here: they show a fresh code for it, and type it twice; the cashier looks away. */
import { h } from "/static/shared/dom.js";
import * as api from "./api.js";
import { button, field, keypad, openDialog } from "./dialogs.js";
import { notify, trouble } from "./notices.js";
import { isMemberCode } from "./scanner.js";
import { state } from "./state.js";
import { t } from "./texts.js";

const secret = (id, props = {}) => h("input", { class: "input big num secret", id, inputmode: "numeric", autocomplete: "off", maxlength: "6", ...props });

/** Ask for the code, then for the PIN. */
export async function open() {
  const code = await shown();
  if (code) await typed(code);
}

function shown() {
  const code = field(t("pin.code"), h("input", { class: "input big num", id: "pin-code", inputmode: "numeric", autocomplete: "off", maxlength: "20", autofocus: true }));
  const take = () => (isMemberCode(code.input.value.trim()) ? dialog.close(code.input.value.trim()) : code.complain(t("override.short")));
  code.input.addEventListener("keydown", (event) => { if (event.key === "Enter") { event.preventDefault(); take(); } });
  const dialog = openDialog({
    title: t("pin.title"), codes: true, onScan: (text) => { code.input.value = text; take(); },
    body: [h("p", { class: "small muted" }, t("pin.hint")), code.wrapper],
    actions: [button(t("common.cancel"), () => dialog.close(null)), button(t("common.confirm"), take, "primary", { id: "pin-shown" })],
  });
  return dialog.closed;
}

async function typed(code) {
  const first = field(t("pin.new"), secret("pin-new", { autofocus: true }));
  const again = field(t("pin.again"), secret("pin-again"));
  const go = button(t("pin.go"), send, "primary", { id: "pin-go" });
  const pad = h("div", null, keypad(first.input));
  const six = (one) => one.input.value.length === 6;
  first.input.addEventListener("input", () => { if (six(first)) again.input.focus(); });
  again.input.addEventListener("focus", () => pad.replaceChildren(keypad(again.input)));
  first.input.addEventListener("focus", () => pad.replaceChildren(keypad(first.input)));
  again.input.addEventListener("keydown", (event) => { if (event.key === "Enter") { event.preventDefault(); send(); } });
  const dialog = openDialog({
    title: t("pin.title"),
    body: [h("p", { class: "strong" }, t("pin.alone")), first.wrapper, again.wrapper, pad],
    actions: [button(t("common.cancel"), () => dialog.close(null)), go],
  });

  async function send() {
    if (!/^\d{6}$/.test(first.input.value)) return first.complain(t("pin.short"));
    if (again.input.value !== first.input.value) {
      again.input.value = "";
      return again.complain(t("pin.differs"));
    }
    const pin = first.input.value;
    dialog.close();
    try {
      await api.post("/v1/pos/pins", { code, pin, ...(state.cashier ? { cashier: state.cashier } : {}) });
      notify(t("pin.done"), { stays: true });
    } catch (error) {
      trouble(error);
    }
  }
}
