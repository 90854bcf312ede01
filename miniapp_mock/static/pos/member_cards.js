/** Member cards at the till: the one in hand is scanned, what it costs is said, and it is given, replaced, paid for or taken back. */
import { fill, h } from "/static/shared/dom.js";
import { date, money } from "/static/shared/format.js";
import * as api from "./api.js";
import { button, confirm, field, openDialog } from "./dialogs.js";
import * as errands from "./errands.js";
import { notify, trouble } from "./notices.js";
import { printPaper } from "./receipt.js";
import { moneySlip } from "./slips.js";
import { state } from "./state.js";
import { t, troubleText } from "./texts.js";

const PATH = "/v1/pos/member-cards";
const digits = (text) => text.replace(/\D/g, "");

/** The card of the member who was read, and a field for another one. */
export async function open() {
  if (!state.member) return notify(t("mcard.who"), { bad: true });
  const { scanToken, name } = state.member;
  let shown;
  try {
    shown = await api.post(`${PATH}/quote`, { scan_token: scanToken });
  } catch (error) {
    return trouble(error);
  }
  const number = field(t("mcard.number"), h("input", { class: "input big num", id: "mcard-number", inputmode: "numeric", autocomplete: "off", maxlength: "24", autofocus: true }));
  const offer = h("div", { class: "stack tight", role: "status" });
  const go = button(t("mcard.look"), look, "primary", { id: "mcard-go" });
  const back = button("", () => send("return"), "", { id: "mcard-back", hidden: true });
  const tender = field(t("recharge.tender"), h("select", { class: "input", id: "mcard-tender" },
    ["cash", "external"].map((one) => h("option", { value: one }, t(`recharge.${one}`)))));
  const reason = field(t("mcard.reason"), h("input", { class: "input", id: "mcard-reason", autocomplete: "off", maxlength: "200" }));
  let asked = null;

  number.input.addEventListener("input", () => { asked = null; draw(); });
  number.input.addEventListener("keydown", (event) => { if (event.key === "Enter") { event.preventDefault(); look(); } });
  const dialog = openDialog({
    title: `${t("mcard.title")} · ${name}`,
    onScan: (text) => { number.input.value = text; asked = null; look(); },
    body: [held(shown.held), number.wrapper, offer],
    actions: [shown.held?.state === "issued" ? button(t("mcard.lost"), lost, "danger", { id: "mcard-lost" }) : null, back, go].filter(Boolean),
  });

  function draw() {
    const due = asked?.due_fen || 0;
    fill(offer, asked && [
      h("p", { class: "strong" }, t(`mcard.action.${asked.action}`, { type: asked.type_name, last4: asked.last4 })),
      asked.deposit_fen ? line(t("mcard.deposit"), asked.deposit_fen) : null,
      asked.fee_fen ? line(t("mcard.fee"), asked.fee_fen) : null,
      due || asked.back_fen ? tender.wrapper : null,
      asked.action === "replace" ? reason.wrapper : null,
    ]);
    go.textContent = asked ? t(`mcard.go.${asked.action}`, { amount: due ? ` ${money(due)}` : "" }) : t("mcard.look");
    go.hidden = asked?.action === "none";
    back.hidden = !asked || asked.action === "issue" || asked.action === "replace";
    back.textContent = asked?.back_fen ? t("mcard.back_for", { amount: money(asked.back_fen) }) : t("mcard.back");
  }

  async function look() {
    if (asked) return send("");
    if (digits(number.input.value).length < 10) return number.complain(t("mcard.short"));
    go.disabled = true;
    try {
      asked = (await api.post(`${PATH}/quote`, { scan_token: scanToken, card_no: digits(number.input.value) })).card;
      number.complain("");
      draw();
      go.hidden ? back.focus() : go.focus();
    } catch (error) {
      number.complain(troubleText(error).title);
      number.input.select();
    } finally {
      go.disabled = false;
    }
  }

  /** Give it (or take what is due), or with "return" take it back. */
  async function send(what) {
    const giving = what === "";
    if (!giving && !(await confirm({ title: t("mcard.back"), text: t("mcard.back_text", { last4: asked.last4, amount: money(asked.back_fen) }), yes: t("mcard.back"), look: "danger" }))) return;
    go.disabled = true;
    back.disabled = true;
    const body = {
      scan_token: scanToken, card_no: digits(number.input.value), tender: tender.input.value,
      ...(state.cashier ? { cashier: state.cashier } : {}),
      ...(giving ? { due_fen: asked.due_fen, replace: asked.action === "replace" } : {}),
      ...(reason.input.value.trim() ? { reason: reason.input.value.trim() } : {}),
    };
    try {
      const made = await errands.run(giving ? PATH : `${PATH}/return`, body, { what: t("mcard.title"), orderNo: asked.last4 });
      dialog.close();
      if (made) done(made);
    } catch (error) {
      dialog.close();
      trouble(error);
    }
  }

  async function lost() {
    dialog.close();
    if (!(await confirm({ title: t("mcard.lost"), text: t("mcard.lost_text", { last4: shown.held.last4 }), yes: t("mcard.lost"), look: "danger" }))) return;
    try {
      const card = await api.post(`${PATH}/lost`, { scan_token: scanToken });
      notify(t("mcard.lost_done", { last4: card.last4 }), { stays: true, action: { text: t("mcard.replace_now"), run: open } });
    } catch (error) {
      trouble(error);
    }
  }
}

const line = (label, fen) => h("div", { class: "row" }, h("span", { class: "grow" }, label), h("span", { class: "num strong" }, money(fen)));

function held(card) {
  if (!card) return h("p", { class: "small muted" }, t("mcard.none"));
  const facts = [t(`mcard.state.${card.state}`), card.valid_until && t("mcard.until", { date: date(card.valid_until) }), card.due_fen && t("mcard.due", { amount: money(card.due_fen) })];
  return h("p", { class: "small" }, h("span", { class: "strong" }, `${card.type_name} ****${card.last4}`), ` · ${facts.filter(Boolean).join(" · ")}`);
}

function done(made) {
  const words = { last4: made.last4, amount: money(made.total_fen) };
  const what = made.action === "taken_back" ? "taken_back" : made.replaced ? "replaced" : "given";
  notify(t(`mcard.${what}`, words) + (made.total_fen ? t(made.action === "taken_back" ? "mcard.pay_out" : "mcard.paid", words) : ""), { stays: true });
  if (!made.total_fen) return;
  printPaper(moneySlip({
    kind: t(`mcard.slip.${made.action}`), at: made.at, cashier: made.cashier, member: made.name_masked, id: made.id,
    rows: [[t("mcard.card"), `${made.type_name} ****${made.last4}`], made.deposit_fen ? [t("mcard.deposit"), money(made.deposit_fen)] : null, made.fee_fen ? [t("mcard.fee"), money(made.fee_fen)] : null],
    total: [t(`recharge.${made.tender}`), money(made.total_fen)],
  }));
}
