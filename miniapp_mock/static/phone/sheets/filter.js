/** The sheet on which goods are narrowed: by price, brand, what staff say of them, and what there is. */
import { fill, h } from "../../shared/dom.js";
import { openDialog } from "../../shared/dialog.js";
import { parseYuan, shortMoney } from "../../shared/format.js";
import { glyph } from "../icons.js";
import { choices, field } from "../parts.js";
import { t } from "../texts.js";

const ANY = "";

/** `origin:海南,organic:true` → `{ origin: "海南", organic: "true" }`, and back. */
const read = (text) => Object.fromEntries((text || "").split(",").filter(Boolean).map((part) => [part.slice(0, part.indexOf(":")), part.slice(part.indexOf(":") + 1)]));
const written = (wanted) => Object.entries(wanted).filter(([, value]) => value !== ANY).map(([code, value]) => `${code}:${value}`).join(",");

/** Open it; `change(part)` with what is wanted then, `nowhere()` being what narrows nothing. */
export function filterSheet(app, wish, { change, nowhere }) {
  const money = (name) => field(name, t(`goods.${name}`), h("input", { type: "text", inputmode: "decimal", autocomplete: "off", maxlength: 10, class: "num", value: wish[name] ? shortMoney(wish[name]).slice(1) : "" }));
  const [least, most] = [money("min_fen"), money("max_fen")];
  const flag = (name) => h("input", { type: "checkbox", role: "switch", class: "switch", checked: Boolean(wish[name]) });
  const [offer, stock] = [flag("on_offer"), flag("in_stock")];
  const wanted = read(wish.attributes);
  const more = h("div", { class: "stack" });
  let brand = wish.brand || ANY;

  app.mall.filters().then(({ brands, attributes }) => {
    const pills = (name, label, options, now, onchange) => choices(name, label, [[ANY, t("goods.all")], ...options], now, onchange);
    fill(more,
      brands.length > 0 && pills("brand", t("goods.brand"), brands.map(({ code, name }) => [code, name]), brand, (value) => { brand = value; }),
      attributes.map((one) => {
        const options = one.kind === "choice" ? one.choices.map((value) => [value, value]) : one.kind === "flag" ? [["true", t("goods.yes")], ["false", t("goods.no")]] : [];
        return options.length > 0 && pills(`attribute-${one.code}`, one.name, options, wanted[one.code] || ANY, (value) => { wanted[one.code] = value; });
      }));
  }, () => undefined);

  const apply = (event) => {
    event.preventDefault();
    const values = [least, most].map(({ input }) => (input.value.trim() ? parseYuan(input.value) : ""));
    [least, most].forEach((part, i) => part.mark(values[i] === null ? t("recharge.bad_amount") : ""));
    if (values.includes(null)) return;
    dialog.close();
    change({ min_fen: values[0], max_fen: values[1], on_offer: offer.checked, in_stock: stock.checked, brand, attributes: written(wanted) });
  };
  const body = h("form", { class: "sheet-body stack filters", novalidate: true, onsubmit: apply },
    h("div", { class: "sheet-head" },
      h("button", { type: "button", class: "icon-button", "aria-label": t("common.close"), onclick: () => dialog.close() }, glyph("close", 22)),
      h("h2", { class: "sheet-title" }, t("goods.filter")), h("span")),
    h("div", { class: "price-span" }, least.node, most.node),
    h("div", { class: "filter-flags" },
      [[stock, "goods.stock_only"], [offer, "goods.offers_only"]].map(([input, text]) => h("label", { class: "row between toggle" }, h("span", null, t(text)), input))),
    more,
    h("div", { class: "sheet-actions" },
      h("button", { type: "button", class: "button", onclick: () => { dialog.close(); change(nowhere()); } }, t("goods.reset")),
      h("button", { type: "submit", class: "button primary" }, t("goods.show"))));
  const dialog = openDialog(body, { label: t("goods.filter") });
}
