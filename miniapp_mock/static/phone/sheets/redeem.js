/** The sheet on which a printed code is turned into a coupon. */
import { h } from "../../shared/dom.js";
import { openDialog } from "../../shared/dialog.js";
import { glyph } from "../icons.js";
import { busy, field } from "../parts.js";
import { problemText, t } from "../texts.js";

export function redeemSheet(app) {
  const code = field("redeem-code", t("redeem.code"), h("input", { type: "text", class: "code-input", maxlength: 40, autocomplete: "off", autocapitalize: "characters", spellcheck: "false", placeholder: "XXXX-XXXX-XXXX-XXXX-XXXX", autofocus: true }), t("redeem.note"));
  const submit = h("button", { type: "submit", class: "button primary wide" }, t("redeem.submit"));
  const form = h(
    "form",
    { class: "sheet-body stack", novalidate: true, onsubmit: (event) => { event.preventDefault(); busy(submit, redeem); } },
    h("div", { class: "sheet-head" },
      h("button", { type: "button", class: "icon-button", "aria-label": t("common.close"), onclick: () => dialog.close() }, glyph("close", 22)),
      h("h2", { class: "sheet-title" }, t("redeem.title")),
      h("span")),
    code.node,
    submit,
  );
  const dialog = openDialog(form, { label: t("redeem.title") });

  async function redeem() {
    const typed = code.input.value.toUpperCase().replace(/[^0-9A-Z]/g, "");
    if (!typed) {
      code.mark(t("redeem.missing"));
      code.input.focus();
      return;
    }
    code.mark("");
    try {
      const coupon = await app.coupons.claim({ code: typed });
      dialog.close();
      app.toast(t("centre.done"));
      app.coupons.load("available").catch(() => undefined);
      app.go(`coupon?${coupon.id}`);
    } catch (error) {
      code.mark(problemText(error));
      code.input.focus();
    }
  }
}
