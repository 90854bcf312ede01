/** 登录设备: the phones that can show this member's code offline; take one away. */
import { fill, h } from "../../shared/dom.js";
import { date } from "../../shared/format.js";
import { glyph } from "../icons.js";
import { busy, emptyState, loadInto, skeletonRows } from "../parts.js";
import { problemText, t } from "../texts.js";

export function devicesScreen(app) {
  const list = h("div", { class: "card flush" });
  const sessions = h("div", { class: "card flush" });
  const part = (title, content) => h("section", { class: "stack tight", "aria-label": t(title) }, h("h2", { class: "small muted section-head" }, t(title)), content);
  const node = h("div", { class: "page stack" }, h("p", { class: "muted small section-note" }, t("devices.intro")), part("devices.codes", list), part("devices.sessions", sessions));
  const idOf = (item) => item.device_id || item.id;

  function load() {
    return loadInto(list, () => skeletonRows(2), () => app.api.get("/v1/member/devices"), ({ items = [] }) => {
      const live = items.filter((item) => !item.revoked && !item.revoked_at && item.status !== "revoked");
      if (!live.length) return emptyState({ icon: "phone", title: t("devices.empty"), hint: t("devices.empty_hint"), action: t("home.show_code"), onAction: () => app.go("code") });
      live.sort((a, b) => (idOf(b) === app.device.id()) - (idOf(a) === app.device.id()));
      return h("ul", { class: "cells" }, live.map(row));
    });
  }

  function row(item) {
    const mine = idOf(item) === app.device.id();
    const remove = h("button", { type: "button", class: "button danger compact", "aria-label": `${t("devices.remove")} ${item.name || ""}`, onclick: () => busy(remove, () => take(item)) }, t("devices.remove"));
    return h(
      "li",
      { class: "cell" },
      h("span", { class: "entry-icon" }, glyph("phone", 20)),
      h("span", { class: "grow entry-text" }, h("span", { class: "clip" }, item.name || t("devices.unnamed")), item.created_at && h("span", { class: "tiny muted" }, t("devices.added", { date: date(item.created_at) }))),
      mine ? h("span", { class: "pill brand" }, t("devices.this")) : remove,
    );
  }

  async function take(item) {
    const { confirm } = await app.wx.showModal({ title: t("devices.remove_ask"), content: t("devices.remove_text"), confirmText: t("devices.remove"), cancelText: t("common.cancel"), danger: true });
    if (!confirm) return;
    try {
      await app.api.delete(`/v1/member/devices/${encodeURIComponent(idOf(item))}`);
      app.toast(t("devices.removed"));
      await load();
    } catch (error) {
      app.toast(problemText(error));
    }
  }

  function loadSessions() {
    return loadInto(sessions, () => skeletonRows(2), () => app.api.get("/v1/member/sessions"), ({ items }) => h("ul", { class: "cells" }, items.map(sessionRow)));
  }

  function sessionRow(item) {
    const name = item.agent?.match(/MicroMessenger[^ ]*|iPhone|Android|Windows|Mac|Linux/)?.[0] || t("devices.unnamed");
    const end = h("button", { type: "button", class: "button danger compact", "aria-label": `${t("devices.end")} ${name}`, onclick: () => busy(end, () => endSession(item)) }, t("devices.end"));
    return h(
      "li",
      { class: "cell" },
      h("span", { class: "entry-icon" }, glyph("phone", 20)),
      h("span", { class: "grow entry-text" }, h("span", { class: "clip" }, name), h("span", { class: "tiny muted" }, t("devices.used", { date: date(item.refreshed_at) }))),
      item.current ? h("span", { class: "pill brand" }, t("devices.this")) : end,
    );
  }

  async function endSession(item) {
    const { confirm } = await app.wx.showModal({ title: t("devices.end_ask"), content: t("devices.end_text"), confirmText: t("devices.end"), cancelText: t("common.cancel"), danger: true });
    if (!confirm) return;
    try {
      await app.api.delete(`/v1/member/sessions/${encodeURIComponent(item.id)}`);
      app.toast(t("devices.ended"));
      await loadSessions();
    } catch (error) {
      app.toast(problemText(error));
    }
  }

  load();
  loadSessions();
  return { title: t("devices.title"), node, parent: "me" };
}
