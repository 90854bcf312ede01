/** The login: name, password and, where it is set up, the second factor's code. */
import { fill, h } from "/static/shared/dom.js";
import { glyph } from "./icons.js";
import { field } from "./parts/form.js";
import { busy } from "./parts/states.js";
import * as session from "./session.js";
import { problemText, t } from "./texts.js";

/** Show the login in `app`; resolves once somebody has logged in. `why` is told above the form. */
export function show(app, chainName, why = "") {
  return new Promise((resolve) => {
    const username = field({ name: "username", label: t("login.username"), input: h("input", { autocomplete: "username", autocapitalize: "none", spellcheck: "false", maxlength: 40 }) });
    const password = field({ name: "password", label: t("login.password"), input: h("input", { type: "password", autocomplete: "current-password", maxlength: 200 }) });
    const totp = field({ name: "totp", label: t("login.totp"), note: t("login.totp_note"), input: h("input", { autocomplete: "one-time-code", maxlength: 11, class: "num" }) });
    const problem = h("p", { class: "field-error", role: "alert" });
    const button = h("button", { class: "button primary wide" }, t("login.submit"));

    async function submit(event) {
      event.preventDefault();
      problem.textContent = wrong();
      if (problem.textContent) return;
      await busy(button, async () => {
        try {
          await session.logIn(username.input.value.trim(), password.input.value, totp.input.value.trim());
          resolve();
        } catch (error) {
          problem.textContent = refusal(error);
          totp.input.value = "";
          (error.status === 401 && totp.input.value === "" && password.input.value ? password : username).input.focus();
        }
      });
    }

    function wrong() {
      if (!username.input.value.trim() || !password.input.value) return t("login.missing");
      return totp.input.value && !/^(\d{6}|[0-9A-Za-z]{5}-?[0-9A-Za-z]{5})$/.test(totp.input.value.trim()) ? t("login.totp_wrong") : "";
    }

    fill(app, h(
      "main",
      { class: "login" },
      h(
        "form",
        { class: "card login-card", onsubmit: submit, novalidate: true },
        h("div", { class: "login-mark" }, glyph("badge", 28)),
        h("div", null, h("h1", null, t("login.title")), h("p", { class: "muted small" }, `${chainName} · ${t("app.title")}`)),
        why && h("p", { class: "notice", role: "status" }, glyph("lock", 18), h("span", null, why)),
        username.node, password.node, totp.node, problem, button,
      ),
    ));
    username.input.focus();
  });
}

function refusal(error) {
  if (error.status === 401) return t("login.wrong");
  if (error.code === "login_hours" || error.code === "device_unknown") return t(`login.${error.code}`);
  if (error.code === "login_locked") return t("login.locked", { minutes: Math.max(1, Math.ceil((error.retryAfterS || 60) / 60)) });
  return problemText(error);
}
