/** 意见: all that was said, one's own by its id, one without a name by the receipt that was typed. */
import { fill, h } from "../../shared/dom.js";
import { emptyState, skeleton, trouble } from "../parts.js";
import { t } from "../texts.js";
import { rateSheet, ratingCard, said, saySheet, unnamedPictures } from "../voice.js";

const MOST = 3;

export function suggestionScreen(app) {
  const id = decodeURIComponent(location.hash.split("?")[1] || "");
  const node = h("div", { class: "page stack" });
  const foot = h("div", { class: "row grow order-actions" });
  const { suggestions } = app;
  const way = id ? named(suggestions, id) : unnamed(app);
  let gone = false;

  function draw(found) {
    fill(node,
      h("section", { class: "card row between" }, h("h2", { class: "clip" }, found.box_title), h("span", { class: "small brand", role: "status" }, t(`suggestion.state_${found.state}`))),
      h("ul", { class: "thread" }, found.messages.map((one) => said(app, one, one.author === "writer"))),
      found.messages.some(({ author }) => author === "staff") && ratingCard(found.rating, found.rating_text, () => rateSheet(app, { rating: found.rating, text: found.rating_text, send: async (body) => draw(await way.rate(body)) })),
      !found.may_add && h("p", { class: "tiny muted center" }, t("suggestion.full")));
    const add = h("button", { type: "button", class: "button primary wide", disabled: !found.may_add, onclick: () => sayMore() }, t("suggestion.add"));
    fill(foot, add);
  }

  async function sayMore() {
    const key = await suggestions.newKey();
    saySheet(app, { title: t("suggestion.add_title"), action: t("suggestion.add"), most: MOST, upload: way.upload, send: async (body) => draw(await way.add(body, key)) });
  }

  async function load() {
    fill(node, h("section", { class: "card" }, skeleton("w50")), skeleton("w70", "w50", "w70"));
    try {
      const found = await way.read();
      if (!gone) draw(found);
    } catch (error) {
      if (gone) return;
      const unknown = emptyState({ icon: "letterbox", title: t("suggestion.unknown"), action: t("box.title"), onAction: () => app.go("suggestion-boxes", { replace: true }) });
      fill(node, h("div", { class: "card" }, [401, 404].includes(error.status) ? unknown : trouble(error, load)));
    }
  }

  load();
  return { title: t("suggestion.title"), node, foot, parent: id ? "own-suggestions" : "suggestion-boxes", leave: () => { gone = true; } };
}

const named = (suggestions, id) => ({
  read: () => suggestions.read(id),
  add: (body, key) => suggestions.add(id, body, key),
  rate: (body) => suggestions.rate(id, body),
  upload: null,
});

function unnamed(app) {
  const held = unnamedPictures(app);
  const { suggestions } = app;
  return {
    read: () => suggestions.follow(suggestions.receipt()),
    add: ({ text, pictures }, key) => suggestions.addUnnamed({ text, pictures: held.read(pictures) }, key),
    rate: (body) => suggestions.rateUnnamed(body),
    upload: held.upload,
  };
}
