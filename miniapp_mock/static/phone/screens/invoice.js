/** 发票: how an order's invoice stands, and what is to be on it. */
import { fill, h } from "../../shared/dom.js";
import { dateTime, money } from "../../shared/format.js";
import { glyph } from "../icons.js";
import { canInvoice } from "../order_words.js";
import { busy, choices, emptyState, fact, field, linkCell, skeleton, trouble } from "../parts.js";
import { problemText, t } from "../texts.js";

const KINDS = ["personal", "company"];
const TITLE = 100;
const TAX_NO = /^[0-9A-Z]{15,20}$/;
const EMAIL = /^[^@\s]{1,64}@[^@\s]{1,128}$/;

export function invoiceScreen(app) {
  const id = decodeURIComponent(location.hash.split("?")[1] || "");
  const node = h("div", { class: "page stack" });
  const submit = h("button", { type: "submit", form: "invoice-form", class: "button primary wide" }, t("invoice.submit"));
  const foot = h("div", { class: "grow", hidden: true }, submit);
  let gone = false;
  let open = true; // there is something left that an invoice can name

  function show(invoice) {
    const again = invoice.status === "rejected" ? "invoice.again" : "invoice.change";
    fill(node,
      h("section", { class: "card result", role: "status" },
        h("span", { class: `done-mark ${invoice.status === "issued" ? "" : "calm"}` }, glyph({ requested: "clock", issued: "check", rejected: "alert" }[invoice.status], 34)),
        h("h2", { class: "result-title" }, t(`invoice.state_${invoice.status}`)),
        h("p", { class: "muted small" }, invoice.note || t(open || invoice.status !== "rejected" ? `invoice.hint_${invoice.status}` : "invoice.hint_over"))),
      h("section", { class: "card" }, h("dl", { class: "facts" },
        fact(t("invoice.amount"), money(invoice.amount_fen), { look: "strong" }),
        fact(t("invoice.kind"), t(`invoice.kind_${invoice.kind}`)),
        fact(t("invoice.title"), invoice.title),
        fact(t("invoice.tax_no"), invoice.tax_no),
        fact(t("invoice.email"), invoice.email),
        fact(t("invoice.number"), invoice.number),
        fact(t("invoice.asked_at"), dateTime(invoice.asked_at)))),
      toOrder(),
      open && invoice.status !== "issued" && h("button", { type: "button", class: "button wide", onclick: () => draw(invoice) }, t(again)));
    setFoot(false);
  }

  const toOrder = () => h("section", { class: "card flush cells" }, linkCell({ icon: "box", text: t("after.order"), onclick: () => app.go(`order?${encodeURIComponent(id)}`) }));

  function setFoot(on) {
    foot.hidden = !on;
    foot.parentElement?.toggleAttribute("hidden", !on);
  }

  function draw(known) {
    let kind = known.kind || "personal";
    const title = field("title", t("invoice.title"), h("input", { type: "text", autocomplete: "organization", maxlength: TITLE, value: known.title || "" }));
    const tax = field("tax-no", t("invoice.tax_no"), h("input", { type: "text", class: "num", autocomplete: "off", autocapitalize: "characters", spellcheck: "false", maxlength: 20, value: known.tax_no || "" }), t("invoice.tax_note"));
    const email = field("email", t("invoice.email_optional"), h("input", { type: "email", inputmode: "email", autocomplete: "email", maxlength: 193, value: known.email || "" }));
    const problem = h("p", { class: "field-error center", role: "alert" });
    const places = { "/title": title, "/tax_no": tax, "/email": email };
    const follow = () => {
      tax.node.hidden = kind !== "company";
      title.input.placeholder = t(`invoice.title_hint_${kind}`);
    };
    fill(node, h("form", { class: "stack", id: "invoice-form", novalidate: true, onsubmit: (event) => { event.preventDefault(); busy(submit, send); } },
      h("section", { class: "card stack wide-gap" },
        choices("kind", t("invoice.kind"), KINDS.map((one) => [one, t(`invoice.kind_${one}`)]), kind, (value) => { kind = value; follow(); }),
        title.node, tax.node, email.node),
      h("p", { class: "small muted invoice-note" }, t("invoice.note")), problem));
    follow();
    setFoot(true);

    function body() {
      const written = { kind, title: title.input.value.trim() };
      const number = tax.input.value.replace(/[\s-]/g, "").toUpperCase();
      const to = email.input.value.trim();
      title.mark(written.title ? "" : t("invoice.need_title"));
      tax.mark(kind !== "company" || TAX_NO.test(number) ? "" : t("invoice.bad_tax_no"));
      email.mark(!to || EMAIL.test(to) ? "" : t("invoice.bad_email"));
      const wrong = [title, tax, email].find((one) => one.input.getAttribute("aria-invalid") === "true");
      if (wrong) {
        wrong.input.focus();
        return null;
      }
      return { ...written, ...(kind === "company" ? { tax_no: number } : {}), ...(to ? { email: to } : {}) };
    }

    async function send() {
      const written = body();
      if (!written) return;
      problem.textContent = "";
      try {
        const asked = await app.orders.askInvoice(id, written);
        app.toast(t("invoice.done"));
        if (!gone) show(asked);
      } catch (error) {
        const placed = (error.fields || []).filter(({ pointer }) => places[pointer]);
        placed.forEach(({ pointer, message }) => places[pointer].mark(message));
        if (!placed.length) problem.textContent = problemText(error);
      }
    }
  }

  async function load() {
    fill(node, h("section", { class: "card" }, skeleton("w50", "w70")), h("section", { class: "card" }, skeleton("w100", "w70")));
    try {
      const [order, known] = await Promise.all([app.orders.get(id), app.orders.invoice(id)]);
      if (gone) return;
      open = canInvoice(order);
      if (known) show(known);
      else if (!open) fill(node, h("div", { class: "card" }, emptyState({ icon: "list", title: problemText({ code: "invoice_unavailable" }), action: t("after.order"), onAction: () => app.go(`order?${encodeURIComponent(id)}`, { replace: true }) })));
      else draw(await lastWritten());
    } catch (error) {
      const unknown = emptyState({ icon: "list", title: t("order.unknown"), action: t("orders.title"), onAction: () => app.go("orders", { replace: true }) });
      if (!gone) fill(node, h("div", { class: "card" }, error.status === 404 ? unknown : trouble(error, load)));
    }
  }

  /** What was on the invoice before, to write it once. */
  async function lastWritten() {
    const { items: [before] } = await app.orders.invoices().catch(() => ({ items: [] }));
    return before ? { kind: before.kind, title: before.title, tax_no: before.tax_no, email: before.email } : {};
  }

  load();
  return { title: t("invoice.page"), node, foot, parent: `order?${encodeURIComponent(id)}`, shown: () => setFoot(!foot.hidden), leave: () => { gone = true; } };
}
