/** Dialogs of the console: a question, a passing note, something to read. */
import { h } from "/static/shared/dom.js";
import { ask, openDialog, toast } from "/static/shared/dialog.js";
import { problemText, t } from "../texts.js";

export { openDialog, toast };

/** Ask before something is done; resolves true or false. */
export function confirm(title, { content = "", confirmText = t("common.confirm"), danger = false } = {}) {
  return ask({ title, content, confirmText, cancelText: t("common.cancel"), danger });
}

/** Do it and say so; a refusal is said too. Returns whether it was done. */
export async function attempt(work, done) {
  try {
    await work();
  } catch (error) {
    if (error.name !== "ApiError" && error.name !== "NetworkError") throw error;
    toast(problemText(error), 4000);
    return false;
  }
  if (done) toast(done);
  return true;
}

/** Show something to be read, closed by Esc or its button; resolves when it is closed. */
export function tell(title, content) {
  const dialog = openDialog(
    [h("div", { class: "dialog-head" }, h("h2", null, title)), h("div", { class: "dialog-scroll" }, content), h("div", { class: "dialog-actions" }, h("button", { type: "button", class: "button primary", autofocus: true, onclick: () => dialog.close() }, t("common.ok")))],
    { kind: "box", label: title, className: "wide" },
  );
  return dialog.closed;
}
