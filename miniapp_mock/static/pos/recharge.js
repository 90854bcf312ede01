/** Stored value for cash: the member's offers, what was taken, and a slip; taken back with somebody's authorisation. */
import { fill, h } from "/static/shared/dom.js";
import { count, money, parseYuan } from "/static/shared/format.js";
import * as api from "./api.js";
import { askCode } from "./authorise.js";
import { button, field, openDialog } from "./dialogs.js";
import * as errands from "./errands.js";
import { notify, trouble } from "./notices.js";
import { printPaper } from "./receipt.js";
import { moneySlip } from "./slips.js";
import { change, state } from "./state.js";
import { t } from "./texts.js";

const PATH = "/v1/pos/recharges";

/** Choose an offer or an amount for the member who was read. */
export async function open() {
  if (!state.member) return notify(t("recharge.who"), { bad: true });
  const { scanToken } = state.member;
  let shown;
  try {
    shown = await api.post("/v1/pos/recharge-offers", { scan_token: scanToken });
  } catch (error) {
    return trouble(error);
  }
  let chosen = null;
  const own = field(t("recharge.free"), h("input", { class: "input big num", id: "recharge-amount", inputmode: "decimal", autocomplete: "off" }));
  const tender = field(t("recharge.tender"), h("select", { class: "input", id: "recharge-tender" },
    ["cash", "external"].map((name) => h("option", { value: name }, t(`recharge.${name}`)))));
  const go = button("", pay, "primary", { id: "recharge-go", disabled: true });
  const list = h("div", { class: "stack tight" });
  const wanted = () => (chosen ? { offer_id: chosen.id, fen: chosen.pay_fen } : { fen: parseYuan(own.input.value) });
  const draw = () => {
    fill(list, shown.items.map((offer) => h("button", {
      class: `cell ${offer === chosen ? "brand strong" : ""}`, type: "button", "aria-pressed": String(offer === chosen),
      onclick: () => { chosen = offer === chosen ? null : offer; own.input.value = ""; draw(); },
    },
    h("span", { class: "grow num" }, money(offer.pay_fen)),
    h("span", { class: "gold" }, [offer.bonus_fen ? t("recharge.give", { bonus: money(offer.bonus_fen) }) : "", offer.points ? t("recharge.points", { points: count(offer.points) }) : ""].filter(Boolean).join(" + ")))));
    const { fen } = wanted();
    go.disabled = !fen;
    go.textContent = t("recharge.go", { amount: fen ? money(fen) : "" });
  };
  own.input.addEventListener("input", () => { chosen = null; draw(); });
  own.input.addEventListener("keydown", (event) => { if (event.key === "Enter") { event.preventDefault(); pay(); } });
  const dialog = openDialog({
    title: `${t("recharge.title")} · ${state.member.name}`,
    body: [
      shown.possible_fen === null ? null : h("p", { class: "small muted" }, t("recharge.limit", { amount: money(shown.possible_fen) })),
      list, own.wrapper, tender.wrapper,
    ],
    actions: [button(t("common.cancel"), () => dialog.close()), go],
  });
  draw();

  async function pay() {
    const { fen, offer_id: offerId } = wanted();
    if (!fen) return;
    go.disabled = true;
    const body = { scan_token: scanToken, tender: tender.input.value, ...(offerId ? { offer_id: offerId } : { amount_fen: fen }), ...(state.cashier ? { cashier: state.cashier } : {}) };
    try {
      const made = await errands.run(PATH, body, { what: t("recharge.what"), orderNo: money(fen) });
      dialog.close();
      if (made) done(made);
    } catch (error) {
      dialog.close();
      trouble(error);
    }
  }
}

function done(made) {
  change((now) => { if (now.member) now.member = { ...now.member, wallet: { ...now.member.wallet, stored: { ...now.member.wallet.stored, total_fen: made.balances.stored_fen } } }; });
  notify(t("recharge.done", { amount: money(made.pay_fen), stored: money(made.balances.stored_fen) }), {
    stays: true, action: { text: t("recharge.reverse"), run: () => reverse(made) },
  });
  printPaper(slip(made));
}

async function reverse(made) {
  const override = await askCode({ text: t("recharge.reverse_text", { amount: money(made.pay_fen) }), reason: "mistake", go: t("recharge.reverse") });
  if (!override) return;
  try {
    const back = await errands.run(`${PATH}/${made.id}/reversal`, { override, ...(state.cashier ? { cashier: state.cashier } : {}) }, { what: t("recharge.reverse"), orderNo: money(made.pay_fen) });
    if (back) notify(t("recharge.reversed", { amount: money(back.pay_fen) }), { stays: true });
  } catch (error) {
    trouble(error);
  }
}

function slip(made) {
  return moneySlip({
    kind: t("recharge.receipt"), at: made.at, cashier: made.cashier, member: made.name_masked, id: made.id,
    total: [t(`recharge.${made.tender}`), money(made.pay_fen)],
    after: [
      made.bonus_fen ? [t("recharge.give", { bonus: "" }), money(made.bonus_fen)] : null,
      made.points ? [t("receipt.points"), `+${count(made.points)}`] : null,
      [t("receipt.stored"), money(made.balances.stored_fen)],
    ],
  });
}
