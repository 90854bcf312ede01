/** 授权码: what somebody of the staff shows at a till to let it do what its cashier may not; and what it let through. */
import { code128Path } from "../../shared/barcode.js";
import { AUTHORISE } from "../../shared/code.js";
import { fill, h, s } from "../../shared/dom.js";
import { inGroups, money } from "../../shared/format.js";
import { qrPath } from "../../shared/qr.js";
import { createCodeSource } from "../codesource.js";
import { glyph } from "../icons.js";
import { emptyState, trouble } from "../parts.js";
import { t } from "../texts.js";

const TICK_MS = 250;

export function authoriseScreen(app) {
  const source = createCodeSource(app, { purpose: AUTHORISE, path: "/v1/member/authorisation-code" });
  const card = h("section", { class: "code-card", "aria-label": t("authorise.title") });
  const foot = h("p", { class: "small muted center" });
  const node = h("div", { class: "page code-page" }, card, foot);
  let shown = ""; // the code that is drawn
  let resting = true; // nothing to draw, or it was just used

  function draw() {
    const now = resting ? null : source.current();
    if (!now) return;
    if (shown !== now.code) {
      shown = now.code;
      const bars = code128Path(now.code, 40);
      fill(card,
        h("p", { class: "code-hint strong" }, t("authorise.hint")),
        s("svg", { class: "bars", viewBox: `0 0 ${bars.width} 40`, preserveAspectRatio: "none", "shape-rendering": "crispEdges", "aria-hidden": "true" }, s("path", { d: bars.path, fill: "#000" })),
        s("svg", { class: "qr", id: "authorise-qr", viewBox: "0 0 21 21", "shape-rendering": "crispEdges", role: "img", "aria-label": t("authorise.qr") }, s("path", { d: qrPath(now.code), fill: "#000" })),
        h("p", { class: "code-number num", id: "authorise-number" }, inGroups(now.code)),
        h("p", { class: "small code-soft num center", id: "authorise-left" }));
    }
    card.querySelector("#authorise-left").textContent = t("authorise.next", { seconds: Math.ceil(now.leftS) });
  }

  function given(data) {
    resting = true;
    shown = "";
    fill(card, h("div", { class: "code-state", role: "status" },
      h("span", { class: "done-mark calm" }, glyph("check", 34)),
      h("h2", null, t("authorise.done", { amount: money(data.fen) })),
      data.order_no && h("p", { class: "muted small num" }, t("authorise.order", { order: data.order_no })),
      h("button", { type: "button", class: "button soft", onclick: () => { resting = false; draw(); } }, t("authorise.again"))));
  }

  async function prepare() {
    try {
      const { username } = await app.api.get("/v1/member/staff-phone");
      if (!username) return fill(card, emptyState({ icon: "lock", title: t("authorise.none"), action: t("authorise.bind"), onAction: () => app.go("staff-phone") }));
      foot.textContent = t("authorise.who", { name: username });
    } catch (error) {
      if (error.name !== "NetworkError") return fill(card, trouble(error, prepare));
    }
    try {
      await source.ensure();
      resting = false;
      draw();
    } catch (error) {
      fill(card, trouble(error, prepare));
    }
  }

  const stop = app.events.listen((type, data) => { if (type === "override_given") given(data); });
  const timer = setInterval(() => { if (document.visibilityState === "visible") draw(); }, TICK_MS);
  app.wx.setKeepScreenOn({ keepScreenOn: true }).catch(() => undefined);
  prepare();
  return {
    title: t("authorise.title"),
    node,
    leave() {
      clearInterval(timer);
      source.stop();
      stop();
      app.wx.setKeepScreenOn({ keepScreenOn: false }).catch(() => undefined);
    },
  };
}
