/** The left side: the lines of the basket, their sums, and the buttons for the line in work. */
import { fill, h } from "/static/shared/dom.js";
import { discount, money } from "/static/shared/format.js";
import * as basket from "./basket.js";
import { picture } from "./icons.js";
import { askCut, askQty } from "./line_dialogs.js";
import { cutFen, gross, priceBasket } from "./prices.js";
import { onChange, state } from "./state.js";
import { t } from "./texts.js";

function cutText(line) {
  if (!line.cut) return null;
  const amount = money(cutFen(line));
  const text = line.cut.kind === "rate" ? t("basket.cut_rate", { rate: discount(line.cut.value), amount }) : t("basket.cut", { amount });
  return h("span", { class: "pill brand" }, text);
}

function row(line, index, selected) {
  const cut = cutFen(line);
  return h("tr", {
    class: "line", role: "row", id: `line-${index}`, "aria-selected": index === selected ? "true" : "false", dataset: { sku: line.sku },
    onclick: () => basket.select(index), ondblclick: () => askQty(index),
  },
  h("td", { class: "line-no num muted" }, index + 1),
  h("td", { class: "line-name" },
    h("div", { class: "clip strong" }, line.name),
    h("div", { class: "tiny muted row tight" }, h("span", { class: "num" }, line.sku), line.category ? h("span", null, line.category) : null, cutText(line))),
  h("td", { class: "num right muted" }, money(line.unit_price_fen)),
  h("td", { class: "num right line-qty" }, `×${line.qty}`),
  h("td", { class: "num right" },
    h("div", { class: "strong" }, money(gross(line) - cut)),
    cut ? h("s", { class: "tiny muted" }, money(gross(line))) : null));
}

function action(name, text, keys, run, props = {}) {
  return h("button", { class: "act", type: "button", id: `act-${name}`, onclick: run, ...props },
    h("span", { class: "act-text" }, picture(props.icon, 20), text), keys ? h("kbd", null, keys) : null);
}

const onSelected = (run) => () => { if (state.selected >= 0) run(state.selected); };

export function build() {
  const body = h("tbody");
  const table = h("table", { class: "lines", role: "grid", id: "basket", "aria-label": t("basket.title") },
    h("thead", null, h("tr", { role: "row" },
      h("th", { scope: "col" }, h("span", { class: "sr-only" }, "#")), h("th", { scope: "col", class: "left" }, t("basket.item")),
      h("th", { scope: "col", class: "right" }, t("basket.price")), h("th", { scope: "col", class: "right" }, t("basket.qty")), h("th", { scope: "col", class: "right" }, t("basket.sum")))),
    body);
  const empty = h("div", { class: "empty basket-empty" },
    picture("basket", 56),
    h("p", { class: "strong" }, t("basket.empty")),
    h("p", { class: "small" }, t("basket.empty_hint")),
  );
  const scroller = h("div", { class: "basket-scroll" }, table, empty);
  const summary = h("p", { class: "basket-sum small muted num", id: "basket-sum" });
  const forLine = [
    h("div", { class: "stepper" },
      h("button", {
        class: "icon-button", type: "button", id: "act-less", "aria-label": t("basket.less"), onclick: onSelected((i) => basket.step(i, -1)),
      }, picture("minus")),
      h("output", { class: "num strong", id: "qty-now" }, "0"),
      h("button", { class: "icon-button", type: "button", id: "act-more", "aria-label": t("basket.more"), onclick: onSelected((i) => basket.step(i, 1)) }, picture("plus"))),
    action("qty", t("basket.change_qty"), "F2", onSelected(askQty), { icon: "hash" }),
    action("cut", t("basket.change_cut"), "F4", onSelected(askCut), { icon: "tag" }),
    action("remove", t("basket.remove"), "Del", onSelected(basket.remove), { icon: "trash" }),
  ];
  const forBasket = [
    action("hold", t("pos.hold"), "", () => basket.hold(), { icon: "pause" }),
    action("clear", t("basket.clear"), "", basket.clear, { icon: "close" }),
  ];
  const bar = h("div", { class: "actions", role: "toolbar", "aria-label": t("basket.title") }, forLine, h("span", { class: "grow" }), forBasket);
  const output = forLine[0].querySelector("output");
  const buttons = [...bar.querySelectorAll("button")];

  let drawn = null;
  onChange(({ lines, selected }) => {
    if (drawn && drawn.lines === lines && drawn.selected === selected) return;
    drawn = { lines, selected };
    fill(body, lines.map((line, index) => row(line, index, selected)));
    table.hidden = lines.length === 0;
    empty.hidden = lines.length > 0;
    for (const button of buttons) button.disabled = lines.length === 0;
    output.textContent = lines[selected]?.qty ?? 0;
    body.children[selected]?.scrollIntoView({ block: "nearest" });
    const sums = priceBasket(lines, 0);
    summary.textContent = lines.length ? t("basket.kinds", { kinds: lines.length, pieces: sums.pieces }) : "";
  });
  return [scroller, h("div", { class: "basket-foot" }, summary, bar)];
}
