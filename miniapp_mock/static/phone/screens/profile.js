/** 个人资料: name, birthday, gender. */
import { fill, h } from "../../shared/dom.js";
import { attributeFields, changedAttributes, markMissing, markRefused } from "../attribute_fields.js";
import { busy, choices, dateField, field } from "../parts.js";
import { problemText, t } from "../texts.js";

export function profileScreen(app) {
  let attributes = [];
  const more = h("div", { class: "stack wide-gap" });
  const member = app.store.get("member") || {};
  const name = field("name", t("register.name"), h("input", { type: "text", autocomplete: "name", maxlength: 40, value: member.name || "" }));
  const today = new Date(app.api.serverNow()).toISOString().slice(0, 10);
  const birthday = dateField("birthday", t("register.birthday"), { today, value: member.birthday || "" });
  let gender = member.gender || "";
  const genders = choices("gender", t("register.gender"), [["female", t("gender.female")], ["male", t("gender.male")]], gender, (value) => { gender = value; });
  const change = h("button", { type: "button", class: "button soft compact", id: "phone", onclick: () => app.go("phone") }, t("profile.phone_change"));
  const phone = { node: h("div", { class: "field" }, h("span", { class: "label" }, t("register.phone")),
    h("div", { class: "input phone-row" }, h("span", { class: "grow num" }, member.phone_masked || t("profile.none")), change)) };
  const problem = h("p", { class: "field-error center", role: "alert" });
  const submit = h("button", { type: "submit", class: "button primary wide" }, t("common.save"));

  function changes() {
    const changed = {};
    if (name.input.value.trim() !== (member.name || "")) changed.name = name.input.value.trim();
    if (birthday.value() && birthday.value() !== (member.birthday || "")) changed.birthday = birthday.value();
    if (gender && gender !== (member.gender || "")) changed.gender = gender;
    const filled = changedAttributes(attributes, member.attributes);
    if (Object.keys(filled).length) changed.attributes = filled;
    return changed;
  }

  async function save() {
    const changed = changes();
    name.mark(name.input.value.trim() ? "" : t("register.need_name"));
    birthday.mark(birthday.value() === null ? t("register.bad_birthday") : "");
    const missing = markMissing(attributes);
    const wrong = missing || [name, birthday].find((one) => one.input.getAttribute("aria-invalid") === "true");
    if (wrong) {
      wrong.input.focus();
      return;
    }
    problem.textContent = "";
    try {
      if (Object.keys(changed).length) app.store.set({ member: await app.api.post("/v1/member/profile", changed) });
      app.toast(t("profile.saved"));
      app.back();
    } catch (error) {
      const fields = { "/name": name, "/birthday": birthday };
      const placed = (error.fields || []).filter(({ pointer }) => fields[pointer]);
      placed.forEach(({ pointer, message }) => fields[pointer].mark(message));
      if (!markRefused(attributes, error) && !placed.length) problem.textContent = problemText(error);
    }
  }

  const node = h(
    "form",
    { class: "page form", novalidate: true, onsubmit: (event) => { event.preventDefault(); busy(submit, save); } },
    h("div", { class: "card stack wide-gap" }, name.node, phone.node, birthday.node, genders, more),
    problem,
    submit,
  );
  app.api.get("/v1/member/profile/form").then((form) => {
    attributes = attributeFields(form, member.attributes);
    fill(more, attributes.map((one) => one.node));
    for (const { field: of, editable } of form.fields) if (!editable) lock({ name, birthday, gender: { node: genders }, phone }[of]);
  }).catch(() => undefined); // the rest can be changed without it

  /** What the shop alone changes is shown and cannot be changed here. */
  function lock(one) {
    if (!one) return;
    for (const input of one.node.querySelectorAll("input, select, button")) input.disabled = true;
    one.node.append(h("p", { class: "muted tiny" }, t("profile.locked")));
  }
  return { title: t("profile.title"), node, parent: "me" };
}
