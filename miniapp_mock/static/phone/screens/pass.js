/** One service card or discount card: what it gives, how long, where, and when it was used. */
import { h } from "../../shared/dom.js";
import { count, date, dayTime } from "../../shared/format.js";
import { cardFace } from "../card_face.js";
import { cardPageOf } from "../card_page.js";
import { benefits, until } from "../card_words.js";
import { dayOf } from "../coupon_words.js";
import { emptyState, fact, howToUse } from "../parts.js";
import { t } from "../texts.js";

export function passScreen(app) {
  const today = () => dayOf(app.api.serverNow());

  function draw(pass) {
    const over = pass.state !== "active";
    const later = !over && pass.valid_from > today();
    return [
      cardFace({
        kind: pass.kind === "discount" ? "discount" : "service", title: pass.title, figure: figure(pass), over,
        state: over ? t(`pass.state_${pass.state}`) : later ? t("coupon.not_yet") : "", foot: [later ? t("coupon.begins", { date: date(pass.valid_from) }) : until(pass.expires_on, today())],
      }),
      over ? null : how(pass, later),
      rules(pass),
      pass.kind === "discount" ? null : uses(pass),
    ];
  }

  /** What is left of it, or what it gives. */
  function figure(pass) {
    if (pass.kind === "counted") return { number: count(pass.uses_left), unit: t("pass.of_uses", { count: count(pass.uses) }) };
    if (pass.kind === "timed") return { number: t("pass.a_day", { count: count(pass.per_day) }), unit: "" };
    return { number: benefits(pass).join(" · "), unit: "" };
  }

  function how(pass, later) {
    if (later) return howToUse(app, { icon: "clock", title: t("coupon.how_later", { date: date(pass.valid_from) }), text: t("pass.later_text"), code: false });
    return howToUse(app, { title: t("coupon.how"), text: t(pass.kind === "discount" ? "pass.discount_text" : "pass.use_text") });
  }

  function rules(pass) {
    const lines = [
      pass.note,
      pass.kind === "discount" && t("pass.better_counts"),
      pass.services.length > 0 && t("pass.services", { names: pass.services.join("、") }),
      t(pass.stores.length ? "pass.some_stores" : "pass.all_stores", { names: pass.store_names.join("、") }),
    ];
    return h(
      "section",
      { class: "card stack tight" },
      h("h2", null, t("coupon.rules")),
      h("ul", { class: "rules" }, lines.filter(Boolean).map((line) => h("li", null, line))),
      h("dl", { class: "facts" }, fact(t("coupon.issued"), date(pass.issued_at)), fact(t("pass.ended"), pass.ended_at && date(pass.ended_at))),
    );
  }

  function uses(pass) {
    const row = (use) => h("li", { class: "cell" },
      h("span", { class: "grow entry-text" }, h("span", { class: "clip" }, use.service || t("pass.use")), h("span", { class: "tiny muted num" }, `${dayTime(use.at)} · ${use.store.name}`)),
      h("span", { class: `num ${use.undone ? "muted" : "strong"}` }, use.undone ? t("pass.undone") : t("coupon.times", { count: use.qty })));
    return h(
      "section",
      { class: "stack tight" },
      h("div", { class: "row between section-head" }, h("h2", null, t("pass.uses"))),
      h("div", { class: "card flush" }, pass.uses_made.length ? h("ul", { class: "cells" }, pass.uses_made.map(row)) : emptyState({ icon: "list", title: t("pass.no_uses") })),
    );
  }

  return cardPageOf(app, { title: t("pass.title"), kinds: ["service", "discount"], fetch: app.cards.pass, draw });
}
