/** One announcement with its text; opened, it is read. */
import { fill, h } from "../../shared/dom.js";
import { dayTime } from "../../shared/format.js";
import { emptyState, skeleton, staleNote, trouble } from "../parts.js";
import { rich } from "../../shared/rich.js";
import { t } from "../texts.js";

export function announcementScreen(app) {
  const id = decodeURIComponent(location.hash.split("?")[1] || "");
  const node = h("div", { class: "page stack" });
  let gone = false;

  async function load() {
    fill(node, h("div", { class: "card" }, skeleton("w70", "w30", "w100", "w100", "w50")));
    try {
      const found = await app.notices.open(id);
      if (!gone) draw(found);
    } catch (error) {
      if (gone) return;
      fill(node, h("div", { class: "card" }, error.status === 404
        ? emptyState({ icon: "bell", title: t("notice.gone"), action: t("notice.back"), onAction: () => app.go("announcements", { replace: true }) })
        : trouble(error, load)));
    }
  }

  function draw(found) {
    fill(node, found.stale_at && staleNote(found.stale_at), h("article", { class: "card flush" },
      found.cover_url && h("img", { class: "notice-cover", src: found.cover_url, alt: "", decoding: "async" }),
      h("div", { class: "notice-words stack" },
        h("header", { class: "stack tight" }, h("h2", { class: "notice-title" }, found.title), h("p", { class: "tiny muted num" }, dayTime(found.starts_at))),
        rich(found.blocks))));
  }

  load();
  return { title: t("notice.title"), node, parent: "announcements", leave: () => { gone = true; } };
}
