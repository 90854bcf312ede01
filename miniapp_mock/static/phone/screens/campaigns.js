/** 集章活动: what one can collect for, also where there is no stamp yet. */
import { fill, h } from "../../shared/dom.js";
import { cardRow, cardSkeletons } from "../card_face.js";
import { lastDay } from "../card_words.js";
import { emptyState, trouble } from "../parts.js";
import { t } from "../texts.js";

export function campaignsScreen(app) {
  const node = h("div", { class: "page stack" });
  let shown = null;
  let gone = false;

  /** A campaign as the list of cards would show it. */
  function asCard(campaign) {
    const { id, title, rule, have, goal, ends_at: ends, checked_in: checkedIn, state } = campaign;
    return {
      kind: "campaign", id, title, subtitle: rule, progress: { have, goal }, expires_on: ends && lastDay(ends),
      state: { full: "waiting", complete: "complete" }[state] || (checkedIn === false ? "to_check_in" : "active"),
    };
  }

  function draw(items) {
    const text = JSON.stringify(items);
    if (text === shown) return;
    shown = text;
    const nothing = () => h("div", { class: "card" }, emptyState({ icon: "stamp", title: t("campaigns.empty"), hint: t("campaigns.empty_hint"), action: t("cards.to_list"), onAction: () => app.go("cards") }));
    fill(node, items.length ? h("ul", { class: "tickets" }, items.map((item) => h("li", null, cardRow(app, asCard(item))))) : nothing());
  }

  async function load() {
    if (shown === null) fill(node, cardSkeletons(3));
    try {
      const items = await app.cards.campaigns();
      if (!gone) draw(items);
    } catch (error) {
      if (!gone && shown === null) fill(node, h("div", { class: "card" }, trouble(error, load)));
    }
  }

  load();
  const stop = app.events.listen((type) => {
    if (type !== "code_scanned") load();
  });
  return {
    title: t("campaigns.title"),
    node,
    parent: "cards",
    leave() {
      gone = true;
      stop();
    },
  };
}
