/** 隐私: what the member agreed to, the archive of their data, and the way out. */
import { fill, h } from "../../shared/dom.js";
import { dayTime } from "../../shared/format.js";
import { busy, linkCell, skeletonRows, trouble } from "../parts.js";
import { problemText, t } from "../texts.js";

const AGAIN_MS = 3000;

export function privacyScreen(app) {
  const consents = h("section", { class: "card flush cells", "aria-label": t("privacy.consents") });
  const data = h("section", { class: "card stack" });
  const leaving = h("section", { class: "card flush cells" });
  const node = h("div", { class: "page stack" }, h("p", { class: "small muted page-lead" }, t("privacy.lead")), consents, data, leaving);
  let timer = 0;

  async function load() {
    fill(consents, skeletonRows(5));
    try {
      const [said, exports, erasure] = await Promise.all([app.privacy.consents(), app.privacy.exports(), app.privacy.erasure()]);
      draw(said.items);
      drawData(exports.items);
      drawLeaving(erasure.erasure);
    } catch (error) {
      fill(consents, trouble(error, load));
    }
  }

  function draw(items) {
    fill(consents, items.map((item) => purpose(item)), linkCell({ icon: "letterbox", text: t("privacy.more_letters"), onclick: () => app.go("letters") }));
  }

  function purpose(item) {
    const text = h("details", { class: "small consent" }, h("summary", { class: "muted" }, t("privacy.read")), h("p", { class: "prose" }, item.body));
    const about = h("div", { class: "grow" }, h("p", null, item.title), text);
    if (!item.required) {
      const input = h("input", { type: "checkbox", role: "switch", class: "switch", checked: item.granted, "aria-label": item.title, onchange: () => say(input, item) });
      return h("div", { class: "cell" }, about, h("label", { class: "toggle" }, input));
    }
    const agree = h("button", { type: "button", class: "button soft compact", onclick: () => busy(agree, () => renew(item)) }, t("privacy.agree"));
    return h("div", { class: "cell" }, h("div", { class: "grow" }, about, item.asks && h("p", { class: "tiny" }, t("privacy.outdated"))), item.asks ? agree : h("span", { class: "small muted" }, t("privacy.required")));
  }

  async function say(input, item) {
    input.disabled = true;
    try {
      await app.privacy.say([{ ...item, granted: input.checked }]);
    } catch (error) {
      input.checked = !input.checked;
      app.toast(problemText(error));
    }
    input.disabled = false;
  }

  async function renew(item) {
    try {
      draw((await app.privacy.say([{ ...item, granted: true }])).items);
    } catch (error) {
      app.toast(problemText(error));
    }
  }

  function drawData(items) {
    clearTimeout(timer);
    const [newest] = items;
    const problem = h("p", { class: "field-error", role: "alert" });
    const ask = h("button", { type: "button", class: "button soft wide", onclick: () => busy(ask, () => attempt(problem, async () => {
      await app.privacy.askExport();
      app.toast(t("privacy.asked"));
      drawData((await app.privacy.exports()).items);
    })) }, t("privacy.ask"));
    const fetch = h("button", { type: "button", class: "button primary wide", onclick: () => busy(fetch, () => attempt(problem, () => app.privacy.download(newest.id))) }, t("privacy.download"));
    const waits = newest?.state === "waiting";
    if (waits) timer = setTimeout(async () => { try { drawData((await app.privacy.exports()).items); } catch { /* at the next opening */ } }, AGAIN_MS);
    fill(data, h("h2", null, t("privacy.data")), h("p", { class: "small muted" }, t("privacy.data_hint")),
      newest && h("p", { class: "small num", role: "status" }, stateOf(newest)), problem, newest?.state === "ready" && fetch, !waits && ask);
  }

  async function attempt(problem, work) {
    fill(problem, "");
    try {
      await work();
    } catch (error) {
      fill(problem, problemText(error));
    }
  }

  function drawLeaving(erasure) {
    const value = erasure ? t("privacy.leave_cooling", { day: dayTime(erasure.due_at) }) : "";
    fill(leaving, linkCell({ icon: "out", text: t("privacy.leave"), value, onclick: () => app.go("leave") }));
  }

  load();
  return { title: t("privacy.title"), node, parent: "me", leave: () => clearTimeout(timer) };
}

function stateOf(item) {
  if (item.state === "waiting") return t("privacy.making", { done: item.lists, all: item.lists_all });
  if (item.state === "ready") return t("privacy.until", { time: dayTime(item.until) });
  return t(item.state === "failed" ? "privacy.failed" : "privacy.gone");
}
