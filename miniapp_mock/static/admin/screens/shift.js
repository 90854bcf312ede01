/** One shift: its figures, who did what about it, and the answer to its difference. */
import { fill, h } from "/static/shared/dom.js";
import { attempt } from "../parts/dialogs.js";
import { formDialog } from "../parts/form.js";
import { money, signedMoney, stamp } from "../parts/format.js";
import { factList, head } from "../parts/states.js";
import { standing, w } from "./shift_words.js";

export async function open({ api, me, place, signal }) {
  const path = `/v1/admin/shifts/${place.query.id}`;
  const holder = h("div", { class: "stack" });
  await draw();
  return holder;

  async function draw() {
    const { shift, figures, movements, steps } = await api.get(path, {}, { signal });
    const waits = ["open", "waiting"].includes(shift.difference);
    const button = (text, run, look = "") => h("button", { type: "button", class: `button ${look}`, onclick: run }, text);
    const actions = h("div", { class: "row tight" },
      button(w("shifts.pdf"), () => attempt(() => api.download(`${path}/file`, {}, `shift-${shift.terminal_id}.pdf`))),
      waits && me.may("shifts.resolve") && button(w("shifts.resolve"), () => resolve(), "primary"),
      shift.state === "open" && me.may("shifts.close") && button(w("shifts.force"), () => force(), "primary"));
    const counted = ({ count, fen }) => `${money(fen)}（${count}）`;
    const row = (cells) => h("tr", null, cells.map((cell, index) => h(index ? "td" : "th", { class: index ? "num" : null, scope: index ? null : "row" }, cell)));
    const fen = (value) => (value === null || value === undefined ? "—" : money(value));
    fill(holder,
      head(`${w("shifts.detail")} ${shift.terminal_id}${shift.z_number ? ` Z${shift.z_number}` : ""}`, { actions }),
      h("section", { class: "card" }, factList([
        [w("shifts.cashier"), shift.cashier], [w("shifts.opened"), stamp(shift.opened_at)], [w("shifts.closed_at"), stamp(shift.closed_at)],
        [w("shifts.difference"), h("span", { class: "row tight" }, figures.difference_fen === null || figures.difference_fen === undefined ? "—" : signedMoney(figures.difference_fen), standing(shift.difference || "none"))],
        [w("shifts.sales"), counted(figures.sales)], [w("shifts.refunds"), counted(figures.refunds)], [w("shifts.recharges"), counted(figures.recharges)],
        [w("shifts.gift_cards"), counted(figures.gift_cards)], [w("shifts.gifts"), counted(figures.gifts)],
        [w("shifts.member_cards"), counted(figures.member_cards)], [w("shifts.member_cards_back"), counted(figures.member_cards_back)],
        ...(figures.others?.count ? [[w("shifts.others"), counted(figures.others)]] : []),
        [w("shifts.float"), money(figures.float_fen)], [w("shifts.why"), shift.note || "—"],
      ])),
      h("section", { class: "card scroll" }, h("table", { class: "table" },
        h("thead", null, h("tr", null, ["tender", "in", "out", "expected", "counted", "difference"].map((name) => h("th", { scope: "col" }, w(`shifts.${name}`))))),
        h("tbody", null, figures.tenders.map((one) => row([w(`shifts.t_${one.tender}`), money(one.in_fen), money(one.out_fen), fen(one.expected_fen), fen(one.counted_fen), fen(one.difference_fen)]))))),
      movements.length > 0 && h("section", { class: "card" }, h("h2", null, w("shifts.movements")),
        movements.map((one) => h("p", { class: "num" }, `${stamp(one.at)} ${w(`shifts.k_${one.kind}`)} ${money(one.amount_fen)} · ${one.reason} · ${one.cashier}`))),
      steps.length > 0 && h("section", { class: "card" }, h("h2", null, w("shifts.steps")),
        steps.map((one) => h("p", null, `${stamp(one.at)} ${one.username} ${w(`shifts.s_${one.kind}`)}：${one.note}`))));
  }

  async function resolve() {
    const key = crypto.randomUUID();
    const done = await formDialog({
      title: w("shifts.resolve"), note: w("shifts.resolve_note"),
      fields: [{ name: "note", label: w("shifts.why"), required: true, most: 200 }],
      onSubmit: async (values) => { await api.post(`${path}/resolve`, values, { key }); return true; },
    });
    if (done) await attempt(draw, w("shifts.done"));
  }

  async function force() {
    const done = await formDialog({
      title: w("shifts.force"), note: w("shifts.force_note"),
      fields: [
        { name: "cash", label: w("shifts.cash"), kind: "money", required: true },
        { name: "external", label: w("shifts.external"), kind: "money" },
        { name: "note", label: w("shifts.why"), required: true, most: 200 },
      ],
      onSubmit: async ({ cash, external, note }) => {
        const counted = [{ tender: "cash", amount_fen: cash || 0 }, { tender: "external", amount_fen: external || 0 }];
        await api.post(`${path}/close`, { counted, note });
        return true;
      },
    });
    if (done) await attempt(draw, w("shifts.done"));
  }
}
