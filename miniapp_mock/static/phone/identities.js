/** Tills that ask whether it is you: shown one at a time, answered with or without the PIN. */
import { openDialog } from "../shared/dialog.js";
import { fill, h } from "../shared/dom.js";
import { glyph } from "./icons.js";
import { busy } from "./parts.js";
import { pinPad } from "./pinpad.js";
import { problemText, t } from "./texts.js";

export function createIdentities(app) {
  const seen = new Set();
  let shown = false;

  async function show(item) {
    if (shown || seen.has(item.id) || Date.parse(item.expires_at) <= app.api.serverNow()) return;
    shown = true;
    seen.add(item.id);
    await sheet(app, item);
    shown = false;
  }

  return {
    /** A till asks. */
    add(item) {
      app.wx.vibrateShort();
      return show(item);
    },

    /** Ask the server which wait. */
    async fetch() {
      const { items = [] } = await app.api.get("/v1/member/identities");
      const [first] = items.filter((item) => !seen.has(item.id));
      if (first) show(first);
    },
  };
}

function sheet(app, item) {
  const problem = h("p", { class: "field-error center", role: "alert" });
  const area = h("div", { class: "stack" });
  const pad = pinPad((pin) => decide("approve", pin));
  const button = (text, look, run) => h("button", { type: "button", class: `button wide ${look}`, onclick: run }, text);
  const approve = button(t("identity.approve"), "primary", () => decide("approve"));
  approve.autofocus = true;
  const withPin = app.store.get("member")?.pin_set === true && button(t("identity.pin"), "", () => { fill(area, pad.node); pad.focus(); });
  const reject = button(t("identity.reject"), "plain danger-text", () => decide("reject"));
  fill(area, approve, withPin, reject);
  const dialog = openDialog(h("div", { class: "sheet-body stack confirm" },
    h("div", { class: "sheet-head" },
      h("button", { type: "button", class: "icon-button", "aria-label": t("confirm.later"), onclick: () => dialog.close() }, glyph("close", 22)),
      h("h2", { class: "sheet-title" }, t("identity.title"))),
    h("p", { class: "center strong" }, t("identity.text", { store: item.store?.name || "" })), h("p", { class: "center muted small" }, t("identity.hint")), problem, area),
  { label: t("identity.title") });

  async function decide(decision, pin) {
    problem.textContent = "";
    await busy(approve, async () => {
      try {
        await app.api.post(`/v1/member/identities/${encodeURIComponent(item.id)}`, pin === undefined ? { decision } : { decision, pin });
        dialog.close();
        app.toast(t(decision === "reject" ? "identity.rejected" : "identity.done"));
      } catch (error) {
        pad.clear();
        problem.textContent = error.code === "identity_decided" ? t("identity.over") : problemText(error);
      }
    });
  }
  return dialog.closed;
}
