/** The registration form: phone from WeChat, name, birthday, gender, consents. */
import { fill, h } from "../../shared/dom.js";
import { openDialog } from "../../shared/dialog.js";
import { attributeFields, changedAttributes, markMissing, markRefused } from "../attribute_fields.js";
import { busy, choices, dateField, field } from "../parts.js";
import { problemText, t } from "../texts.js";

export function registerScreen(app) {
  const form = { phoneCode: "", phone: "", gender: "" };
  const phone = phoneField(app, form);
  const name = field("name", t("register.name"), h("input", { type: "text", autocomplete: "name", maxlength: 40, placeholder: t("register.name_hint") }));
  const today = new Date(app.api.serverNow()).toISOString().slice(0, 10);
  const birthday = dateField("birthday", t("register.birthday"), { today, note: t("register.birthday_note") });
  const gender = choices("gender", t("register.gender"), [["female", t("gender.female")], ["male", t("gender.male")]], "", (value) => { form.gender = value; });
  const consent = consentField();
  let attributes = [];
  const more = h("div", { class: "stack wide-gap" });
  app.api.get("/v1/member/profile/form").then((asked) => {
    attributes = attributeFields({ attributes: asked.attributes.filter((one) => one.required) });
    fill(more, attributes.map((one) => one.node));
  }).catch(() => undefined); // the server says what is missing
  const problem = h("p", { class: "field-error center", role: "alert" });
  const submit = h("button", { type: "submit", class: "button primary wide" }, t("register.submit"));

  /** Mark what is wrong; the first wrong field gets the focus. */
  function valid() {
    const value = name.input.value.trim();
    phone.mark(form.phoneCode ? "" : t("register.need_phone"));
    name.mark(!value ? t("register.need_name") : [...value].length > 40 ? t("register.long_name") : "");
    birthday.mark(birthday.value() === null ? t("register.bad_birthday") : "");
    consent.mark(consent.input.checked ? "" : t("register.need_consent"));
    const wrong = markMissing(attributes) || [phone, name, birthday, consent].find((one) => one.input.getAttribute("aria-invalid") === "true");
    wrong?.input.focus();
    return !wrong;
  }

  async function send() {
    const body = { phone_code: form.phoneCode, name: name.input.value.trim(), consents: ["terms", "privacy"] };
    if (birthday.value()) body.birthday = birthday.value();
    if (form.gender) body.gender = form.gender;
    if (attributes.length) body.attributes = changedAttributes(attributes);
    try {
      const member = await app.api.post("/v1/member/register", body);
      app.store.set({ member });
    } catch (error) {
      refused(error);
      return;
    }
    await app.signIn(); // says whether staff must approve first
    if (app.ready()) app.toast(await welcomed());
  }

  /** What to say to who is in: new, or found again under a name of before. */
  async function welcomed() {
    const own = await app.api.get("/v1/member/registration").catch(() => null);
    if (!own?.claimed) return t("register.done");
    return own.name_kept ? t("register.claimed_name", { name: own.name_kept }) : t("register.claimed");
  }

  function refused(error) {
    const fields = { "/name": name, "/birthday": birthday, "/phone_code": phone };
    let placed = error.code === "registration_rejected";
    if (placed) problem.textContent = error.problem.reason || t("welcome.rejected");
    else placed = markRefused(attributes, error);
    for (const { pointer, message } of error.fields || []) {
      const target = fields[pointer];
      if (!target) continue;
      target.mark({ "/name": t("register.need_name"), "/birthday": t("register.bad_birthday") }[pointer] || message);
      target.input.focus();
      placed = true;
    }
    if (error.fields?.some(({ pointer }) => pointer === "/phone_code")) phone.reset();
    if (!placed) problem.textContent = problemText(error);
  }

  const node = h(
    "form",
    {
      class: "page form",
      novalidate: true,
      onsubmit: (event) => {
        event.preventDefault();
        problem.textContent = "";
        if (valid()) busy(submit, () => send().catch((error) => { problem.textContent = problemText(error); }));
      },
    },
    h("div", { class: "card stack wide-gap" }, phone.node, name.node, birthday.node, gender, more),
    consent.node,
    problem,
    submit,
  );
  return { title: t("register.title"), node, onBack: app.welcome };
}

function phoneField(app, form) {
  const shown = h("span", { class: "grow num" });
  const get = h("button", { type: "button", class: "button soft compact", id: "phone", "aria-describedby": "phone-error" }, t("register.phone_get"));
  const problem = h("p", { class: "field-error", id: "phone-error", role: "alert" });
  const row = h("div", { class: "input phone-row" }, shown, get);
  const node = h("div", { class: "field" }, h("span", { class: "label" }, t("register.phone")), row, problem);

  function draw() {
    fill(shown, form.phone ? `${form.phone.slice(0, 3)} ${form.phone.slice(3, 7)} ${form.phone.slice(7)}` : h("span", { class: "muted" }, "+86"));
    fill(get, t(form.phone ? "register.phone_change" : "register.phone_get"));
  }

  function mark(text) {
    problem.textContent = text;
    node.classList.toggle("wrong", Boolean(text));
    if (text) get.setAttribute("aria-invalid", "true");
    else get.removeAttribute("aria-invalid");
  }

  get.addEventListener("click", async () => {
    try {
      const { code } = await app.wx.getPhoneNumber();
      form.phoneCode = code;
      form.phone = /^phone-(\d{11})$/.exec(code)?.[1] || "";
      mark("");
      draw();
    } catch {
      // the member said no; the form stays
    }
  });
  draw();
  return {
    node,
    input: get,
    mark,
    reset() {
      form.phoneCode = "";
      form.phone = "";
      draw();
    },
  };
}

function consentField() {
  const input = h("input", { type: "checkbox", id: "consent", "aria-describedby": "consent-error" });
  const problem = h("p", { class: "field-error", id: "consent-error", role: "alert" });
  const read = (which) => h("button", { type: "button", class: "link", onclick: () => showText(which) }, `《${t(`register.${which}`)}》`);
  const node = h(
    "div",
    { class: "consent" },
    h("div", { class: "row consent-row" }, h("label", { class: "check" }, input, h("span", { class: "small" }, t("register.consent_lead"))), h("span", { class: "small" }, read("terms"), t("register.and"), read("privacy"))),
    problem,
  );

  function mark(text) {
    problem.textContent = text;
    if (text) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
  }

  input.addEventListener("change", () => mark(""));
  return { node, input, mark };
}

function showText(which) {
  const title = t(`register.${which}`);
  const body = h(
    "div",
    { class: "sheet-body stack" },
    h("h2", { class: "sheet-title" }, title),
    t(`${which}.body`).split("\n").map((line) => h("p", null, line)),
    h("button", { type: "button", class: "button primary wide", autofocus: true, onclick: () => dialog.close() }, t("common.ok")),
  );
  const dialog = openDialog(body, { label: title });
}
