/** 邮箱: where letters by e-mail go; a code that was sent there must come back first. */
import { fill, h } from "../../shared/dom.js";
import { glyph } from "../icons.js";
import { busy, field, skeleton, trouble } from "../parts.js";
import { problemText, t } from "../texts.js";

const EMAIL = /^[^@\s]{1,64}@[^@\s]+\.[^@\s]+$/;
const CODE = /^\d{6}$/;
const WRONG = ["email_invalid", "email_code_invalid", "validation_failed"];

export function emailScreen(app) {
  const node = h("div", { class: "page stack" });

  async function load() {
    fill(node, h("div", { class: "card" }, skeleton("60%", "40%")));
    try {
      show(await app.messages.email());
    } catch (error) {
      fill(node, h("div", { class: "card" }, trouble(error, load)));
    }
  }

  function show(known) {
    if (known.pending_masked) enterCode(known);
    else if (known.email_masked) confirmed(known);
    else enterAddress(known);
  }

  const intro = (look, title, hint) => h("section", { class: "card result", role: "status" },
    h("span", { class: `done-mark ${look === "check" ? "" : "calm"}` }, glyph(look, 32)), h("h2", { class: "result-title break" }, title), h("p", { class: "muted small" }, hint));

  function confirmed(known) {
    fill(node,
      intro(known.dead ? "alert" : "check", known.email_masked, t(known.dead ? "email.dead" : "email.confirmed")),
      h("button", { type: "button", class: "button primary wide", onclick: () => enterAddress(known) }, t(known.dead ? "email.again" : "email.change")),
      h("button", { type: "button", class: "button wide", onclick: (event) => busy(event.currentTarget, forget) }, t("email.forget")));
  }

  function enterAddress(known) {
    const address = field("email", t("email.address"), h("input", { type: "email", inputmode: "email", autocomplete: "email", autocapitalize: "off", maxlength: 254 }), t("email.address_note"));
    form([address], "email.send", async () => {
      const written = address.input.value.trim();
      address.mark(EMAIL.test(written) ? "" : t("email.bad_address"));
      if (EMAIL.test(written)) show(await app.messages.putEmail(written));
      else address.input.focus();
    }, known.email_masked && h("button", { type: "button", class: "button wide", onclick: () => confirmed(known) }, t("email.keep", { email: known.email_masked })));
  }

  function enterCode(known) {
    const code = field("code", t("email.code"), h("input", { type: "text", class: "num", inputmode: "numeric", autocomplete: "one-time-code", maxlength: 6 }), t("email.code_note", { email: known.pending_masked }));
    form([code], "email.confirm", async () => {
      const written = code.input.value.trim();
      code.mark(CODE.test(written) ? "" : t("email.bad_code"));
      if (!CODE.test(written)) code.input.focus();
      else {
        show(await app.messages.confirmEmail(written));
        app.toast(t("email.done"));
      }
    }, h("button", { type: "button", class: "button wide", onclick: () => enterAddress(known) }, t("email.other")));
  }

  function form(fields, action, send, other) {
    const problem = h("p", { class: "field-error center", role: "alert" });
    const submit = h("button", { type: "submit", class: "button primary wide" }, t(action));
    const sent = async () => {
      problem.textContent = "";
      try {
        await send();
      } catch (error) {
        if (WRONG.includes(error.code)) fields[0].mark(problemText(error));
        else problem.textContent = problemText(error);
      }
    };
    fill(node, h("form", { class: "stack", novalidate: true, onsubmit: (event) => { event.preventDefault(); busy(submit, sent); } },
      h("section", { class: "card stack" }, fields.map((one) => one.node)), problem, submit, other));
  }

  async function forget() {
    try {
      await app.messages.forgetEmail();
      app.toast(t("email.forgotten"));
      load();
    } catch (error) {
      app.toast(problemText(error));
    }
  }

  load();
  return { title: t("email.title"), node, parent: "letters" };
}
