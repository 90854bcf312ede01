/** What is shown before somebody is a member: start, trouble, invitation, waiting for approval. */
import { h } from "../../shared/dom.js";
import { glyph } from "../icons.js";
import { busy, trouble } from "../parts.js";
import { problemText, t } from "../texts.js";

export function loadingScreen() {
  const node = h("div", { class: "page stack", "aria-busy": "true", "aria-label": t("common.loading") }, h("div", { class: "skeleton block-hero" }), h("div", { class: "skeleton block" }), h("div", { class: "skeleton block" }));
  return { title: "", node, bare: true };
}

export function failedScreen(error, retry) {
  return { title: "", bare: true, node: h("div", { class: "page middle" }, trouble(error, retry)) };
}

function benefit(icon, title, text) {
  return h("li", { class: "benefit" }, h("span", { class: "benefit-icon" }, glyph(icon, 24)), h("div", null, h("p", { class: "strong" }, title), h("p", { class: "small muted" }, text)));
}

/** The invitation; `note` says why one is here again, if one was in before. */
export function welcomeScreen(app, note) {
  const returning = Boolean(note);
  const problem = h("p", { class: "field-error center", role: "alert" });
  const main = h("button", { type: "button", class: "button primary wide" }, t(returning ? "welcome.login" : "welcome.join"));
  main.addEventListener("click", () => busy(main, async () => {
    problem.textContent = "";
    try {
      if (returning) await app.signIn();
      else app.register();
    } catch (error) {
      problem.textContent = problemText(error);
    }
  }));
  const node = h(
    "div",
    { class: "page welcome" },
    h("div", { class: "welcome-top" },
      h("div", { class: "mark" }, glyph("qr", 40)),
      h("h2", { class: "welcome-title" }, t("welcome.title")),
      h("p", { class: "muted" }, note || t("welcome.subtitle"))),
    h("ul", { class: "card benefits" },
      benefit("qr", t("welcome.benefit_code"), t("welcome.benefit_code_text")),
      benefit("star", t("welcome.benefit_points"), t("welcome.benefit_points_text")),
      benefit("gift", t("welcome.benefit_recharge"), t("welcome.benefit_recharge_text"))),
    h("div", { class: "welcome-foot stack" }, problem, main),
  );
  return { title: app.chainName, node, bare: true };
}

/** Registered, and staff must approve first. */
export function pendingScreen(app) {
  return waiting(app, t("welcome.pending"), t("welcome.pending_hint"));
}

/** A member who is shut out: frozen, or outside of the days that the membership is good for. */
export function shutScreen(app, why) {
  return waiting(app, t(`welcome.${why}`), t(`welcome.${why}_hint`));
}

/** Refused by the shop: why, and the way to ask again. */
export function refusedScreen(app, { reason }) {
  const again = h("button", { type: "button", class: "button primary", onclick: app.register }, t("welcome.again"));
  const node = h("div", { class: "page middle" }, h("div", { class: "empty" }, glyph("clock", 52), h("h2", null, t("welcome.rejected")), h("p", { class: "small", role: "status" }, reason || t("welcome.rejected_hint")), again));
  return { title: app.chainName, node, bare: true };
}

function waiting(app, title, hint) {
  const problem = h("p", { class: "field-error center", role: "alert" });
  const check = h("button", { type: "button", class: "button soft" }, t("welcome.check"));
  check.addEventListener("click", () => busy(check, async () => {
    try {
      await app.signIn();
    } catch (error) {
      problem.textContent = problemText(error);
    }
  }));
  const node = h("div", { class: "page middle" }, h("div", { class: "empty" }, glyph("clock", 52), h("h2", null, title), h("p", { class: "small" }, hint), problem, check));
  return { title: app.chainName, node, bare: true };
}
