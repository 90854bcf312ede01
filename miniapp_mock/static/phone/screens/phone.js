/** 更换手机号: WeChat vouches for the new number, and the payment PIN, where there is one, for who asks. */
import { fill, h } from "../../shared/dom.js";
import { glyph } from "../icons.js";
import { busy } from "../parts.js";
import { pinPad } from "../pinpad.js";
import { problemText, t } from "../texts.js";

/** What another PIN may mend; after anything else one begins again. */
const ABOUT_PIN = ["pin_required", "pin_invalid"];

export function phoneScreen(app) {
  const node = h("div", { class: "page stack" });

  function start(problem = "") {
    const member = app.store.get("member") || {};
    const get = h("button", { type: "button", class: "button primary wide", onclick: () => busy(get, verify) }, t("phone.verify"));
    fill(node,
      h("section", { class: "card result" },
        h("span", { class: "done-mark calm" }, glyph("phone", 30)),
        h("h2", { class: "result-title num" }, member.phone_masked || t("profile.none")),
        h("p", { class: "muted small" }, t(member.pin_set ? "phone.hint_pin" : "phone.hint"))),
      h("p", { class: "field-error center", role: "alert" }, problem),
      get,
      h("button", { type: "button", class: "button wide", onclick: () => app.back() }, t("common.cancel")));
  }

  async function verify() {
    const { code } = await app.wx.getPhoneNumber().catch(() => ({})); // the member said no: nothing happens
    if (!code) return;
    if (app.store.get("member")?.pin_set) enterPin(code);
    else await send({ phone_code: code }).catch((error) => refused(code, error));
  }

  function enterPin(code, problem = "") {
    const note = h("p", { class: "field-error center", role: "alert" });
    const pad = pinPad(async (pin) => {
      note.textContent = "";
      pad.setBusy(true);
      try {
        await send({ phone_code: code, pin });
      } catch (error) {
        refused(code, error);
      }
    });
    fill(node,
      h("section", { class: "card stack pin-card" }, h("p", { class: "center strong" }, t("phone.enter_pin")), note, pad.node),
      h("button", { type: "button", class: "button plain wide", onclick: () => start() }, t("common.cancel")));
    pad.focus();
    note.textContent = problem;
  }

  async function send(body) {
    const member = await app.api.post("/v1/member/phone", body);
    app.store.set({ member });
    app.toast(t("phone.done", { phone: member.phone_masked }));
    app.back();
  }

  function refused(code, error) {
    if (!ABOUT_PIN.includes(error.code)) start(problemText(error));
    else enterPin(code, error.code === "pin_invalid" ? t("confirm.wrong_left", { count: error.problem.tries_left }) : problemText(error));
  }

  start();
  return { title: t("phone.title"), node, parent: "profile" };
}
