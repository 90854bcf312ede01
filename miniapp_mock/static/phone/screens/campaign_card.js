/** One campaign card: its stamps as places to fill, what one can do for the next, and what is given for a full one. */
import { h } from "../../shared/dom.js";
import { date, dayTime } from "../../shared/format.js";
import { cardFace, places } from "../card_face.js";
import { cardPageOf } from "../card_page.js";
import { lastDay } from "../card_words.js";
import { glyph } from "../icons.js";
import { busy } from "../parts.js";
import { problemText, t } from "../texts.js";

export function campaignCardScreen(app) {
  function draw(card, again) {
    const full = card.state === "full";
    return [
      cardFace({
        kind: "campaign", title: card.title, figure: { number: String(card.have), unit: `/ ${card.goal}` }, over: card.state === "complete",
        state: card.state === "collecting" ? "" : t(`campaign.${card.state}`), foot: [t("campaign.reward", { names: card.reward.filter(Boolean).join("、") })],
      }),
      h("section", { class: "card stack" },
        places(card.have, card.goal),
        card.owed > 0 && h("p", { class: "small muted" }, t("campaign.owed", { count: card.owed })),
        full ? redeem(card, again) : card.checked_in === null || card.state === "complete" ? null : checkIn(card, again)),
      card.tasks.length > 0 && tasks(card),
      about(card),
      card.given.length > 0 && history(card),
    ];
  }

  /** A button that does `work`, says what came of it, and shows the card anew. */
  function act(text, work, again) {
    const problem = h("p", { class: "field-error center", role: "alert" });
    const button = h("button", { type: "button", class: "button primary wide", onclick: () => busy(button, async () => {
      problem.textContent = "";
      try {
        const answer = await work();
        app.toast(answer.coupon_ids.length ? t("campaign.rewarded") : t("campaign.stamped"));
        app.wx.vibrateShort();
        if (answer.coupon_ids.length) app.coupons.load("available").catch(() => undefined);
        await again();
      } catch (error) {
        problem.textContent = problemText(error);
      }
    }) }, text);
    return h("div", { class: "stack tight" }, button, problem);
  }

  const redeem = (card, again) => act(t("campaign.redeem"), () => app.cards.redeem(card.id), again);

  function checkIn(card, again) {
    if (card.checked_in) return h("p", { class: "center muted row checked-in" }, glyph("check", 20), t("campaign.checked_in"));
    return act(t("campaign.check_in"), () => app.cards.checkIn(card.id), again);
  }

  function tasks(card) {
    const row = (task) => h("li", { class: task.done ? "done" : "" }, h("span", { class: "task-mark" }, task.done && glyph("check", 16)), h("span", { class: "grow" }, task.title), h("span", { class: "tiny muted" }, t(task.done ? "campaign.task_done" : "campaign.task_open")));
    return h("section", { class: "card stack tight" }, h("h2", null, t("campaign.tasks")), h("ul", { class: "tasks" }, card.tasks.map(row)));
  }

  function about(card) {
    const lines = [
      card.rule,
      card.note,
      card.per_member !== null && t("campaign.per_member", { count: card.per_member, had: card.rewards }),
      card.per_member === null && card.rewards > 0 && t("campaign.rewards", { had: card.rewards }),
      card.ends_at && t("campaign.ends", { date: date(lastDay(card.ends_at)) }),
    ];
    return h("section", { class: "card stack tight" }, h("h2", null, t("campaign.rules")), h("ul", { class: "rules" }, lines.filter(Boolean).map((line) => h("li", null, line))));
  }

  function history(card) {
    const row = (item) => h("li", { class: "cell" },
      h("span", { class: "grow entry-text" }, h("span", { class: "clip" }, sourceOf(card, item)), h("span", { class: "tiny muted num" }, dayTime(item.at))),
      h("span", { class: "strong num" }, item.taken ? t("campaign.taken", { given: item.given, taken: item.taken }) : `+${item.given}`));
    return h("section", { class: "stack tight" }, h("div", { class: "row between section-head" }, h("h2", null, t("campaign.history"))), h("ul", { class: "card flush cells" }, card.given.map(row)));
  }

  function sourceOf(card, item) {
    if (item.source === "task") return card.tasks.find((task) => task.code === item.reference)?.title || t("campaign.from_task");
    return t(`campaign.from_${item.source}`);
  }

  return cardPageOf(app, { title: t("cards.kind_campaign"), kinds: ["campaign"], fetch: app.cards.campaignCard, draw });
}
