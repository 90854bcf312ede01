/** One survey: answered page by page, kept as one goes, sent once; and what came of it. */
import { fill, h } from "../../shared/dom.js";
import { date } from "../../shared/format.js";
import { glyph } from "../icons.js";
import { busy, emptyState, skeleton, trouble } from "../parts.js";
import { questionField } from "../survey_questions.js";
import { flaw, questionsOf, shown } from "../survey_way.js";
import { gainSentence, promiseWords } from "../survey_words.js";
import { problemText, t } from "../texts.js";

const SAVE_AFTER_MS = 1500;
const CLOSED = { closed: "survey.over", paused: "survey.paused", not_yet: "survey.not_yet", full: "survey.full" };

export function surveyScreen(app) {
  const id = decodeURIComponent(location.hash.split("?")[1] || "");
  const node = h("div", { class: "page stack survey" });
  const head = h("div", { class: "stack tight" });
  const body = h("div", { class: "stack" });
  const note = h("p", { class: "tiny muted center", role: "status" });
  const problem = h("p", { class: "field-error center", role: "alert" });
  let survey = null;
  let given = {};
  let page = 0;
  let fields = [];
  let later = null;
  let gone = false;

  const way = () => new Set(shown(questionsOf(survey.content), given).map((question) => question.id));
  /** The pages that have something to show for these answers. */
  const pages = () => {
    const on = way();
    return survey.content.pages.map((one, place) => ({ ...one, place, questions: one.questions.filter((question) => on.has(question.id)) })).filter((one) => one.questions.length);
  };
  const answers = () => Object.values(given);

  async function load() {
    fill(node, h("div", { class: "card" }, skeleton("w70", "w50", "w100", "w100")));
    try {
      const opened = await app.surveys.open(id);
      if (gone) return;
      ({ survey, page } = opened);
      given = Object.fromEntries(opened.answers.map((one) => [one.question, one]));
      if (opened.sending) showKept();
      else if (survey.standing === "done") showDone(null);
      else if (CLOSED[survey.standing]) fill(node, h("div", { class: "card" }, emptyState({ icon: "clock", title: t(CLOSED[survey.standing]), action: t("survey.back"), onAction: () => app.go("surveys") })));
      else draw();
      if (opened.stale) note.textContent = t("survey.saved_here");
    } catch (error) {
      if (!gone) fill(node, h("div", { class: "card" }, trouble(error, load)));
    }
  }

  /** The page one is on, with what is answered of it. */
  function draw({ moved = false } = {}) {
    const list = pages();
    const at = Math.max(list.findIndex((one) => one.place >= page), 0);
    const current = list[at];
    page = current.place;
    fill(head, progress(at, list.length), at === 0 && intro(), current.title && h("h2", null, current.title));
    fields = current.questions.map((question) => questionField(app, question, given[question.id], (answer) => answered(question, answer), survey.anonymous ? (bytes) => app.surveys.addPhoto(id, bytes) : null));
    fill(body, fields.map((field) => field.node));
    const last = at === list.length - 1;
    const forward = h("button", { type: "button", class: "button primary grow", onclick: () => busy(forward, last ? send : () => turn(list[at + 1].place)) }, t(last ? "survey.send" : "survey.next"));
    fill(node, head, body, problem, h("div", { class: "row" }, at > 0 && h("button", { type: "button", class: "button grow", onclick: () => turn(list[at - 1].place, { back: true }) }, t("survey.previous")), forward), note);
    if (moved) {
      node.closest("main")?.scrollTo(0, 0);
      fields[0]?.node.querySelector("input, textarea, button")?.focus({ preventScroll: true });
    }
  }

  function progress(at, count) {
    const bar = h("progress", { class: "survey-progress", max: count, "aria-label": t("survey.progress", { page: at + 1, count }) });
    bar.value = at + 1;
    return h("div", { class: "stack tight" }, bar, h("p", { class: "tiny muted num" }, t("survey.progress", { page: at + 1, count })));
  }

  function intro() {
    const promise = promiseWords(survey.reward);
    return h("section", { class: "card stack tight" },
      survey.content.intro && h("p", null, survey.content.intro),
      survey.anonymous && h("p", { class: "notice" }, glyph("lock", 18), t("survey.anonymous")),
      promise && h("p", { class: "row gold" }, glyph("gift", 18), promise),
      survey.reward?.prizes?.length > 0 && h("details", { class: "small" }, h("summary", null, t("survey.prizes")), h("ul", { class: "rules" }, survey.reward.prizes.map((prize) => h("li", null, `${prize.title} ${prize.chance_bp / 100}%`)))));
  }

  /** An answer changed: keep it here at once, on the server soon; other questions may be on the way now. */
  function answered(question, answer) {
    const before = pages();
    if (answer) given[question.id] = answer;
    else delete given[question.id];
    app.surveys.note(id, answers(), page);
    problem.textContent = "";
    clearTimeout(later);
    later = setTimeout(save, SAVE_AFTER_MS);
    const here = (list) => list.find((one) => one.place === page)?.questions.map((one) => one.id).join();
    const after = pages();
    if (here(before) !== here(after) || before.length !== after.length) redraw();
  }

  /** Show the page anew without losing the place one is at. */
  function redraw() {
    const { activeElement: active } = document;
    const [name, value, start] = [active?.name, active?.value, active?.selectionStart];
    draw();
    const again = name && [...body.querySelectorAll("input")].find((input) => input.name === name && input.value === value);
    again?.focus({ preventScroll: true });
    if (again && start !== null && start !== undefined && again.type === "text") again.setSelectionRange(start, start);
  }

  async function save() {
    clearTimeout(later);
    const there = await app.surveys.save(id);
    if (!gone && survey.standing !== "done") note.textContent = t(there ? "survey.saved" : "survey.saved_here");
  }

  /** Whether the page can be left: each of its questions is answered as it must be. */
  function complete() {
    const wrong = pages().find((one) => one.place === page).questions.map((question) => [question.id, flaw(question, given[question.id])]).filter(([, why]) => why);
    for (const field of fields) {
      const why = wrong.find(([question]) => question === field.id)?.[1];
      field.mark(why ? t(...why) : "");
    }
    if (wrong.length) fields.find((field) => field.id === wrong[0][0])?.focus();
    return wrong.length === 0;
  }

  function turn(place, { back = false } = {}) {
    if (!back && !complete()) return;
    page = place;
    app.surveys.note(id, answers(), page);
    save();
    draw({ moved: true });
  }

  async function send() {
    if (!complete()) return;
    const on = way();
    const open = pages().find((one) => one.questions.some((question) => flaw(question, given[question.id])));
    if (open) {
      page = open.place;
      draw({ moved: true });
      complete();
      return;
    }
    clearTimeout(later);
    try {
      const answer = await app.surveys.send(id, answers().filter((one) => on.has(one.question)));
      if (gone) return;
      if (answer) showDone(answer);
      else showKept();
    } catch (error) {
      refused(error);
    }
  }

  function refused(error) {
    if (gone) return;
    if (error.code === "survey_version_changed") {
      load().then(() => app.toast(t("survey.changed")));
    } else if (["survey_answered", "survey_closed"].includes(error.code)) {
      app.toast(problemText(error));
      load();
    } else {
      if (!body.isConnected) draw();
      problem.textContent = problemText(error);
    }
  }

  /** It is kept on this phone, and goes out by itself. */
  function showKept() {
    const button = h("button", { type: "button", class: "button primary wide", onclick: () => busy(button, () => app.surveys.resend()) }, t("survey.try_again"));
    fill(node, h("div", { class: "card" }, h("div", { class: "empty", role: "status" }, glyph("cloud", 44), h("p", { class: "strong" }, t("survey.kept")), button)));
  }

  function showDone(answer) {
    survey = { ...survey, standing: "done" };
    const gain = answer?.gain || survey.gain;
    const coupon = gain?.coupon_ids?.length > 0;
    if (coupon) app.coupons.load("available").catch(() => undefined);
    fill(node,
      h("section", { class: "card result", role: "status" },
        h("span", { class: "mark" }, glyph("check", 44)),
        h("h2", { class: "result-title" }, t(answer ? "survey.sent" : "survey.thanks")),
        answer?.thanks && h("p", { class: "muted" }, answer.thanks),
        survey.answered_on && h("p", { class: "small muted num" }, t("survey.answered_on", { date: date(survey.answered_on) })),
        answer && answer.score !== null && h("p", { class: "strong num" }, t("survey.score", { score: answer.score, of: answer.score_of })),
        gain?.prize && h("p", { class: "strong gold" }, t("survey.got_prize", { title: gain.prize })),
        gain && h("p", { class: "gold" }, gainSentence(gain))),
      answer?.rights?.length > 0 && rights(answer.rights),
      h("div", { class: "stack tight" },
        coupon && h("button", { type: "button", class: "button soft wide", onclick: () => app.go("coupons") }, t("survey.to_coupons")),
        h("button", { type: "button", class: "button wide", onclick: () => app.go("surveys", { replace: true }) }, t("survey.back"))));
    node.closest("main")?.scrollTo(0, 0);
  }

  function rights(items) {
    const row = (item) => {
      const question = questionsOf(survey.content).find((one) => one.id === item.question);
      const named = item.choices.map((choice) => question?.options.find((one) => one.id === choice)?.text || choice);
      const span = item.at_least !== null || item.at_most !== null ? [item.at_least === item.at_most ? String(item.at_least) : t("survey.between", { least: item.at_least ?? "", most: item.at_most ?? "" })] : [];
      return h("li", { class: "stack tight right" }, h("p", { class: "small" }, question?.title || ""),
        h("p", { class: item.right ? "small brand" : "small danger" }, item.right ? t("survey.right") : t("survey.wrong", { answer: [...named, ...item.texts, ...span].join("、") })),
        item.note && h("p", { class: "tiny muted" }, item.note));
    };
    return h("section", { class: "card" }, h("ul", { class: "stack" }, items.map(row)));
  }

  load();
  const stop = app.surveys.onSent((sent, answer) => {
    if (sent !== id || gone) return;
    if (answer instanceof Error) refused(answer);
    else showDone(answer);
  });
  return {
    title: t("survey.title"),
    node,
    parent: "surveys",
    leave() {
      gone = true;
      stop();
      clearTimeout(later);
      if (survey && survey.standing !== "done" && app.surveys.kept(id)?.answers?.length) app.surveys.save(id);
    },
  };
}
