/** 卡包: all that the member carries, as one list of cards. */
import { fill, h } from "../../shared/dom.js";
import { cardRow, cardSkeletons } from "../card_face.js";
import { linkCell, staleNote, trouble } from "../parts.js";
import { bindSheet } from "../sheets/bind.js";
import { t } from "../texts.js";

let place = 0; // how far one had scrolled before one looked at a card

export function cardsScreen(app) {
  const before = ["gift-card", "pass", "campaign-card", "campaigns", "entries"].includes(app.route()) ? place : 0;
  const note = h("div", { hidden: true });
  const list = h("div", null);
  const node = h(
    "div",
    { class: "page stack cards" },
    h("section", { class: "card flush cells" },
      linkCell({ icon: "plus", text: t("bind.title"), value: t("bind.hint"), onclick: () => bindSheet(app) }),
      linkCell({ icon: "stamp", text: t("campaigns.title"), value: t("campaigns.hint"), onclick: () => app.go("campaigns") })),
    note,
    list,
  );
  let gone = false;

  function draw() {
    const cards = app.cards.known();
    if (!cards) {
      fill(list, cardSkeletons(5));
      return;
    }
    const focused = list.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    fill(list, h("ul", { class: "tickets" }, cards.map((card) => h("li", null, cardRow(app, card)))));
    if (focused) list.querySelector(`a[href="${focused}"]`)?.focus({ preventScroll: true });
  }

  async function load() {
    try {
      await app.cards.load();
      note.hidden = true;
    } catch (error) {
      if (!gone) missed(error);
    }
  }

  function missed(error) {
    if (!app.cards.known()) {
      fill(list, h("div", { class: "card" }, trouble(error, () => { draw(); load(); })));
      return;
    }
    note.hidden = false;
    fill(note, staleNote(app.cards.knownAt()));
  }

  const stops = [
    app.store.watch(["cards"], draw),
    app.store.watch(["online"], load),
    app.events.listen((type) => {
      if (type !== "code_scanned") load();
    }),
  ];
  return {
    title: t("cards.title"),
    node,
    parent: "home",
    shown: (screen) => { screen.scrollTop = before; },
    leave() {
      gone = true;
      place = node.parentElement?.scrollTop || 0;
      stops.forEach((stop) => stop());
    },
  };
}
