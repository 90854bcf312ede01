/** The dialogs for the line in work: its quantity (F2), its discount (F4). */
import { h } from "/static/shared/dom.js";
import { money, parseYuan } from "/static/shared/format.js";
import * as basket from "./basket.js";
import { button, field, keypad, openDialog } from "./dialogs.js";
import { gross } from "./prices.js";
import { state } from "./state.js";
import { t } from "./texts.js";

const RATES = [95, 90, 88, 80, 50];

function numberInput(id, value, mode = "numeric") {
  const input = h("input", { class: "input big num", id, inputmode: mode, autocomplete: "off", autofocus: true, value, maxlength: "12" });
  input.addEventListener("focus", () => input.select());
  return input;
}

const onEnter = (input, run) => input.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.isComposing) return;
  event.preventDefault();
  run();
});

export async function askQty(index) {
  const line = state.lines[index];
  const { wrapper, input, complain } = field(t("qty.label"), numberInput("qty-input", String(line.qty)));
  const save = () => {
    const qty = /^\d{1,4}$/.test(input.value.trim()) ? Number(input.value) : 0;
    if (qty < 1 || qty > basket.MAX_QTY) return complain(t("qty.wrong"));
    dialog.close();
    return basket.setQty(index, qty);
  };
  onEnter(input, save);
  const dialog = openDialog({
    title: t("qty.title"),
    body: [h("p", { class: "small muted clip" }, line.name), wrapper, keypad(input)],
    actions: [button(t("common.cancel"), () => dialog.close()), button(t("common.confirm"), save, "primary", { id: "qty-save" })],
  });
  await dialog.closed;
}

/** The discount typed as a share: `88` and `8.8` are both 88折, 1200 basis points off; null where it is none. */
export function parseRate(text) {
  const match = /^\d{1,2}(\.\d{1,2})?$/.exec(text.trim());
  if (!match) return null;
  const value = Number(text);
  const percent = value < 10 ? value * 10 : value;
  return percent >= 1 && percent < 100 ? 10000 - Math.round(percent * 100) : null;
}

export async function askCut(index) {
  const line = state.lines[index];
  let kind = line.cut?.kind === "rate" ? "rate" : "fen";
  const shown = !line.cut ? "" : kind === "rate" ? String((10000 - line.cut.value) / 100) : String(line.cut.value / 100);
  const { wrapper, input, complain } = field(t("cut.label_amount"), numberInput("cut-input", shown, "decimal"));
  const label = wrapper.querySelector("label");
  const after = h("p", { class: "small muted num", "aria-live": "polite" });
  const quick = h("div", { class: "quick" }, RATES.map((rate) => button(
    `${rate % 10 ? rate : rate / 10}折`,
    () => apply({ kind: "rate", value: 10000 - rate * 100 }),
    "compact num",
  )));

  const read = () => {
    if (kind === "rate") {
      const value = parseRate(input.value);
      return value === null ? null : { kind, value };
    }
    const value = parseYuan(input.value);
    return value && value <= gross(line) ? { kind, value } : null;
  };
  const show = () => {
    label.textContent = t(kind === "rate" ? "cut.label_rate" : "cut.label_amount");
    const cut = read();
    const off = !cut ? 0 : cut.kind === "rate" ? Math.floor((gross(line) * cut.value) / 10000) : cut.value;
    after.textContent = t("cut.after", { amount: money(gross(line) - off) });
    complain("");
  };
  const apply = (cut) => {
    dialog.close();
    basket.setCut(index, cut);
  };
  const save = () => {
    const cut = read();
    if (cut) apply(cut);
    else complain(kind === "rate" ? t("cut.wrong_rate") : t("cut.wrong_amount", { max: money(gross(line)) }));
  };
  const choice = (value, text) => h("label", { class: "choice" },
    h("input", { type: "radio", name: "cut-kind", value, checked: kind === value, onchange: () => { kind = value; input.value = ""; show(); input.focus(); } }), h("span", null, text));

  input.addEventListener("input", show);
  onEnter(input, save);
  const dialog = openDialog({
    title: t("cut.title"),
    body: [
      h("p", { class: "small muted clip" }, `${line.name} · ${money(gross(line))}`),
      h("div", { class: "choices even", role: "radiogroup", "aria-label": t("cut.title") },
        choice("fen", t("cut.amount")),
        choice("rate", t("cut.rate")),
      ),
      quick, wrapper, after, keypad(input, { point: true }),
    ],
    actions: [
      line.cut ? button(t("cut.none"), () => apply(null), "danger") : button(t("common.cancel"), () => dialog.close()),
      button(t("common.confirm"), save, "primary", { id: "cut-save" }),
    ],
  });
  show();
  input.focus();
  await dialog.closed;
}
