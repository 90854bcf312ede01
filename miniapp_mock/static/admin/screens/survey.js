/** One survey: its results, its questions, its answers; and entering what came on paper. */
import { h } from "/static/shared/dom.js";
import { attempt, confirm, tell } from "../parts/dialogs.js";
import { head, pill } from "../parts/states.js";
import { builder } from "../surveys/builder.js";
import { entry } from "../surveys/entry.js";
import { raw } from "../surveys/raw.js";
import { results } from "../surveys/results.js";
import { LOOKS, address, w } from "../surveys/words.js";

export async function open(given) {
  const { api, me, place, signal, go, href } = given;
  const { id } = place.query;
  const survey = await api.get(address(id), {}, { signal });
  const office = me.may("surveys.write");
  const running = ["open", "paused"].includes(survey.state);
  const views = [
    survey.version > 0 && me.may("surveys.results") && "results",
    survey.version > 0 && me.may("surveys.results") && (me.may("surveys.answers") || !survey.anonymous) && "raw",
    running && "enter",
    office && survey.state !== "closed" && "edit",
  ].filter(Boolean);
  const view = views.includes(place.query.view) ? place.query.view : views[0];
  let shown = null;
  const again = () => go("survey", { id, view, at: Date.now() });

  async function act(what, ask) {
    if (ask && !(await confirm(w(`survey.${what}_ask`, { title: survey.title }), { content: w(`survey.${what}_text`), confirmText: w(`survey.${what}`), danger: what === "close" }))) return;
    if (await attempt(() => api.post(address(id, what === "invite" ? "/invitations" : `/${what}`)), w(what === "invite" ? "survey.invited" : "survey.done"))) again();
  }

  /** Publish what is saved; every flaw is named. */
  async function publish() {
    if (!(await confirm(w("survey.publish_ask", { title: survey.title }), { content: w("survey.publish_text"), confirmText: w("survey.publish") }))) return;
    await shown?.flush?.();
    try {
      await api.post(address(id, "/publish"));
      go("survey", { id, view: "results", at: Date.now() });
    } catch (error) {
      if (!error.fields?.length) throw error;
      await tell(w("survey.flaws"), h("ul", { class: "stack" }, error.fields.map((flaw) => h("li", null, `${whereOf(survey, flaw.pointer)} ${flaw.message}`))));
    }
  }

  const button = (text, run, look = "") => h("button", { type: "button", class: `button ${look}`.trim(), onclick: run }, text);
  const file = (format) => button(w(`survey.${format}`), () => attempt(() => api.download(address(id, "/export"), { format }, `survey.${format}`), w("survey.download")));
  const actions = [
    h("a", { class: "button", href: href("surveys") }, w("survey.back")),
    views.includes("raw") && file("csv"),
    views.includes("raw") && file("xlsx"),
    office && survey.state === "open" && !survey.after_sale && button(w("survey.invite"), () => act("invite", true)),
    office && survey.state === "open" && button(w("survey.pause"), () => act("pause")),
    office && survey.state === "paused" && button(w("survey.resume"), () => act("resume")),
    office && running && button(w("survey.close"), () => act("close", true), "danger"),
    office && survey.state !== "closed" && survey.changed && button(w("survey.publish"), () => attempt(publish), "primary"),
  ];
  const pills = h("div", { class: "row" }, pill(w(`survey.${survey.state}`), LOOKS[survey.state]), survey.anonymous && pill(w("survey.anonymous_pill")), survey.version > 0 && pill(`v${survey.version}`), office && survey.version > 0 && survey.changed && pill(w("survey.changed"), "gold"));
  const tabs = h("nav", { class: "tabs", "aria-label": w("survey.views") }, views.map((one) => h("a", { class: "tab", href: href("survey", { id, view: one }), "aria-current": one === view && "page" }, w(`survey.${one}`))));
  const body = { results, raw, enter: entry, edit: builder }[view];
  shown = body ? await body(given, survey, again) : null;
  return [head(survey.title, { actions }), pills, tabs, shown];
}

/** The question that a pointer leads to, by its number. */
function whereOf(survey, pointer) {
  const found = /^\/content\/pages\/(\d+)\/questions\/(\d+)/.exec(pointer);
  const question = found && survey.content.pages[Number(found[1])]?.questions[Number(found[2])];
  return question ? `“${question.title}”：` : `${pointer}：`;
}
