/** How cards are drawn: a row in the list of all, and the face on top of a card's own page. */
import { h } from "../shared/dom.js";
import { cardFigure, cardIcon, cardPage, cardState, isCardOver, kindBeside, until } from "./card_words.js";
import { dayOf, withDates } from "./coupon_words.js";
import { glyph } from "./icons.js";
import { t } from "./texts.js";

const MOST_PLACES = 12; // more stamps than that are drawn as a bar

/** A card in the list; leads to its page where it has one. */
export function cardRow(app, card) {
  const page = cardPage(card);
  const kind = kindBeside(card);
  const figure = cardFigure(card);
  const state = cardState(card);
  const words = [card.subtitle && withDates(card.subtitle), card.expires_on && card.kind !== "points" && until(card.expires_on, dayOf(app.api.serverNow()))].filter(Boolean); // points expire lot by lot: the subtitle says it
  return h(
    page ? "a" : "div",
    { class: `wallet-card${isCardOver(card) ? " over" : ""}`, href: page && `#/${page}` },
    h("span", { class: `wallet-mark kind-${card.kind}` }, glyph(cardIcon(card.kind), 24)),
    h("span", { class: "wallet-text" },
      kind && h("span", { class: "tiny muted" }, kind),
      h("span", { class: "wallet-title" }, card.title),
      words.map((line) => h("span", { class: "tiny muted num" }, line)),
      card.progress && places(card.progress.have, card.progress.goal, "small-places"),
      state && h("span", { class: "row" }, h("span", { class: `pill${["expiring", "waiting", "to_check_in"].includes(card.state) ? " soon" : ""}` }, state))),
    h("span", { class: `wallet-figure num${card.kind === "points" ? " gold" : ""}` }, figure && [figure.number, figure.unit && h("span", { class: "wallet-unit" }, ` ${figure.unit}`)]),
    page ? glyph("next", 18, "chevron") : null,
  );
}

/** Placeholders of the same size. */
export function cardSkeletons(count) {
  const one = () => h("div", { class: "wallet-card" }, h("span", { class: "wallet-mark skeleton" }), h("span", { class: "wallet-text" }, h("span", { class: "skeleton w50" }), h("span", { class: "skeleton w70" })));
  return h("div", { class: "tickets", "aria-busy": "true", "aria-label": t("common.loading") }, Array.from({ length: count }, one));
}

/** So many places of which so many are filled: a mark each, or a bar where they are many. */
export function places(have, goal, className = "") {
  const said = t("campaign.have", { have, goal });
  if (goal > MOST_PLACES) {
    const bar = h("span", { class: "share-left" });
    bar.style.setProperty("width", `${Math.min(100, (100 * have) / goal)}%`);
    return h("span", { class: "share places-bar", role: "img", "aria-label": said }, bar);
  }
  const place = (n) => h("span", { class: `place${n < have ? " filled" : ""}` }, n < have ? glyph("check", 16) : h("span", { class: "place-number num" }, n + 1));
  return h("span", { class: `places ${className}`, role: "img", "aria-label": said }, Array.from({ length: goal }, (_, n) => place(n)));
}

/** The face of a card on its own page: `{ kind, title, figure, foot, state, over }`. */
export function cardFace({ kind, title, figure, foot = [], state = "", over = false }) {
  return h(
    "section",
    { class: `hero card-face${over ? " over" : ""}`, "aria-label": title },
    h("div", { class: "hero-rings", "aria-hidden": "true" }),
    h("div", { class: "row between face-head" },
      h("span", { class: "row face-kind small" }, glyph(cardIcon(kind), 20), t(`cards.kind_${kind}`)),
      state && h("span", { class: "face-state" }, state)),
    h("div", null,
      h("p", { class: "face-title" }, title),
      figure && h("p", { class: "face-figure num" }, figure.number, figure.unit && h("span", { class: "face-unit" }, ` ${figure.unit}`))),
    h("p", { class: "hero-line small hero-soft num" }, foot.filter(Boolean).map((line) => h("span", null, line))),
  );
}

/** Placeholder of a face and the section under it. */
export function faceSkeleton() {
  return [
    h("section", { class: "hero card-face", "aria-busy": "true", "aria-label": t("common.loading") }),
    h("section", { class: "card stack face-waits" }, h("div", { class: "skeleton w50" }), h("div", { class: "skeleton w70" }), h("div", { class: "skeleton w50" })),
  ];
}
