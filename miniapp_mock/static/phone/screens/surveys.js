/** 问卷: what waits for an answer, and what was answered. */
import { fill, h } from "../../shared/dom.js";
import { date, shortDate } from "../../shared/format.js";
import { dayOf } from "../coupon_words.js";
import { endless } from "../endless.js";
import { glyph } from "../icons.js";
import { emptyState, skeletonRows } from "../parts.js";
import { gainWords, promiseWords } from "../survey_words.js";
import { t } from "../texts.js";

export function surveysScreen(app) {
  let waiting = [];
  const first = h("section", { class: "stack tight" });
  const heading = h("h2", { class: "section-head", hidden: true }, t("survey.done_list"));

  const done = endless({
    fetch: async (cursor) => {
      const page = await app.surveys.list(cursor);
      if (!cursor) waiting = page.items;
      drawWaiting();
      return { items: page.done, next_cursor: page.next_cursor, stale_at: page.stale_at };
    },
    draw: (items) => {
      heading.hidden = false;
      return h("ul", { class: "card flush cells" }, items.map((item) => h("li", null, doneRow(item))));
    },
    wait: () => h("div", { class: "card flush" }, skeletonRows(3)),
    nothing: () => (waiting.length ? null : h("div", { class: "card" }, emptyState({ icon: "list", title: t("survey.empty"), hint: t("survey.empty_hint") }))),
    place: "surveys",
  });

  function drawWaiting() {
    fill(first, waiting.length > 0 && h("h2", { class: "section-head" }, t("survey.waiting")), waiting.map(card));
  }

  function card(item) {
    const kept = app.surveys.kept(item.id);
    const begun = item.standing === "begun" || kept?.answers?.length > 0;
    const page = Math.max(item.page, kept?.page || 0) + 1;
    const foot = [begun ? t("survey.begun", { page }) : t("survey.pages", { count: item.pages }), item.until && t("survey.until", { date: shortDate(dayOf(Date.parse(item.until))) })];
    return h("a", { class: "card stack tight survey-card", href: `#/survey?${encodeURIComponent(item.id)}` },
      h("span", { class: "row between" }, h("span", { class: "strong grow" }, item.title), item.anonymous && h("span", { class: "pill" }, t("survey.anonymous_pill"))),
      item.intro && h("span", { class: "small muted survey-intro" }, item.intro),
      promiseWords(item.reward) && h("span", { class: "pill gold survey-pill" }, glyph("gift", 14), promiseWords(item.reward)),
      h("span", { class: "row between" }, h("span", { class: "tiny muted num" }, foot.filter(Boolean).join(" · ")), h("span", { class: "small brand" }, t(begun ? "survey.go_on" : "survey.begin"))));
  }

  function doneRow(item) {
    return h("a", { class: "cell", href: `#/survey?${encodeURIComponent(item.id)}` },
      h("span", { class: "grow entry-text" }, h("span", { class: "clip" }, item.title), h("span", { class: "tiny muted num" }, t("survey.answered_on", { date: date(item.answered_on) }))),
      item.gain && h("span", { class: "small gold" }, gainWords(item.gain)));
  }

  done.reload();
  const stops = [
    app.surveys.onSent(() => done.reload({ quiet: true })),
    app.events.listen((type) => {
      if (["survey_rewarded", "message", "caught_up"].includes(type)) done.reload({ quiet: true });
    }),
  ];
  return {
    title: t("survey.title"),
    node: h("div", { class: "page stack" }, first, heading, done.node),
    parent: "me",
    leave: () => stops.forEach((stop) => stop()),
  };
}
