/** The sheet on which a printed gift card is named: its number, and the PIN under the scratch field. */
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

/** Make a card the member's own. */
export function bindSheet(app) {
  cardSheet({
    words: "bind",
    async send(cardNo, code) {
      const card = await app.cards.bind(cardNo, code);
      return () => {
        app.toast(t("bind.done"));
        app.cards.load().catch(() => undefined);
        app.go(`gift-card?${card.id}`);
      };
    },
  });
}

/** Let a card that nobody has bound pay a checkout; `onCard(card)` hears what is on it and the token that stands for it. */
export function payWithCardSheet(app, onCard) {
  cardSheet({
    words: "show_card",
    async send(cardNo, code) {
      const card = await app.cards.check(cardNo, code);
      return () => onCard(card);
    },
  });
}

/** Ask for number and PIN; `send(cardNo, pin)` resolves to what is done once the sheet is closed. Neither is kept. */
function cardSheet({ words, send }) {
  const number = field("bind-number", t("bind.number"), h("input", { type: "text", class: "num", inputmode: "numeric", maxlength: 24, autocomplete: "off", placeholder: "0000 0000 0000 0000", autofocus: true }));
  const pin = field("bind-pin", t("bind.pin"), h("input", { type: "text", class: "num", inputmode: "numeric", maxlength: 12, autocomplete: "off" }), t("bind.pin_note"));
  number.input.addEventListener("input", () => regroup(number.input));
  const submit = h("button", { type: "submit", class: "button primary wide" }, t(`${words}.submit`));
  const form = h(
    "form",
    { class: "sheet-body stack", novalidate: true, onsubmit: (event) => { event.preventDefault(); busy(submit, enter); } },
    h("div", { class: "sheet-head" },
      h("button", { type: "button", class: "icon-button", "aria-label": t("common.close"), onclick: () => dialog.close() }, glyph("close", 22)),
      h("h2", { class: "sheet-title" }, t(`${words}.title`)),
      h("span")),
    h("p", { class: "muted small" }, t(`${words}.text`)),
    number.node,
    pin.node,
    submit,
  );
  const dialog = openDialog(form, { label: t(`${words}.title`) });

  /** Say what is missing, where it is missing; true where nothing is. */
  function complete(cardNo, code) {
    number.mark(cardNo.length === NUMBER ? "" : t("bind.number_short"));
    pin.mark(code ? "" : t("bind.pin_missing"));
    if (cardNo.length !== NUMBER) number.input.focus();
    else if (!code) pin.input.focus();
    return cardNo.length === NUMBER && Boolean(code);
  }

  async function enter() {
    const cardNo = digitsOf(number.input.value, NUMBER);
    const code = digitsOf(pin.input.value, 12);
    if (!complete(cardNo, code)) return;
    try {
      const then = await send(cardNo, code);
      dialog.close();
      then();
    } catch (error) {
      pin.mark(problemText(error));
      pin.input.focus();
      pin.input.select();
    }
  }
}
