/** Using a member's service card: asked once, done once, taken back where it was a mistake. */
import { h } from "/static/shared/dom.js";
import { date } from "/static/shared/format.js";
import { button, openDialog } from "./dialogs.js";
import { leftOf } from "./entitlements.js";
import * as errands from "./errands.js";
import { picture } from "./icons.js";
import { dismiss, notify, trouble } from "./notices.js";
import { dropMember, state } from "./state.js";
import { needsRescan } from "./quotes.js";
import { t } from "./texts.js";

const MOST = 20; // uses at once: more is a slip of the hand

/** What is left of a card, in words. */
export const leftWords = (card) => (card.uses_left === null ? t("service.by_day") : t("service.left", { count: card.uses_left }));

/** Ask how often and what for, then use it. */
export async function use(card) {
  dismiss();
  const most = Math.min(MOST, card.uses_left ?? 1);
  const wish = { qty: 1, service: card.services.length === 1 ? card.services[0] : null };
  const number = h("output", { class: "num strong stepper-value", "aria-live": "polite" }, "1");
  const go = button("", () => dialog.close(wish), "primary", { id: "service-use", autofocus: true });
  const draw = () => {
    number.textContent = String(wish.qty);
    go.textContent = t("service.use", { count: wish.qty });
    go.disabled = card.services.length > 1 && !wish.service;
  };
  const step = (by) => () => { wish.qty = Math.max(1, Math.min(most, wish.qty + by)); draw(); };
  const choice = (name, i) => h("label", { class: "choice" },
    h("input", { type: "radio", name: "service", value: name, autofocus: i === 0, onchange: () => { wish.service = name; draw(); } }), h("span", null, name));
  draw();
  const dialog = openDialog({
    title: card.title,
    body: [
      h("p", { class: "row between" }, h("span", { class: "strong" }, leftWords(card)), h("span", { class: "small muted num" }, card.valid_until ? t("service.until", { date: date(card.valid_until) }) : "")),
      card.services.length > 1 ? h("div", { class: "choices", role: "radiogroup", "aria-label": t("service.which") }, card.services.map(choice)) : null,
      most > 1 ? h("div", { class: "row between" }, h("span", { class: "muted" }, t("service.how_often")), h("div", { class: "stepper" },
        h("button", { type: "button", class: "icon-button", "aria-label": t("service.less"), onclick: step(-1) }, picture("minus")), number,
        h("button", { type: "button", class: "icon-button", "aria-label": t("service.more"), onclick: step(1) }, picture("plus")))) : null,
    ],
    actions: [button(t("common.cancel"), () => dialog.close(null)), go],
  });
  const answer = await dialog.closed;
  if (answer) await send(card, answer);
}

async function send(card, { qty, service }) {
  const body = { scan_token: state.member.scanToken, qty };
  if (service) body.service = service;
  try {
    const used = await errands.run(`/v1/pos/passes/${encodeURIComponent(card.id)}/uses`, body, { what: t("service.errand", { title: card.title }), orderNo: state.member.name });
    if (!used) return;
    await leftOf(card, used.uses_left);
    const detail = used.uses_left === null ? "" : t("service.left", { count: used.uses_left });
    notify(t("service.used", { title: used.title, count: used.qty }), { detail, stays: true, action: { text: t("service.undo"), run: () => undo(card, used) } });
  } catch (error) {
    if (needsRescan(error)) dropMember();
    trouble(error);
  }
}

async function undo(card, used) {
  try {
    const undone = await errands.run(`/v1/pos/pass-uses/${encodeURIComponent(used.id)}/undo`, {}, { what: t("service.undo_errand", { title: card.title }), orderNo: state.member?.name || "" });
    if (!undone) return;
    await leftOf(card, undone.uses_left);
    notify(t("service.undone", { title: undone.title }));
  } catch (error) {
    trouble(error);
  }
}
