/** 申请售后: which pieces, what for, why. */
import { fill, h } from "../../shared/dom.js";
import { money, parseYuan } from "../../shared/format.js";
import { picture, stepper } from "../goods.js";
import { pictureAt } from "../goods_words.js";
import { afterKinds, piecesLeft } from "../order_words.js";
import { busy, choices, emptyState, field, skeleton, trouble } from "../parts.js";
import { pictureField } from "../pictures.js";
import { problemText, t } from "../texts.js";

const REASONS = ["unwanted", "wrong", "quality", "other"];
const OURS = ["wrong", "quality"]; // the shop's doing, says the member; staff decide
const LONGEST = 150;

export function askAfterSaleScreen(app) {
  const id = decodeURIComponent(location.hash.split("?")[1] || "");
  const node = h("div", { class: "page stack ask" });
  const expect = h("p", { class: "grow cart-sum checkout-sum", role: "status" });
  const submit = h("button", { type: "button", class: "button primary", disabled: true, onclick: () => busy(submit, send) }, t("ask.submit"));
  const foot = h("div", { class: "row grow" }, expect, submit);
  const problem = h("p", { class: "field-error", role: "alert" });
  const wanted = new Map(); // line_no → pieces
  let order = null;
  let left = new Map();
  let kind = "";
  let reason = "";
  let gone = false;
  let amount = null;
  let more = null;
  let pictures = null;

  const open = () => order.lines.filter(({ line_no: no }) => left.get(no) > 0);
  const paysBack = () => kind !== "exchange";

  /** What the chosen pieces cost, as they were bought; the server has the last word. */
  function worth() {
    return order.lines.reduce((sum, line) => sum + Math.floor((line.payable_fen * (wanted.get(line.line_no) || 0)) / line.qty), 0);
  }

  function draw() {
    const kinds = afterKinds(order.status);
    if (!kinds.length || !open().length) {
      fill(node, h("div", { class: "card" }, emptyState({ icon: "undo", title: t("ask.closed"), hint: t("ask.closed_hint"), action: t("after.order"), onAction: () => app.go(`order?${encodeURIComponent(id)}`, { replace: true }) })));
      return;
    }
    [kind] = kinds;
    for (const { line_no: no } of open()) wanted.set(no, open().length === 1 ? left.get(no) : 0);
    amount = field("after-amount", t("ask.amount"), h("input", { type: "text", class: "num", inputmode: "decimal", autocomplete: "off", maxlength: 12 }));
    const amountNote = h("p", { class: "tiny muted num" });
    amount.node.append(amountNote);
    more = h("textarea", { class: "input", rows: 3, maxlength: LONGEST, placeholder: t("ask.more"), "aria-label": t("ask.more") });
    pictures = pictureField(app, t("ask.pictures"));
    const follow = () => {
      amountNote.textContent = t("ask.amount_note", { amount: money(worth()) });
      amount.node.hidden = !paysBack();
      fill(expect, paysBack() && [h("span", { class: "num" }, h("span", { class: "small muted" }, `${t("ask.expect")} `), h("span", { class: "strong" }, money(worth()))), h("span", { class: "tiny muted" }, t("ask.expect_note"))]);
      problem.textContent = "";
    };
    fill(node,
      h("section", { class: "card stack" }, choices("kind", t("ask.kind"), kinds.map((one) => [one, t(`after.kind_${one}`)]), kind, (value) => { kind = value; follow(); })),
      h("section", { class: "card flush", "aria-label": t("ask.pieces") },
        h("h2", { class: "cart-store checkout-store" }, t("ask.pieces")),
        h("ul", { class: "cart-lines" }, open().map((line) => lineRow(line, follow)))),
      h("section", { class: "card stack" }, choices("reason", t("ask.reason"), REASONS.map((one) => [one, t(`ask.reason_${one}`)]), "", (value) => { reason = value; problem.textContent = ""; }), more, pictures.node, amount.node),
      problem);
    submit.disabled = false;
    follow();
  }

  function lineRow(line, follow) {
    const most = left.get(line.line_no);
    const step = stepper({ qty: wanted.get(line.line_no), least: 0, most, name: t("ask.pieces_of", { name: line.name }), onchange: (qty) => { wanted.set(line.line_no, qty); follow(); } });
    return h("li", { class: "checkout-line" },
      picture(pictureAt(line.picture)),
      h("div", { class: "cart-text" }, h("span", { class: "cart-name" }, line.name), line.spec && h("span", { class: "tiny muted" }, line.spec), h("span", { class: "tiny muted num" }, t("ask.left", { count: most }))),
      step.node);
  }

  /** What is asked, or null and a word about what is missing. */
  function body() {
    const lines = [...wanted].filter(([, qty]) => qty > 0).map(([no, qty]) => ({ line_no: no, qty }));
    const fen = paysBack() && amount.input.value.trim() ? parseYuan(amount.input.value) : undefined;
    if (pictures.busy()) problem.textContent = t("picture.wait");
    else if (!lines.length) problem.textContent = t("ask.none");
    else if (!reason) problem.textContent = t("ask.no_reason");
    else if (fen === null || fen === 0) amount.mark(t("recharge.bad_amount"));
    else {
      const words = [t(`ask.reason_${reason}`), more.value.trim()].filter(Boolean).join("：");
      return { kind, lines, reason: words, fault: OURS.includes(reason) ? "shop" : "member", pictures: pictures.ids(), ...(fen ? { amount_fen: fen } : {}) };
    }
    return null;
  }

  async function send() {
    const asked = body();
    if (!asked) {
      if (problem.textContent) problem.scrollIntoView({ block: "center" });
      return;
    }
    try {
      const made = await app.orders.askAfterSale(id, asked);
      app.toast(t("ask.done"));
      app.go(`after-sale?${encodeURIComponent(made.id)}`, { replace: true });
    } catch (error) {
      problem.textContent = problemText(error);
      problem.scrollIntoView({ block: "center" });
    }
  }

  async function load() {
    fill(node, h("section", { class: "card" }, skeleton("w30", "w70")), h("section", { class: "card" }, skeleton("w70", "w50", "w70")));
    try {
      const [answer, requests] = await Promise.all([app.orders.get(id), app.orders.afterSalesOf(id)]);
      if (gone) return;
      order = answer;
      left = piecesLeft(order.lines, requests);
      draw();
    } catch (error) {
      if (!gone) fill(node, h("div", { class: "card" }, trouble(error, load)));
    }
  }

  load();
  return { title: t("ask.title"), node, foot, parent: "orders", leave: () => { gone = true; } };
}
