/** Enter an answer that came on paper or by telephone: one form, as the paper has it. */
import { h } from "/static/shared/dom.js";
import { toast } from "../parts/dialogs.js";
import { form } from "../parts/form.js";
import { address, questionsOf, w } from "./words.js";

export async function entry({ api, signal }, survey, again) {
  const { content } = await api.get(address(survey.id, `/versions/${survey.version}`), {}, { signal });
  const questions = questionsOf(content).filter((question) => question.kind !== "photo");
  let key = api.newKey(); // one paper, one key

  async function send({ medium, member_no: member, ...values }) {
    const answers = questions.map((question) => givenOf(question, values)).filter(Boolean);
    await api.post(address(survey.id, "/answers"), { medium, answers, ...(member ? { member_no: member } : {}) }, { key });
    key = api.newKey();
    toast(w("survey.entered"));
    again();
  }

  const fields = [
    { name: "medium", label: w("survey.medium"), kind: "choice", options: [["paper", w("survey.paper")], ["telephone", w("survey.telephone")]] },
    ...(survey.anonymous ? [] : [{ name: "member_no", label: w("survey.member_no"), most: 12 }]),
    ...questions.flatMap(fieldsOf),
  ];
  return h("section", { class: "card stack" }, h("p", { class: "muted small" }, w("survey.entry_note")), form({ fields, submit: w("survey.enter"), onSubmit: send }));
}

const named = (options) => [["", w("survey.skip")], ...options.map((one) => [one.id, one.text])];

function fieldsOf(question) {
  const name = `answer-${question.id}`;
  const label = question.title;
  if (question.kind === "single") return [{ name, label, kind: "choice", options: named(question.options) }, ...(question.options.some((one) => one.free) ? [{ name: `${name}-text`, label: `${label} +`, most: 200 }] : [])];
  if (question.kind === "multiple") return [{ name, label, kind: "many", options: question.options.map((one) => [one.id, one.text]) }];
  if (question.kind === "matrix") return question.rows.map((row) => ({ name: `${name}-${row.id}`, label: `${label}：${row.text}`, kind: "choice", options: named(question.options) }));
  if (question.kind === "text") return [{ name, label, kind: "lines", most: 2000 }];
  if (question.kind === "date") return [{ name, label, kind: "date" }];
  return [{ name, label, note: question.kind === "nps" ? "0–10" : "" }];
}

function givenOf(question, values) {
  const value = values[`answer-${question.id}`];
  if (question.kind === "matrix") {
    const cells = Object.fromEntries(question.rows.map((row) => [row.id, values[`answer-${question.id}-${row.id}`]]).filter(([, column]) => column));
    return Object.keys(cells).length ? { question: question.id, cells } : null;
  }
  if (value === null || value === undefined || (Array.isArray(value) && !value.length)) return null;
  if (question.kind === "single") {
    const text = values[`answer-${question.id}-text`];
    return { question: question.id, choices: [value], ...(text ? { text } : {}) };
  }
  if (question.kind === "multiple") return { question: question.id, choices: value };
  if (question.kind === "text") return { question: question.id, text: value };
  if (question.kind === "date") return { question: question.id, on: value };
  return { question: question.id, number: Number(value) };
}
