/** The sheet on which a printed gift card becomes the member's own: its number, and the PIN under the scratch field. */
import { h } from "../../shared/dom.js";
import { openDialog } from "../../shared/dialog.js";
import { inGroups } from "../../shared/format.js";
import { glyph } from "../icons.js";
import { busy, field } from "../parts.js";
import { problemText, t } from "../texts.js";

const NUMBER = 16;

const digitsOf = (text, most) => text.replace(/[０-９]/g, (c) => String.fromCharCode(c.charCodeAt(0) - 0xfee0)).replace(/\D/g, "").slice(0, most);

/** Write the digits in groups of four and keep the caret behind the same digit. */
function regroup(input) {
  const before = digitsOf(input.value.slice(0, input.selectionStart), NUMBER).length;
  input.value = inGroups(digitsOf(input.value, NUMBER));
  const caret = before + Math.floor(Math.max(0, before - 1) / 4);
  input.setSelectionRange(caret, caret);
}

export function bindSheet(app) {
  const number = field("bind-number", t("bind.number"), h("input", { type: "text", class: "num", inputmode: "numeric", maxlength: 24, autocomplete: "off", placeholder: "0000 0000 0000 0000", autofocus: true }));
  const pin = field("bind-pin", t("bind.pin"), h("input", { type: "text", class: "num", inputmode: "numeric", maxlength: 12, autocomplete: "off" }), t("bind.pin_note"));
  number.input.addEventListener("input", () => regroup(number.input));
  const submit = h("button", { type: "submit", class: "button primary wide" }, t("bind.submit"));
  const form = h(
    "form",
    { class: "sheet-body stack", novalidate: true, onsubmit: (event) => { event.preventDefault(); busy(submit, bind); } },
    h("div", { class: "sheet-head" },
      h("button", { type: "button", class: "icon-button", "aria-label": t("common.close"), onclick: () => dialog.close() }, glyph("close", 22)),
      h("h2", { class: "sheet-title" }, t("bind.title")),
      h("span")),
    h("p", { class: "muted small" }, t("bind.text")),
    number.node,
    pin.node,
    submit,
  );
  const dialog = openDialog(form, { label: t("bind.title") });

  /** Say what is missing, where it is missing; true where nothing is. */
  function complete(cardNo, code) {
    number.mark(cardNo.length === NUMBER ? "" : t("bind.number_short"));
    pin.mark(code ? "" : t("bind.pin_missing"));
    if (cardNo.length !== NUMBER) number.input.focus();
    else if (!code) pin.input.focus();
    return cardNo.length === NUMBER && Boolean(code);
  }

  async function bind() {
    const cardNo = digitsOf(number.input.value, NUMBER);
    const code = digitsOf(pin.input.value, 12);
    if (!complete(cardNo, code)) return;
    try {
      const card = await app.cards.bind(cardNo, code);
      dialog.close();
      app.toast(t("bind.done"));
      app.cards.load().catch(() => undefined);
      app.go(`gift-card?${card.id}`);
    } catch (error) {
      pin.mark(problemText(error));
      pin.input.focus();
      pin.input.select();
    }
  }
}
