/** What the pages of single cards have in common: fetched anew at every event, the face from the list meanwhile, and what may go wrong. */
import { fill, h } from "../shared/dom.js";
import { cardFace, faceSkeleton } from "./card_face.js";
import { cardFigure, cardState, isCardOver, until } from "./card_words.js";
import { dayOf } from "./coupon_words.js";
import { emptyState, trouble } from "./parts.js";
import { t } from "./texts.js";

/**
 * The screen of the card that the address names (`#/route?ID`). `fetch(id)` brings it, `draw(card, again)` returns what to show, where
 * `again()` fetches anew; `loaded(id)` is called after each fetch; `kinds` finds its face in the list that is kept.
 */
export function cardPageOf(app, { title, kinds, fetch, draw, loaded }) {
  const id = location.hash.split("?")[1] || "";
  const node = h("div", { class: "page stack" });
  let shown = null;
  let gone = false;

  function show(card) {
    const text = JSON.stringify(card);
    if (text === shown) return;
    shown = text;
    const focused = node.contains(document.activeElement);
    fill(node, draw(card, load));
    if (focused) node.querySelector("button.primary, button")?.focus({ preventScroll: true });
  }

  async function load() {
    try {
      const card = await fetch(id);
      if (gone) return;
      show(card);
      loaded?.(id);
    } catch (error) {
      if (!gone && !shown) missed(error);
    }
  }

  /** What the list knows of it. */
  function face() {
    const card = app.cards.find(kinds, id);
    if (!card) return null;
    const today = dayOf(app.api.serverNow());
    return cardFace({ kind: card.kind, title: card.title, figure: cardFigure(card), state: cardState(card), over: isCardOver(card), foot: [card.expires_on && until(card.expires_on, today)] });
  }

  function missed(error) {
    if (error.status === 404) {
      fill(node, h("div", { class: "card" }, emptyState({ icon: "cards", title: t("cards.unknown"), action: t("cards.to_list"), onAction: () => app.go("cards", { replace: true }) })));
      return;
    }
    fill(node, error.name === "NetworkError" && face(), h("div", { class: "card" }, trouble(error, start)));
  }

  function start() {
    const [skeletonFace, below] = faceSkeleton();
    fill(node, face() || skeletonFace, below);
    load();
  }

  start();
  const stop = app.events.listen((type) => {
    if (type !== "code_scanned") load();
  });
  return {
    title,
    node,
    parent: "cards",
    leave() {
      gone = true;
      stop();
    },
  };
}
