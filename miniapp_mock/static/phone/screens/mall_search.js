/** Looking for goods: by name, pinyin or initials; what was looked for last is one tap away. */
import { fill, h } from "../../shared/dom.js";
import { picture, priceTag } from "../goods.js";
import { glyph } from "../icons.js";
import { emptyState, skeletonRows, trouble } from "../parts.js";
import { t } from "../texts.js";

const PAUSE_MS = 250;
const LONGEST = 40;

export function mallSearchScreen(app) {
  const given = decodeURIComponent(location.hash.split("?")[1] || "");
  const input = h("input", { type: "search", class: "input", maxlength: LONGEST, autocomplete: "off", enterkeyhint: "search", placeholder: t("mall.search_hint"), "aria-label": t("mall.search"), value: given });
  const under = h("div", { class: "stack", "aria-live": "polite" });
  const form = h("form", { class: "row search-form", role: "search", novalidate: true, onsubmit: submit },
    input, h("button", { type: "submit", class: "button primary" }, t("mall.search_do")));
  const node = h("div", { class: "page stack" }, form, under);
  let timer = null;
  let round = 0;

  const word = () => input.value.trim().slice(0, LONGEST);

  function submit(event) {
    event.preventDefault();
    if (!word()) return input.focus();
    app.mall.searched(word());
    return app.go(`goods?q=${encodeURIComponent(word())}`);
  }

  function recent() {
    const words = app.mall.searches();
    fill(under, words.length ? [
      h("div", { class: "row between section-head" }, h("h2", null, t("mall.recent")),
        h("button", { type: "button", class: "icon-button", "aria-label": t("mall.forget"), onclick: () => { app.mall.forgetSearches(); recent(); input.focus(); } }, glyph("trash", 20))),
      h("ul", { class: "words" }, words.map((one) => h("li", null, h("a", { class: "chip", href: `#/goods?q=${encodeURIComponent(one)}`, onclick: () => app.mall.searched(one) }, one)))),
    ] : h("p", { class: "small muted center end-note" }, t("mall.search_how")));
  }

  async function look() {
    round += 1;
    const mine = round;
    if (!word()) return recent();
    try {
      const { items } = await app.mall.products({ q: word() });
      if (mine !== round) return undefined;
      fill(under, items.length
        ? h("ul", { class: "card flush cells" }, items.map((item) => h("li", null, hit(item))))
        : h("div", { class: "card" }, emptyState({ icon: "search", title: t("goods.none_found", { word: word() }), hint: t("goods.none_hint") })));
    } catch (error) {
      if (mine === round) fill(under, h("div", { class: "card" }, trouble(error, look)));
    }
    return undefined;
  }

  function hit(item) {
    return h("a", { class: "cell hit", href: `#/product?${encodeURIComponent(item.id)}`, onclick: () => app.mall.searched(word()) },
      picture(item.picture), h("span", { class: "grow clip" }, item.name), priceTag(item, { from: item.several }));
  }

  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(look, PAUSE_MS);
  });
  if (given) {
    fill(under, h("div", { class: "card flush" }, skeletonRows(4)));
    look();
  } else recent();
  return {
    title: t("mall.search"),
    node,
    parent: "mall",
    shown: () => setTimeout(() => input.focus({ preventScroll: true }), 0), // the frame puts the focus on the title first
    leave() {
      round += 1;
      clearTimeout(timer);
    },
  };
}
