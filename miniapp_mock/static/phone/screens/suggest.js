/** 写意见: signed, or without a name, with plain words on what is stored. */
import { fill, h } from "../../shared/dom.js";
import { busy, choices, emptyState, skeleton, trouble } from "../parts.js";
import { pictureField } from "../pictures.js";
import { problemText, t } from "../texts.js";
import { LONGEST, unnamedPictures } from "../voice.js";

const MOST = 3;

export function suggestScreen(app) {
  const id = decodeURIComponent(location.hash.split("?")[1] || "");
  const node = h("div", { class: "page stack" });
  const submit = h("button", { type: "button", class: "button primary wide", disabled: true, onclick: () => busy(submit, send) }, t("suggest.submit"));
  const refusal = h("p", { class: "field-error", role: "alert" });
  const words = h("textarea", { class: "input voice-words", id: "words", rows: 6, maxlength: LONGEST, placeholder: t("suggest.words_hint"), oninput: () => { refusal.textContent = ""; key = ""; } });
  const promise = h("div", { class: "promise stack tight small", role: "status" });
  const place = h("div", null);
  const held = unnamedPictures(app);
  let box = null;
  let how = "named";
  let pictures = null;
  let key = "";
  let gone = false;

  function choose(value) {
    how = value;
    key = "";
    pictures = pictureField(app, t("suggest.pictures"), { most: MOST, changed: () => { key = ""; }, upload: how === "anonymous" ? held.upload : null });
    fill(place, pictures.node);
    fill(promise, h("p", null, t(`suggest.${how}_text`)), how === "anonymous" && h("p", { class: "strong" }, t("suggest.anonymous_care")));
    submit.textContent = t(how === "anonymous" ? "suggest.submit_anonymous" : "suggest.submit");
  }

  function draw() {
    const ways = box.anonymous ? ["named", "anonymous"] : ["named"];
    fill(node,
      h("section", { class: "card stack tight" }, h("h2", null, box.title), box.store && h("p", { class: "tiny muted" }, box.store), box.topic && h("p", { class: "small muted" }, box.topic)),
      h("section", { class: "card stack" }, choices("how", t("suggest.how"), ways.map((one) => [one, t(`suggest.${one}`)]), how, choose), promise),
      h("section", { class: "card stack" }, h("div", { class: "field" }, h("label", { for: "words" }, t("suggest.words")), words), place),
      refusal);
    choose(how);
    submit.disabled = false;
  }

  async function send() {
    if (pictures.busy()) refusal.textContent = t("picture.wait");
    else if (!words.value.trim()) refusal.textContent = t("suggest.empty");
    else await (how === "anonymous" ? sendUnnamed() : sendNamed()).catch((error) => { refusal.textContent = error.code === "tickets_used_up" ? t("suggest.used_up") : problemText(error); });
    if (refusal.textContent) refusal.scrollIntoView({ block: "center" });
  }

  async function sendNamed() {
    key ||= await app.suggestions.newKey();
    const made = await app.suggestions.write(id, { text: words.value.trim(), pictures: pictures.ids() }, key);
    app.toast(t("suggest.done"));
    app.go(`suggestion?${encodeURIComponent(made.id)}`, { replace: true });
  }

  async function sendUnnamed() {
    await app.suggestions.whisper({ box_id: id, text: words.value.trim(), pictures: held.read(pictures.ids()) });
    app.go("receipt", { replace: true });
  }

  async function load() {
    fill(node, h("section", { class: "card" }, skeleton("w50", "w70")), h("section", { class: "card" }, skeleton("w30", "w70", "w70")));
    try {
      const { items } = await app.suggestions.boxes();
      if (gone) return;
      box = items.find((one) => one.id === id);
      if (box) draw();
      else fill(node, h("div", { class: "card" }, emptyState({ icon: "letterbox", title: t("box.none"), action: t("box.title"), onAction: () => app.go("suggestion-boxes", { replace: true }) })));
    } catch (error) {
      if (!gone) fill(node, h("div", { class: "card" }, trouble(error, load)));
    }
  }

  load();
  return { title: t("suggest.title"), node, foot: submit, parent: "suggestion-boxes", leave: () => { gone = true; } };
}
