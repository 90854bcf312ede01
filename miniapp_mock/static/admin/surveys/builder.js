/** Compose a survey: its settings, its pages and their questions, in memory until it is saved as a draft. */
import { fill, h } from "/static/shared/dom.js";
import { attempt } from "../parts/dialogs.js";
import { stamp } from "../parts/format.js";
import { formDialog } from "../parts/form.js";
import { factList, pill } from "../parts/states.js";
import { askJump, askQuestion, jumpText } from "./question.js";
import { prizesDialog, quotaKey, quotaNames, quotasDialog } from "./limits.js";
import { termsDialog } from "./terms.js";
import { address, kindName, questionsOf, w } from "./words.js";

const TERMS = ["project_id", "title", "anonymous", "audience", "after_sale", "total", "quotas", "reward", "opens_at", "closes_at", "updated_at"];

export async function builder({ api, signal }, survey, again) {
  const [levels, stores] = await Promise.all([api.get("/v1/admin/levels", {}, { signal }), api.get("/v1/admin/stores", {}, { signal })]);
  const content = structuredClone(survey.content);
  content.pages ||= [];
  const terms = Object.fromEntries(TERMS.map((name) => [name, survey[name]]));
  let saved = JSON.stringify(content);
  const node = h("div", { class: "stack" });
  const all = () => questionsOf(content);
  /** The draft as it is saved: a page that has no question yet is none. */
  const draft = (words = {}) => ({ ...content, ...words, pages: content.pages.filter((page) => page.questions.length) });

  async function save() {
    const kept = await attempt(() => api.put(address(survey.id), { ...terms, content: draft() }), w("survey.saved"));
    if (kept) again();
  }

  async function settings() {
    const changed = await termsDialog({ terms, content, levels: levels.items, stores: stores.items, published: survey.version > 0, save: (next) => api.put(address(survey.id), { ...next.terms, content: draft(next.content) }) });
    if (changed) again();
  }

  /** Save the draft with other terms. */
  const keep = (change) => api.put(address(survey.id), { ...terms, ...change, content: draft() });

  async function prizes() {
    if (await prizesDialog({ reward: terms.reward, save: (reward) => keep({ reward }) })) again();
  }

  async function quotas() {
    if (await quotasDialog({ quotas: terms.quotas, names: quotaNames(levels.items, content), save: (next) => keep({ quotas: next }) })) again();
  }

  /** Each quota with how much of it is taken. */
  function quotaText() {
    const names = new Map(quotaNames(levels.items, content));
    const taken = new Map(survey.taken.map((one) => [one.key, one.taken === null ? "＜5" : one.taken]));
    return terms.quotas.map((one) => w("survey.quota_line", { name: names.get(quotaKey(one)) || quotaKey(one), taken: taken.get(quotaKey(one)) ?? 0, limit: one.limit })).join("、");
  }

  const small = (text, label, run, look = "soft") => h("button", { type: "button", class: `button compact ${look}`, "aria-label": `${text} ${label}`, onclick: run }, text);

  async function put(page, place) {
    const question = await askQuestion(page.questions[place], all());
    if (!question) return;
    if (place === undefined) page.questions.push(question);
    else page.questions[place] = question;
    draw();
  }

  function move(page, place, by) {
    const [one] = page.questions.splice(place, 1);
    page.questions.splice(place + by, 0, one);
    draw();
  }

  async function jump(question) {
    const later = all().slice(all().indexOf(question) + 1);
    const made = await askJump(question, later);
    if (made) {
      question.jumps = [...(question.jumps || []), made];
      draw();
    }
  }

  function row(page, question, place) {
    const number = all().indexOf(question) + 1;
    return h("li", { class: "stack survey-question" },
      h("div", { class: "row between" },
        h("p", { class: "grow" }, h("span", { class: "strong" }, `${number}. ${question.title}`), " ", pill(kindName(question.kind)), question.required === false && pill(w("survey.optional"))),
        h("div", { class: "row-actions" },
          place > 0 && small(w("survey.up"), question.title, () => move(page, place, -1)),
          place < page.questions.length - 1 && small(w("survey.down"), question.title, () => move(page, place, 1)),
          small(w("survey.jumps"), question.title, () => jump(question)),
          small(w("survey.change"), question.title, () => put(page, place)),
          small(w("survey.drop"), question.title, () => { page.questions.splice(place, 1); draw(); }, "danger"))),
      question.options?.length > 0 && h("p", { class: "muted small" }, question.options.map((one) => one.text).join(" / ")),
      question.rows?.length > 0 && h("p", { class: "muted small" }, question.rows.map((one) => one.text).join(" / ")),
      (question.jumps || []).map((one, at) => h("p", { class: "row small" }, jumpText(question, one, all()), small(w("survey.drop"), w("survey.jumps"), () => { question.jumps.splice(at, 1); draw(); }, "plain"))));
  }

  async function name(page) {
    const given = await formDialog({ title: w("survey.page_title"), fields: [{ name: "title", label: w("survey.page_title"), value: page.title, most: 60 }], onSubmit: (values) => values });
    if (!given) return;
    page.title = given.title || "";
    draw();
  }

  function pageCard(page, place) {
    const label = w("survey.page", { page: place + 1 });
    return h("section", { class: "card stack" },
      h("div", { class: "row between" }, h("h2", null, page.title ? `${label}：${page.title}` : label),
        h("div", { class: "row-actions" }, small(w("survey.page_title"), label, () => name(page)), small(w("survey.drop_page"), label, () => { content.pages.splice(place, 1); draw(); }, "danger"))),
      page.questions.length ? h("ol", { class: "stack" }, page.questions.map((question, at) => row(page, question, at))) : h("p", { class: "muted small" }, w("survey.no_questions")),
      h("div", null, h("button", { type: "button", class: "button soft", onclick: () => put(page) }, w("survey.add_question"))));
  }

  function draw() {
    const changed = JSON.stringify(content) !== saved;
    fill(node,
      h("section", { class: "card stack" }, h("div", { class: "row between" }, h("h2", null, w("survey.terms")), h("div", { class: "row-actions" },
          survey.version === 0 && h("button", { type: "button", class: "button", onclick: prizes }, w("survey.draw")),
          h("button", { type: "button", class: "button", onclick: quotas }, w("survey.quotas")),
          h("button", { type: "button", class: "button", onclick: settings }, w("survey.terms_edit")))),
        factList([[w("survey.intro"), content.intro], [w("survey.thanks"), content.thanks], [w("survey.total"), terms.total], [w("survey.quotas"), quotaText() || null], [w("survey.opens"), terms.opens_at && stamp(terms.opens_at)], [w("survey.closes"), terms.closes_at && stamp(terms.closes_at)], [w("survey.reward"), rewardText(terms.reward)], [w("survey.after_sale"), terms.after_sale && `${terms.after_sale.within_days ?? 7} / ${terms.after_sale.every_days ?? 90}`]])),
      content.pages.map(pageCard),
      h("div", { class: "row" }, h("button", { type: "button", class: "button", onclick: () => { content.pages.push({ questions: [] }); draw(); } }, w("survey.add_page")), changed && h("button", { type: "button", class: "button primary", onclick: save }, w("survey.save"))));
  }

  if (!content.pages.length) content.pages.push({ questions: [] });
  saved = JSON.stringify(content);
  draw();
  /** Save what was changed and not saved yet; whoever publishes means what they see. */
  node.flush = async () => {
    if (JSON.stringify(content) !== saved) await api.put(address(survey.id), { ...terms, content: draft() });
  };
  return node;
}

function rewardText(reward) {
  if (!reward) return null;
  if (reward.points) return `${reward.points} ${w("survey.reward_points")}`;
  return reward.template_id || reward.prizes.map((prize) => `${prize.title} ${prize.chance_bp / 100}%`).join("、");
}
