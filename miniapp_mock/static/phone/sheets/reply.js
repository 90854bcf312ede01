/** Answer a letter: what was answered before, and a few words more. */
import { fill, h } from "../../shared/dom.js";
import { newKey } from "../../shared/api.js";
import { openDialog } from "../../shared/dialog.js";
import { dayTime } from "../../shared/format.js";
import { glyph } from "../icons.js";
import { busy } from "../parts.js";
import { problemText, t } from "../texts.js";

const MOST_CHARS = 500;

export async function replySheet(app, letter) {
  let key = await newKey(app.wx); // one intent: kept over retries, new after each answer
  const before = h("ul", { class: "stack inbox-list" });
  const input = h("textarea", { class: "input", rows: 3, maxlength: MOST_CHARS, placeholder: t("inbox.reply_hint"), "aria-label": t("inbox.reply_hint"), autofocus: true });
  const problem = h("p", { class: "field-error", role: "alert" });
  const submit = h("button", { type: "submit", class: "button primary wide" }, t("inbox.reply_send"));
  const form = h("form", { class: "sheet-body stack", novalidate: true, onsubmit: (event) => { event.preventDefault(); busy(submit, send); } },
    h("div", { class: "sheet-head" },
      h("button", { type: "button", class: "icon-button", "aria-label": t("common.close"), onclick: () => dialog.close() }, glyph("close", 22)),
      h("h2", { class: "sheet-title clip" }, letter.title),
      h("span")),
    h("p", { class: "muted small letter-body" }, letter.body), before, input, problem, submit);
  const dialog = openDialog(form, { label: t("inbox.reply") });

  async function send() {
    const text = input.value.trim();
    problem.textContent = text ? "" : t("inbox.reply_empty");
    if (!text) return;
    try {
      await app.messages.answer(letter, text, key);
      dialog.close();
      app.toast(t("inbox.reply_sent"));
    } catch (error) {
      problem.textContent = problemText(error);
      if (error.status && error.status < 500) key = await newKey(app.wx);
    }
  }

  try {
    const { items } = await app.messages.answers(letter);
    fill(before, items.map((one) => h("li", { class: "row between small" }, h("span", { class: "letter-body" }, one.text), h("span", { class: "tiny muted num" }, dayTime(one.at)))));
  } catch {
    fill(before); // what was said before is a convenience
  }
}
