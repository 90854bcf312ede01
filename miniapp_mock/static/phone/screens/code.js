/** 会员码: the code to show at the till, online and offline, and what happens to it there. */
import { code128Path } from "../../shared/barcode.js";
import { fill, h, s } from "../../shared/dom.js";
import { count, inGroups, money } from "../../shared/format.js";
import { qrPath } from "../../shared/qr.js";
import { glyph } from "../icons.js";
import { emptyState, trouble } from "../parts.js";
import { createCodeSource } from "../codesource.js";
import { t } from "../texts.js";

const TICK_MS = 250;
const RING = 2 * Math.PI * 13;

export function codeScreen(app) {
  const source = createCodeSource(app);
  const card = h("section", { class: "code-card", "aria-label": t("code.title") });
  const wallet = h("div", { class: "code-wallet" });
  const node = h("div", { class: "page code-page" }, card, wallet, h("p", { class: "code-foot small" }, t("code.limit")));

  let view = "code"; // code | scanned | used
  let shop = "";
  let usedStep = null;
  let shownCode = "";
  let numberShown = false;
  let failure = null;
  let parts = null;

  function draw() {
    const now = source.current();
    if (view === "used" && now && usedStep !== null && now.step > usedStep) view = "code";
    if (view === "scanned") return drawScanned();
    if (!now) return drawMissing();
    if (view === "used") return drawUsed(now);
    return drawCode(now);
  }

  /** Draw only when the drawing differs: what stands still must not be read aloud again. */
  function once(name, build) {
    if (card.dataset.view === name) return;
    card.dataset.view = name;
    fill(card, build());
  }

  function drawMissing() {
    shownCode = "";
    if (failure && app.store.get("online")) once("failed", () => trouble(failure, prepare));
    else if (!app.store.get("online")) once("first", () => emptyState({ icon: "cloud", title: t("code.first_online"), hint: t("code.first_online_hint"), action: t("common.retry"), onAction: prepare }));
    else once("wait", () => h("div", { class: "code-wait stack", "aria-busy": "true", "aria-label": t("common.loading") }, h("div", { class: "skeleton code-wait-bars" }), h("div", { class: "skeleton code-wait-qr" })));
  }

  function drawScanned() {
    once("scanned", () => h(
      "div",
      { class: "code-state", role: "status" },
      h("span", { class: "done-mark calm" }, glyph("shop", 34)),
      h("h2", null, shop ? t("code.scanned", { store: shop }) : t("code.scanned_anon")),
      h("p", { class: "muted small" }, t("code.scanned_hint")),
      h("div", { class: "dots", "aria-hidden": "true" }, h("i"), h("i"), h("i")),
      h("button", { type: "button", class: "button soft", onclick: () => { view = "used"; draw(); } }, t("code.show_again")),
    ));
  }

  function drawUsed(now) {
    once("used", () => {
      parts = { next: h("p", { class: "muted small num" }) };
      return h("div", { class: "code-state" }, h("span", { class: "done-mark calm" }, glyph("clock", 34)), h("h2", { role: "status" }, t("code.used")), parts.next);
    });
    parts.next.textContent = t("code.next_in", { seconds: Math.ceil(now.leftS) });
  }

  function drawCode(now) {
    if (card.dataset.view !== "code" || shownCode !== now.code) {
      shownCode = now.code;
      const fresh = card.dataset.view !== "code";
      if (fresh) buildCode();
      const bars = code128Path(now.code, 40);
      parts.bars.setAttribute("viewBox", `0 0 ${bars.width} 40`);
      fill(parts.bars, s("path", { d: bars.path, fill: "#000" }));
      fill(parts.qr, s("path", { d: qrPath(now.code), fill: "#000" }));
      parts.number.textContent = inGroups(now.code);
    }
    const share = Math.max(0, Math.min(1, now.leftS / now.stepS));
    parts.ring.setAttribute("stroke-dashoffset", String(RING * (1 - share)));
    parts.seconds.textContent = String(Math.ceil(now.leftS));
  }

  function buildCode() {
    card.dataset.view = "code";
    parts = {
      bars: s("svg", { class: "bars", preserveAspectRatio: "none", "shape-rendering": "crispEdges", "aria-hidden": "true" }),
      qr: s("svg", { class: "qr", viewBox: "0 0 21 21", "shape-rendering": "crispEdges", role: "img", "aria-label": t("code.qr_label") }),
      ring: s("circle", { class: "ring-left", cx: 16, cy: 16, r: 13, "stroke-dasharray": RING, "stroke-dashoffset": 0 }),
      seconds: h("span", { class: "num strong ring-seconds" }),
      number: h("p", { class: "code-number num", hidden: !numberShown }),
      note: h("p", { class: "tiny code-soft center", hidden: !numberShown }, t("code.typed_note")),
    };
    const toggle = h("button", { type: "button", class: "link small code-toggle", "aria-expanded": String(numberShown) }, t(numberShown ? "code.hide_number" : "code.show_number"));
    toggle.addEventListener("click", () => {
      numberShown = !numberShown;
      parts.number.hidden = !numberShown;
      parts.note.hidden = !numberShown;
      toggle.textContent = t(numberShown ? "code.hide_number" : "code.show_number");
      toggle.setAttribute("aria-expanded", String(numberShown));
    });
    fill(
      card,
      h("p", { class: "code-hint" }, t("code.hint")),
      parts.bars,
      parts.number,
      parts.note,
      parts.qr,
      h("div", { class: "code-line" },
        h("span", { class: "ring", "aria-hidden": "true" }, s("svg", { viewBox: "0 0 32 32", width: 32, height: 32 }, s("circle", { class: "ring-ground", cx: 16, cy: 16, r: 13 }), parts.ring), parts.seconds),
        h("span", { class: "small code-soft" }, t("code.refresh")),
        toggle),
    );
  }

  async function prepare() {
    failure = null;
    card.dataset.view = "";
    draw();
    try {
      await source.ensure();
    } catch (error) {
      failure = error;
    }
    draw();
  }

  const stops = [
    app.store.watch(["wallet"], () => {
      const known = app.store.get("wallet");
      if (!known) return;
      fill(wallet,
        h("button", { type: "button", class: "code-worth", onclick: () => app.go("recharge") }, h("span", { class: "small" }, t("home.balance")), h("span", { class: "num strong" }, money(known.stored?.total_fen))),
        h("button", { type: "button", class: "code-worth", onclick: () => app.go("entries?points") }, h("span", { class: "small" }, t("home.points")), h("span", { class: "num strong" }, count(known.points?.available))));
    }),
    app.store.watch(["online"], () => {
      if (app.store.get("online")) prepare();
    }),
    app.events.listen((type, data) => {
      if (type === "code_scanned") {
        view = "scanned";
        shop = data.store?.name || "";
        usedStep = source.current()?.step ?? null;
      } else if (type === "sale_completed" || type === "code_used") {
        view = "used";
        usedStep = Number.isFinite(data.step) ? data.step : source.current()?.step ?? null;
      } else if (/^sale_(cancelled|expired|rejected)$/.test(type) && view === "scanned") {
        view = "used"; // the scan spent that code; the next one follows
      } else return;
      draw();
    }),
  ];
  const timer = setInterval(() => {
    if (document.visibilityState === "visible") draw();
  }, TICK_MS);
  app.wx.setScreenBrightness({ value: 1 }).catch(() => undefined);
  app.wx.setKeepScreenOn({ keepScreenOn: true }).catch(() => undefined);
  draw();

  return {
    title: t("code.title"),
    tone: "brand",
    node,
    leave() {
      clearInterval(timer);
      source.stop();
      stops.forEach((stop) => stop());
      app.wx.setScreenBrightness({ value: 0.5 }).catch(() => undefined);
      app.wx.setKeepScreenOn({ keepScreenOn: false }).catch(() => undefined);
    },
  };
}
