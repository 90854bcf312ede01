/** Changes of the basket; each keeps the selection on the line in work. */
import { money } from "/static/shared/format.js";
import { announce, dismiss, notify } from "./notices.js";
import { linePayable } from "./prices.js";
import { change, clearSale, state } from "./state.js";
import { held } from "./store.js";
import { t } from "./texts.js";

const MAX_LINES = 200;
export const MAX_QTY = 9999;

/** Add an article: one more of its line, or a new line at the end. */
export function addArticle(article) {
  const same = state.lines.findIndex((line) => line.sku === article.sku && line.unit_price_fen === article.unit_price_fen && line.qty < MAX_QTY);
  if (same < 0 && state.lines.length >= MAX_LINES) {
    notify(t("basket.full"), { bad: true });
    return;
  }
  dismiss();
  change((now) => {
    if (same >= 0) now.lines = now.lines.map((line, i) => (i === same ? { ...line, qty: line.qty + 1 } : line));
    else {
      const { sku, name, category, barcode, unit_price_fen } = article;
      now.lines = [...now.lines, { sku, name, category, barcode, unit_price_fen, qty: 1, cut: null }];
    }
    now.selected = same >= 0 ? same : now.lines.length - 1;
  });
  tellLine();
}

function tellLine() {
  const line = state.lines[state.selected];
  announce(t("basket.added", { name: line.name, qty: line.qty, sum: money(linePayable(line, 0)) }));
}

const replace = (index, fields) => change((now) => {
  now.lines = now.lines.map((line, i) => (i === index ? { ...line, ...fields } : line));
  now.selected = index;
});

export function setQty(index, qty) {
  replace(index, { qty });
  tellLine();
}

/** One more or one less; the last piece goes with its line. */
export function step(index, by) {
  const qty = state.lines[index].qty + by;
  if (qty < 1) remove(index);
  else if (qty <= MAX_QTY) setQty(index, qty);
}

export const setCut = (index, cut) => replace(index, { cut });

export function select(index) {
  if (index >= 0 && index < state.lines.length) change((now) => { now.selected = index; });
}

/** Take lines out, with a way back. */
function takeOut(lines, text) {
  const before = { lines: state.lines, selected: state.selected };
  change((now) => {
    now.lines = lines;
    now.selected = Math.min(now.selected, lines.length - 1);
  });
  notify(text, { action: { text: t("basket.undo"), run: () => change((now) => Object.assign(now, before)) } });
}

export function remove(index) {
  const gone = state.lines[index];
  if (gone) takeOut(state.lines.filter((_, i) => i !== index), t("basket.removed", { name: gone.name }));
}

export function clear() {
  if (state.lines.length) takeOut([], t("basket.cleared"));
}

/** Put the basket aside for another customer; the member is not kept. */
export async function hold() {
  if (!state.lines.length) return;
  const { lines, orderNo } = state;
  const row = { id: Date.now(), lines, orderNo, terminal: state.context.terminal.id };
  await held.put(row);
  clearSale();
  await countHeld();
  notify(t("basket.held"));
}

/** Go on with a basket that was put aside. */
export async function recall(row) {
  if (state.lines.length) await hold();
  await held.remove(row.id);
  change((now) => Object.assign(now, { lines: row.lines, orderNo: row.orderNo, selected: row.lines.length - 1 }));
  await countHeld();
}

/** Rows put aside on this terminal, oldest first. */
export const listHeld = async () => (await held.all()).filter((row) => row.terminal === state.context.terminal.id);

export async function countHeld() {
  const rows = await listHeld();
  change((now) => { now.heldCount = rows.length; });
}
