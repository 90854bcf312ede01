/** Surveys: what is asked, what stands, how many have answered. */
import { h } from "/static/shared/dom.js";
import { count, stamp } from "../parts/format.js";
import { formDialog } from "../parts/form.js";
import { head, pill } from "../parts/states.js";
import { table } from "../parts/table.js";
import { LOOKS, w } from "../surveys/words.js";

const STATES = ["", "open", "paused", "draft", "closed"];
const SURVEYS = "/v1/admin/surveys";

export async function open({ api, me, place, signal, go, href, keys }) {
  const state = STATES.includes(place.query.state) ? place.query.state : "";

  async function add() {
    const { items } = await api.get(`${SURVEYS}/projects`, { limit: 100 });
    const made = await formDialog({
      title: w("survey.new"),
      fields: [
        { name: "title", label: w("survey.name"), required: true, most: 60 },
        { name: "project_id", label: w("survey.project"), kind: "choice", options: [...items.filter((one) => !one.archived).map((one) => [one.id, one.name]), ["", w("survey.new_project")]] },
        { name: "project", label: w("survey.project_name"), most: 60 },
        { name: "anonymous", label: w("survey.anonymous"), kind: "tick" },
      ],
      onSubmit: async ({ title, project_id: known, project, anonymous }) => {
        const id = known || (await api.post(`${SURVEYS}/projects`, { name: project || title })).id;
        return api.post(SURVEYS, { project_id: id, title, anonymous });
      },
    });
    if (made) go("survey", { id: made.id, view: "edit" });
  }

  const list = table({
    label: w("survey.title"),
    signal,
    load: ({ cursor }) => api.get(SURVEYS, { state, cursor, limit: 50 }, { signal }),
    open: (item) => go("survey", { id: item.id }),
    none: { icon: "survey", title: w("survey.none") },
    columns: [
      { title: w("survey.name"), width: "wide", cell: (item) => h("a", { class: "strong", href: href("survey", { id: item.id }) }, item.title) },
      { title: w("survey.state"), cell: (item) => h("span", { class: "row-actions" }, pill(w(`survey.${item.state}`), LOOKS[item.state]), item.anonymous && pill(w("survey.anonymous_pill"))) },
      { title: w("survey.answers"), number: true, cell: (item) => (item.answers === null ? "＜5" : count(item.answers)) },
      { title: w("survey.version"), number: true, hide: "narrow", cell: (item) => item.version || "—" },
      { title: w("survey.until"), hide: "narrow", cell: (item) => h("span", { class: "num" }, stamp(item.closes_at)) },
      { title: w("survey.since"), hide: "narrow", cell: (item) => h("span", { class: "num" }, stamp(item.created_at)) },
    ],
  });
  const office = me.may("surveys.write");
  if (office) keys({ n: [w("survey.new"), add] });
  const tabs = h("nav", { class: "tabs", "aria-label": w("survey.states") }, STATES.map((one) => h("a", { class: "tab", href: href("surveys", { state: one }), "aria-current": one === state && "page" }, w(`survey.${one || "all"}`))));
  return [head(w("survey.title"), { note: w("survey.note"), actions: office && h("button", { type: "button", class: "button primary", onclick: add }, w("survey.new")) }), tabs, list];
}
