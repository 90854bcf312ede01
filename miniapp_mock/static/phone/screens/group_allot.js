/** 团体分配: the owner of a group gives its people of what is their own, with the PIN, and takes back what is not used. */
import { newKey } from "../../shared/api.js";
import { fill, h } from "../../shared/dom.js";
import { openDialog } from "../../shared/dialog.js";
import { count, date, money, parseYuan, yuan } from "../../shared/format.js";
import { endless } from "../endless.js";
import { glyph } from "../icons.js";
import { busy, choices, emptyState, fact, field, skeletonRows, trouble } from "../parts.js";
import { pinPad } from "../pinpad.js";
import { problemText, t } from "../texts.js";

const ALLOTMENTS = "/v1/member/group/allotments";
const shown = (kind, amount) => (kind === "stored" ? money(amount) : t("allot.points_of", { count: count(amount) }));

export function groupAllotScreen(app) {
  const node = h("div", { class: "page stack" });
  const wait = () => h("div", { class: "card" }, skeletonRows(3));

  async function load() {
    fill(node, wait());
    try {
      const [{ group }, wallet, profile] = await Promise.all([app.api.get("/v1/member/group"), app.api.get("/v1/member/wallet"), app.api.get("/v1/member/profile")]);
      if (group?.role !== "owner") nothing("allot.not_owner", "", "level.title", () => app.go("level", { replace: true }));
      else if (!profile.pin_set) nothing("allot.no_pin", "", "allot.set_pin", () => app.go("pin"));
      else overview({ stored: wallet.stored.total_fen, points: Math.max(0, wallet.points.available) });
    } catch (error) {
      fill(node, h("div", { class: "card" }, trouble(error, load)));
    }
  }

  function nothing(title, hint, action, onAction) {
    fill(node, h("div", { class: "card" }, emptyState({ icon: "person", title: t(title), hint, action: t(action), onAction })));
  }

  function overview(has) {
    const own = app.store.get("member")?.member_no;
    const people = endless({
      fetch: async (cursor) => app.api.get("/v1/member/group/members", { limit: 50, ...(cursor && { cursor }) }),
      wait,
      nothing: () => h("p", { class: "muted" }, t("allot.nobody")),
      draw: (items) => {
        const others = items.filter((one) => one.member_no !== own);
        if (!others.length) return emptyState({ icon: "person", title: t("allot.nobody"), hint: t("allot.nobody_hint"), action: t("level.title"), onAction: () => app.go("level") });
        return h("div", { class: "cells" }, others.map((one) => h("div", { class: "cell" },
          h("span", { class: "grow" }, one.name_masked, h("span", { class: "small muted" }, ` ${t(`group.role_${one.role}`)}`)),
          h("button", { type: "button", class: "button compact", "aria-label": t("allot.to_of", { name: one.name_masked }), onclick: () => ask(has, one) }, t("allot.to")))));
      },
    });
    const records = endless({
      fetch: async (cursor) => app.api.get(ALLOTMENTS, { limit: 20, ...(cursor && { cursor }) }),
      wait,
      nothing: () => h("p", { class: "muted" }, t("allot.none")),
      draw: (items) => h("div", { class: "cells" }, items.map(record)),
    });
    fill(node,
      h("section", { class: "card stack tight" }, h("h2", null, t("allot.own")), h("dl", { class: "facts" }, fact(t("allot.stored"), money(has.stored)), fact(t("allot.points"), count(has.points)))),
      h("section", { class: "card stack" }, h("h2", null, t("allot.people")), people.node),
      h("section", { class: "card stack" }, h("h2", null, t("allot.records")), records.node));
    people.reload();
    records.reload();
  }

  function record(one) {
    const rest = one.left > 0 ? t("allot.left", { amount: shown(one.kind, one.left) }) : one.taken === one.amount ? "" : t("allot.used");
    const lines = [date(one.at), one.by_staff && t("allot.by_staff"), one.note, rest, one.taken > 0 && t("allot.taken", { amount: shown(one.kind, one.taken) })].filter(Boolean);
    return h("div", { class: "cell" },
      h("span", { class: "grow" }, h("span", { class: "row between" }, h("span", null, one.name), h("span", { class: "num strong" }, shown(one.kind, one.amount))), h("span", { class: "tiny muted num" }, lines.join(" · "))),
      one.left > 0 && h("button", { type: "button", class: "button compact", "aria-label": t("allot.back_of", { name: one.name, amount: shown(one.kind, one.left) }), onclick: () => back(one) }, t("allot.back")));
  }

  async function back(one) {
    const key = await newKey(app.wx);
    const { confirm } = await app.wx.showModal({ title: t("allot.back_ask", { amount: shown(one.kind, one.left) }), content: t("allot.back_text", { name: one.name }), confirmText: t("allot.back"), cancelText: t("common.cancel") });
    if (!confirm) return;
    try {
      await app.api.post(`${ALLOTMENTS}/${encodeURIComponent(one.id)}/take-back`, {}, { key });
      app.toast(t("allot.back_done"));
    } catch (error) {
      app.toast(problemText(error));
    }
    load();
  }

  function ask(has, to) {
    let kind = has.stored || !has.points ? "stored" : "points";
    const amount = field("amount", "", h("input", { type: "text", class: "num", inputmode: "decimal", autocomplete: "off", maxlength: 12 }), t("allot.keeps"));
    const note = field("note", t("allot.note"), h("input", { type: "text", autocomplete: "off", maxlength: 60 }));
    const label = () => { amount.node.querySelector("label").textContent = t(`allot.amount_${kind}`); amount.mark(""); };
    const which = choices("kind", t("allot.kind"), [["stored", t("allot.stored")], ["points", t("allot.points")]], kind, (value) => { kind = value; label(); });
    const submit = h("button", { type: "submit", class: "button primary wide" }, t("allot.confirm"));
    const read = () => (kind === "stored" ? parseYuan(amount.input.value) : /^\d{1,9}$/.test(amount.input.value.trim()) ? Number(amount.input.value) : null);
    const sent = async () => {
      const written = read();
      const right = written !== null && written >= 1 && written <= has[kind];
      amount.mark(right ? "" : t(`allot.amount_bad_${kind}`, { most: kind === "stored" ? yuan(has.stored) : count(has.points) }));
      if (right) await enterPin({ person_id: to.id, kind, amount: written, note: note.input.value.trim() }, to);
      else amount.input.focus();
    };
    fill(node, h("form", { class: "stack", novalidate: true, onsubmit: (event) => { event.preventDefault(); busy(submit, sent); } },
      h("section", { class: "card stack" }, h("dl", { class: "facts" }, fact(t("allot.people"), to.name_masked), fact(t("give.number"), to.member_no)), which, amount.node, note.node),
      submit, h("button", { type: "button", class: "button wide", onclick: load }, t("allot.other"))));
    label();
    amount.input.focus();
  }

  async function enterPin(wish, to) {
    const key = await newKey(app.wx);
    const problem = h("p", { class: "field-error center", role: "alert" });
    const pad = pinPad(send);
    const title = t("allot.pin_title", { name: to.name_masked, amount: shown(wish.kind, wish.amount) });
    const body = h("div", { class: "sheet-body stack confirm" },
      h("div", { class: "sheet-head" }, h("button", { type: "button", class: "icon-button", "aria-label": t("common.close"), onclick: () => dialog.close() }, glyph("close", 22)), h("h2", { class: "sheet-title" }, t("allot.confirm")), h("span")),
      h("p", { class: "center strong" }, title), h("p", { class: "center muted small" }, t("confirm.pin")), problem, pad.node);
    const dialog = openDialog(body, { label: title, className: "confirm-sheet" });
    pad.focus();

    async function send(pin) {
      problem.textContent = "";
      pad.setBusy(true);
      try {
        await app.api.post(ALLOTMENTS, { ...wish, pin }, { key });
        dialog.close(true);
      } catch (error) {
        problem.textContent = problemText(error);
        pad.clear();
      }
    }

    if (!(await dialog.closed)) return;
    app.toast(t("allot.done"));
    load();
  }

  load();
  return { title: t("allot.title"), node, parent: "level" };
}
