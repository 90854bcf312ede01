/** 支付密码: set it with the phone number verified, change it with the current one. */
import { fill, h } from "../../shared/dom.js";
import { glyph } from "../icons.js";
import { linkCell } from "../parts.js";
import { pinPad } from "../pinpad.js";
import { problemText, t } from "../texts.js";

export function pinScreen(app) {
  const node = h("div", { class: "page stack" });
  const known = app.store.get("member")?.pin_set;

  function start() {
    const ways = [];
    if (known === false) ways.push(linkCell({ icon: "lock", text: t("pin.set"), onclick: () => fresh({}) }));
    else ways.push(linkCell({ icon: "lock", text: t("pin.by_current"), onclick: byCurrent }));
    ways.push(linkCell({ icon: "phone", text: t(known === true ? "pin.forgot" : "pin.by_phone"), onclick: byPhone }));
    fill(
      node,
      h("div", { class: "pin-intro" }, h("span", { class: "done-mark calm" }, glyph("lock", 30)), h("p", { class: "muted small" }, t("pin.intro_set"))),
      h("div", { class: "card flush cells" }, ways),
    );
  }

  function step(text, onFull, problem = "") {
    const note = h("p", { class: "field-error center", role: "alert" });
    const pad = pinPad((pin) => onFull(pin, { pad, say: (message) => { note.textContent = message; pad.clear(); } }));
    fill(node, h("section", { class: "card stack pin-card" }, h("p", { class: "center strong" }, text), note, pad.node));
    pad.focus();
    note.textContent = problem;
  }

  function byCurrent() {
    step(t("pin.enter_current"), (current) => fresh({ current_pin: current }));
  }

  async function byPhone() {
    try {
      const { code } = await app.wx.getPhoneNumber();
      fresh({ phone_code: code });
    } catch {
      // the member said no
    }
  }

  function fresh(proof, problem = "") {
    step(t("pin.enter_new"), (pin, { say }) => {
      if (weak(pin)) say(t("pin.weak"));
      else again(proof, pin);
    }, problem);
  }

  function again(proof, pin) {
    step(t("pin.enter_again"), async (repeated, { pad }) => {
      if (repeated !== pin) {
        fresh(proof, t("pin.differs"));
        return;
      }
      pad.setBusy(true);
      try {
        await app.api.put("/v1/member/pin", { pin, ...proof });
        app.store.set({ member: { ...app.store.get("member"), pin_set: true } });
        app.toast(t("pin.done"));
        app.back();
      } catch (error) {
        failed(proof, error);
      }
    });
  }

  function failed(proof, error) {
    if (proof.current_pin && (error.code === "pin_invalid" || error.code === "pin_locked")) {
      step(t("pin.enter_current"), (current) => fresh({ current_pin: current }), problemText(error));
    } else {
      start();
      app.toast(problemText(error));
    }
  }

  start();
  return { title: t("pin.title"), node, parent: "me" };
}

/** All the same digit, or six in a row up or down. */
function weak(pin) {
  const steps = new Set([...pin].slice(1).map((digit, i) => Number(digit) - Number(pin[i])));
  return steps.size === 1 && [0, 1, -1].includes([...steps][0]);
}
