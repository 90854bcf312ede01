/** The sheet on which a member says how the goods were. */
import { h } from "../../shared/dom.js";
import { openDialog } from "../../shared/dialog.js";
import { glyph } from "../icons.js";
import { busy } from "../parts.js";
import { pictureField } from "../pictures.js";
import { problemText, t } from "../texts.js";

const STARS = [1, 2, 3, 4, 5];
const LONGEST = 500;

/** Open it for `lines`, those that were not reviewed; `done()` when the review stands. */
export function reviewSheet(app, order, lines, done) {
  let stars = 5;
  const problem = h("p", { class: "field-error", role: "alert" });
  const line = h("select", { class: "input", id: "review-line" }, lines.map(({ line_no: no, name, spec }) => h("option", { value: no }, [name, spec].filter(Boolean).join(" · "))));
  const text = h("textarea", { class: "input", id: "review-text", rows: 4, maxlength: LONGEST, placeholder: t("review.hint"), "aria-label": t("review.text") });
  const word = h("p", { class: "small muted center", "aria-hidden": "true" });
  const radios = STARS.map((value) => h("label", { class: "star" },
    h("input", { type: "radio", name: "stars", value, checked: value === stars, "aria-label": t("review.stars", { count: value }), onchange: () => { stars = value; draw(); } }), h("span", null, glyph("star", 30))));
  const draw = () => {
    radios.forEach((radio, i) => radio.classList.toggle("on", STARS[i] <= stars));
    word.textContent = t(`review.word_${stars}`);
  };
  const pictures = pictureField(app, t("review.pictures"));
  const anonymous = h("input", { type: "checkbox", role: "switch", class: "switch" });
  const submit = h("button", { type: "submit", class: "button primary wide" }, t("review.submit"));

  async function send() {
    problem.textContent = pictures.busy() ? t("picture.wait") : "";
    if (problem.textContent) return;
    try {
      await app.orders.review(order.id, { line_no: Number(line.value), stars, text: text.value.trim(), pictures: pictures.ids(), anonymous: anonymous.checked });
      dialog.close();
      app.toast(t("review.done"));
      done();
    } catch (error) {
      problem.textContent = problemText(error);
    }
  }

  const body = h("form", { class: "sheet-body stack", novalidate: true, onsubmit: (event) => { event.preventDefault(); busy(submit, send); } },
    h("div", { class: "sheet-head" },
      h("button", { type: "button", class: "icon-button", "aria-label": t("common.close"), onclick: () => dialog.close() }, glyph("close", 22)),
      h("h2", { class: "sheet-title" }, t("review.title")), h("span")),
    lines.length > 1 ? h("div", { class: "field" }, h("label", { for: "review-line" }, t("review.line")), line) : h("p", { class: "center" }, lines[0].name),
    h("fieldset", { class: "stars" }, h("legend", { class: "sr-only" }, t("review.title")), radios), word,
    text, pictures.node,
    h("label", { class: "row between toggle" }, h("span", null, t("review.anonymously")), anonymous),
    problem, submit);
  const dialog = openDialog(body, { label: t("review.title") });
  draw();
}
