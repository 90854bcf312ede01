/** Pieces of suggestions and feedback: what was said, a sheet to say more, a sheet for stars. */
import { h } from "../shared/dom.js";
import { openDialog } from "../shared/dialog.js";
import { date, dateTime } from "../shared/format.js";
import { glyph } from "./icons.js";
import { busy } from "./parts.js";
import { pictureField, pictureStrip } from "./pictures.js";
import { stars } from "./reviews.js";
import { problemText, t } from "./texts.js";

const STARS = [1, 2, 3, 4, 5];
export const LONGEST = 2000;

/** When it was: the day alone where nobody knows more. */
export const when = ({ at, day }) => (at ? dateTime(at) : date(day));

/** One thing that was said, on the right where it is one's own. */
export function said(app, one, own) {
  return h("li", { class: `said${own ? " own" : ""}` },
    h("p", { class: "tiny muted num" }, `${t(own ? "thread.mine" : "thread.staff")} · ${when(one)}`),
    h("p", { class: "said-text" }, one.text),
    pictureStrip(app, one.pictures));
}

/** What happened without a word. */
export const happened = (text, at) => h("li", { class: "thread-step tiny muted" }, `${text} · ${date(at)}`);

/** The stars that were given, and a way to give them or others. */
export function ratingCard(rating, text, onclick) {
  return h("section", { class: "card stack" },
    rating ? h("div", { class: "stack tight" }, h("div", { class: "stars-row" }, stars(rating)), text && h("p", { class: "small center" }, text)) : null,
    h("button", { type: "button", class: "button soft wide", onclick }, t(rating ? "rate.again" : "rate.title")));
}

function sheet(label, children, submit, send) {
  const refusal = h("p", { class: "field-error", role: "alert" });
  const form = h("form", { class: "sheet-body stack", novalidate: true, onsubmit: (event) => { event.preventDefault(); busy(submit, attempt); } },
    h("div", { class: "sheet-head" },
      h("button", { type: "button", class: "icon-button", "aria-label": t("common.close"), onclick: () => dialog.close() }, glyph("close", 22)),
      h("h2", { class: "sheet-title" }, label), h("span")),
    children, refusal, submit);
  async function attempt() {
    try {
      const problem = await send();
      refusal.textContent = problem || "";
      if (!problem) dialog.close();
    } catch (error) {
      refusal.textContent = problemText(error);
    }
  }
  const dialog = openDialog(form, { label });
}

/** A sheet to say more; `send({ text, pictures })`. Pictures only where there is a way for them: `most` and perhaps `upload`. */
export function saySheet(app, { title, action, most = 0, upload = null, send }) {
  const words = h("textarea", { class: "input voice-words", rows: 4, maxlength: LONGEST, "aria-label": title, autofocus: true });
  const pictures = most ? pictureField(app, t("case.pictures"), { most, upload }) : null;
  const submit = h("button", { type: "submit", class: "button primary wide" }, action);
  sheet(title, [words, pictures?.node], submit, async () => {
    if (pictures?.busy()) return t("picture.wait");
    if (!words.value.trim()) return t("thread.empty");
    await send({ text: words.value.trim(), ...(pictures ? { pictures: pictures.ids() } : {}) });
    return "";
  });
}

/** A sheet for stars and a word; `send({ rating, text })`. */
export function rateSheet(app, { rating = 5, text = "", send }) {
  let given = rating || 5;
  const radios = STARS.map((value) => h("label", { class: "star" },
    h("input", { type: "radio", name: "rating", value, checked: value === given, "aria-label": t("review.stars", { count: value }), onchange: () => { given = value; draw(); } }), h("span", null, glyph("star", 30))));
  const draw = () => radios.forEach((radio, i) => radio.classList.toggle("on", STARS[i] <= given));
  const words = h("textarea", { class: "input", rows: 3, maxlength: 500, placeholder: t("rate.text"), "aria-label": t("rate.text") });
  words.value = text;
  draw();
  const submit = h("button", { type: "submit", class: "button primary wide" }, t("rate.submit"));
  sheet(t("rate.title"), [h("fieldset", { class: "stars" }, h("legend", { class: "sr-only" }, t("rate.title")), radios), words], submit, async () => {
    await send({ rating: given, text: words.value.trim() });
    app.toast(t("rate.done"));
    return "";
  });
}

/** Keeps pictures as text, for what is sent in one piece without a name: `upload(bytes)` for a picture field, `read(ids)` brings them. */
export function unnamedPictures(app) {
  const held = new Map();
  return {
    upload: async (bytes) => {
      const id = `p${held.size}`;
      held.set(id, app.wx.arrayBufferToBase64(bytes));
      return id;
    },
    read: (ids) => ids.map((id) => held.get(id)),
  };
}
