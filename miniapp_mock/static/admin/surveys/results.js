/** Results: figures, then a chart for each question, by store, level or another question where one wants it. */
import { fill, h } from "/static/shared/dom.js";
import { drawn } from "../parts/chart.js";
import { count } from "../parts/format.js";
import { field } from "../parts/form.js";
import { factList, section } from "../parts/states.js";
import { address, w } from "./words.js";

const TEXTS = ["text", "photo"];

export function results({ api, me, signal }, survey) {
  return section(async () => {
    const told = await api.get(address(survey.id, "/statistics"), {}, { signal });
    return [figures(told), overTime(api, survey, signal), ...told.questions.map((question) => card(api, me, survey, question, told.questions, signal))];
  }, { signal, rows: 8, className: "stack" });
}

function figures(told) {
  const nps = told.questions.find((one) => one.nps !== null);
  return h("section", { class: "card" }, factList([
    [w("survey.answers"), count(told.answers)],
    [w("survey.begun"), told.begun ? count(told.begun) : null],
    [w("survey.score"), told.score_average],
    [w("survey.nps"), nps ? `${nps.nps > 0 ? "+" : ""}${nps.nps}` : null],
    ...told.media.map((one) => [w(`survey.${one.key}`), one.answers === null ? "＜5" : count(one.answers)]),
  ]));
}

const chart = (api, survey, query, label, signal) => section(async () => drawn(await api.text(address(survey.id, "/chart.svg"), query, { signal }), label), { signal, rows: 4 });

function overTime(api, survey, signal) {
  if (survey.answers < 2) return null;
  return h("section", { class: "card stack" }, h("h2", null, w("survey.over_time")), chart(api, survey, { what: "time", by: "week" }, w("survey.over_time"), signal));
}

/** A question with what it is told apart by. */
function card(api, me, survey, question, all, signal) {
  if (TEXTS.includes(question.kind)) {
    return h("section", { class: "card stack" }, h("h2", null, question.title), h("p", { class: "muted small" }, `${w("survey.answered", { count: question.answered })}。${w("survey.texts")}`));
  }
  const place = h("div");
  const show = (query) => fill(place, chart(api, survey, query, question.title, signal));
  const plain = { what: "question", question: question.id };
  if (question.kind === "matrix" || question.kind === "date") {
    show(plain);
    return h("section", { class: "card stack" }, place);
  }
  const others = all.filter((one) => one.id !== question.id && !TEXTS.includes(one.kind) && one.kind !== "matrix");
  const office = me.may("surveys.answers");
  const options = [["all", w("survey.by_all")], ["store", w("survey.by_store")], ...(office || !survey.anonymous ? [["level", w("survey.by_level")]] : []), ...(office ? others.map((one) => [`cross ${one.id}`, `× ${one.title}`]) : [])];
  const by = h("select", { onchange: () => {
    const [what, other] = by.value.split(" ");
    if (what === "all") show(plain);
    else if (what === "cross") show({ what: "cross", question: question.id, columns: other });
    else show({ what: "breakdown", question: question.id, by: what });
  } }, options.map(([value, text]) => h("option", { value }, text)));
  show(plain);
  return h("section", { class: "card stack" }, h("div", { class: "filters" }, field({ name: `by-${question.id}`, label: `${w("survey.by")}：${question.title}`, input: by }).node), place);
}
