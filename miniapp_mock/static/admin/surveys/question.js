/** Dialogs that ask for a question and for a jump; ids stay what they were, for answers are counted by them. */
import { formDialog } from "../parts/form.js";
import { KINDS, kindName, w } from "./words.js";

const lines = (text) => (text || "").split("\n").map((one) => one.trim()).filter(Boolean);
const CHOOSING = ["single", "multiple"];
const NUMBERS = ["rating", "nps", "number"];

/** The first of `letter1`, `letter2` … that nobody has. */
function fresh(letter, taken) {
  let number = 1;
  while (taken.has(`${letter}${number}`)) number += 1;
  taken.add(`${letter}${number}`);
  return `${letter}${number}`;
}

const written = (option) => `${option.text}${option.free ? " +" : ""}${option.exclusive ? " !" : ""}`;

/** Options from lines; one that says the same as before keeps its id. */
function optionsOf(text, before = [], letter = "o") {
  const taken = new Set(before.map((one) => one.id));
  return lines(text).map((line) => {
    const [, said, mark] = /^(.*?)\s*([+!])?$/.exec(line);
    const id = before.find((one) => one.text === said)?.id || fresh(letter, taken);
    return { id, text: said, ...(mark === "+" ? { free: true } : {}), ...(mark === "!" ? { exclusive: true } : {}) };
  });
}

function referenceOf(question, text, score) {
  const said = lines(text);
  if (!said.length) return null;
  const base = { score: score ?? 1 };
  if (CHOOSING.includes(question.kind)) return { ...base, choices: said.map((one) => question.options.find((option) => option.text === one)?.id || one) };
  if (question.kind === "text") return { ...base, texts: said };
  const [, least, most] = /^(-?\d+)(?:\s*[-–~]\s*(-?\d+))?$/.exec(said[0]) || [];
  return least === undefined ? { ...base, texts: said } : { ...base, at_least: Number(least), at_most: Number(most ?? least) };
}

function referenceText(question) {
  const right = question?.reference;
  if (!right) return "";
  if (right.choices) return right.choices.map((id) => question.options.find((one) => one.id === id)?.text || id).join("\n");
  if (right.texts) return right.texts.join("\n");
  return right.at_least === right.at_most ? String(right.at_least) : `${right.at_least}-${right.at_most}`;
}

/** Ask for a question; undefined where it was dismissed. */
export function askQuestion(before, all) {
  return formDialog({
    title: w("survey.question"),
    submit: w("survey.question"),
    fields: [
      { name: "title", label: w("survey.question"), value: before?.title, required: true, most: 200 },
      { name: "kind", label: w("survey.kind"), kind: "choice", value: before?.kind || "single", options: KINDS.map((kind) => [kind, kindName(kind)]) },
      { name: "options", label: w("survey.options"), kind: "lines", value: (before?.options || []).map(written).join("\n") },
      { name: "rows", label: w("survey.rows"), kind: "lines", rows: 3, value: (before?.rows || []).map((one) => one.text).join("\n") },
      { name: "required", label: w("survey.required"), kind: "tick", value: before ? before.required !== false : true },
      { name: "hint", label: w("survey.hint"), value: before?.hint, most: 200 },
      { name: "at_least", label: w("survey.least"), kind: "number", value: before?.at_least, note: w("survey.bounds_note") },
      { name: "at_most", label: w("survey.most"), kind: "number", value: before?.at_most },
      { name: "right", label: w("survey.right"), kind: "lines", rows: 2, value: referenceText(before) },
      { name: "score", label: w("survey.points_for"), kind: "number", value: before?.reference?.score },
    ],
    onSubmit: async (values) => made(values, before, all),
  });
}

function made(values, before, all) {
  const question = { ...before, id: before?.id || fresh("q", new Set(all.map((one) => one.id))), kind: values.kind, title: values.title, required: values.required };
  for (const name of ["hint", "at_least", "at_most"]) {
    if (values[name] === null) delete question[name];
    else question[name] = values[name];
  }
  const chosen = CHOOSING.includes(values.kind) || values.kind === "matrix";
  if (chosen) question.options = optionsOf(values.options, before?.options);
  else delete question.options;
  if (values.kind === "matrix") question.rows = optionsOf(values.rows, before?.rows, "r");
  else delete question.rows;
  const reference = referenceOf(question, values.right, values.score);
  if (reference) question.reference = { ...(before?.reference?.note ? { note: before.reference.note } : {}), ...reference };
  else delete question.reference;
  return question;
}

/** Ask where the way leads after an answer; undefined where it was dismissed. */
export function askJump(question, later) {
  const when = [["always", w("survey.jump_always")]];
  if (CHOOSING.includes(question.kind)) when.push(...question.options.map((one) => [`choice ${one.id}`, w("survey.jump_choice", { text: one.text })]));
  if (NUMBERS.includes(question.kind)) when.push(["least", w("survey.jump_choose_least")], ["most", w("survey.jump_choose_most")]);
  if (question.required === false) when.push(["unanswered", w("survey.jump_unanswered")]);
  return formDialog({
    title: w("survey.jumps"),
    submit: w("survey.jump_add"),
    fields: [
      { name: "when", label: w("survey.jump_when"), kind: "choice", options: when },
      ...(NUMBERS.includes(question.kind) ? [{ name: "value", label: w("survey.jump_value"), kind: "number" }] : []),
      { name: "to", label: w("survey.jump_to"), kind: "choice", options: [...later.map((one) => [one.id, one.title]), ["end", w("survey.jump_end")]] },
    ],
    onSubmit: async ({ when: what, value, to }) => {
      const [name, choice] = what.split(" ");
      if (name === "choice") return { to, any_of: [choice] };
      if (name === "least") return { to, at_least: value ?? 0 };
      if (name === "most") return { to, at_most: value ?? 0 };
      return name === "unanswered" ? { to, unanswered: true } : { to };
    },
  });
}

/** A jump in words. */
export function jumpText(question, jump, all) {
  const names = (jump.any_of || []).map((id) => question.options?.find((one) => one.id === id)?.text || id);
  let when = w("survey.jump_always");
  if (names.length) when = w("survey.jump_choice", { text: names.join("、") });
  else if (jump.unanswered) when = w("survey.jump_unanswered");
  else if (jump.at_least !== undefined) when = w("survey.jump_least", { value: jump.at_least });
  else if (jump.at_most !== undefined) when = w("survey.jump_most", { value: jump.at_most });
  return w("survey.jump_line", { when, to: jump.to === "end" ? w("survey.jump_end") : all.find((one) => one.id === jump.to)?.title || jump.to });
}
