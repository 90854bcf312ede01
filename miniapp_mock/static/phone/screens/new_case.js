/** 提交反馈: what it is, where, what happened. */
import { fill, h } from "../../shared/dom.js";
import { date } from "../../shared/format.js";
import { busy, choices } from "../parts.js";
import { pictureField } from "../pictures.js";
import { problemText, t } from "../texts.js";
import { LONGEST } from "../voice.js";

const KINDS = ["complaint", "opinion", "praise", "consultation"];

export function newCaseScreen(app) {
  const submit = h("button", { type: "button", class: "button primary wide", onclick: () => busy(submit, send) }, t("cases.new"));
  const refusal = h("p", { class: "field-error", role: "alert" });
  let kind = "";
  let key = "";
  const changed = () => { key = ""; refusal.textContent = ""; };
  const words = h("textarea", { class: "input voice-words", id: "words", rows: 6, maxlength: LONGEST, placeholder: t("suggest.words_hint"), oninput: changed });
  const store = h("select", { class: "input", id: "store", onchange: changed }, h("option", { value: "" }, t("case.store_none")));
  const order = h("select", { class: "input", id: "order", onchange: changed }, h("option", { value: "" }, t("case.about_none")));
  const pictures = pictureField(app, t("case.pictures"), { changed });
  const node = h("div", { class: "page stack" },
    h("section", { class: "card stack" }, choices("kind", t("case.kind"), KINDS.map((one) => [one, t(`case.kind_${one}`)]), "", (value) => { kind = value; changed(); }),
      h("div", { class: "field" }, h("label", { for: "words" }, t("case.words")), words), pictures.node),
    h("section", { class: "card stack" },
      h("div", { class: "field" }, h("label", { for: "store" }, t("case.store")), store),
      h("div", { class: "field" }, h("label", { for: "order" }, t("case.about")), order)),
    refusal);

  async function send() {
    if (pictures.busy()) refusal.textContent = t("picture.wait");
    else if (!kind) refusal.textContent = t("case.no_kind");
    else if (!words.value.trim()) refusal.textContent = t("suggest.empty");
    else await open().catch((error) => { refusal.textContent = problemText(error); });
    if (refusal.textContent) refusal.scrollIntoView({ block: "center" });
  }

  async function open() {
    key ||= await app.cases.newKey();
    const body = { kind, text: words.value.trim(), pictures: pictures.ids(), ...(store.value ? { store_id: store.value } : {}), ...(order.value ? { reference: order.value } : {}) };
    const made = await app.cases.open(body, key);
    app.toast(t("suggest.done"));
    app.go(`case?${encodeURIComponent(made.id)}`, { replace: true });
  }

  /** Stores and the last orders to choose from; without them one writes all the same. */
  async function offer() {
    const [stores, orders] = await Promise.allSettled([app.mall.stores(), app.api.get("/v1/member/orders", { limit: 10 })]);
    if (stores.status === "fulfilled") fill(store, h("option", { value: "" }, t("case.store_none")), stores.value.map((one) => h("option", { value: one.id }, one.name)));
    if (orders.status === "fulfilled") fill(order, h("option", { value: "" }, t("case.about_none")), orders.value.items.map((one) => h("option", { value: one.id }, [date(one.placed_at), one.lines?.[0]?.name].filter(Boolean).join(" · "))));
  }

  offer();
  return { title: t("cases.new"), node, foot: submit, parent: "cases" };
}
