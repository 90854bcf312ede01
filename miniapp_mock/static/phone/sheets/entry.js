/** One line of a statement, and the sheet with all that is known of it. */
import { h } from "../../shared/dom.js";
import { openDialog } from "../../shared/dialog.js";
import { count, dateTime, dayTime, money, signedCount, signedMoney } from "../../shared/format.js";
import { glyph } from "../icons.js";
import { fact } from "../parts.js";
import { known, t } from "../texts.js";

const ICONS = [[/refund|return/, "undo"], [/recharge/, "recharge"], [/sale|order/, "shop"], [/expir/, "clock"], [/gift|bonus/, "gift"]];

/** What an entry is, in words: our word for its kind, else the server's title. */
export function entryTitle(entry) {
  if (entry.title && /[\u3400-\u9fff]/.test(entry.title)) return entry.title;
  return known(`kind.${entry.kind}`) ? t(`kind.${entry.kind}`) : entry.title || entry.kind || "";
}

/** An amount of an account, signed: money, or points. */
export function entryAmount(entry, account) {
  return account === "points" ? signedCount(entry.amount) : signedMoney(entry.amount);
}

/** A row that opens the detail. */
export function entryRow(app, entry, account) {
  const icon = (ICONS.find(([pattern]) => pattern.test(entry.kind)) || [null, entry.amount > 0 ? "plus" : "minus"])[1];
  const after = account === "points" ? count(entry.balance_after) : money(entry.balance_after);
  return h(
    "button",
    { type: "button", class: "cell entry", onclick: () => showEntry(app, entry, account) },
    h("span", { class: "entry-icon" }, glyph(icon, 20)),
    h("span", { class: "grow entry-text" }, h("span", { class: "clip" }, entryTitle(entry)), h("span", { class: "tiny muted num" }, dayTime(entry.at))),
    h("span", { class: "entry-sums num" }, h("span", { class: `strong ${entry.amount > 0 ? (account === "points" ? "gold" : "brand") : ""}` }, entryAmount(entry, account)), h("span", { class: "tiny muted" }, t("entries.after", { amount: after }))),
  );
}

function showEntry(app, entry, account) {
  const title = entryTitle(entry);
  const copy = entry.reference && h("button", { type: "button", class: "link small", onclick: () => app.wx.setClipboardData({ data: entry.reference }).then(() => app.toast(t("entry.copied")), () => undefined) }, t("entry.copy"));
  const after = account === "points" ? count(entry.balance_after) : money(entry.balance_after);
  const body = h(
    "div",
    { class: "sheet-body stack" },
    h("p", { class: "center muted" }, title),
    h("p", { class: `big-amount num ${account === "points" ? "gold" : ""}` }, entryAmount(entry, account)),
    h("dl", { class: "facts" },
      fact(t("entry.kind"), known(`kind.${entry.kind}`) ? t(`kind.${entry.kind}`) : title),
      fact(t("entry.time"), dateTime(entry.at)),
      fact(t(account === "points" ? "entry.after_points" : "entry.after"), after),
      fact(t("entry.reference"), entry.reference, { action: copy }),
      fact(t("entry.id"), entry.id)),
    h("button", { type: "button", class: "button wide", autofocus: true, onclick: () => dialog.close() }, t("common.close")),
  );
  const dialog = openDialog(body, { label: t("entry.detail") });
}
