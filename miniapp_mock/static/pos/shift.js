/** The till's shift: opened with a float, cash in and out, a look (X), counted and closed (Z), handed over. */
import { h } from "/static/shared/dom.js";
import { money, parseYuan, signedMoney, time } from "/static/shared/format.js";
import * as api from "./api.js";
import { button, field, openDialog } from "./dialogs.js";
import * as errands from "./errands.js";
import { notify, trouble } from "./notices.js";
import { printPaper } from "./receipt.js";
import { shiftSlip } from "./shift_slip.js";
import { state } from "./state.js";
import { t } from "./texts.js";

const SHIFTS = "/v1/pos/shifts";
const CURRENT = `${SHIFTS}/current`;

/** Show what can be done now. */
export async function open() {
  let now;
  try {
    now = await api.get(CURRENT);
  } catch (error) {
    return trouble(error);
  }
  if (!now.shift) return begin();
  const { shift } = now;
  const act = (id, text, run, look = "") => button(text, () => { dialog.close(); run(shift); }, look, { id });
  const dialog = openDialog({
    title: t("shift.title"),
    body: [
      h("p", { class: "strong" }, t("shift.since", { cashier: shift.cashier, time: time(shift.opened_at), amount: money(shift.float_fen) })),
      now.blind ? h("p", { class: "small muted" }, t("shift.blind")) : null,
      h("div", { class: "stack tight" },
        now.blind ? null : act("shift-x", t("shift.x"), look),
        act("shift-in", t("shift.in"), () => move("pay_in")), act("shift-out", t("shift.out"), () => move("pay_out")),
        act("shift-handover", t("shift.handover"), () => close(true)), act("shift-close", t("shift.close"), () => close(false), "primary")),
    ],
  });
}

const amount = (id, label, value = "") => field(label, h("input", { class: "input big num", id, inputmode: "decimal", autocomplete: "off", value }));
const words = (id, label, value = "", props = {}) => field(label, h("input", { class: "input", id, maxlength: "80", autocomplete: "off", value, ...props }));

/** A dialog with fields; `run` answers what to send, or null where a field complains. */
function form(title, fields, go, run) {
  const send = async () => {
    const wish = run();
    if (!wish) return;
    dialog.close();
    try {
      const answer = await errands.run(wish.path, wish.body, { what: t("shift.what"), orderNo: title });
      if (answer) wish.done(answer);
    } catch (error) {
      trouble(error);
    }
  };
  const dialog = openDialog({
    title, body: fields.map((one) => one.wrapper || one),
    actions: [button(t("common.cancel"), () => dialog.close()), button(go, send, "primary", { id: "shift-go" })],
  });
  dialog.element.addEventListener("keydown", (event) => { if (event.key === "Enter" && event.target instanceof HTMLInputElement) { event.preventDefault(); send(); } });
  fields[0].input?.focus();
}

/** The fen in a field; NaN after it complained. Empty is nought where that is allowed. */
function fenOf(one, empty = NaN) {
  const text = one.input.value.trim();
  const fen = text === "0" || text === "0.00" ? 0 : text ? parseYuan(text.replace(/^-/, "")) : empty;
  if (!Number.isFinite(fen)) {
    one.complain(t("shift.bad"));
    return NaN;
  }
  return text.startsWith("-") ? -fen : fen;
}

function begin() {
  const cashier = words("shift-cashier", t("shift.cashier"), state.cashier);
  const float = amount("shift-float", t("shift.float"), "0");
  form(t("shift.open"), [cashier, float], t("shift.open"), () => {
    const fen = fenOf(float, 0);
    if (!cashier.input.value.trim()) return cashier.complain(t("shift.need_name"));
    if (Number.isNaN(fen)) return null;
    return {
      path: SHIFTS, body: { cashier: cashier.input.value.trim(), float_fen: fen },
      done: (shift) => notify(t("shift.opened", { cashier: shift.cashier, amount: money(shift.float_fen) })),
    };
  });
}

function move(kind) {
  const fen = amount("shift-amount", t("shift.amount"));
  const why = words("shift-why", t("shift.why"));
  form(t(kind === "pay_in" ? "shift.in" : "shift.out"), [fen, why], t("common.confirm"), () => {
    const value = fenOf(fen);
    if (!(value > 0)) return fen.complain(t("shift.bad"));
    if (!why.input.value.trim()) return why.complain(t("shift.need_why"));
    return {
      path: `${CURRENT}/movements`, body: { kind, amount_fen: value, reason: why.input.value.trim(), ...(state.cashier ? { cashier: state.cashier } : {}) },
      done: (one) => notify(t("shift.moved", { amount: money(one.amount_fen) })),
    };
  });
}

async function look(shift) {
  try {
    const x = await errands.run(`${CURRENT}/reports`, {}, { what: t("shift.x"), orderNo: shift.id });
    if (x) show(shiftSlip({ kind: "x", number: x.number, at: x.at, shift, figures: x.figures, context: state.context }), t("slip.x"));
  } catch (error) {
    trouble(error);
  }
}

function close(hands) {
  const cash = amount("shift-cash", t("shift.counted_cash"));
  const external = amount("shift-external", t("shift.counted_external"));
  const outside = amount("shift-outside", t("shift.outside"));
  const left = amount("shift-left", t("shift.left"), "0");
  const next = words("shift-next", t("shift.next"));
  const note = words("shift-note", t("shift.note"), "", { maxlength: "200" });
  const fields = [cash, external, outside, h("p", { class: "tiny muted" }, t("shift.outside_hint")), left, ...(hands ? [next] : []), note];
  form(t(hands ? "shift.handover" : "shift.close"), fields, t(hands ? "shift.handover" : "shift.close"), () => {
    const [inDrawer, elsewhere, others, stays] = [fenOf(cash), fenOf(external, 0), fenOf(outside, 0), fenOf(left, 0)];
    if ([inDrawer, elsewhere, others, stays].some(Number.isNaN)) return null;
    if (hands && !next.input.value.trim()) return next.complain(t("shift.need_name"));
    const body = {
      counted: [{ tender: "cash", amount_fen: inDrawer }, { tender: "external", amount_fen: elsewhere }],
      outside: others ? [{ tender: "cash", amount_fen: others }] : [],
      left_fen: stays, note: note.input.value.trim(), ...(hands ? { next_cashier: next.input.value.trim() } : {}),
    };
    return { path: `${CURRENT}/${hands ? "handover" : "close"}`, body, done: (answer) => closed(answer.closed || answer) };
  });
}

function closed(shift) {
  notify(t("shift.done", { number: shift.z_number, difference: signedMoney(shift.difference_fen) }), { stays: true });
  show(shiftSlip({ kind: "z", number: shift.z_number, at: shift.closed_at, shift, figures: shift.figures, context: state.context }), t("slip.z"));
}

function show(slip, title) {
  const dialog = openDialog({
    title, className: "slip-dialog", body: slip,
    actions: [button(t("common.close"), () => dialog.close()), button(t("result.print"), () => printPaper(slip.cloneNode(true)), "primary", { id: "shift-print", autofocus: true })],
  });
}

