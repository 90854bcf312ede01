/** 服务手册: its contents, and looking something up in the member's own words. */
import { fill, h } from "../../shared/dom.js";
import { glyph } from "../icons.js";
import { emptyState, skeletonRows, staleNote, trouble } from "../parts.js";
import { t } from "../texts.js";

const PAUSE_MS = 250;
const LONGEST = 40;

export function handbookScreen(app) {
  const input = h("input", { type: "search", class: "input", maxlength: LONGEST, autocomplete: "off", enterkeyhint: "search", placeholder: t("handbook.search_hint"), "aria-label": t("handbook.search") });
  const under = h("div", { class: "stack", "aria-live": "polite" });
  const form = h("form", { role: "search", novalidate: true, onsubmit: (event) => { event.preventDefault(); look(); } }, input);
  let timer = null;
  let round = 0;
  let contents = null;

  const word = () => input.value.trim().slice(0, LONGEST);
  const ask = { action: t("handbook.ask"), onAction: () => app.go("chat") };

  async function look() {
    round += 1;
    const mine = round;
    try {
      if (word()) {
        const { items } = await app.notices.search(word());
        if (mine === round) drawFound(items);
      } else {
        contents ??= await app.notices.contents();
        if (mine === round) drawContents();
      }
    } catch (error) {
      if (mine === round) fill(under, h("div", { class: "card" }, trouble(error, look)));
    }
  }

  function drawFound(items) {
    fill(under, items.length
      ? h("ul", { class: "card flush cells" }, items.map((item) => h("li", null, h("a", { class: "cell", href: to(item.id) },
        h("span", { class: "grow stack tight" }, h("span", null, item.title), item.above.length > 0 && h("span", { class: "tiny muted" }, item.above.join(" › ")), item.excerpt && h("span", { class: "small muted" }, item.excerpt)), glyph("next", 18, "chevron")))))
      : h("div", { class: "card" }, emptyState({ icon: "search", title: t("handbook.none_found", { word: word() }), hint: t("handbook.none_hint"), ...ask })));
  }

  function drawContents() {
    const { items } = contents;
    const below = (id) => items.filter((item) => (item.parent_id || null) === id);
    const chapter = (top) => {
      const inner = below(top.id);
      return h("section", { class: "card flush cells" }, row(top, "strong"), inner.map((item) => row(item, "inner")));
    };
    fill(under, contents.stale_at && staleNote(contents.stale_at), items.length
      ? below(null).map(chapter)
      : h("div", { class: "card" }, emptyState({ icon: "book", title: t("handbook.empty"), hint: t("handbook.empty_hint"), ...ask })));
  }

  const row = (item, look_) => h("a", { class: `cell ${look_}`, href: to(item.id) }, h("span", { class: "grow" }, item.title), glyph("next", 18, "chevron"));

  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(look, PAUSE_MS);
  });
  fill(under, h("div", { class: "card flush" }, skeletonRows(5)));
  look();
  return {
    title: t("handbook.title"),
    node: h("div", { class: "page stack" }, form, under),
    parent: "me",
    leave() {
      round += 1;
      clearTimeout(timer);
    },
  };
}

const to = (id) => `#/chapter?${encodeURIComponent(id)}`;
