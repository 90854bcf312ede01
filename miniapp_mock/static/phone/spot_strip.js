/** The strip over the mall that says where the member sits, with the way to leave; or why the code that was scanned is no use. */
import { fill, h } from "../shared/dom.js";
import { glyph } from "./icons.js";
import { busy } from "./parts.js";
import { spotWord } from "./spot_words.js";
import { t } from "./texts.js";

/** `{ node, stop }`; the strip follows what changes. */
export function spotStrip(app) {
  const node = h("div", { class: "spot-place" });

  function draw() {
    const spot = app.store.get("spot");
    const trouble = app.store.get("spot_trouble");
    node.hidden = !spot && !trouble;
    fill(node, trouble ? refused(trouble) : spot && here(spot));
  }

  function here(spot) {
    const elsewhere = app.store.get("mall_store")?.id !== spot.store_id;
    return h("section", { class: "spot-strip", role: "status", "aria-label": t("spot.where") }, glyph(spot.kind === "table" ? "table" : "pin", 22),
      h("p", { class: "grow" }, t("spot.here", { store: spot.store_name, spot: spotWord(spot) }), elsewhere && h("span", { class: "tiny block" }, t("spot.elsewhere"))),
      h("button", { type: "button", class: "button compact", onclick: app.spot.leave }, t("spot.leave")));
  }

  function refused({ wrong, text }) {
    const on = h("button", { type: "button", class: "button compact", onclick: () => busy(on, wrong ? app.spot.scan : app.spot.arrive) }, t(wrong ? "spot.scan_again" : "common.retry"));
    return h("section", { class: "spot-strip bad", role: "alert" }, glyph("alert", 22), h("p", { class: "grow" }, text), on,
      h("button", { type: "button", class: "icon-button", "aria-label": t("common.close"), onclick: app.spot.leave }, glyph("close", 20)));
  }

  const stop = app.store.watch(["spot", "spot_trouble", "mall_store"], draw);
  return { node, stop };
}
