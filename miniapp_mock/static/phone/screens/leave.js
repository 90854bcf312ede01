/** 注销账号: what must be settled before, what is lost, proof, and the days in which it can be taken back. */
import { fill, h } from "../../shared/dom.js";
import { dayTime, money } from "../../shared/format.js";
import { busy, skeletonRows, trouble } from "../parts.js";
import { pinPad } from "../pinpad.js";
import { problemText, t } from "../texts.js";

export function leaveScreen(app) {
  const node = h("div", { class: "page stack" });

  async function load() {
    fill(node, h("div", { class: "card flush" }, skeletonRows(4)));
    try {
      const found = await app.privacy.erasure();
      if (found.erasure) waiting(found.erasure);
      else draw(found);
    } catch (error) {
      fill(node, h("div", { class: "card" }, trouble(error, load)));
    }
  }

  function draw({ at_stake: stakes, cooling_days: days }) {
    const blocking = stakes.filter((item) => item.blocks);
    const lost = stakes.filter((item) => !item.blocks);
    const agreed = h("input", { type: "checkbox", role: "switch", class: "switch", id: "give-up" });
    const body = () => (agreed.checked ? { give_up: true } : {});
    const byPin = h("button", { type: "button", class: "button danger wide", onclick: () => enterPin(body()) }, t("leave.by_pin"));
    const byPhone = h("button", { type: "button", class: "button danger wide", onclick: () => busy(byPhone, async () => {
      const { code } = await app.wx.getPhoneNumber().catch(() => ({}));
      if (code) await send({ ...body(), phone_code: code });
    }) }, t("leave.by_phone"));
    const allowed = () => { byPin.disabled = byPhone.disabled = blocking.length > 0 || (lost.length > 0 && !agreed.checked); };
    agreed.addEventListener("change", allowed);
    allowed();
    fill(node,
      h("p", { class: "small muted page-lead" }, t("leave.lead")),
      blocking.length > 0 && list(t("leave.blocked"), blocking),
      lost.length > 0 && list(t("leave.lost"), lost),
      stakes.length === 0 && h("p", { class: "card" }, t("leave.nothing")),
      h("section", { class: "card stack" },
        lost.length > 0 && h("label", { class: "row toggle", for: "give-up" }, agreed, h("span", null, t("leave.give_up"))),
        h("p", { class: "small muted" }, t("leave.cooling", { days })),
        app.store.get("member")?.pin_set && byPin, byPhone));
  }

  function enterPin(body) {
    const note = h("p", { class: "field-error center", role: "alert" });
    const pad = pinPad(async (pin) => {
      pad.setBusy(true);
      try {
        waiting(await app.privacy.leave({ ...body, pin }));
      } catch (error) {
        note.textContent = problemText(error);
        pad.clear();
      }
    });
    fill(node, h("section", { class: "card stack pin-card" }, h("p", { class: "center strong" }, t("leave.enter_pin")), note, pad.node),
      h("button", { type: "button", class: "button plain wide", onclick: load }, t("common.cancel")));
    pad.focus();
  }

  async function send(body) {
    try {
      waiting(await app.privacy.leave(body));
    } catch (error) {
      app.toast(problemText(error));
      load();
    }
  }

  function waiting(erasure) {
    const problem = h("p", { class: "field-error", role: "alert" });
    const stay = h("button", { type: "button", class: "button primary wide", onclick: () => busy(stay, async () => {
      try {
        await app.privacy.stay();
        app.toast(t("leave.withdrawn"));
        load();
      } catch (error) {
        fill(problem, problemText(error));
      }
    }) }, t("leave.withdraw"));
    fill(node, h("section", { class: "card stack" },
      h("p", { class: "strong num" }, t("leave.wait", { time: dayTime(erasure.due_at) })),
      h("p", { class: "small muted" }, t(erasure.problem ? "leave.problem" : "leave.wait_hint")), problem, stay));
  }

  load();
  return { title: t("leave.title"), node, parent: "privacy" };
}

function list(title, items) {
  return h("section", { class: "card stack", "aria-label": title }, h("h2", null, title),
    h("dl", { class: "facts" }, items.map((item) => h("div", { class: "fact" }, h("dt", { class: "muted" }, item.title), h("dd", { class: "num" }, amount(item))))));
}

function amount({ amount: count, unit }) {
  return unit === "fen" ? money(count) : t(`leave.${unit}`, { count });
}
