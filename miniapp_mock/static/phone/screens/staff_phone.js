/** Bind this phone to a login of the staff; from then on it shows codes to authorise with at tills. */
import { h } from "../../shared/dom.js";
import { busy } from "../parts.js";
import { problemText, t } from "../texts.js";

export function staffPhoneScreen(app) {
  const input = h("input", { class: "input num", id: "staff-ticket", maxlength: "12", autocomplete: "off", autocapitalize: "characters" });
  const problem = h("p", { class: "field-error", role: "alert" });
  const go = h("button", { type: "submit", class: "button primary wide" }, t("staffphone.go"));
  const send = (event) => {
    event.preventDefault();
    problem.textContent = "";
    return busy(go, async () => {
      try {
        const { username } = await app.api.post("/v1/member/staff-phone", { ticket: input.value.trim().toUpperCase() });
        app.toast(t("staffphone.done", { name: username }));
        app.go("authorise");
      } catch (error) {
        problem.textContent = problemText(error);
      }
    });
  };
  const node = h("form", { class: "stack page-body", onsubmit: send },
    h("p", { class: "muted small" }, t("staffphone.text")),
    h("div", { class: "card stack" }, h("label", { for: "staff-ticket" }, t("staffphone.code")), input, problem), go);
  // Whose phone speaks for somebody already wants to authorise, not to be bound.
  app.api.get("/v1/member/staff-phone").then(({ username }) => { if (username && node.isConnected) app.go("authorise"); }).catch(() => undefined);
  return { title: t("staffphone.title"), node };
}
