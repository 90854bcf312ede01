/** A chapter of the handbook, with the way up and what lies below it. */
import { fill, h } from "../../shared/dom.js";
import { date } from "../../shared/format.js";
import { glyph } from "../icons.js";
import { emptyState, skeleton, staleNote, trouble } from "../parts.js";
import { rich } from "../../shared/rich.js";
import { t } from "../texts.js";

export function chapterScreen(app) {
  const id = decodeURIComponent(location.hash.split("?")[1] || "");
  const node = h("div", { class: "page stack" });
  let gone = false;

  async function load() {
    fill(node, h("div", { class: "card" }, skeleton("w50", "w100", "w100", "w70")));
    try {
      const found = await app.notices.chapter(id);
      if (!gone) draw(found);
    } catch (error) {
      if (gone) return;
      fill(node, h("div", { class: "card" }, error.status === 404
        ? emptyState({ icon: "book", title: t("handbook.gone"), action: t("handbook.back"), onAction: () => app.go("handbook", { replace: true }) })
        : trouble(error, load)));
    }
  }

  function draw(found) {
    fill(
      node,
      found.stale_at && staleNote(found.stale_at),
      h("article", { class: "card stack" },
        h("header", { class: "stack tight" },
          found.above.length > 0 && h("p", { class: "small muted" }, found.above.map((one) => one.title).join(" › ")),
          h("h2", { class: "notice-title" }, found.title)),
        rich(found.blocks),
        h("p", { class: "tiny muted num" }, t("handbook.updated", { date: date(found.published_at) }))),
      found.below.length > 0 && h("nav", { class: "card flush cells", "aria-label": t("handbook.below") }, found.below.map((one) => h("a", { class: "cell", href: `#/chapter?${encodeURIComponent(one.id)}` }, h("span", { class: "grow" }, one.title), glyph("next", 18, "chevron")))),
    );
  }

  load();
  return { title: t("handbook.title"), node, parent: "handbook", leave: () => { gone = true; } };
}
