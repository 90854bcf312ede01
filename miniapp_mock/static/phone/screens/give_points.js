/** 转赠积分: to whom, how many, and the PIN. A line that is cut sends the same request again, so it moves them once. */
import { newKey } from "../../shared/api.js";
import { fill, h } from "../../shared/dom.js";
import { openDialog } from "../../shared/dialog.js";
import { count } from "../../shared/format.js";
import { glyph } from "../icons.js";
import { busy, emptyState, fact, field, skeleton, trouble } from "../parts.js";
import { pinPad } from "../pinpad.js";
import { problemText, t } from "../texts.js";

const NUMBER = /^[0-9A-Za-z]{1,32}$/;

export function givePointsScreen(app) {
  const node = h("div", { class: "page stack" });

  async function load() {
    fill(node, h("div", { class: "card" }, skeleton("w50", "w30")));
    try {
      const limits = await app.api.get("/v1/member/points/transfer-limits");
      if (!limits.open) nothing("give.closed", "", "points.title", () => app.go("points", { replace: true }));
      else if (!limits.pin_set) nothing("give.no_pin", "", "give.set_pin", () => app.go("pin"));
      else if (!limits.most) nothing("give.none", t("give.none_hint"), "points.title", () => app.go("points", { replace: true }));
      else ask(limits);
    } catch (error) {
      fill(node, h("div", { class: "card" }, trouble(error, load)));
    }
  }

  function nothing(title, hint, action, onAction) {
    fill(node, h("div", { class: "card" }, emptyState({ icon: "gift", title: t(title), hint, action: t(action), onAction })));
  }

  function form(parts, action, send, other) {
    const problem = h("p", { class: "field-error center", role: "alert" });
    const submit = h("button", { type: "submit", class: "button primary wide" }, t(action));
    const sent = async () => {
      problem.textContent = "";
      try {
        await send();
      } catch (error) {
        problem.textContent = problemText(error);
      }
    };
    fill(node, h("form", { class: "stack", novalidate: true, onsubmit: (event) => { event.preventDefault(); busy(submit, sent); } },
      h("section", { class: "card stack" }, parts), problem, submit, other));
  }

  function ask(limits) {
    const number = field("member-no", t("give.number"), h("input", { type: "text", class: "num", inputmode: "numeric", autocomplete: "off", maxlength: 40 }), t("give.number_hint"));
    form([number.node], "give.find", async () => {
      const written = number.input.value.replace(/\s/g, "");
      number.mark(NUMBER.test(written) ? "" : t("give.number_bad"));
      if (!NUMBER.test(written)) number.input.focus();
      else amount(limits, await app.api.post("/v1/member/points/recipient", { member_no: written }));
    });
    number.input.focus();
  }

  function amount(limits, to) {
    const points = field("points", t("give.points"), h("input", { type: "text", class: "num", inputmode: "numeric", autocomplete: "off", maxlength: 10 }), t("give.most", { most: count(limits.most) }));
    form([h("dl", { class: "facts" }, fact(t("give.to"), to.name_masked), fact(t("give.number"), to.member_no)), points.node], "give.confirm", async () => {
      const written = Number(points.input.value.trim());
      const right = Number.isInteger(written) && written >= 1 && written <= limits.most;
      points.mark(right ? "" : t("give.points_bad", { most: count(limits.most) }));
      if (!right) points.input.focus();
      else await enterPin({ ...to, points: written });
    }, h("button", { type: "button", class: "button wide", onclick: () => ask(limits) }, t("give.other")));
    points.input.focus();
  }

  async function enterPin(wish) {
    const key = await newKey(app.wx);
    const problem = h("p", { class: "field-error center", role: "alert" });
    const pad = pinPad(send);
    const title = t("give.pin_title", { count: count(wish.points), name: wish.name_masked });
    const body = h("div", { class: "sheet-body stack confirm" },
      h("div", { class: "sheet-head" }, h("button", { type: "button", class: "icon-button", "aria-label": t("common.close"), onclick: () => dialog.close() }, glyph("close", 22)), h("h2", { class: "sheet-title" }, t("give.confirm")), h("span")),
      h("p", { class: "center strong" }, title), h("p", { class: "center muted small" }, t("confirm.pin")), problem, pad.node);
    const dialog = openDialog(body, { label: title, className: "confirm-sheet" });
    pad.focus();

    async function send(pin) {
      problem.textContent = "";
      pad.setBusy(true);
      try {
        await app.api.post("/v1/member/points/transfers", { ...wish, pin }, { key });
        dialog.close(true);
      } catch (error) {
        problem.textContent = problemText(error);
        pad.clear();
      }
    }

    if (!(await dialog.closed)) return;
    app.toast(t("give.done"));
    app.go("points", { replace: true });
  }

  load();
  return { title: t("give.title"), node, parent: "points" };
}
