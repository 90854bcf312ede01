/** A field for each kind of question; every one tells what was answered as soon as it is. */
import { fill, h } from "../shared/dom.js";
import { glyph } from "./icons.js";
import { pictureField } from "./pictures.js";
import { t } from "./texts.js";

const TEXT_MOST = 2000;
const STARS_MOST = 5;

/** `{ node, mark(text), focus() }` for a question; `change(given)` is told each answer, null for none; `upload(bytes)` takes a photo. */
export function questionField(app, question, given, change, upload) {
  const problem = h("p", { class: "field-error", role: "alert", id: `${question.id}-problem` });
  const tell = (value) => {
    problem.textContent = "";
    change(value && { question: question.id, ...value });
  };
  const inner = KINDS[question.kind](question, given || {}, tell, app, upload);
  const hint = question.hint || (question.kind === "multiple" ? t("survey.choose_some") : "");
  const node = h("fieldset", { class: "card stack question", id: `question-${question.id}`, "aria-describedby": problem.id },
    h("legend", { class: "question-title" }, question.title, question.required === false && h("span", { class: "tiny muted" }, ` ${t("survey.optional")}`)),
    hint && h("p", { class: "small muted" }, hint),
    inner, problem);
  return {
    node,
    id: question.id,
    mark(text) {
      problem.textContent = text;
      node.classList.toggle("wrong", Boolean(text));
    },
    focus() {
      node.scrollIntoView({ block: "center" });
      node.querySelector("input, textarea, button")?.focus({ preventScroll: true });
    },
  };
}

const KINDS = { single: chosen, multiple: chosen, rating, nps, matrix, text, number, date, photo };

/** Options one under the other, with a place for what goes with them. */
function chosen(question, given, tell) {
  const one = question.kind === "single";
  let picked = new Set(given.choices || []);
  const other = h("input", { class: "input", maxlength: 200, value: given.text || "", "aria-label": t("survey.other_text"), placeholder: t("survey.other_text"), oninput: say });
  const boxes = question.options.map((option) => h("input", { type: one ? "radio" : "checkbox", name: question.id, value: option.id, checked: picked.has(option.id), onchange: (event) => pick(option, event.currentTarget.checked) }));
  const free = () => question.options.some((option) => option.free && picked.has(option.id));

  function pick(option, on) {
    if (one || (on && option.exclusive)) picked = new Set([option.id]);
    else if (on) {
      for (const { id, exclusive } of question.options) if (exclusive) picked.delete(id);
      picked.add(option.id);
    } else picked.delete(option.id);
    for (const box of boxes) box.checked = picked.has(box.value);
    say();
  }

  function say() {
    other.hidden = !free();
    const choices = question.options.map(({ id }) => id).filter((id) => picked.has(id));
    tell(choices.length ? { choices, ...(free() && other.value.trim() ? { text: other.value.trim() } : {}) } : null);
  }

  other.hidden = !free();
  return h("div", { class: "stack tight" }, h("div", { class: "answers" }, question.options.map((option, place) => h("label", { class: "answer" }, boxes[place], h("span", { class: "grow" }, option.text)))), other);
}

/** Stars to five, numbers above. */
function rating(question, given, tell) {
  const least = question.at_least ?? 1;
  const most = question.at_most ?? STARS_MOST;
  if (least !== 1 || most > STARS_MOST) return scale(question, given, tell, least, most);
  let value = given.number || 0;
  const word = h("p", { class: "small muted center", "aria-hidden": "true" });
  const values = Array.from({ length: most }, (_, place) => place + 1);
  const stars = values.map((number) => h("label", { class: "star" },
    h("input", { type: "radio", name: question.id, value: number, checked: number === value, "aria-label": nameOf(number), onchange: () => { value = number; draw(); tell({ number }); } }),
    h("span", null, glyph("star", 34))));
  const words = most === STARS_MOST && !question.low && !question.high;
  function nameOf(number) { return most === STARS_MOST ? `${t("survey.stars", { count: number })} ${t(`survey.star_${number}`)}` : t("survey.stars", { count: number }); }
  function draw() {
    stars.forEach((star, place) => star.classList.toggle("on", values[place] <= value));
    if (words) word.textContent = value ? t(`survey.star_${value}`) : "\u00a0";
  }
  draw();
  return h("div", { class: "stack tight" }, h("div", { class: "stars" }, stars), words ? word : ends(question));
}

function nps(question, given, tell) {
  return scale({ low: t("survey.nps_low"), high: t("survey.nps_high"), ...question }, given, tell, 0, 10);
}

/** Numbers in a row of which one is taken, with words at its ends. */
function scale(question, given, tell, least, most) {
  const values = Array.from({ length: most - least + 1 }, (_, place) => least + place);
  const one = (number) => h("label", { class: "scale-step" },
    h("input", { type: "radio", name: question.id, value: number, checked: given.number === number, "aria-label": t("survey.nps_of", { value: number }), onchange: () => tell({ number }) }),
    h("span", { class: "num" }, number));
  return h("div", { class: "stack tight" }, h("div", { class: "scale" }, values.map(one)), ends(question));
}

function ends({ low, high }) {
  return (low || high) && h("p", { class: "row between tiny muted" }, h("span", null, low || ""), h("span", null, high || ""));
}

/** A row of choices for each row. */
function matrix(question, given, tell) {
  const cells = { ...given.cells };
  const row = (one) => h("fieldset", { class: "stack tight matrix-row" }, h("legend", { class: "small" }, one.text),
    h("div", { class: "choices" }, question.options.map((column) => h("label", { class: "choice" },
      h("input", { type: "radio", name: `${question.id}-${one.id}`, value: column.id, checked: cells[one.id] === column.id, onchange: () => { cells[one.id] = column.id; tell({ cells: { ...cells } }); } }),
      h("span", null, column.text)))));
  return h("div", { class: "stack" }, question.rows.map(row));
}

function text(question, given, tell) {
  const most = Math.min(question.at_most ?? TEXT_MOST, TEXT_MOST);
  return h("textarea", { class: "input", rows: 4, maxlength: most, "aria-label": question.title, value: given.text || "", oninput: (event) => tell(event.currentTarget.value.trim() ? { text: event.currentTarget.value } : null) });
}

function number(question, given, tell) {
  const say = (event) => {
    const typed = event.currentTarget.value.trim();
    tell(typed !== "" && Number.isFinite(Number(typed)) ? { number: Number(typed) } : null);
  };
  return h("input", { class: "input num", inputmode: question.decimals ? "decimal" : "numeric", maxlength: 14, "aria-label": question.title, value: given.number ?? "", oninput: say });
}

function date(question, given, tell) {
  return h("input", { class: "input num", type: "date", "aria-label": question.title, min: question.from_on, max: question.until_on, value: given.on || "", onchange: (event) => tell(event.currentTarget.value ? { on: event.currentTarget.value } : null) });
}

/** Photos; those of an earlier visit are there already, and can be chosen anew. */
function photo(question, given, tell, app, upload) {
  const node = h("div", { class: "stack tight" });
  const choose = () => {
    const field = pictureField(app, question.title, { most: question.at_most ?? 6, upload, changed: () => tell(field.ids().length ? { photos: field.ids() } : null) });
    fill(node, field.node);
  };
  const again = () => { tell(null); choose(); };
  if (given.photos?.length) fill(node, h("p", { class: "row between" }, h("span", null, t("survey.photos_kept", { count: given.photos.length })), h("button", { type: "button", class: "button compact", onclick: again }, t("survey.photos_again"))));
  else choose();
  return node;
}
