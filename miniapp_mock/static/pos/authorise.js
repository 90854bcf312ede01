/** What a cashier may not give alone: somebody who may shows the code to authorise with on their own phone. */
import { h } from "/static/shared/dom.js";
import { money } from "/static/shared/format.js";
import { button, field, openDialog } from "./dialogs.js";
import { picture } from "./icons.js";
import { isAuthorisation } from "./scanner.js";
import { t } from "./texts.js";

const REASONS = ["price_match", "damaged", "complaint", "bulk", "vip", "mistake", "other"];

/** Ask for it: resolves to `{ code, reason, note }`, or null. `missing` is what the quote says. */
export const askOverride = (missing) => askCode({
  text: t("override.text", { given: money(missing.discount_fen), allowed: money(missing.allowed_fen), beyond: money(missing.beyond_fen) }),
});

/** The same for anything else that needs it. */
export async function askCode({ text, reason = "damaged", go = t("override.go") }) {
  const code = field(t("override.code"), h("input", { class: "input big num secret", id: "override-code", inputmode: "numeric", autocomplete: "off", maxlength: "20", autofocus: true }));
  const why = field(t("override.reason"), h("select", { class: "input", id: "override-reason" },
    REASONS.map((name) => h("option", { value: name, selected: name === reason }, t(`override.reasons.${name}`)))));
  const note = field(t("override.note"), h("input", { class: "input", id: "override-note", maxlength: "200", autocomplete: "off" }));
  const take = (read) => { code.input.value = read; give(); };
  code.input.addEventListener("keydown", (event) => { if (event.key === "Enter") { event.preventDefault(); give(); } });
  const dialog = openDialog({
    title: t("override.title"), codes: true, onScan: take,
    body: [h("p", { class: "strong" }, text), h("p", { class: "row tight muted" }, picture("scan", 20), t("override.scan")), code.wrapper, why.wrapper, note.wrapper],
    actions: [button(t("common.cancel"), () => dialog.close(null)), button(go, give, "primary", { id: "override-go" })],
  });

  function give() {
    const text = code.input.value.trim();
    if (!isAuthorisation(text)) return code.complain(t(text.startsWith("70") ? "override.paying" : "override.short"));
    if (why.input.value === "other" && !note.input.value.trim()) return note.input.focus();
    return dialog.close({ code: text, reason: why.input.value, note: note.input.value.trim() });
  }
  return dialog.closed;
}
