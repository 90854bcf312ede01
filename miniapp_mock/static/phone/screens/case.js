/** 反馈详情: what was said and done, and what one can do now. */
import { fill, h } from "../../shared/dom.js";
import { busy, emptyState, fact, skeleton, trouble } from "../parts.js";
import { problemText, t } from "../texts.js";
import { happened, rateSheet, ratingCard, said, saySheet } from "../voice.js";

const SAID = ["open", "say", "answer", "reopen"];
const MOST = 6;

export function caseScreen(app) {
  const id = decodeURIComponent(location.hash.split("?")[1] || "");
  const node = h("div", { class: "page stack" });
  const foot = h("div", { class: "row grow order-actions" });
  const refusal = h("p", { class: "field-error center", role: "alert" });
  let gone = false;

  function draw(found) {
    refusal.textContent = "";
    fill(node,
      h("section", { class: "card stack tight" },
        h("div", { class: "row between" }, h("h2", null, t(`case.kind_${found.kind}`)), h("span", { class: "small brand", role: "status" }, t(`case.state_${found.state}`))),
        h("dl", { class: "facts" }, fact(t("case.at"), found.store), fact(t("case.reference"), found.reference), fact(t("case.outcome"), found.outcome && t(`case.outcome_${found.outcome}`)), fact(t("case.given"), found.given?.words), fact(t("case.compensation"), found.compensation))),
      h("ul", { class: "thread" }, found.steps.flatMap((step) => [
        step.action === "reopen" && happened(t("case.step_reopen"), step.at),
        SAID.includes(step.action) ? said(app, step, step.by === "member" || step.action === "open") : step.action !== "rate" && happened(step.action === "give" ? `${t("case.step_give")} ${found.given.words}：${step.text}` : t(`case.step_${step.action}`), step.at),
      ])),
      refusal,
      found.may_rate && ratingCard(found.rating, found.rating_text, () => rateSheet(app, { rating: found.rating, text: found.rating_text, send: async (body) => draw(await app.cases.rate(id, body)) })));
    drawActions(found);
  }

  function drawActions(found) {
    const confirm = h("button", { type: "button", class: "button primary", onclick: () => busy(confirm, () => act(() => app.cases.confirm(id, found.version))) }, t("case.confirm"));
    const reopen = h("button", { type: "button", class: "button", onclick: () => saySheet(app, { title: t("case.reopen_title"), action: t("case.reopen_submit"), send: async ({ text }) => draw(await app.cases.reopen(id, { text, version: found.version })) }) }, t("case.reopen"));
    const say = h("button", { type: "button", class: "button", onclick: () => sayMore() }, t("case.say"));
    fill(foot, found.state !== "closed" && say, found.may_reopen && reopen, found.state === "answered" && confirm);
    foot.parentElement?.toggleAttribute("hidden", !foot.childElementCount);
  }

  async function sayMore() {
    const key = await app.cases.newKey();
    saySheet(app, { title: t("case.say_title"), action: t("case.say"), most: MOST, send: async (body) => draw(await app.cases.say(id, body, key)) });
  }

  /** What was decided on an older state is refused: then the newer one is shown. */
  async function act(work) {
    try {
      draw(await work());
    } catch (error) {
      if (error.code === "case_conflict") await load();
      refusal.textContent = problemText(error);
    }
  }

  async function load() {
    try {
      const found = await app.cases.read(id);
      if (!gone) draw(found);
    } catch (error) {
      if (gone) return;
      const unknown = emptyState({ icon: "bubble", title: t("case.unknown"), action: t("cases.title"), onAction: () => app.go("cases", { replace: true }) });
      fill(node, h("div", { class: "card" }, error.status === 404 ? unknown : trouble(error, load)));
    }
  }

  fill(node, h("section", { class: "card" }, skeleton("w50", "w30")), skeleton("w70", "w50"));
  load();
  return { title: t("case.title"), node, foot, parent: "cases", leave: () => { gone = true; } };
}
