/** 会员卡: the member's own card with its barcode; lost, found, bound, or a number without a card. */
import { fill, h, s } from "../../shared/dom.js";
import { code128Path } from "../../shared/barcode.js";
import { date, inGroups } from "../../shared/format.js";
import { busy, emptyState, field, skeletonRows, trouble } from "../parts.js";
import { problemText, t } from "../texts.js";

const CARD = "/v1/member/card";

export function memberCardScreen(app) {
  const body = h("div", { class: "stack" });
  const node = h("div", { class: "page stack" }, body);

  async function load() {
    fill(body, h("div", { class: "card" }, skeletonRows(4)));
    try {
      const found = await app.api.get(CARD);
      fill(body,
        found.card ? face(found.card) : h("div", { class: "card" }, emptyState({ icon: "cards", title: t("mycard.none"), hint: t("mycard.none_hint") })),
        found.card && action(found.card),
        found.may_get_virtual && h("button", { type: "button", class: "button primary wide", onclick: (event) => act(event.currentTarget, () => app.api.post(`${CARD}/virtual`), "mycard.got") }, t("mycard.get")),
        found.may_bind && binding());
    } catch (error) {
      fill(body, h("div", { class: "card" }, trouble(error, load)));
    }
  }

  function act(button, work, done) {
    return busy(button, async () => {
      try {
        await work();
        app.toast(t(done));
        await load();
      } catch (error) {
        app.toast(problemText(error));
      }
    });
  }

  function action(card) {
    if (card.state === "lost") {
      return h("section", { class: "card stack" },
        h("p", null, t("mycard.lost_text")), h("p", { class: "small muted" }, t("mycard.lost_next")),
        h("button", { type: "button", class: "button wide", onclick: (event) => act(event.currentTarget, () => app.api.post(`${CARD}/found`), "mycard.found_done") }, t("mycard.found")));
    }
    return h("button", { type: "button", class: "button danger wide", onclick: (event) => report(event.currentTarget) }, t("mycard.report"));
  }

  async function report(button) {
    const { confirm } = await app.wx.showModal({ title: t("mycard.report_ask"), content: t("mycard.report_text"), confirmText: t("mycard.report"), cancelText: t("common.cancel"), danger: true });
    if (confirm) await act(button, () => app.api.post(`${CARD}/lost`), "mycard.reported");
  }

  function binding() {
    const input = h("input", { class: "input num", inputmode: "numeric", autocomplete: "off", maxlength: 24 });
    const button = h("button", { class: "button wide" }, t("mycard.bind"));
    const bind = (event) => {
      event.preventDefault();
      act(button, () => app.api.post(CARD, { card_no: input.value.replace(/\D/g, "") }), "mycard.bound");
    };
    return h("details", { class: "card" }, h("summary", null, t("mycard.bind")), h("form", { class: "stack", onsubmit: bind }, field("card-no", t("mycard.number"), input).node, button));
  }

  load();
  return { title: t("mycard.title"), node, parent: "me" };
}

function face(card) {
  const lost = card.state === "lost";
  const bars = code128Path(card.number, 40);
  const top = h("div", { class: "member-card-face" },
    h("p", { class: "row between" }, h("span", { class: "strong" }, card.type_name), h("span", { class: "small" }, lost ? t("mycard.lost") : t(card.virtual ? "mycard.virtual" : "mycard.plastic"))),
    h("p", { class: "member-card-number num" }, inGroups(card.number)),
    h("p", { class: "small num" }, card.valid_until ? t("mycard.until", { day: date(card.valid_until) }) : t("mycard.forever")));
  top.style.setProperty("--card-colour", card.colour);
  return h("section", { class: `card flush member-card${lost ? " lost" : ""}` },
    top,
    !lost && h("div", { class: "stack member-card-code" },
      s("svg", { class: "bars", viewBox: `0 0 ${bars.width} 40`, preserveAspectRatio: "none", "shape-rendering": "crispEdges", role: "img", "aria-label": t("mycard.barcode") }, s("path", { d: bars.path, fill: "#000" })),
      h("p", { class: "tiny muted center" }, t("mycard.use"))));
}
