/** One address: a new one, or one of the book; from the checkout, the one that was just written is taken. */
import { fill, h } from "../../shared/dom.js";
import { regionPicker } from "../../wx/region_picker.js";
import { busy, emptyState, field, linkCell, skeleton, trouble } from "../parts.js";
import { problemText, t } from "../texts.js";

const NAME = 40;
const STREET = 120;
const PHONE = /^[0-9+-]{6,20}$/;
const MOBILE = /^1\d{10}$/;

export function addressScreen(app) {
  const asked = decodeURIComponent(location.hash.split("?")[1] || "");
  const choosing = asked === "choose";
  const id = choosing ? "" : asked;
  const node = h("div", { class: "page" });
  const submit = h("button", { type: "submit", form: "address-form", class: "button primary wide", disabled: true }, t("common.save"));
  let gone = false;

  function draw(known = {}) {
    const name = field("name", t("address.name"), h("input", { type: "text", autocomplete: "shipping name", maxlength: NAME, value: known.name || "" }));
    const phone = field("phone", t("address.phone"), h("input", { type: "tel", class: "num", inputmode: "tel", autocomplete: "shipping tel", maxlength: 20, value: known.phone || "" }));
    const region = regionPicker({ value: known.region || "" });
    const street = field("street", t("address.street"), h("textarea", { rows: 2, autocomplete: "shipping street-address", maxlength: STREET, placeholder: t("address.street_hint"), value: known.street || "" }));
    const first = h("input", { type: "checkbox", role: "switch", id: "is-default", class: "switch", checked: Boolean(known.is_default), disabled: Boolean(known.is_default) });
    const problem = h("p", { class: "field-error center", role: "alert" });
    const places = { "/name": name, "/phone": phone, "/region": region, "/street": street };

    const form = h("form", { class: "stack", id: "address-form", novalidate: true, onsubmit: (event) => { event.preventDefault(); busy(submit, save); } },
      !id && h("section", { class: "card flush" }, linkCell({ icon: "phone", text: t("address.from_wechat"), onclick: fromWeChat })),
      h("section", { class: "card stack wide-gap" }, name.node, phone.node, region.node, street.node),
      h("section", { class: "card flush" }, h("label", { class: "cell toggle" }, h("span", { class: "grow" }, t("address.make_default"), known.is_default && h("span", { class: "tiny muted block" }, t("address.is_default"))), first)),
      problem,
      id && h("button", { type: "button", class: "button danger wide", onclick: () => drop(problem) }, t("address.drop")));
    fill(node, form);
    submit.disabled = false;

    async function fromWeChat() {
      try {
        const one = await app.wx.chooseAddress();
        name.input.value = one.userName.slice(0, NAME);
        phone.input.value = one.telNumber;
        street.input.value = one.detailInfo.slice(0, STREET);
        for (const part of Object.values(places)) part.mark("");
        await region.ready;
        if (!region.set(one.nationalCode || "")) region.mark(t("address.choose_region"));
        submit.focus();
      } catch (error) {
        if (!/cancel/.test(error.errMsg || "")) app.toast(error.errMsg || problemText(error));
      }
    }

    /** What was written, or null with each mistake named and the first one in focus. */
    function body() {
      const [who, tel, where] = [name, phone, street].map(({ input }) => input.value.trim());
      const digits = tel.replace(/[\s()（）]/g, "");
      const place = region.value();
      name.mark(who ? "" : t("address.need_name"));
      phone.mark(PHONE.test(digits) && (MOBILE.test(digits) || !/^1/.test(digits)) ? "" : t("address.bad_phone"));
      region.mark(place ? "" : t("address.choose_region"));
      street.mark(where ? "" : t("address.need_street"));
      const wrong = [[name, who], [phone, !phone.node.classList.contains("wrong")], [region, place], [street, where]].find(([, good]) => !good);
      if (wrong) {
        wrong[0].input.focus();
        return null;
      }
      return { name: who, phone: digits, ...place, street: where, is_default: first.checked };
    }

    async function save() {
      await region.ready.catch(() => undefined);
      const written = body();
      if (!written) return;
      problem.textContent = "";
      try {
        const saved = await app.addresses.save(written, id);
        const draft = app.orders.draft();
        if (draft && (choosing || draft.address?.id === saved.id)) Object.assign(draft, { address: saved, delivery: "express" });
        app.toast(t("address.saved"));
        app.back();
      } catch (error) {
        const placed = (error.fields || []).filter(({ pointer }) => places[pointer]);
        placed.forEach(({ pointer, message }) => places[pointer].mark(message));
        if (!placed.length) problem.textContent = problemText(error);
      }
    }
  }

  async function drop(problem) {
    const { confirm } = await app.wx.showModal({ title: t("address.drop_ask"), content: t("address.drop_text"), confirmText: t("address.drop"), cancelText: t("common.cancel"), danger: true });
    if (!confirm) return;
    try {
      await app.addresses.drop(id);
      const draft = app.orders.draft();
      if (draft?.address?.id === id) Object.assign(draft, { address: null, delivery: "pickup" });
      app.toast(t("address.dropped"));
      app.back();
    } catch (error) {
      problem.textContent = problemText(error);
    }
  }

  async function load() {
    fill(node, h("section", { class: "card" }, skeleton("w30", "w100", "w30", "w100")));
    try {
      const known = await app.addresses.get(id);
      if (!gone) draw(known);
    } catch (error) {
      const unknown = emptyState({ icon: "pin", title: t("address.unknown"), action: t("address.title"), onAction: () => app.go("addresses", { replace: true }) });
      if (!gone) fill(node, h("div", { class: "card" }, error.status === 404 ? unknown : trouble(error, load)));
    }
  }

  if (id) load();
  else draw();
  return { title: t(id ? "address.edit" : "address.add"), node, foot: submit, parent: choosing ? "checkout" : "addresses", leave: () => { gone = true; } };
}
